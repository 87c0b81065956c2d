//! `/api/buckets`

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;

use super::{Done, Listing, ROWS, ROWS_MOST, time};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        pages::decide,
        params::Params,
        route::{Caller, Route},
        who::Who,
    },
    store::{Bucket, Status},
};

/// One bucket. Never its token.
#[derive(Serialize)]
struct Shown {
    name: String,
    status: &'static str,
    ip_address: String,
    management_port: u16,
    certificate_sha256: Option<String>,
    operating_system: String,
    cpu_usage: String,
    memory_usage: String,
    disk_space: String,
    uptime: String,
    connections: String,
    version: String,
    listeners: Vec<String>,
    first_seq: u64,
    last_seq: u64,
    acked_seq: u64,
    registered_at: String,
    updated_at: String,
    decided_at: Option<String>,
    decided_by: Option<String>,
    last_contact_at: Option<String>,
    last_error: Option<String>,
    last_error_at: Option<String>,
    failures: u64,
}

impl From<Bucket> for Shown {
    fn from(b: Bucket) -> Self {
        Self {
            status: b.status.as_str(),
            name: b.name,
            ip_address: b.ip_address,
            management_port: b.management_port,
            certificate_sha256: b.certificate_sha256,
            operating_system: b.operating_system,
            cpu_usage: b.cpu_usage,
            memory_usage: b.memory_usage,
            disk_space: b.disk_space,
            uptime: b.uptime,
            connections: b.connections,
            version: b.version,
            listeners: b.listeners,
            first_seq: b.first_seq,
            last_seq: b.last_seq,
            acked_seq: b.acked_seq,
            registered_at: time(b.registered_at),
            updated_at: time(b.updated_at),
            decided_at: b.decided_at.map(time),
            decided_by: b.decided_by,
            last_contact_at: b.last_contact_at.map(time),
            last_error: b.last_error,
            last_error_at: b.last_error_at.map(time),
            failures: b.failures,
        }
    }
}

const QUERY: &[(&str, &str)] = &[
    ("status", "pending, active or revoked"),
    ("after", "the name where the page before ended"),
    ("limit", "rows, 1 to 1000"),
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/buckets", Caller::Viewer, list).api("The fleet, by name", QUERY, "BucketList"),
        Route::get("/api/buckets/{name}", Caller::Viewer, one).api("One bucket", &[], "Bucket"),
        Route::post("/api/buckets/{name}/approve", Caller::Admin, approve).api(
            "Lets a bucket in",
            &[],
            "Done",
        ),
        Route::post("/api/buckets/{name}/revoke", Caller::Admin, revoke).api(
            "Shuts a bucket out",
            &[],
            "Done",
        ),
    ]
}

async fn list(State(front): State<Front>, params: Params) -> Result<Json<Listing<Shown>>, Failure> {
    params.only(&["status", "after", "limit"])?;
    let limit = params.number("limit", 1..=ROWS_MOST)?.unwrap_or(ROWS);
    let status = match params.get("status") {
        None => None,
        Some(word @ ("pending" | "active" | "revoked")) => Some(word),
        Some(_) => return Err(Failure::Wrong("`status` must be pending, active or revoked".to_owned())),
    };
    let after = params.text("after")?.unwrap_or_default();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let all = front.store.buckets().await?;
    let fits = |b: &Bucket| b.name > after && status.is_none_or(|word| b.status.as_str() == word);
    let mut items: Vec<Shown> = all.into_iter().filter(fits).take(limit + 1).map(Shown::from).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| last.name.clone());
    Ok(Json(Listing { items, next }))
}

async fn one(State(front): State<Front>, Path(name): Path<String>) -> Result<Json<Shown>, Failure> {
    let bucket = front.store.bucket(&name).await?.ok_or(Failure::NotFound("bucket of this name"))?;
    Ok(Json(bucket.into()))
}

async fn approve(
    State(front): State<Front>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<Done>, Failure> {
    decide(&front, &who, &name, Status::Active).await?;
    Ok(Json(Done { status: "active" }))
}

async fn revoke(
    State(front): State<Front>,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<Done>, Failure> {
    decide(&front, &who, &name, Status::Revoked).await?;
    Ok(Json(Done { status: "revoked" }))
}
