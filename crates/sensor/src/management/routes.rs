//! The requests the registry makes, answered as the contract says.

use std::{net::IpAddr, sync::Arc};

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio_util::io::ReaderStream;
use wire::endpoints::{
    ARTIFACTS, EXTRACT_LOGS, FIRST_SEQ_HEADER, LAST_SEQ_HEADER, MORE_HEADER, SHA256_HEADER, UPDATE_BUCKET,
};
use wire::{BucketState, UpdateBucketAnswer};

use super::door::Door;
use super::encoding::Coding;
use super::{Deps, figures};
use crate::artifacts::ArtifactError;
use crate::event_log::{EventLog, EventLogError, Extract};

/// Bytes of an extract when the client names none.
const LIMIT_DEFAULT: u64 = 8 * 1024 * 1024;
/// The most bytes of an extract; a higher wish is taken as this.
const LIMIT_MAX: u64 = 64 * 1024 * 1024;
/// Extracts made at once, because each lies in memory.
const EXTRACTS: usize = 2;

struct Desk {
    deps: Deps,
    door: Arc<Door>,
    extracts: Semaphore,
}

/// All routes; the door stands before them.
pub fn router(deps: Deps, door: Arc<Door>) -> Router {
    let desk = Arc::new(Desk { deps, door, extracts: Semaphore::new(EXTRACTS) });
    Router::new()
        .route(UPDATE_BUCKET, get(update_bucket))
        .route(EXTRACT_LOGS, get(extract_logs))
        .route(&format!("{ARTIFACTS}/{{sha256}}"), get(artifact))
        .route("/healthz", get(async || "ok\n"))
        // The port is served only once every trap port is bound and the log is open.
        .route("/readyz", get(async || "ready\n"))
        .route("/metrics", get(metrics))
        .with_state(desk)
}

/// Our end of a management connection.
#[derive(Clone, Copy)]
pub struct Local(pub IpAddr);

async fn update_bucket(State(desk): State<Arc<Desk>>, local: Option<Extension<Local>>) -> Response {
    let deps = &desk.deps;
    let (readings, positions) = (deps.vitals.read(), deps.log.positions());
    Json(UpdateBucketAnswer {
        status: "ok".to_owned(),
        updates: vec![BucketState {
            name: deps.birth.name.to_string(),
            // Without a setting, where the registry has just reached us.
            ip_address: deps
                .ip_address
                .or(local.map(|Extension(Local(address))| address))
                .map(|address| address.to_string())
                .unwrap_or_default(),
            operating_system: readings.operating_system,
            cpu_usage: readings.cpu_usage,
            memory_usage: readings.memory_usage,
            disk_space: readings.disk_space,
            uptime: readings.uptime,
            connections: readings.connections,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            first_seq: positions.first_seq,
            last_seq: positions.last_seq,
            listeners: deps.listeners.clone(),
        }],
    })
    .into_response()
}

async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    let text = figures::text(&desk.deps, &desk.door);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn extract_logs(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let wish = match Wish::parse(query.as_deref().unwrap_or_default()) {
        Ok(wish) => wish,
        Err(errors) => {
            let body = serde_json::json!({ "status": "invalid", "errors": errors });
            return (StatusCode::BAD_REQUEST, Json(body)).into_response();
        }
    };
    let coding = Coding::accepted(&headers);
    let Ok(_turn) = desk.extracts.acquire().await else { return failed("the port is closing") };
    let log = desk.deps.log.clone();
    match tokio::task::spawn_blocking(move || extract(&log, wish, coding)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => failed(error),
        Err(error) => failed(error),
    }
}

/// What `/extract_logs` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    after: u64,
    limit: u64,
}

