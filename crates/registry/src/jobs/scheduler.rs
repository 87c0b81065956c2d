//! When a job is due and nobody has it, one registry takes it, keeps it while it works, and gives it back with its report.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{JOBS, Job, Outcome, Works};
use crate::store::StoreError;
use crate::time::now_ms;

/// An owner that was not heard of for this long counts as gone.
const LEASE: Duration = Duration::from_secs(20);
/// How often an owner is heard of.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often the table is looked at.
const TICK: Duration = Duration::from_secs(1);

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Returns when the registry is to stop; a sender that is gone means the same.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

/// Makes sure that every job has its row: a new one is due after its first period, the quick ones at once.
pub async fn prepare(works: &Works) -> Result<(), StoreError> {
    for job in JOBS {
        works.store.ensure_job(job.name(), now_ms() + millis(job.period(&works.config.schedule))).await?;
    }
    Ok(())
}

/// Runs every job whenever it is due, until `stop` turns true; then waits for what is under way, not for long.
pub async fn run(works: Works, stop: watch::Receiver<bool>) {
    let mut stopping = stop.clone();
    let mut under_way: JoinSet<&'static str> = JoinSet::new();
    let mut busy: HashSet<&'static str> = HashSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(ended) = under_way.join_next() => match ended {
                Ok(name) => { busy.remove(name); }
                Err(error) => {
                    // A job panicked. Which is not known here; each starts again when its lease has run out.
                    tracing::error!(%error, "a job broke off");
                    busy.clear();
                }
            },
            () = tokio::time::sleep(TICK) => {
                let rows = match works.store.jobs().await {
                    Ok(rows) => rows,
                    Err(error) => {
                        tracing::warn!(error = super::chain(&error), "the jobs cannot be looked at");
                        continue;
                    }
                };
                let now = now_ms();
                for job in JOBS {
                    let due = rows.iter().any(|row| {
                        row.name == job.name() && (row.nudged || row.next_due_at <= now) && row.lease_until <= now
                    });
                    if due && busy.insert(job.name()) {
                        let (works, stop) = (works.clone(), stop.clone());
                        under_way.spawn(async move {
                            if let Err(error) = attempt(job, &works, false, stop).await {
                                tracing::warn!(job = job.name(), error = super::chain(&error), "a job could not be run");
                            }
                            job.name()
                        });
                    }
                }
            }
        }
    }
    let rest = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(10), rest).await.is_err() {
        tracing::warn!("a job did not stop in time; its lease runs out by itself");
    }
}

/// Runs a job now, for a person at a terminal; waits for a run that is under way elsewhere, up to `patience`. None when
/// that did not end in time.
pub async fn run_now(
    job: &'static dyn Job,
    works: &Works,
    patience: Duration,
) -> Result<Option<Outcome>, StoreError> {
    let (_keep, never) = watch::channel(false);
    let until = now_ms() + millis(patience);
    loop {
        if let Some(outcome) = attempt(job, works, true, never.clone()).await? {
            return Ok(Some(outcome));
        }
        if now_ms() >= until {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Takes the job if it is free, runs it under a lease, and stores its report.
async fn attempt(
    job: &'static dyn Job,
    works: &Works,
    anyway: bool,
    mut stop: watch::Receiver<bool>,
) -> Result<Option<Outcome>, StoreError> {
    let store = &works.store;
    let period = millis(job.period(&works.config.schedule));
    let Some(fence) = store.claim_job(job.name(), &works.owner, period, millis(LEASE), anyway).await? else {
        return Ok(None);
    };
    tracing::debug!(job = job.name(), fence, "a job begins");
    let outcome = tokio::select! {
        outcome = job.run(works) => outcome,
        () = lost(job, works, fence) => {
            // Another registry thinks us gone; what we did so far is idempotent, what we would do is theirs.
            return Err(StoreError::TakenOver { what: "the job" });
        }
        () = stopped(&mut stop) => Outcome { well: false, report: serde_json::json!({"error": "the registry was stopped"}) },
    };
    let report = outcome.report.to_string();
    if outcome.well {
        tracing::info!(job = job.name(), %report, "a job is done");
    } else {
        tracing::warn!(job = job.name(), %report, "a job failed");
    }
    if !store.finish_job(job.name(), fence, outcome.well, &report).await? {
        return Err(StoreError::TakenOver { what: "the job" });
    }
    Ok(Some(outcome))
}

/// Keeps the lease; returns when it is lost.
async fn lost(job: &'static dyn Job, works: &Works, fence: i64) {
    let mut last = std::time::Instant::now();
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match works.store.renew_job(job.name(), fence, millis(LEASE)).await {
            Ok(true) => last = std::time::Instant::now(),
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(
                    job = job.name(),
                    error = super::chain(&error),
                    "a lease could not be renewed"
                );
                if last.elapsed() > LEASE {
                    return;
                }
            }
        }
    }
}
