//! `/metrics`, in the text format of Prometheus (version 0.0.4).

use std::fmt::Write as _;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;

use super::{console::Front, failure::Failure};
use crate::{
    store::{Bucket, Counts, JobRow, Status},
    time::now_ms,
};

/// How much there is, how the fleet is, how the jobs do.
pub(super) async fn show(State(front): State<Front>) -> Result<Response, Failure> {
    let counts = front.counts().await?;
    let buckets = front.store.buckets().await?;
    let jobs = front.store.jobs().await?;
    let text = text(&counts, &buckets, &jobs, now_ms());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn text(counts: &Counts, buckets: &[Bucket], jobs: &[JobRow], now: i64) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, values: &[(String, f64)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP rustbucket_{name} {help}\n# TYPE rustbucket_{name} gauge");
        for (labels, value) in values {
            let _ = writeln!(text, "rustbucket_{name}{labels} {value}");
        }
    };
    let one = |n: u64| vec![(String::new(), n as f64)];
    let state = |state: &str, n: u64| (format!("{{state=\"{state}\"}}"), n as f64);
    gauge(
        "buckets",
        "Buckets by status.",
        &[
            state("active", counts.buckets_active),
            state("pending", counts.buckets_pending),
            state("revoked", counts.buckets_revoked),
        ],
    );
    gauge("buckets_failing", "Active buckets whose last call failed.", &one(counts.buckets_failing));
    gauge("events_stored", "Events in the tables.", &one(counts.events));
    gauge("sessions_stored", "Sessions in the tables.", &one(counts.sessions));
    gauge(
        "archive_objects",
        "Objects in the archive by state.",
        &[
            state("stored", counts.objects_stored),
            state("parsed", counts.objects_parsed),
            state("failed", counts.objects_failed),
        ],
    );
    gauge("rejected_lines", "Lines that are no events.", &one(counts.rejects));
    gauge("log_gaps", "Gaps in the buckets' logs.", &one(counts.gaps));
    gauge("artifacts_stored", "Captured files in the archive.", &one(counts.artifacts));
    gauge("analyses_stored", "Analyses.", &one(counts.analyses));
    gauge("findings_stored", "Findings.", &one(counts.findings));
    let active = || buckets.iter().filter(|bucket| bucket.status == Status::Active);
    let each = |value: fn(&Bucket, i64) -> Option<f64>| {
        active()
            .filter_map(|bucket| Some((label("bucket", &bucket.name), value(bucket, now)?)))
            .collect::<Vec<_>>()
    };
    gauge(
        "bucket_contact_age_seconds",
        "Seconds since a bucket answered.",
        &each(|bucket, now| bucket.last_contact_at.map(|at| (now - at).max(0) as f64 / 1000.0)),
    );
    gauge(
        "bucket_unfetched_events",
        "Events that a bucket has and the archive has not.",
        &each(|bucket, _| Some(bucket.last_seq.saturating_sub(bucket.acked_seq) as f64)),
    );
    let each = |value: fn(&JobRow, i64) -> Option<f64>| {
        jobs.iter().filter_map(|job| Some((label("job", &job.name), value(job, now)?))).collect::<Vec<_>>()
    };
    gauge("job_runs", "Finished runs of a job.", &each(|job, _| Some(job.runs as f64)));
    gauge("job_failures", "Runs of a job that failed.", &each(|job, _| Some(job.failures as f64)));
    gauge(
        "job_age_seconds",
        "Seconds since a job finished.",
        &each(|job, now| job.last_finished_at.map(|at| (now - at).max(0) as f64 / 1000.0)),
    );
    text
}

/// Names of buckets and jobs are letters, digits, `-` and `_`; should one ever not be, it is still one label.
fn label(name: &str, value: &str) -> String {
    let value: String = value.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
    format!("{{{name}=\"{value}\"}}")
}
