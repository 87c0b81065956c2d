//! The fleet: every bucket with its state and its last contact, what waits for a decision, how to add one.

use askama::Template;
use axum::{extract::State, response::Html};

use super::{Frame, page, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        params::Params,
        route::{Caller, Route},
        who::Who,
    },
    store::{Bucket, Counts, Status},
};

/// Buckets on one page.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "fleet.html")]
struct Fleet {
    frame: Frame,
    counts: Counts,
    pending: Vec<Bucket>,
    buckets: Vec<Bucket>,
    found: u64,
    text: String,
    status: String,
    filtered: bool,
    next: Option<String>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/", Caller::Viewer, show)]
}

/// How the connection to a bucket is: a word and the class that colours it.
pub(super) fn condition(bucket: &Bucket) -> (&'static str, &'static str) {
    match bucket.status {
        Status::Pending => ("pending", "wait"),
        Status::Revoked => ("revoked", "off"),
        Status::Active if bucket.certificate_sha256.is_none() => ("no certificate", "bad"),
        Status::Active if bucket.last_error.is_some() => ("failing", "bad"),
        Status::Active if bucket.last_contact_at.is_none() => ("not reached yet", "wait"),
        Status::Active => ("reached", "good"),
    }
}

/// Events that the bucket has and the archive has not.
fn unfetched(bucket: &Bucket) -> u64 {
    bucket.last_seq.saturating_sub(bucket.acked_seq)
}

async fn show(State(front): State<Front>, who: Who, params: Params) -> Result<Html<String>, Failure> {
    let counts = front.counts().await?;
    let all = front.store.buckets().await?;
    let text = params.text("text")?.unwrap_or_default();
    let status = params.text("status")?.unwrap_or_default();
    let after = params.text("after")?.unwrap_or_default();
    let needle = text.to_lowercase();
    let matches = |bucket: &&Bucket| {
        let in_text = || {
            [&bucket.name, &bucket.ip_address, &bucket.operating_system, &bucket.version]
                .iter()
                .any(|field| field.to_lowercase().contains(&needle))
        };
        let in_status = match status.as_str() {
            "" => true,
            "failing" => condition(bucket).1 == "bad",
            word => bucket.status.as_str() == word,
        };
        in_status && (needle.is_empty() || in_text())
    };
    let found: Vec<&Bucket> = all.iter().filter(matches).collect();
    let rest: Vec<&&Bucket> = found.iter().filter(|bucket| bucket.name > after).take(ROWS + 1).collect();
    let buckets: Vec<Bucket> = rest.iter().take(ROWS).map(|bucket| (**bucket).clone()).collect();
    let next =
        (rest.len() > ROWS).then(|| buckets.last().map(|last| params.with("after", &last.name))).flatten();
    let filtered = !text.is_empty() || !status.is_empty() || !after.is_empty();
    let pending: Vec<Bucket> =
        all.iter().filter(|bucket| bucket.status == Status::Pending && !filtered).take(20).cloned().collect();
    let found = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let frame = Frame::new("Fleet", Some(&who), "fleet").noting(&params);
    Ok(page(&Fleet { frame, counts, pending, buckets, found, text, status, filtered, next })?)
}
