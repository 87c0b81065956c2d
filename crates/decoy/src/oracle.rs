//! The only door from the decoy to the outside: a question that the machine cannot answer by heart.

use async_trait::async_trait;
use bytes::Bytes;

/// What is asked. The kind decides which prompt is used and how long an answer may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Output of an installed program that is not emulated: the command line as typed.
    Program {
        /// Program and arguments.
        command: String,
        /// Working directory.
        cwd: String,
        /// Who runs it.
        user: String,
    },
    /// Content of a file that is listed but has none yet.
    File {
        /// Absolute path.
        path: String,
    },
    /// A page that nobody wrote.
    Page {
        /// Request method.
        method: String,
        /// Path and query.
        target: String,
    },
    /// A line on a port that has only a banner.
    Line {
        /// The banner that the port opened with.
        banner: String,
        /// What the visitor sent.
        line: String,
    },
}

/// A question that always carries its own way out.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub what: Ask,
    /// What the real daemon would say if nobody knew: used when no model answers, for whatever reason.
    pub otherwise: Bytes,
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
