//! The jobs: each takes no input, may run twice, and reports what it did.

mod analyze_logs;
mod extract_logs;
mod health_check;
mod parse_logs;
mod retention;
pub mod scheduler;
mod update_buckets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::analysis::Analyst;
use crate::config::{Config, Schedule};
use crate::log_archive::LogArchive;
use crate::pull::Puller;
use crate::store::Store;
use crate::time::now_ms;

/// What the jobs work with. Cheap to clone.
#[derive(Clone)]
pub struct Works {
    /// All settings.
    pub config: Arc<Config>,
    /// The tables.
    pub store: Store,
    /// The objects.
    pub archive: LogArchive,
    /// Calls buckets.
    pub puller: Puller,
    /// Writes analyses.
    pub analyst: Arc<Analyst>,
    /// Names this process in leases.
    pub owner: Arc<str>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Nothing failed.
    pub well: bool,
    /// The job's typed report, as JSON.
    pub report: serde_json::Value,
}

impl Outcome {
    /// Of a report.
    pub fn new(well: bool, report: &impl Serialize) -> Self {
        let report = serde_json::to_value(report)
            .unwrap_or_else(|error| serde_json::json!({"error": error.to_string()}));
        Self { well, report }
    }

    /// Of a step without which the job cannot go on.
    pub fn failed(error: &dyn std::error::Error) -> Self {
        Self { well: false, report: serde_json::json!({ "error": chain(error) }) }
    }
}

/// One job. It takes no input, is idempotent, and never runs twice at once across all registries of one database.
#[async_trait]
pub trait Job: Send + Sync {
    /// As in settings, on the command line and in the tables.
    fn name(&self) -> &'static str;
    /// How often it runs.
    fn period(&self, schedule: &Schedule) -> Duration;
    /// Runs it.
    async fn run(&self, works: &Works) -> Outcome;
}

/// Every job there is.
pub const JOBS: [&dyn Job; 6] = [
    &update_buckets::UpdateBuckets,
    &extract_logs::ExtractLogs,
    &parse_logs::ParseLogs,
    &analyze_logs::AnalyzeLogs,
    &health_check::HealthCheck,
    &retention::Retention,
];

/// A job by its name.
pub fn named(name: &str) -> Option<&'static dyn Job> {
    JOBS.into_iter().find(|job| job.name() == name)
}

/// An error and all its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}

/// When a bucket that failed so often before may be called again: 2 s, 4 s … 15 minutes, half of it by chance.
fn next_try(failures: u64) -> i64 {
    let seconds = 2_i64.saturating_pow(u32::try_from(failures.min(20)).unwrap_or(20) + 1).min(900);
    now_ms() + rand::random_range(seconds * 500..=seconds * 1000)
}

/// What a bucket did wrong in a run, for reports.
#[derive(Debug, Serialize)]
struct Trouble {
    bucket: String,
    error: String,
}

/// A report names no more than this.
const TROUBLES: usize = 50;
