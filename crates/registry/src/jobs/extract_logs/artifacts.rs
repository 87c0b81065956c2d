//! Fetching the captured files that events named: each once into the archive, under its digest.

use std::time::{Duration, Instant};

use super::super::{Works, chain, next_try};
use super::Failure;
use crate::pull::PullError;
use crate::store::Bucket;
use crate::time::now_ms;

/// Files asked of one bucket in one run.
const AT_ONCE: u32 = 64;
/// After so many vain attempts a file is given up.
const ATTEMPTS: u64 = 12;

/// Fetches what is wanted of a bucket; how many files came.
pub(super) async fn fetch(
    works: &Works,
    bucket: &Bucket,
    begun: Instant,
    patience: Duration,
) -> Result<u64, Failure> {
    let mut came = 0;
    for wanted in works.store.wanted_artifacts(bucket.id, now_ms(), AT_ONCE).await? {
        if begun.elapsed() > patience {
            break;
        }
        if let Some(size) = works.store.stored_artifact(&wanted.sha256).await? {
            works.store.note_artifact_stored(wanted.id, size).await?;
            continue;
        }
        let error = match works.puller.artifact(bucket, &wanted.sha256).await {
            Ok(Some(bytes)) => {
                let size = bytes.len() as u64;
                works.archive.put(&works.archive.artifact_key(&wanted.sha256), bytes.into()).await?;
                works.store.note_artifact_stored(wanted.id, size).await?;
                came += 1;
                continue;
            }
            Ok(None) => "the bucket does not have it".to_owned(),
            // The bucket is gone in the middle: the rest waits for the next run.
            Err(error @ (PullError::Connect(_) | PullError::Token)) => return Err(error.into()),
            Err(error) => chain(&error),
        };
        let for_good = wanted.attempts + 1 >= ATTEMPTS;
        tracing::warn!(
            bucket = bucket.name,
            sha256 = wanted.sha256,
            error,
            for_good,
            "a captured file did not come"
        );
        works.store.note_artifact_failed(wanted.id, &error, next_try(wanted.attempts), for_good).await?;
    }
    Ok(came)
}
