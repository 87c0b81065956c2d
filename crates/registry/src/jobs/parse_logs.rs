//! `parse_logs`: reads each object of the archive once and files its events.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Job, Outcome, TROUBLES, Works, chain};
use crate::config::Schedule;
use crate::log_archive::ArchiveError;
use crate::log_parser::{ParsedEvent, clipped, parse_line};
use crate::pull::{PullError, unpack_zstd};
use crate::store::{Filed, NewFinding, Object, ParsedLine, Reject, StoreError};

/// A registry that dies with a claim delays its object by this; one that is slower is overtaken, and files nothing.
const CLAIM_MS: i64 = 20_000;
/// An object that could not be read so often is left to a person.
const ATTEMPTS: u64 = 5;
/// Bytes of a rejected line that are kept in the table; the whole line is in the archive.
const REJECT_KEEPS: usize = 4096;

/// The job.
pub struct ParseLogs;

/// What it did.
#[derive(Debug, Default, Serialize)]
struct Report {
    objects: u64,
    events: u64,
    known: u64,
    rejects: u64,
    troubles: Vec<Unreadable>,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    object: String,
    error: String,
}

/// Why an object was not filed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Unpack(#[from] PullError),
    #[error("the archive's bytes have another digest than when they were stored")]
    Digest,
    #[error("the reading of an object broke off")]
    Reading(#[source] tokio::task::JoinError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
impl Job for ParseLogs {
    fn name(&self) -> &'static str {
        "parse_logs"
    }

    fn period(&self, schedule: &Schedule) -> Duration {
        schedule.parse_logs
    }

    async fn run(&self, works: &Works) -> Outcome {
        let mut report = Report::default();
        loop {
            let object = match works.store.claim_object(CLAIM_MS).await {
                Ok(Some(object)) => object,
                Ok(None) => return Outcome::new(report.troubles.is_empty(), &report),
                Err(error) => return Outcome::failed(&error),
            };
            match file(works, &object).await {
                Ok(filed) => {
                    report.objects += 1;
                    report.events += filed.events;
                    report.known += filed.known;
                    report.rejects += filed.rejects;
                }
                // Somebody else has it by now.
                Err(Failure::Store(StoreError::TakenOver { .. })) => {}
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(object = object.key, error, "an object could not be filed");
                    if let Err(error) = give_back(works, &object, &error).await {
                        return Outcome::failed(&error);
                    }
                    if report.troubles.len() < TROUBLES {
                        report.troubles.push(Unreadable { object: object.key, error });
                    }
                }
            }
        }
    }
}

async fn give_back(works: &Works, object: &Object, error: &str) -> Result<(), StoreError> {
    let for_good = object.attempts + 1 >= ATTEMPTS;
    works.store.release_object(object, error, 30_000, for_good).await?;
    if for_good {
        let finding = NewFinding {
            bucket_id: object.bucket_id,
            analysis_id: None,
            kind: "object.unreadable",
            severity: "alarm",
            subject: object.key.clone(),
            detail: format!("events {} to {} cannot be filed: {error}", object.first_seq, object.last_seq),
        };
        works.store.add_finding(&finding).await?;
    }
    Ok(())
}

/// Reads, checks, parses and files one object.
async fn file(works: &Works, object: &Object) -> Result<Filed, Failure> {
    // Whatever zstd does to bytes that cannot be compressed, it adds little.
    let packed = works.archive.get(&object.key, object.plain_bytes + object.plain_bytes / 16 + 4096).await?;
    let (limit, digest, bucket) = (object.plain_bytes, object.sha256.clone(), object.bucket.clone());
    let read = tokio::task::spawn_blocking(move || {
        let plain = unpack_zstd(&packed, limit)?;
        if hex::encode(Sha256::digest(&plain)) != digest {
            return Err(Failure::Digest);
        }
        Ok(parse(plain, &bucket))
    });
    let parsed = read.await.map_err(Failure::Reading)??;
    let lines: Vec<ParsedLine<'_>> = parsed
        .events
        .into_iter()
        .map(|(number, range, event)| {
            let text =
                parsed.plain.get(range).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
            ParsedLine { number, text, event }
        })
        .collect();
    Ok(works.store.file_object(object, &lines, &parsed.rejects).await?)
}

struct Parsed {
    plain: Vec<u8>,
    events: Vec<(u64, Range<usize>, ParsedEvent)>,
    rejects: Vec<Reject>,
}

fn parse(plain: Vec<u8>, bucket: &str) -> Parsed {
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    let mut start = 0;
    for (line, number) in plain.split(|b| *b == b'\n').zip(1..) {
        let range = start..start + line.len();
        start = range.end + 1;
        if line.is_empty() {
            continue;
        }
        match parse_line(line, bucket) {
            Ok(event) => events.push((number, range, event)),
            Err(reason) => {
                let kept = line.get(..REJECT_KEEPS).unwrap_or(line);
                let line = String::from_utf8_lossy(kept).into_owned();
                rejects.push(Reject { line_number: number, reason: clipped(&reason, 1000), line });
            }
        }
    }
    Parsed { plain, events, rejects }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_line_of_any_bytes_is_an_event_or_a_reject(plain in proptest::collection::vec(any::<u8>(), 0..500)) {
            let lines = plain.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
            let parsed = parse(plain, "rustbucket-AbCd1234");
            prop_assert_eq!(parsed.events.len() + parsed.rejects.len(), lines);
        }
    }
}
