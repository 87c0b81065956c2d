//! `serve`: the jobs and the pages, until a signal comes.

use std::io::Write as _;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::check::inspect;
use super::{CommandError, open};
use crate::config::Config;
use crate::http;
use crate::jobs::scheduler;
use crate::vault::Vault;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: Arc<Config>) -> Result<(), CommandError> {
    // Bound first: what cannot be reached should not begin to work.
    let listener = inspect(&config).await?;
    let address = config.server.listen;
    let at = listener.local_addr().map_err(|source| CommandError::Listen { address, source })?;
    let vault = Vault::open(&config.key_file)?;
    let works = open(Arc::clone(&config)).await?;
    scheduler::prepare(&works).await?;
    if works.store.users().await?.is_empty() {
        tracing::warn!("nobody can sign in yet: run `rustbucket-registry user add NAME --role admin`");
    }
    let (stopping, stop) = watch::channel(false);
    let jobs = tokio::spawn(scheduler::run(works.clone(), stop.clone()));
    let enrolment = http::Enrolment {
        config: Arc::clone(&config),
        store: works.store.clone(),
        vault,
        archive: works.archive.clone(),
    };
    let served = tokio::spawn({
        let config = Arc::clone(&config);
        async move { http::serve(listener, &config, http::router(enrolment), stop).await }
    });
    let scheme = if config.server.tls.is_some() { "https" } else { "http" };
    writeln!(std::io::stdout(), "listening on {scheme}://{at}").map_err(CommandError::Terminal)?;
    tracing::info!(%at, database = works.store.engine_name(), archive = works.archive.place(), "the registry serves");

    let ended = tokio::select! {
        ended = served => Some(ended),
        signalled = signalled() => { signalled?; None }
    };
    stopping.send_replace(true);
    if let Err(error) = jobs.await {
        tracing::error!(%error, "the scheduler broke off");
    }
    works.store.close().await;
    tracing::info!("the registry stopped");
    match ended {
        Some(Ok(result)) => Ok(result?),
        Some(Err(error)) => Err(CommandError::Serve(http::ServeError::Serve(std::io::Error::other(error)))),
        None => Ok(()),
    }
}

async fn signalled() -> Result<(), CommandError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::Signal)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