impl Wish {
    fn parse(query: &str) -> Result<Self, Vec<String>> {
        let (mut wish, mut errors) = (Self { after: 0, limit: LIMIT_DEFAULT }, Vec::new());
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (&*key, value.parse::<u64>()) {
                ("after", Ok(after)) => wish.after = after,
                ("limit", Ok(limit)) if limit > 0 => wish.limit = limit.min(LIMIT_MAX),
                ("after", Err(_)) => {
                    errors.push("after must be a sequence number: a whole number from 0 on".to_owned());
                }
                ("limit", _) => {
                    errors.push("limit must be a number of bytes: a whole number from 1 on".to_owned())
                }
                // Later registries may ask for more than this program knows.
                _ => {}
            }
        }
        if errors.is_empty() { Ok(wish) } else { Err(errors) }
    }
}

/// A step of making an extract that failed.
#[derive(Debug, thiserror::Error)]
enum ExtractError {
    #[error("cannot read the log")]
    Read(#[from] EventLogError),
    #[error("cannot compress the extract")]
    Compress(#[from] std::io::Error),
    #[error("cannot build the answer")]
    Answer(#[from] http::Error),
}

fn extract(log: &EventLog, wish: Wish, coding: Coding) -> Result<Response, ExtractError> {
    if !log.acknowledge(wish.after) {
        let last = log.positions().last_seq;
        tracing::error!(
            after = wish.after,
            last,
            "the registry asks for events after a number this log has never reached; was the state folder replaced? \
             reset the cursor of this bucket at the registry"
        );
    }
    let Some(Extract { bytes, first_seq, last_seq, more }) = log.read_after(wish.after, wish.limit)? else {
        let answer = Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(LAST_SEQ_HEADER, log.positions().last_seq)
            .header(MORE_HEADER, "false");
        return Ok(answer.body(Body::empty())?);
    };
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let mut answer = Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CONTENT_DISPOSITION, "attachment; filename=\"logs.txt\"")
        .header(header::VARY, "accept-encoding")
        .header(FIRST_SEQ_HEADER, first_seq)
        .header(LAST_SEQ_HEADER, last_seq)
        .header(MORE_HEADER, if more { "true" } else { "false" })
        .header(SHA256_HEADER, sha256);
    if let Some(name) = coding.name() {
        answer = answer.header(header::CONTENT_ENCODING, name);
    }
    Ok(answer.body(Body::from(coding.encode(bytes)?))?)
}

async fn artifact(State(desk): State<Arc<Desk>>, Path(sha256): Path<String>) -> Response {
    let artifacts = Arc::clone(&desk.deps.artifacts);
    let asked = sha256.clone();
    let (file, size) = match tokio::task::spawn_blocking(move || artifacts.open_one(&asked)).await {
        Ok(Ok(Some(found))) => found,
        Ok(Ok(None)) => return StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error @ ArtifactError::BadName)) => {
            return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
        }
        Ok(Err(error)) => return failed(error),
        Err(error) => return failed(error),
    };
    let answer = Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{sha256}\""))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_LENGTH, size)
        .header(SHA256_HEADER, sha256)
        .body(Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file))));
    match answer {
        Ok(answer) => answer,
        Err(error) => failed(error),
    }
}

/// The registry learns that it failed, the diagnostics why.
fn failed(error: impl std::fmt::Display) -> Response {
    tracing::error!(%error, "a management request failed");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_checked_and_every_fault_is_named() {
        assert_eq!(Wish::parse(""), Ok(Wish { after: 0, limit: LIMIT_DEFAULT }));
        assert_eq!(Wish::parse("after=7&limit=100&colour=red"), Ok(Wish { after: 7, limit: 100 }));
        assert_eq!(Wish::parse("limit=99999999999"), Ok(Wish { after: 0, limit: LIMIT_MAX }));
        let errors = Wish::parse("after=-1&limit=0").unwrap_err();
        assert!(
            errors.len() == 2 && errors[0].contains("after") && errors[1].contains("limit"),
            "{errors:?}"
        );
        for bad in ["after=", "after=x", "after=18446744073709551616", "limit=1.5"] {
            assert_eq!(Wish::parse(bad).unwrap_err().len(), 1, "{bad}");
        }
    }
}
