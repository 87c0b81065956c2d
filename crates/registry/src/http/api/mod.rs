//! The API: what the pages show, as JSON under `/api/`. One file for each thing.

mod analyses;
mod artifacts;
mod buckets;
mod events;
mod findings;
mod jobs;
mod openapi;
mod sessions;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use super::route::Route;

/// Rows in one answer, unless `limit` says fewer or more.
const ROWS: u32 = 100;
/// The most rows in one answer.
const ROWS_MOST: u32 = 1000;

/// A list, and what to send as the parameter of the next page; none at the end.
#[derive(Serialize)]
struct Listing<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// What an action did.
#[derive(Serialize)]
struct Done {
    status: &'static str,
}

/// A time as the API writes it: `YYYY-MM-DDTHH:MM:SS.sssZ`.
fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The rows of the API.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(buckets::routes());
    routes.extend(sessions::routes());
    routes.extend(artifacts::routes());
    routes.extend(events::routes());
    routes.extend(analyses::routes());
    routes.extend(findings::routes());
    routes.extend(jobs::routes());
    routes.extend(openapi::routes());
    routes
}
