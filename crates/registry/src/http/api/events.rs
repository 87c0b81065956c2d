//! `/api/events`

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;

use super::{Listing, ROWS, ROWS_MOST, time};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        pages::time_param,
        params::Params,
        route::{Caller, Route},
    },
    store::{EventFilter, EventRow},
};

/// One event.
#[derive(Serialize)]
pub(super) struct Shown {
    bucket: String,
    seq: u64,
    at: String,
    eventid: String,
    message: String,
    /// The line as the bucket wrote it; none when retention removed it.
    event: Option<Value>,
}

impl Shown {
    pub(super) fn new(bucket: &str, event: EventRow) -> Self {
        let line = event.line.and_then(|line| serde_json::from_str::<Value>(&line).ok());
        Self {
            bucket: bucket.to_owned(),
            seq: event.seq,
            at: time(event.at),
            eventid: event.eventid,
            message: event.message,
            event: line.filter(Value::is_object),
        }
    }
}

const QUERY: &[(&str, &str)] = &[
    ("bucket", "name of the bucket"),
    ("session", "name of the session"),
    ("eventid", "exactly this kind of event, for example cowrie.command.input"),
    ("src_ip", "exactly this address"),
    ("text", "text in the message"),
    ("from", "at this time or later, YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC"),
    ("to", "before this time"),
    ("after", "the `next` of the page before"),
    ("limit", "rows, 1 to 1000"),
];

pub(super) fn routes() -> Vec<Route> {
    let summary =
        "Events in the order in which they were filed, oldest first: ask again with `after` to follow them";
    vec![Route::get("/api/events", Caller::Viewer, list).api(summary, QUERY, "EventList")]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Listing<Shown>>, Failure> {
    params.only(&QUERY.iter().map(|(name, _)| *name).collect::<Vec<_>>())?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS);
    let filter = EventFilter {
        bucket: params.text("bucket")?,
        session: params.text("session")?,
        eventid: params.text("eventid")?,
        src_ip: params.text("src_ip")?,
        text: params.text("text")?,
        from: time_param(&params, "from")?,
        to: time_param(&params, "to")?,
        after: params.number("after", 0..=i64::MAX)?,
    };
    let events = front.store.events(&filter, limit).await?;
    // There is always a next: who follows the events asks again with it when more may have come.
    let next = events.last().map(|(id, ..)| id.to_string()).or_else(|| filter.after.map(|id| id.to_string()));
    let items = events.into_iter().map(|(_, bucket, event)| Shown::new(&bucket, event)).collect();
    Ok(Json(Listing { items, next }))
}
