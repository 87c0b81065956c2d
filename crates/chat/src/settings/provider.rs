//! The providers there are, by the names they have in settings.

/// The providers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// `[openai]`
    ChatGpt,
    /// `[anthropic]`
    Claude,
    /// `[ollama]`
    Ollama,
    /// Nobody: every question gets its own `otherwise`.
    Canned,
}

impl Provider {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::ChatGpt, Self::Claude, Self::Ollama, Self::Canned];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChatGpt => "chatgpt",
            Self::Claude => "claude",
            Self::Ollama => "ollama",
            Self::Canned => "canned",
        }
    }
}
