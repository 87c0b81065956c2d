//! `/api/findings`

use axum::{Json, extract::State};
use serde::Serialize;

use super::{ROWS, ROWS_MOST, time};
use crate::http::{
    console::Front,
    failure::Failure,
    params::Params,
    route::{Caller, Route},
};

/// What needs a person's eye.
#[derive(Serialize)]
struct Shown {
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
}

#[derive(Serialize)]
struct Finding {
    id: i64,
    bucket: String,
    kind: String,
    severity: String,
    subject: String,
    detail: String,
    found_at: String,
}

#[derive(Serialize)]
struct Gap {
    bucket: String,
    from_seq: u64,
    to_seq: u64,
    source: String,
    reason: String,
    bytes: u64,
    found_at: String,
}

pub(super) fn routes() -> Vec<Route> {
    let query = &[("limit", "rows of each kind, 1 to 1000")];
    vec![Route::get("/api/findings", Caller::Viewer, list).api(
        "Findings and gaps, newest first",
        query,
        "Findings",
    )]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Shown>, Failure> {
    params.only(&["limit"])?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS);
    let findings = front.store.findings(limit).await?.into_iter().map(|f| Finding {
        id: f.id,
        bucket: f.bucket,
        kind: f.kind,
        severity: f.severity,
        subject: f.subject,
        detail: f.detail,
        found_at: time(f.found_at),
    });
    let gaps = front.store.gaps(limit).await?.into_iter().map(|g| Gap {
        bucket: g.bucket,
        from_seq: g.from_seq,
        to_seq: g.to_seq,
        source: g.source,
        reason: g.reason,
        bytes: g.bytes,
        found_at: time(g.found_at),
    });
    Ok(Json(Shown { findings: findings.collect(), gaps: gaps.collect() }))
}
