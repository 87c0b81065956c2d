//! One session: everything the visitor did, in order.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Html,
};

use super::{Frame, artifacts, page, steps::Step, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        params::Params,
        recording,
        route::{Caller, Route},
        who::Who,
    },
    store::SessionRow,
};

/// Events on one page.
const ROWS: u32 = 500;

#[derive(Template)]
#[template(path = "transcript.html")]
struct Transcript {
    frame: Frame,
    session: SessionRow,
    steps: Vec<Step>,
    first: bool,
    next: Option<u64>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/sessions/{bucket}/{session}", Caller::Viewer, show)]
}

async fn show(
    State(front): State<Front>,
    who: Who,
    Path((bucket, name)): Path<(String, String)>,
    params: Params,
) -> Result<Html<String>, Failure> {
    let session =
        front.store.session(&bucket, &name).await?.ok_or(Failure::NotFound("session of this name"))?;
    let after = params.number("after", 0..=u64::MAX)?.unwrap_or(0);
    let mut events = front.store.session_events(&bucket, &name, after, ROWS + 1).await?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = events.len() > rows;
    events.truncate(rows);
    let next = events.last().filter(|_| more).map(|last| last.seq);
    let mut steps: Vec<Step> = events.iter().map(|event| Step::new(event, session.started_at)).collect();
    // Long recordings lie in the archive.
    for (step, event) in
        steps.iter_mut().zip(&events).filter(|(step, _)| step.recorded && step.folded.is_empty())
    {
        let file = artifacts::recording(&front, event).await?;
        step.show_terminal(file.as_deref().map(recording::shown).as_deref());
    }
    let frame = Frame::new(format!("Session {}", session.session), Some(&who), "sessions");
    Ok(page(&Transcript { frame, session, steps, first: after == 0, next })?)
}
