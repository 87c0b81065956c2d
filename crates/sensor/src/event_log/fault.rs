//! What can go wrong with the event log, one variant per step.

use std::io;
use std::path::PathBuf;

/// A step of the event log that failed.
#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    /// A folder could not be made.
    #[error("cannot make the folder {path}; check its owner and permissions")]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log folder could not be listed.
    #[error("cannot list the log folder {path}")]
    ListFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A log file could not be read.
    #[error("cannot read the log file {path}")]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line that was cut short by a crash could not be put aside.
    #[error("cannot cut the unfinished last line off {path}")]
    CutTornLine {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file that remembers the log's positions could not be read or written.
    #[error("cannot use the log's ledger {path}")]
    Ledger {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger is damaged.
    #[error(
        "the log's ledger {path} is damaged; restore it from a backup, or move it away to go on from the numbers in \
         the log files themselves (what the registry had acknowledged is then sent again)"
    )]
    LedgerDamaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the log.
    #[error(
        "the event log is in use by another process, which holds {path}; give each bucket its own state folder"
    )]
    InUse {
        /// The locked file.
        path: PathBuf,
    },
    /// The thread that syncs could not be started.
    #[error("cannot start the thread that syncs the event log")]
    StartSync {
        /// Why.
        source: io::Error,
    },
    /// Events could not be made durable before they were handed over.
    #[error("cannot sync the log file {path}")]
    Sync {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
