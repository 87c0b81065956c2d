//! `health_check`: looks for what needs a person and writes it down as findings.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::{Job, Outcome, Works, chain};
use crate::config::Schedule;
use crate::store::{Bucket, NewFinding, Status, StoreError};
use crate::time::{now_ms, readable};

/// The job.
pub struct HealthCheck;

/// What it found.
#[derive(Debug, Default, Serialize)]
struct Report {
    active: u64,
    silent: Vec<String>,
    unpinned: Vec<String>,
    pending: u64,
    objects_waiting: u64,
    objects_failed: u64,
    gaps: u64,
    archive: String,
}

#[async_trait]
impl Job for HealthCheck {
    fn name(&self) -> &'static str {
        "health_check"
    }

    fn period(&self, schedule: &Schedule) -> Duration {
        schedule.health_check
    }

    async fn run(&self, works: &Works) -> Outcome {
        match look(works).await {
            Ok(report) => Outcome::new(report.archive == "ok" && report.objects_failed == 0, &report),
            Err(error) => Outcome::failed(&error),
        }
    }
}

async fn look(works: &Works) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let schedule = &works.config.schedule;
    // Three calls missed.
    let patience = schedule.update_buckets.min(schedule.extract_logs) * 3;
    let patience = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
    for bucket in works.store.buckets().await?.into_iter().filter(|bucket| bucket.status == Status::Active) {
        report.active += 1;
        if bucket.certificate_sha256.is_none() {
            works
                .store
                .add_finding(&finding(
                    &bucket,
                    "bucket.unpinned",
                    "it enrolled without `certificate_sha256` and is not called".to_owned(),
                ))
                .await?;
            report.unpinned.push(bucket.name);
            continue;
        }
        let since = bucket.last_contact_at.or(bucket.decided_at).unwrap_or(bucket.registered_at);
        if now_ms() - since > patience {
            let why = bucket.last_error.as_deref().unwrap_or("it was not called");
            let detail = format!("nothing was heard of it since {}: {why}", readable(since));
            works.store.add_finding(&finding(&bucket, "bucket.silent", detail)).await?;
            report.silent.push(bucket.name);
        }
    }
    let lately = now_ms() - 3_600_000;
    for gap in works.store.gaps(100).await?.into_iter().filter(|gap| gap.found_at > lately) {
        let Some(bucket) = works.store.bucket(&gap.bucket).await? else { continue };
        let subject = format!("{} to {}", gap.from_seq, gap.to_seq);
        let detail = format!(
            "events {subject} are gone: {} (seen by the {})",
            gap.reason,
            if gap.source == "bucket" { "bucket" } else { "registry" }
        );
        works
            .store
            .add_finding(&NewFinding { subject, severity: "alarm", ..finding(&bucket, "log.gap", detail) })
            .await?;
    }
    let counts = works.store.counts().await?;
    report.pending = counts.buckets_pending;
    report.objects_waiting = counts.objects_stored;
    report.objects_failed = counts.objects_failed;
    report.gaps = counts.gaps;
    report.archive = match works.archive.probe().await {
        Ok(()) => "ok".to_owned(),
        Err(error) => chain(&error),
    };
    Ok(report)
}

fn finding(bucket: &Bucket, kind: &'static str, detail: String) -> NewFinding {
    NewFinding {
        bucket_id: bucket.id,
        analysis_id: None,
        kind,
        severity: "warning",
        subject: bucket.name.clone(),
        detail,
    }
}
