//! Who speaks in a shell's errors: bash or dash, and under which name.

use std::sync::atomic::Ordering;

use super::super::dash;
use super::{Inner, Session};

/// The most names of scripts that are remembered for the words of their errors.
const MOST_DASH_NAMES: usize = 64;

/// How much of a script of dash is remembered for the words of its errors.
const LONGEST_DASH_TEXT: usize = 16 * 1024;

impl Session {
    /// What errors of the shell begin with, without the colon.
    pub(in crate::shell) fn shell_name(&self) -> String {
        let inner = self.inner.lock();
        if let Some(name) = self.persona_name(inner.len()) {
            return name;
        }
        match (inner.last(), self.launch.is_interactive()) {
            (Some((Inner::Dash, _)), _) => "sh".to_owned(),
            (Some((Inner::Bash, _)), _) | (None, false) => "bash".to_owned(),
            (None, true) => "-bash".to_owned(),
        }
    }

    /// The line that an inner dash on a terminal is at; `None` in bash.
    pub(in crate::shell) fn dash_line(&self) -> Option<u32> {
        self.inner.lock().last().and_then(|(kind, line)| (*kind == Inner::Dash).then_some(*line))
    }

    /// What errors of the shell itself begin with, up to what they say.
    pub(in crate::shell) fn error_prefix(&self) -> String {
        match self.dash_line() {
            Some(line) => format!("{}: {line}: ", self.shell_name()),
            None if self.launch.is_interactive() => format!("{}: ", self.shell_name()),
            None => format!("{}: line 1: ", self.shell_name()),
        }
    }

    /// A script that dash runs.
    pub(in crate::shell) fn add_dash(&self, name: &str) {
        let mut names = self.dash.lock();
        if names.len() < MOST_DASH_NAMES && !names.iter().any(|known| known == name) {
            names.push(name.chars().take(256).collect());
        }
    }

    /// Text that dash is about to run, as bash has to read it.
    pub(in crate::shell) fn translated(&self, text: &str) -> Option<String> {
        text.get(..LONGEST_DASH_TEXT.min(text.len()))
            .unwrap_or_default()
            .clone_into(&mut self.dash_text.lock());
        self.dash_failed.store(false, Ordering::Relaxed);
        if dash::traces(text) {
            self.dash_traces.store(true, Ordering::Relaxed);
        }
        dash::translated(text, dash::Place::Script)
    }

    /// Whether errors that begin with this name are those of dash.
    pub(in crate::shell) fn is_dash(&self, name: &str) -> bool {
        let name = name.strip_suffix(": -c").unwrap_or(name);
        let base = |path: &str| path.rsplit('/').next().map(str::to_owned);
        matches!(name, "sh" | "-sh" | "dash" | "/bin/sh" | "/usr/bin/sh" | "/bin/dash" | "/usr/bin/dash")
            || self.dash.lock().iter().any(|known| base(known) == base(name))
    }

    /// What the shell says about a name that names nothing.
    pub(in crate::shell) fn unknown_command(&self, name: &str) -> String {
        let said = if self.dash_line().is_some() { "not found" } else { "command not found" };
        format!("{}{name}: {said}\n", self.error_prefix())
    }
}
