//! The sessions of all buckets, newest first, with filters.

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
    store::{PageKey, SessionFilter, SessionRow},
    time::parse_timestamp,
};

/// Sessions on one page.
const ROWS: u32 = 50;
/// What the filter form sends, and the API takes.
pub(in crate::http) const FILTERS: &[(&str, &str)] = &[
    ("bucket", "name of the bucket"),
    ("protocol", "ssh, telnet, ftp, smtp, http or plain"),
    ("src_ip", "exactly this address"),
    ("text", "text in a message of the session: a command, a login, a file name"),
    ("from", "began at this time or later, YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC"),
    ("to", "began before this time"),
    ("login", "1: only with an accepted login"),
    ("commands", "1: only with a command"),
    ("label", "only visitors taken for: human, script or agent"),
    ("after", "the place where the page before ended"),
];

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions {
    frame: Frame,
    sessions: Vec<SessionRow>,
    filter: Params,
    next: Option<String>,
    filtered: bool,
}

impl Sessions {
    fn value(&self, name: &str) -> &str {
        self.filter.get(name).unwrap_or_default()
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/sessions", Caller::Viewer, show)]
}

async fn show(State(front): State<Front>, who: Who, params: Params) -> Result<Html<String>, Failure> {
    let filter = filter(&params)?;
    let (sessions, next) = read(&front, &filter, ROWS).await?;
    let next = next.map(|key| params.with("after", &key));
    let filtered = FILTERS.iter().any(|(name, _)| params.get(name).is_some());
    let frame = Frame::new("Sessions", Some(&who), "sessions");
    Ok(page(&Sessions { frame, sessions, filter: params, next, filtered })?)
}

/// One page of sessions and where the next begins.
pub(in crate::http) async fn read(
    front: &Front,
    filter: &SessionFilter,
    rows: u32,
) -> Result<(Vec<SessionRow>, Option<String>), Failure> {
    let mut sessions = front.store.sessions(filter, rows + 1).await?;
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let more = sessions.len() > rows;
    sessions.truncate(rows);
    let next = sessions.last().filter(|_| more).map(|last| format!("{}.{}", last.key().at, last.key().id));
    Ok((sessions, next))
}

/// The filter that the parameters describe.
pub(in crate::http) fn filter(params: &Params) -> Result<SessionFilter, Failure> {
    let after = params.get("after").map(|text| {
        let key = text
            .split_once('.')
            .and_then(|(at, id)| Some(PageKey { at: at.parse().ok()?, id: id.parse().ok()? }));
        key.ok_or_else(|| Failure::Wrong("`after` must be the `next` of the page before".to_owned()))
    });
    Ok(SessionFilter {
        bucket: params.text("bucket")?,
        protocol: params.text("protocol")?,
        src_ip: params.text("src_ip")?,
        text: params.text("text")?,
        from: time(params, "from")?,
        to: time(params, "to")?,
        with_login: params.flag("login"),
        with_commands: params.flag("commands"),
        label: params.text("label")?,
        after: after.transpose()?,
    })
}

/// A day, a minute or a full time, UTC, as milliseconds.
pub(in crate::http) fn time(params: &Params, name: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let text = text.trim_end_matches('Z').replace(' ', "T");
    let full = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ => format!("{text}Z"),
    };
    let wrong =
        || Failure::Wrong(format!("`{name}` must be a time such as 2026-11-21 or 2026-11-21T18:30, UTC"));
    parse_timestamp(&full).map(|micros| Some(micros / 1000)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        let params = Params::parse(b"bucket=b&from=2026-11-21&to=2026-11-21T18:30&login=1&after=12.3");
        let filter = filter(&params).unwrap();
        assert_eq!(filter.to.unwrap() - filter.from.unwrap(), (18 * 60 + 30) * 60_000);
        assert_eq!(filter.after, Some(PageKey { at: 12, id: 3 }));
        assert!(filter.with_login && !filter.with_commands);
        for bad in ["from=yesterday", "after=x", "after=1"] {
            assert!(super::filter(&Params::parse(bad.as_bytes())).is_err(), "{bad}");
        }
    }
}
