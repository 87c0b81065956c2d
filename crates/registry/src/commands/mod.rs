//! What the command line does, one function a command.

mod check;
mod people;
mod serve;

use std::sync::Arc;
use std::time::Duration;

pub use check::check;
pub use people::{add_user, buckets, create_key, create_token, decide_bucket, reread};
pub use serve::serve;

use crate::analysis::Analyst;
use crate::config::Config;
use crate::jobs::{self, Works, scheduler};
use crate::log_archive::{ArchiveError, LogArchive};
use crate::password::PasswordError;
use crate::pull::{Guard, PullError, Puller};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// A step of a command that failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The objects.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The tokens.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The client.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// The pages.
    #[error(transparent)]
    Serve(#[from] crate::http::ServeError),
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The listening socket.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Standard input or output, or a signal.
    #[error("cannot read or write the terminal")]
    Terminal(#[source] std::io::Error),
    /// Signals.
    #[error("cannot wait for signals")]
    Signal(#[source] std::io::Error),
    /// An argument that names nothing.
    #[error("{0}")]
    Argument(String),
    /// Somebody else runs it.
    #[error("`{0}` is under way in another process and did not end in time; try again")]
    Busy(String),
    /// The job ran, and something failed.
    #[error("the job failed; its report says why")]
    JobFailed,
    /// What `check` found.
    #[error("{}", .0.join("\n"))]
    Checked(Vec<String>),
}

impl CommandError {
    /// 2 for what was asked wrongly, 1 for what went wrong.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Argument(_) | Self::Checked(_) | Self::Password(_) => 2,
            _ => 1,
        }
    }
}

/// Opens everything the jobs work with, and brings the tables up to date.
pub async fn open(config: Arc<Config>) -> Result<Works, CommandError> {
    let vault = Vault::open(&config.key_file)?;
    let store = Store::open(&config.database).await?;
    store.migrate().await?;
    let archive = LogArchive::open(&config.storage)?;
    let guard = Guard::new(&config.registration.allowed_networks);
    let puller = Puller::new(&config.pull, guard, vault)?;
    let analyst = Arc::new(Analyst::new(&config.analysis));
    let owner = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4()).into();
    Ok(Works { config, store, archive, puller, analyst, owner })
}

/// Brings the tables up to date and says what that took.
pub async fn migrate(config: &Config) -> Result<String, CommandError> {
    let store = Store::open(&config.database).await?;
    let applied = store.migrate().await?;
    store.close().await;
    Ok(match applied.now.as_slice() {
        [] => format!("nothing to do: {} migration(s) were applied before", applied.before),
        now => format!("applied {}", now.join(", ")),
    })
}

/// Runs one job now and gives its report.
pub async fn run_job(config: Arc<Config>, name: &str) -> Result<(bool, String), CommandError> {
    let Some(job) = jobs::named(name) else {
        let names: Vec<&str> = jobs::JOBS.iter().map(|job| job.name()).collect();
        return Err(CommandError::Argument(format!(
            "there is no job `{name}`; there are {}",
            names.join(", ")
        )));
    };
    let works = open(config).await?;
    scheduler::prepare(&works).await?;
    let patience = Duration::from_secs(120);
    let Some(outcome) = scheduler::run_now(job, &works, patience).await? else {
        return Err(CommandError::Busy(name.to_owned()));
    };
    works.store.close().await;
    Ok((outcome.well, format!("{:#}", outcome.report)))
}
