//! `analyze_logs`: has every bucket analysed that has something new since its last analysis.

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use serde::Serialize;

use super::{Job, Outcome, TROUBLES, Trouble, Works, chain};
use crate::analysis::{Analyst, NotWritten, Written};
use crate::config::Schedule;
use crate::store::{FinishedAnalysis, OpenAnalysis, StoreError};

/// Models asked at once.
const AT_ONCE: usize = 3;
/// After so many vain attempts the facts are written without a model.
const ATTEMPTS: u64 = 3;
/// Visits that are shown as a sample, and lines of each.
const SAMPLES: (u32, u32) = (6, 40);

/// The job.
pub struct AnalyzeLogs;

/// What it did.
#[derive(Debug, Default, Serialize)]
struct Report {
    buckets: u64,
    written: u64,
    by_a_model: u64,
    empty: u64,
    tokens_in: u64,
    tokens_out: u64,
    cost_usd: f64,
    troubles: Vec<Trouble>,
}

/// Why a bucket has no analysis.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Model(#[from] NotWritten),
    #[error("the facts cannot be written as JSON")]
    Facts(#[from] serde_json::Error),
}

#[async_trait]
impl Job for AnalyzeLogs {
    fn name(&self) -> &'static str {
        "analyze_logs"
    }

    fn period(&self, schedule: &Schedule) -> Duration {
        schedule.analyze_logs
    }

    async fn run(&self, works: &Works) -> Outcome {
        let open = async {
            works.analyst.count_spent(works.store.spent_since(Analyst::today()).await?);
            works.store.open_analyses().await
        };
        let open = match open.await {
            Ok(open) => open,
            Err(error) => return Outcome::failed(&error),
        };
        let mut report = Report { buckets: open.len() as u64, ..Report::default() };
        // Everything that waits happens in here: while the loop below waited for the writer, nobody would drive the
        // analysis that holds it.
        let analyses = futures::stream::iter(open).map(|open| async move {
            let result = match analyze(works, &open).await {
                Ok(written) => Ok(written),
                Err(error) => {
                    let cost = if let Failure::Model(failed) = &error { failed.cost_usd } else { 0.0 };
                    let error = chain(&error);
                    Err((works.store.note_analysis_failed(open.id, &error, cost).await, error, cost))
                }
            };
            (open, result)
        });
        let mut analyses = analyses.buffer_unordered(AT_ONCE);
        while let Some((open, result)) = analyses.next().await {
            match result {
                Ok(None) => report.empty += 1,
                Ok(Some(written)) => {
                    report.written += 1;
                    report.by_a_model += u64::from(!written.model.is_empty());
                    report.tokens_in += written.tokens_in;
                    report.tokens_out += written.tokens_out;
                    report.cost_usd += written.cost_usd;
                }
                Err((noted, error, cost)) => {
                    report.cost_usd += cost;
                    tracing::warn!(bucket = open.bucket, error, "a bucket was not analysed");
                    if let Err(error) = noted {
                        return Outcome::failed(&error);
                    }
                    if report.troubles.len() < TROUBLES {
                        report.troubles.push(Trouble { bucket: open.bucket, error });
                    }
                }
            }
        }
        Outcome::new(report.troubles.is_empty(), &report)
    }
}

/// One bucket; none when its new objects hold no new event.
async fn analyze(works: &Works, open: &OpenAnalysis) -> Result<Option<Written>, Failure> {
    let facts = works.store.facts(open.id).await?;
    if facts.events == 0 {
        works.store.close_empty_analysis(open).await?;
        return Ok(None);
    }
    let samples = works.store.sample_sessions(open.id, SAMPLES.0, SAMPLES.1).await?;
    let written = match works.analyst.write(&open.bucket, &facts, &samples).await {
        Err(error) if open.attempts + 1 >= ATTEMPTS => {
            Analyst::write_locally(&open.bucket, &facts, &error.to_string())
        }
        result => result?,
    };
    let finished = FinishedAnalysis {
        text: written.text.clone(),
        provider: written.provider.to_owned(),
        model: written.model.clone(),
        tokens_in: written.tokens_in,
        tokens_out: written.tokens_out,
        cost_usd: written.cost_usd,
        events: facts.events,
        from: facts.from,
        to: facts.to,
        facts: serde_json::to_string(&facts)?,
    };
    works.store.finish_analysis(open, &finished).await?;
    Ok(Some(written))
}
