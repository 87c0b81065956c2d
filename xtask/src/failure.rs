//! What can go wrong in a verb, one variant per step, and the exit status it means.

use std::{error::Error, io, path::PathBuf, process::ExitStatus};

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A verb that is planned and not there.
    #[error("`{0}` is not built yet")]
    NotBuilt(&'static str),
    /// `--buckets` asks for a port that does not exist.
    #[error("port {port} ({owner}) is above 65535: start at most {most} buckets")]
    PortTooHigh { owner: String, port: u32, most: u16 },
    /// Another program has the port.
    #[error("port {port} ({owner}) on 127.0.0.1 is taken: stop the program that has it")]
    PortTaken { owner: String, port: u16, source: io::Error },
    /// A file or folder.
    #[error("cannot {doing} {path}")]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A kept file that does not hold what it should.
    #[error("{path} is damaged ({fault}): remove it to start afresh")]
    Damaged { path: PathBuf, fault: String },
    /// A program that cannot be started.
    #[error("cannot start {program}")]
    Launch { program: String, source: io::Error },
    /// A program that ended badly; its own words are already on the terminal or in `said`.
    #[error("{program} failed ({status}){said}")]
    Program { program: String, status: ExitStatus, said: String },
    /// A program whose output lacks what is needed.
    #[error("{program} did not print {wanted}; it printed: {printed}")]
    Output { program: String, wanted: &'static str, printed: String },
    /// A process of ours that died while it should run.
    #[error("{name} died ({status}){said}")]
    Died { name: String, status: String, said: String },
    /// Something did not answer in time.
    #[error("{0}")]
    Late(String),
    /// Signals of the terminal or the system.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
    /// The person or the system asked to stop.
    #[error("stopped before everything was ready")]
    Interrupted,
    /// Packages that the tests need and that cannot be installed.
    #[error("{0}")]
    Packages(String),
    /// Some checks failed; each is named.
    #[error("failed: {}", .0.join(", "))]
    Checks(Vec<String>),
}

impl Failure {
    /// 2 for wrong arguments, 1 for what failed while running.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NotBuilt(_) | Self::PortTooHigh { .. } => 2,
            _ => 1,
        }
    }

    /// The message with all its causes.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// For `map_err` on file operations.
    pub fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}
