//! The analyses, newest first.

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
    store::Analysis,
    time::parse_timestamp,
};

/// Analyses on one page.
const ROWS: usize = 30;

#[derive(Template)]
#[template(path = "analyses.html")]
struct Analyses {
    frame: Frame,
    analyses: Vec<Analysis>,
    bucket: String,
    next: Option<String>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/analyses", Caller::Viewer, show)]
}

async fn show(State(front): State<Front>, who: Who, params: Params) -> Result<Html<String>, Failure> {
    let (analyses, next) = read(&front, &params, ROWS).await?;
    let next = next.map(|id| params.with("before", &id));
    let frame = Frame::new("Analyses", Some(&who), "analyses");
    let bucket = params.get("bucket").unwrap_or_default().to_owned();
    Ok(page(&Analyses { frame, analyses, bucket, next })?)
}

/// One page of analyses and where the next begins.
pub(in crate::http) async fn read(
    front: &Front,
    params: &Params,
    rows: usize,
) -> Result<(Vec<Analysis>, Option<String>), Failure> {
    let before = params.number("before", 1..=i64::MAX)?;
    let bucket = params.text("bucket")?;
    let wanted = u32::try_from(rows + 1).unwrap_or(u32::MAX);
    let mut analyses = front.store.analyses(bucket.as_deref(), before, wanted).await?;
    let more = analyses.len() > rows;
    analyses.truncate(rows);
    let next = analyses.last().filter(|_| more).map(|last| last.id.to_string());
    Ok((analyses, next))
}

/// When an analysis was written, milliseconds; 0 when the database wrote a time that is none.
pub(in crate::http) fn written(analysis: &Analysis) -> i64 {
    let text = format!("{}Z", analysis.created_at.trim_end_matches('Z').replacen(' ', "T", 1));
    parse_timestamp(&text).map_or(0, |micros| micros / 1000)
}

/// The first words of an analysis.
pub(super) fn beginning(analysis: &Analysis) -> String {
    let text = analysis.text.trim_start_matches(['#', ' ', '\n']);
    let words = text.split_whitespace().take(40).collect::<Vec<_>>().join(" ");
    words.chars().take(220).collect()
}
