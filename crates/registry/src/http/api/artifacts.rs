//! `/api/artifacts`, and the recordings of a session.

use axum::{Json, extract::State};
use serde::Serialize;

use super::{Listing, ROWS, ROWS_MOST, time};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        pages::{save_artifact, save_recording},
        params::Params,
        route::{Caller, Route},
    },
    store::Artifact,
};

/// One captured file of one bucket.
#[derive(Serialize)]
struct Shown {
    sha256: String,
    bucket: String,
    /// `wanted`, `stored` or `missing`.
    state: String,
    size: u64,
    found_at: String,
    stored_at: Option<String>,
    last_error: Option<String>,
}

impl From<Artifact> for Shown {
    fn from(a: Artifact) -> Self {
        Self {
            sha256: a.sha256,
            bucket: a.bucket,
            state: a.state,
            size: a.size,
            found_at: time(a.found_at),
            stored_at: a.stored_at.map(time),
            last_error: a.last_error,
        }
    }
}

const QUERY: &[(&str, &str)] = &[("bucket", "name of the bucket"), ("limit", "rows, 1 to 1000")];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/artifacts", Caller::Analyst, list).api(
            "Captured files, newest first",
            QUERY,
            "ArtifactList",
        ),
        Route::get("/api/artifacts/{sha256}", Caller::Analyst, save_artifact).api(
            "A captured file as it came, to be saved: it may be harmful",
            &[],
            "File",
        ),
        Route::get("/api/sessions/{bucket}/{session}/recordings/{seq}", Caller::Analyst, save_recording).api(
            "The terminal recording (asciicast) that the event `seq`, a cowrie.log.closed, ends",
            &[],
            "File",
        ),
    ]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Listing<Shown>>, Failure> {
    params.only(&QUERY.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS);
    let artifacts = front.store.artifacts(params.text("bucket")?.as_deref(), limit).await?;
    Ok(Json(Listing { items: artifacts.into_iter().map(Shown::from).collect(), next: None }))
}
