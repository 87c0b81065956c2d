//! Everything the registry knows, in SQLite or in MySQL: one set of methods, one set of rows.
//!
//! Invariants: an event row exists at most once for each bucket and sequence number; a bucket's cursor moves only in
//! the transaction that records the object which holds everything up to it; a job has at most one owner.

mod analyses;
mod artifacts;
mod buckets;
mod counts;
mod engine;
mod facts;
mod filing;
mod findings;
mod jobs;
mod migrations;
mod objects;
mod pages;
mod people;
mod query;
mod retention;
mod sessions;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

pub use analyses::{Analysis, FinishedAnalysis, OpenAnalysis};
pub use artifacts::{Artifact, WantedArtifact};
pub use buckets::{Bucket, NewBucket, Registered, Registration, Status};
pub use counts::Counts;
pub use engine::{Done, Engine, Row, Tx};
pub use facts::{Facts, Tally};
pub use filing::{Filed, ParsedLine, Reject};
pub use findings::{Finding, Gap, NewFinding, RejectRow};
pub use jobs::{JobRow, JobRun};
pub use migrations::Applied;
pub use objects::{NewObject, Object};
pub use pages::EventFilter;
pub use people::{ApiToken, AuditEntry, RegistrationKey, Role, User, WebSession};
pub use query::{Query, Value};
pub use retention::Swept;
pub use sessions::{EventRow, PageKey, SessionFilter, SessionRow};

use crate::config::DatabaseUrl;

/// A step of the store that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or made.
    #[error("cannot open {what}")]
    Open {
        /// Which database, without its password.
        what: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The folder of the database file cannot be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No transaction could be begun.
    #[error("cannot begin a transaction")]
    Begin(#[source] sqlx::Error),
    /// A statement was refused.
    #[error("a database statement failed")]
    Statement(#[source] sqlx::Error),
    /// A transaction could not be made lasting.
    #[error("cannot commit a transaction")]
    Commit(#[source] sqlx::Error),
    /// A column does not hold what this program writes there.
    #[error("column {index} of an answer is not of the expected kind")]
    Column {
        /// Position in the row, from 0.
        index: usize,
        /// Why.
        source: sqlx::Error,
    },
    /// A stored word is not one this program writes.
    #[error("`{value}` is not a {what}")]
    Word {
        /// What it should be.
        what: &'static str,
        /// What is stored.
        value: String,
    },
    /// A migration of this name was applied with other text.
    #[error(
        "migration {version} was applied with another text: this database belongs to another version of the registry"
    )]
    Migration {
        /// Its number.
        version: i64,
    },
    /// The database is older than this program.
    #[error("the database lacks migration {version}: run `rustbucket-registry migrate`")]
    NotMigrated {
        /// The first that is missing.
        version: i64,
    },
    /// Somebody else moved on: the cursor, the claim or the lease is no longer ours.
    #[error("{what} was taken over by another registry")]
    TakenOver {
        /// What.
        what: &'static str,
    },
}

impl StoreError {
    fn cause(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Open { source, .. } | Self::Column { source, .. } => Some(source),
            Self::Begin(source) | Self::Statement(source) | Self::Commit(source) => Some(source),
            _ => None,
        }
    }

    /// Whether a unique key refused a row.
    pub fn is_duplicate(&self) -> bool {
        self.cause().and_then(sqlx::Error::as_database_error).is_some_and(|e| e.is_unique_violation())
    }

    /// Whether the same transaction, begun again, may well succeed.
    pub fn is_passing(&self) -> bool {
        let Some(cause) = self.cause() else { return false };
        match cause {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            sqlx::Error::Database(error) => {
                if let Some(mysql) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
                    // Lock wait timeout, deadlock (also certification failure in a cluster), node not ready, server going away.
                    matches!(mysql.number(), 1205 | 1213 | 1047 | 1053 | 2006 | 2013)
                } else {
                    // SQLITE_BUSY and SQLITE_LOCKED, with their extended codes.
                    error
                        .code()
                        .and_then(|c| c.parse::<i64>().ok())
                        .is_some_and(|c| matches!(c & 0xff, 5 | 6))
                }
            }
            _ => false,
        }
    }
}

/// The store. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
}

impl Store {
    /// Opens the database without changing its tables.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let engine = match url {
            DatabaseUrl::Sqlite(path) => Engine::open_sqlite(path).await?,
            DatabaseUrl::MySql(url) => Engine::open_mysql(url.reveal()).await?,
        };
        Ok(Self { engine })
    }

    /// `sqlite` or `mysql`.
    pub fn engine_name(&self) -> &'static str {
        if self.engine.is_mysql() { "mysql" } else { "sqlite" }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.engine.first(Query::new("SELECT 1")).await.map(drop)
    }

    /// Closes every connection; for an orderly end.
    pub async fn close(&self) {
        self.engine.close().await;
    }

    /// The engine, for tests that look at the tables themselves.
    #[doc(hidden)]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// Runs a whole transaction again, up to five times, when it failed for a passing reason.
pub(crate) async fn retry<T, F: Future<Output = Result<T, StoreError>>>(
    mut work: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut wait = Duration::from_millis(20);
    for _ in 0..4 {
        match work().await {
            Err(error) if error.is_passing() => {
                tracing::debug!(%error, "a transaction is begun again");
                tokio::time::sleep(wait).await;
                wait *= 3;
            }
            result => return result,
        }
    }
    work().await
}

#[cfg(test)]
mod tests;
