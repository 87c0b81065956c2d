//! Captured files: which there are, and one of them to be saved; the recordings of a session too.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{Html, Response},
};

use super::{Frame, page, words};
use crate::{
    http::{
        console::Front,
        download,
        failure::Failure,
        params::Params,
        route::{Caller, Route},
        who::Who,
    },
    store::Artifact,
};

/// Files on the page.
const ROWS: u32 = 200;

#[derive(Template)]
#[template(path = "artifacts.html")]
struct Artifacts {
    frame: Frame,
    artifacts: Vec<Artifact>,
    bucket: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/artifacts", Caller::Analyst, show),
        Route::get("/artifacts/{sha256}", Caller::Analyst, save),
        Route::get("/sessions/{bucket}/{session}/recordings/{seq}", Caller::Analyst, save_recording),
    ]
}

async fn show(State(front): State<Front>, who: Who, params: Params) -> Result<Html<String>, Failure> {
    let bucket = params.text("bucket")?;
    let artifacts = front.store.artifacts(bucket.as_deref(), ROWS).await?;
    let frame = Frame::new("Captured files", Some(&who), "artifacts");
    Ok(page(&Artifacts { frame, artifacts, bucket: bucket.unwrap_or_default() })?)
}

/// Sends a captured file.
pub(in crate::http) async fn save(
    State(front): State<Front>,
    Path(sha256): Path<String>,
) -> Result<Response, Failure> {
    let bytes = download::artifact(&front, &sha256).await?;
    Ok(download::attachment(&format!("{sha256}.bin"), bytes))
}

/// Sends the recording that an event closes.
pub(in crate::http) async fn save_recording(
    State(front): State<Front>,
    Path((bucket, session, seq)): Path<(String, String, u64)>,
) -> Result<Response, Failure> {
    let missing = Failure::NotFound("recording at this event");
    let Some(before) = seq.checked_sub(1) else { return Err(missing) };
    let events = front.store.session_events(&bucket, &session, before, 1).await?;
    let Some(event) = events.first().filter(|event| event.seq == seq) else { return Err(missing) };
    let file = recording(&front, event).await?.ok_or(missing)?;
    Ok(download::attachment(&format!("{session}-{seq}.cast"), file.into()))
}

/// The recording that an event closes: in the event itself, or in the archive when it is long.
pub(super) async fn recording(
    front: &Front,
    event: &crate::store::EventRow,
) -> Result<Option<String>, Failure> {
    if event.eventid != "cowrie.log.closed" {
        return Ok(None);
    }
    let line = event.line.as_deref().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    if let Some(file) = line.as_ref().and_then(|line| line.get("recording")?.as_str()) {
        return Ok(Some(file.to_owned()));
    }
    match &event.shasum {
        Some(sha256) => match download::artifact(front, sha256).await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            // It may not have come yet, or retention removed it.
            Err(Failure::NotFound(_)) => Ok(None),
            Err(failure) => Err(failure),
        },
        None => Ok(None),
    }
}
