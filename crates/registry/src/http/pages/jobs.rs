//! The jobs: when they ran, what they reported, and running one now.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{Html, Response},
};
use serde_json::Value;

use super::{Frame, back, page, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        params::Params,
        route::{Caller, Route},
        show::{Visible, WHOLE},
        who::Who,
    },
    store::{JobRow, JobRun},
};

/// Runs shown of one job.
const RUNS: u32 = 50;

#[derive(Template)]
#[template(path = "jobs.html")]
struct Jobs {
    frame: Frame,
    jobs: Vec<JobRow>,
}

#[derive(Template)]
#[template(path = "job.html")]
struct Job {
    frame: Frame,
    job: JobRow,
    runs: Vec<JobRun>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/jobs", Caller::Viewer, show),
        Route::get("/jobs/{name}", Caller::Viewer, show_one),
        Route::post("/jobs/{name}/run", Caller::Analyst, run),
    ]
}

/// A word on how a job is, and the class that colours it.
fn condition(job: &JobRow) -> (&'static str, &'static str) {
    match job.last_status.as_deref() {
        _ if job.nudged => ("asked for", "wait"),
        Some("running") => ("running", "wait"),
        Some("done") => ("done", "good"),
        Some("failed") => ("failed", "bad"),
        Some("lost") => ("lost", "bad"),
        _ => ("never ran", "off"),
    }
}

/// A report as pairs, when it is a flat object; as text otherwise.
fn report(report: &Option<String>) -> Vec<(String, Visible<'static>)> {
    let Some(report) = report else { return Vec::new() };
    match serde_json::from_str::<Value>(report) {
        Ok(Value::Object(fields)) => fields
            .into_iter()
            .map(|(name, value)| {
                let text = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                (name.replace('_', " "), Visible::owned(text, 600))
            })
            .collect(),
        _ => vec![("report".to_owned(), Visible::owned(report.clone(), WHOLE))],
    }
}

async fn show(State(front): State<Front>, who: Who, params: Params) -> Result<Html<String>, Failure> {
    let jobs = front.store.jobs().await?;
    let frame = Frame::new("Jobs", Some(&who), "jobs").noting(&params);
    Ok(page(&Jobs { frame, jobs })?)
}

async fn show_one(
    State(front): State<Front>,
    who: Who,
    Path(name): Path<String>,
    params: Params,
) -> Result<Html<String>, Failure> {
    let job = front.store.job(&name).await?.ok_or(Failure::NotFound("job of this name"))?;
    let runs = front.store.job_runs(&name, RUNS).await?;
    let frame = Frame::new(format!("Job {}", job.name), Some(&who), "jobs").noting(&params);
    Ok(page(&Job { frame, job, runs })?)
}

async fn run(State(front): State<Front>, who: Who, Path(name): Path<String>) -> Result<Response, Failure> {
    nudge(&front, &who, &name).await?;
    Ok(back("/jobs", "nudged"))
}

/// Asks for a run now; for the API too.
pub(in crate::http) async fn nudge(front: &Front, who: &Who, name: &str) -> Result<(), Failure> {
    if !front.store.nudge_job(name).await? {
        return Err(Failure::NotFound("job of this name"));
    }
    front.store.note_audit(&who.name, "job.nudge", name, "").await?;
    Ok(())
}
