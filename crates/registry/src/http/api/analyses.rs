//! `/api/analyses`

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::Value;

use super::{Listing, ROWS, ROWS_MOST, time};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        pages::{find_analysis, read_analyses, written},
        params::Params,
        route::{Caller, Route},
    },
    store::Analysis,
};

/// One analysis.
#[derive(Serialize)]
struct Shown {
    id: i64,
    bucket: String,
    ip_address: String,
    created_at: String,
    provider: String,
    model: String,
    tokens_in: u64,
    tokens_out: u64,
    cost_usd: f64,
    events: u64,
    from: Option<String>,
    to: Option<String>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<Value>,
}

impl Shown {
    fn new(a: Analysis, facts: bool) -> Self {
        Self {
            created_at: time(written(&a)),
            id: a.id,
            bucket: a.bucket,
            ip_address: a.ip_address,
            provider: a.provider,
            model: a.model,
            tokens_in: a.tokens_in,
            tokens_out: a.tokens_out,
            cost_usd: a.cost_usd,
            events: a.events,
            from: a.from.map(time),
            to: a.to.map(time),
            text: a.text,
            facts: a.facts.filter(|_| facts).and_then(|facts| serde_json::from_str(&facts).ok()),
        }
    }
}

const QUERY: &[(&str, &str)] = &[
    ("bucket", "name of the bucket"),
    ("before", "the `next` of the page before"),
    ("limit", "rows, 1 to 1000"),
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/analyses", Caller::Viewer, list).api(
            "Analyses, newest first",
            QUERY,
            "AnalysisList",
        ),
        Route::get("/api/analyses/{id}", Caller::Viewer, one).api(
            "One analysis with its facts",
            &[],
            "Analysis",
        ),
    ]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Listing<Shown>>, Failure> {
    params.only(&["bucket", "before", "limit"])?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS);
    let (analyses, next) = read_analyses(&front, &params, usize::try_from(limit).unwrap_or(100)).await?;
    Ok(Json(Listing { items: analyses.into_iter().map(|a| Shown::new(a, false)).collect(), next }))
}

async fn one(State(front): State<Front>, Path(id): Path<String>) -> Result<Json<Shown>, Failure> {
    Ok(Json(Shown::new(find_analysis(&front, &id).await?, true)))
}
