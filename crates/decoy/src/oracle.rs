//! The only door from the decoy to the outside: a question that the machine cannot answer by heart.

use async_trait::async_trait;
use bytes::Bytes;

/// What is asked. The kind decides which prompt is used and how long an answer may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Output of an installed program that is not emulated.
    Program {
        /// Program and arguments, as the shell cut them.
        words: Vec<String>,
        /// Working directory.
        cwd: String,
        /// Who runs it.
        user: String,
        /// What is piped in; empty for nothing.
        stdin: String,
    },
    /// Content of a file that is listed but has none yet.
    File {
        /// Absolute path in the image.
        path: String,
        /// The size that it is listed with, in bytes.
        size: u64,
        /// Its first line, if that is known, without the line end.
        head: String,
    },
    /// Names in a directory that is there and of which nothing else is known; answered as `ls -lA` prints them.
    Directory {
        /// Absolute path.
        path: String,
    },
    /// Something that a daemon hands to a script: an FTP verb, a mail.
    Verb {
        /// The daemon: `vsftpd`, `postfix`.
        daemon: String,
        /// The script: `SITE DEPLOY`, `/usr/local/bin/tickets`.
        script: String,
        /// What the script is given: its argument, a mail.
        given: String,
    },
    /// A page that nobody wrote.
    Page {
        /// Request method.
        method: String,
        /// Path and query.
        target: String,
    },
    /// A line typed into an interpreter (`python3`, `mysql` …).
    Reply {
        /// The interpreter's name.
        program: String,
        /// The line, or the lines of one statement.
        line: String,
    },
    /// A line on a port that has only a banner.
    Line {
        /// The banner that the port opened with.
        banner: String,
        /// What the visitor sent.
        line: String,
    },
}

impl Ask {
    /// The word for it in events, metrics and names of templates.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Program { .. } => "program",
            Self::File { .. } => "file",
            Self::Directory { .. } => "directory",
            Self::Verb { .. } => "verb",
            Self::Page { .. } => "page",
            Self::Reply { .. } => "interpreter",
            Self::Line { .. } => "line",
        }
    }

    /// The part that the visitor wrote.
    pub fn written(&self) -> String {
        match self {
            Self::Program { words, stdin, .. } => {
                let mut text = words.join(" ");
                if !stdin.is_empty() {
                    text.push('\n');
                    text.push_str(stdin);
                }
                text
            }
            Self::File { path, .. } | Self::Directory { path } => path.clone(),
            Self::Verb { given, .. } => given.clone(),
            Self::Page { method, target } => format!("{method} {target}"),
            Self::Reply { line, .. } | Self::Line { line, .. } => line.clone(),
        }
    }
}

/// What was said and what was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The line that was typed.
    pub said: String,
    /// The beginning of what came back.
    pub answered: String,
}

/// A file that a question names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Its path.
    pub path: String,
    /// The beginning of its content.
    pub text: String,
}

/// What the answer has to agree with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounding {
    /// What the visitor did that the answer depends on, oldest first: commands that changed something, files of theirs
    /// with a digest. Empty when the answer follows from the machine alone; then it holds for every visitor.
    pub own: Vec<String>,
    /// Files that the question names.
    pub files: Vec<Excerpt>,
    /// Variables of the shell that matter.
    pub environment: Vec<(String, String)>,
    /// The latest commands of this session, oldest first.
    pub recent: Vec<Exchange>,
}

/// A question that always carries its own way out.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub what: Ask,
    /// What the answer has to agree with.
    pub ground: Grounding,
    /// What the real daemon would say if nobody knew: used when no model answers, for whatever reason.
    pub otherwise: Bytes,
}

impl Question {
    /// A question about the machine alone.
    pub fn new(what: Ask, otherwise: impl Into<Bytes>) -> Self {
        Self { what, ground: Grounding::default(), otherwise: otherwise.into() }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Bytes for the visitor.
    pub text: Bytes,
    /// Whether a model (now or earlier) wrote it; `false` means it is the question's `otherwise`.
    pub invented: bool,
}

/// Answers questions. Cannot fail: a dead, slow, refusing or expensive model gives `otherwise`.
#[async_trait]
pub trait Oracle: Send + Sync {
    /// Asks once.
    async fn ask(&self, question: Question) -> Answer;
}

/// Knows nothing: every question gets its own `otherwise`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOracle;

#[async_trait]
impl Oracle for NoOracle {
    async fn ask(&self, question: Question) -> Answer {
        Answer { text: question.otherwise, invented: false }
    }
}
