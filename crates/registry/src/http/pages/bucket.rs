//! One bucket: its state, its last sessions, and letting it in or shutting it out.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{Html, Response},
};

use super::{Frame, back, fleet::condition, page, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        params::Params,
        route::{Caller, Route},
        who::Who,
    },
    store::{Analysis, Bucket, SessionFilter, SessionRow, Status},
};

#[derive(Template)]
#[template(path = "bucket.html")]
struct Page {
    frame: Frame,
    bucket: Bucket,
    sessions: Vec<SessionRow>,
    analyses: Vec<Analysis>,
}

impl Page {
    fn uptime(&self) -> String {
        match self.bucket.uptime.trim().parse::<u64>() {
            Ok(seconds) => words::span(seconds.saturating_mul(1000)),
            Err(_) => self.bucket.uptime.clone(),
        }
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/buckets/{name}", Caller::Viewer, show),
        Route::post("/buckets/{name}/approve", Caller::Admin, approve),
        Route::post("/buckets/{name}/revoke", Caller::Admin, revoke),
    ]
}

async fn show(
    State(front): State<Front>,
    who: Who,
    Path(name): Path<String>,
    params: Params,
) -> Result<Html<String>, Failure> {
    let bucket = front.store.bucket(&name).await?.ok_or(Failure::NotFound("bucket of this name"))?;
    let filter = SessionFilter { bucket: Some(name.clone()), ..SessionFilter::default() };
    let sessions = front.store.sessions(&filter, 10).await?;
    let analyses = front.store.analyses(Some(&name), None, 5).await?;
    let frame = Frame::new(bucket.name.clone(), Some(&who), "fleet").noting(&params);
    Ok(page(&Page { frame, bucket, sessions, analyses })?)
}

async fn approve(
    State(front): State<Front>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    decide(&front, &who, &name, Status::Active).await?;
    Ok(back(&format!("/buckets/{}", words::part(&name)), "approved"))
}

async fn revoke(State(front): State<Front>, who: Who, Path(name): Path<String>) -> Result<Response, Failure> {
    decide(&front, &who, &name, Status::Revoked).await?;
    Ok(back(&format!("/buckets/{}", words::part(&name)), "revoked"))
}

/// Lets a bucket in or shuts it out; for the API too.
pub(in crate::http) async fn decide(
    front: &Front,
    who: &Who,
    name: &str,
    status: Status,
) -> Result<(), Failure> {
    let known = front.store.decide_bucket(name, status, &who.name).await?;
    if known { Ok(()) } else { Err(Failure::NotFound("bucket of this name")) }
}
