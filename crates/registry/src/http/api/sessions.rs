//! `/api/sessions`

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;

use super::{Listing, ROWS, ROWS_MOST, events::Shown as Event, time};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        pages::{filter, read_sessions},
        params::Params,
        route::{Caller, Route},
    },
    store::SessionRow,
};

/// One session.
#[derive(Serialize)]
struct Shown {
    /// `BUCKET/SESSION`, as the path of the session takes it.
    id: String,
    bucket: String,
    session: String,
    protocol: String,
    src_ip: String,
    src_port: u16,
    dst_port: u16,
    started_at: String,
    last_at: String,
    ended_at: Option<String>,
    duration_ms: Option<u64>,
    events: u64,
    logins_ok: u64,
    logins_failed: u64,
    commands: u64,
    uploads: u64,
    downloads: u64,
    username: Option<String>,
    client: Option<String>,
    label: Option<String>,
}

impl From<SessionRow> for Shown {
    fn from(s: SessionRow) -> Self {
        Self {
            id: format!("{}/{}", s.bucket, s.session),
            bucket: s.bucket,
            session: s.session,
            protocol: s.protocol,
            src_ip: s.src_ip,
            src_port: s.src_port,
            dst_port: s.dst_port,
            started_at: time(s.started_at),
            last_at: time(s.last_at),
            ended_at: s.ended_at.map(time),
            duration_ms: s.duration_ms,
            events: s.events,
            logins_ok: s.logins_ok,
            logins_failed: s.logins_failed,
            commands: s.commands,
            uploads: s.uploads,
            downloads: s.downloads,
            username: s.username,
            client: s.client,
            label: s.label,
        }
    }
}

/// One session with its events.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    session: Shown,
    /// In order; `next` is the `after` of the next page.
    transcript: Listing<Event>,
}

const QUERY: &[(&str, &str)] = &[
    ("bucket", "name of the bucket"),
    ("protocol", "ssh, telnet, ftp, smtp, http or plain"),
    ("src_ip", "exactly this address"),
    ("text", "text in a message of the session: a command, a login, a file name"),
    ("from", "began at this time or later, YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC"),
    ("to", "began before this time"),
    ("login", "1: only with an accepted login"),
    ("commands", "1: only with a command"),
    ("label", "only visitors taken for: human, script or agent"),
    ("after", "the `next` of the page before"),
    ("limit", "rows, 1 to 1000"),
];
const PAGING: &[(&str, &str)] = &[("after", "only events after this seq"), ("limit", "events, 1 to 1000")];

pub(super) fn routes() -> Vec<Route> {
    let one = "One session with its events; the session's name alone is enough while only one bucket has it";
    vec![
        Route::get("/api/sessions", Caller::Viewer, list).api("Sessions, newest first", QUERY, "SessionList"),
        Route::get("/api/sessions/{bucket}/{session}", Caller::Viewer, whole).api(
            "One session with its events",
            PAGING,
            "Session",
        ),
        Route::get("/api/sessions/{session}", Caller::Viewer, by_name).api(one, PAGING, "Session"),
    ]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Listing<Shown>>, Failure> {
    params.only(&QUERY.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS);
    let (sessions, next) = read_sessions(&front, &filter(&params)?, limit).await?;
    Ok(Json(Listing { items: sessions.into_iter().map(Shown::from).collect(), next }))
}

async fn whole(
    State(front): State<Front>,
    Path((bucket, session)): Path<(String, String)>,
    params: Params,
) -> Result<Json<Whole>, Failure> {
    read(&front, &bucket, &session, &params).await
}

async fn by_name(
    State(front): State<Front>,
    Path(session): Path<String>,
    params: Params,
) -> Result<Json<Whole>, Failure> {
    let buckets = front.store.buckets_of_session(&session).await?;
    match buckets.as_slice() {
        [] => Err(Failure::NotFound("session of this name")),
        [bucket] => read(&front, bucket, &session, &params).await,
        several => Err(Failure::Wrong(format!(
            "{} buckets have a session of this name; ask for /api/sessions/BUCKET/SESSION",
            several.len()
        ))),
    }
}

async fn read(front: &Front, bucket: &str, session: &str, params: &Params) -> Result<Json<Whole>, Failure> {
    params.only(&["after", "limit"])?;
    let row = front.store.session(bucket, session).await?.ok_or(Failure::NotFound("session of this name"))?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS_MOST);
    let after = params.number("after", 0..=u64::MAX)?.unwrap_or(0);
    let events = front.store.session_events(bucket, session, after, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = events.len() > limit;
    let events: Vec<_> = events.into_iter().take(limit).collect();
    let next = events.last().filter(|_| more).map(|last| last.seq.to_string());
    let items = events.into_iter().map(|event| Event::new(bucket, event)).collect();
    Ok(Json(Whole { session: row.into(), transcript: Listing { items, next } }))
}
