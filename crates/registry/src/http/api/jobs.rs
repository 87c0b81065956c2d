//! `/api/jobs`

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{Done, Listing, time};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        pages::nudge,
        params::Params,
        route::{Caller, Route},
        who::Who,
    },
    store::JobRow,
};

/// One job.
#[derive(Serialize)]
struct Shown {
    name: String,
    next_due_at: String,
    nudged: bool,
    last_started_at: Option<String>,
    last_finished_at: Option<String>,
    last_status: Option<String>,
    last_report: Option<Value>,
    runs: u64,
    failures: u64,
}

impl From<JobRow> for Shown {
    fn from(j: JobRow) -> Self {
        Self {
            name: j.name,
            next_due_at: time(j.next_due_at),
            nudged: j.nudged,
            last_started_at: j.last_started_at.map(time),
            last_finished_at: j.last_finished_at.map(time),
            last_status: j.last_status,
            last_report: j.last_report.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            runs: j.runs,
            failures: j.failures,
        }
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/jobs", Caller::Viewer, list).api("The jobs and their last reports", &[], "JobList"),
        Route::get("/api/jobs/{name}", Caller::Viewer, one).api("One job", &[], "Job"),
        Route::post("/api/jobs/{name}/run", Caller::Analyst, run).api("Asks for a run now", &[], "Done"),
    ]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Listing<Shown>>, Failure> {
    params.only(&[])?;
    let jobs = front.store.jobs().await?;
    Ok(Json(Listing { items: jobs.into_iter().map(Shown::from).collect(), next: None }))
}

async fn one(State(front): State<Front>, Path(name): Path<String>) -> Result<Json<Shown>, Failure> {
    let job = front.store.job(&name).await?.ok_or(Failure::NotFound("job of this name"))?;
    Ok(Json(job.into()))
}

/// 202: the run is asked for, the job's own page tells how it went.
async fn run(State(front): State<Front>, who: Who, Path(name): Path<String>) -> Result<Response, Failure> {
    nudge(&front, &who, &name).await?;
    Ok((StatusCode::ACCEPTED, Json(Done { status: "nudged" })).into_response())
}
