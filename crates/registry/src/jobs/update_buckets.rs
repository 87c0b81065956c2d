//! `update_buckets`: asks every active bucket how it is.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use serde::Serialize;
use wire::BucketState;

use super::{Job, Outcome, TROUBLES, Trouble, Works, chain, next_try};
use crate::config::Schedule;
use crate::pull::PullError;
use crate::store::{Bucket, NewFinding, StoreError};
use crate::time::now_ms;

/// The job.
pub struct UpdateBuckets;

/// What it did.
#[derive(Debug, Default, Serialize)]
struct Report {
    called: u64,
    answered: u64,
    troubles: Vec<Trouble>,
}

/// Why a bucket's state is not known.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Pull(#[from] PullError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the bucket says it is {0:?}")]
    OtherName(String),
}

#[async_trait]
impl Job for UpdateBuckets {
    fn name(&self) -> &'static str {
        "update_buckets"
    }

    fn period(&self, schedule: &Schedule) -> Duration {
        schedule.update_buckets
    }

    async fn run(&self, works: &Works) -> Outcome {
        let buckets = match works.store.callable_buckets(now_ms()).await {
            Ok(buckets) => buckets,
            Err(error) => return Outcome::failed(&error),
        };
        let mut report = Report { called: buckets.len() as u64, ..Report::default() };
        // Everything that waits happens in here: while the loop below waited for the writer, nobody would drive the call
        // that holds it.
        let calls = futures::stream::iter(buckets).map(|bucket| async move {
            let result = match update(works, &bucket).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    let error = chain(&error);
                    Err((works.store.note_failure(bucket.id, &error, next_try(bucket.failures)).await, error))
                }
            };
            (bucket, result)
        });
        let mut calls = calls.buffer_unordered(works.config.pull.concurrency);
        while let Some((bucket, result)) = calls.next().await {
            let Err((noted, error)) = result else {
                report.answered += 1;
                continue;
            };
            tracing::warn!(bucket = bucket.name, error, "a bucket did not tell its state");
            if let Err(error) = noted {
                return Outcome::failed(&error);
            }
            if report.troubles.len() < TROUBLES {
                report.troubles.push(Trouble { bucket: bucket.name, error });
            }
        }
        // A bucket that is away is no failure of the job; that none answers may be one.
        Outcome::new(report.called == 0 || report.answered > 0, &report)
    }
}

async fn update(works: &Works, bucket: &Bucket) -> Result<(), Failure> {
    let answer = works.puller.update_bucket(bucket).await?;
    let Some(state) = answer.updates.into_iter().next() else {
        return Err(Failure::Pull(PullError::Wrong("`updates` is empty".to_owned())));
    };
    if state.name != bucket.name {
        return Err(Failure::OtherName(state.name.chars().take(80).collect()));
    }
    works.store.note_state(bucket.id, &state).await?;
    if let Some(finding) = backwards(bucket, &state) {
        works.store.add_finding(&finding).await?;
    }
    Ok(())
}

/// A log whose end lies before what was already fetched was replaced: its new events would never be asked for.
fn backwards(bucket: &Bucket, state: &BucketState) -> Option<NewFinding> {
    (state.last_seq < bucket.acked_seq).then(|| NewFinding {
        bucket_id: bucket.id,
        analysis_id: None,
        kind: "log.backwards",
        severity: "alarm",
        subject: bucket.name.clone(),
        detail: format!(
            "the log ends at event {}, but events up to {} were fetched: its state folder was replaced or restored; \
             revoke the bucket and enrol it under a new name",
            state.last_seq, bucket.acked_seq
        ),
    })
}
