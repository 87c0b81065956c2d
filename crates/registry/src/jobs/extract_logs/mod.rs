//! `extract_logs`: pulls what every active bucket logged since the last time, into the archive.
//!
//! The order is what makes it safe: the object is in the archive, then the row and the cursor are committed together,
//! then the next call tells the bucket. A crash anywhere repeats a step and leaves the same rows.

mod artifacts;
mod checking;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use serde::Serialize;

use super::{Job, Outcome, TROUBLES, Trouble, Works, chain, next_try};
use crate::config::Schedule;
use crate::log_archive::ArchiveError;
use crate::pull::{Extract, PullError};
use crate::store::{Bucket, NewObject, StoreError};
use crate::time::now_ms;
use checking::Checked;

/// zstd's level: a third of the size of level 1's output is not worth four times its work.
const LEVEL: i32 = 3;

/// The job.
pub struct ExtractLogs;

/// What it did.
#[derive(Debug, Default, Serialize)]
struct Report {
    called: u64,
    answered: u64,
    objects: u64,
    events: u64,
    plain_bytes: u64,
    stored_bytes: u64,
    artifacts: u64,
    troubles: Vec<Trouble>,
}

/// What one bucket brought.
#[derive(Debug, Default)]
struct Brought {
    objects: u64,
    events: u64,
    plain_bytes: u64,
    stored_bytes: u64,
    artifacts: u64,
}

/// Why a bucket's log was not taken.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Pull(#[from] PullError),
    #[error("the log is refused: {0}")]
    Refused(String),
    #[error("the object cannot be packed")]
    Pack(#[source] std::io::Error),
    #[error("the checking of an answer broke off")]
    Checking(#[source] tokio::task::JoinError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
impl Job for ExtractLogs {
    fn name(&self) -> &'static str {
        "extract_logs"
    }

    fn period(&self, schedule: &Schedule) -> Duration {
        schedule.extract_logs
    }

    async fn run(&self, works: &Works) -> Outcome {
        let buckets = match works.store.callable_buckets(now_ms()).await {
            Ok(buckets) => buckets,
            Err(error) => return Outcome::failed(&error),
        };
        let mut report = Report { called: buckets.len() as u64, ..Report::default() };
        let mut ours = false;
        // Everything that waits happens in here: while the loop below waited for the writer, nobody would drive the call
        // that holds it.
        let calls = futures::stream::iter(buckets).map(|bucket| async move {
            let mut brought = Brought::default();
            let result = match extract(works, &bucket, &mut brought).await {
                Ok(()) => Ok(()),
                Err(error) => Err(blame(works, &bucket, &error).await),
            };
            (bucket, brought, result)
        });
        let mut calls = calls.buffer_unordered(works.config.pull.concurrency);
        while let Some((bucket, brought, result)) = calls.next().await {
            report.objects += brought.objects;
            report.events += brought.events;
            report.plain_bytes += brought.plain_bytes;
            report.stored_bytes += brought.stored_bytes;
            report.artifacts += brought.artifacts;
            let Err(blamed) = result else {
                report.answered += 1;
                continue;
            };
            let Blamed { text, ours: on_our_side, noted } = blamed;
            tracing::warn!(bucket = bucket.name, error = text, "a bucket's log was not taken");
            if let Err(error) = noted {
                return Outcome::failed(&error);
            }
            ours |= on_our_side;
            if report.troubles.len() < TROUBLES {
                report.troubles.push(Trouble { bucket: bucket.name, error: text });
            }
        }
        Outcome::new(!ours && (report.called == 0 || report.answered > 0), &report)
    }
}

/// A failure, and whose it is.
struct Blamed {
    text: String,
    ours: bool,
    noted: Result<(), StoreError>,
}

/// Notes a failure of the bucket; what fails on our side is not held against it.
async fn blame(works: &Works, bucket: &Bucket, error: &Failure) -> Blamed {
    let text = chain(error);
    let ours = !matches!(error, Failure::Pull(_) | Failure::Refused(_));
    let noted = if ours {
        Ok(())
    } else {
        works.store.note_failure(bucket.id, &text, next_try(bucket.failures)).await
    };
    Blamed { text, ours, noted }
}

/// Everything one bucket has, within a time that no bucket can stretch.
async fn extract(works: &Works, bucket: &Bucket, brought: &mut Brought) -> Result<(), Failure> {
    let begun = Instant::now();
    let patience = works.config.pull.timeout * 2;
    let mut after = bucket.acked_seq;
    for _ in 0..works.config.pull.max_rounds {
        let Some(answer) = works.puller.extract_logs(bucket, after).await? else {
            works.store.note_contact(bucket.id).await?;
            break;
        };
        let more = answer.more;
        after = keep(works, bucket, after, answer, brought).await?;
        if !more || begun.elapsed() > patience {
            break;
        }
    }
    brought.artifacts += artifacts::fetch(works, bucket, begun, patience).await?;
    Ok(())
}

/// Checks an answer, puts it into the archive, records it. The new cursor.
async fn keep(
    works: &Works,
    bucket: &Bucket,
    after: u64,
    answer: Extract,
    brought: &mut Brought,
) -> Result<u64, Failure> {
    let prepared =
        tokio::task::spawn_blocking(move || prepare(after, answer)).await.map_err(Failure::Checking)??;
    let Prepared { checked, answer, packed } = prepared;
    let key = works.archive.log_key(&bucket.name, checked.first_at, answer.first_seq, answer.last_seq);
    let object = NewObject {
        bucket_id: bucket.id,
        key,
        first_seq: answer.first_seq,
        last_seq: answer.last_seq,
        lines: checked.lines,
        plain_bytes: answer.plain.len() as u64,
        stored_bytes: packed.len() as u64,
        sha256: answer.sha256,
        after_seq: after,
        missing: checked.missing,
        artifacts: checked.artifacts,
    };
    works.archive.put(&object.key, packed).await?;
    works.store.record_object(&object).await?;
    brought.objects += 1;
    brought.events += object.lines;
    brought.plain_bytes += object.plain_bytes;
    brought.stored_bytes += object.stored_bytes;
    Ok(object.last_seq)
}

struct Prepared {
    checked: Checked,
    answer: Extract,
    packed: Bytes,
}

fn prepare(after: u64, answer: Extract) -> Result<Prepared, Failure> {
    let checked =
        checking::check(&answer.plain, after, answer.first_seq, answer.last_seq).map_err(Failure::Refused)?;
    let packed = zstd::encode_all(answer.plain.as_slice(), LEVEL).map_err(Failure::Pack)?;
    Ok(Prepared { checked, answer, packed: packed.into() })
}
