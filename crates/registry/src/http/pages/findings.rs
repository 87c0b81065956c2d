//! What needs a person's eye: findings, gaps in the logs, lines that are no events.

use askama::Template;
use axum::{extract::State, response::Html};

use super::{Frame, page, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        route::{Caller, Route},
        who::Who,
    },
    store::{Finding, Gap, RejectRow},
};

/// Rows of each kind.
const ROWS: u32 = 100;

#[derive(Template)]
#[template(path = "findings.html")]
struct Findings {
    frame: Frame,
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
    rejects: Vec<RejectRow>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/findings", Caller::Viewer, show)]
}

async fn show(State(front): State<Front>, who: Who) -> Result<Html<String>, Failure> {
    let findings = front.store.findings(ROWS).await?;
    let gaps = front.store.gaps(ROWS).await?;
    let rejects = front.store.rejects(ROWS).await?;
    let frame = Frame::new("Findings", Some(&who), "findings");
    Ok(page(&Findings { frame, findings, gaps, rejects })?)
}
