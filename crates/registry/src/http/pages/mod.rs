//! The pages: one file and one template each, all in the same frame.

mod analyses;
mod analysis;
mod artifacts;
mod bucket;
mod findings;
mod fleet;
mod jobs;
mod people;
mod sessions;
mod steps;
mod transcript;

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{StatusCode, header};

use super::{
    params::Params,
    route::Route,
    show::{Figure, Moment},
    who::Who,
};
use crate::{store::Role, time::now_ms};

// What pages and API share.
pub(super) use analyses::{read as read_analyses, written};
pub(super) use analysis::find as find_analysis;
pub(super) use artifacts::{save as save_artifact, save_recording};
pub(super) use bucket::decide;
pub(super) use jobs::nudge;
pub(super) use sessions::{filter, read as read_sessions, time as time_param};

/// What every page has around it.
pub(super) struct Frame {
    pub title: String,
    pub who: Option<Who>,
    /// Which entry of the navigation is lit.
    here: &'static str,
    pub notice: Option<&'static str>,
    now: i64,
}

impl Frame {
    /// The frame of a page called `title`, under the entry `here`.
    pub fn new(title: impl Into<String>, who: Option<&Who>, here: &'static str) -> Self {
        Self { title: title.into(), who: who.cloned(), here, notice: None, now: now_ms() }
    }

    /// Says what the form before this page did.
    fn noting(mut self, params: &Params) -> Self {
        self.notice = match params.get("done") {
            Some("approved") => {
                Some("The bucket is approved. Its logs come with the next run of extract_logs.")
            }
            Some("revoked") => {
                Some("The bucket is revoked. It is not called any more and may not come back.")
            }
            Some("nudged") => Some("The job was asked to run now. Reload this page to see its report."),
            Some("ended") => Some("It is ended and opens nothing any more."),
            _ => None,
        };
        self
    }

    fn may(&self, role: Role) -> bool {
        self.who.as_ref().is_some_and(|who| who.role >= role)
    }

    /// Whether buttons of analysts are shown.
    pub fn analyst(&self) -> bool {
        self.may(Role::Analyst)
    }

    /// Whether buttons of admins are shown.
    pub fn admin(&self) -> bool {
        self.may(Role::Admin)
    }

    /// What forms must carry.
    pub fn csrf(&self) -> &str {
        self.who.as_ref().and_then(|who| who.csrf.as_deref()).unwrap_or_default()
    }

    /// A time with its age.
    pub fn time(&self, at: impl Figure<i64>) -> Moment {
        Moment::new(at.value(), self.now)
    }

    /// Whether an entry of the navigation is lit.
    pub fn lit(&self, here: &str) -> bool {
        self.here == here
    }
}

/// Writes a page.
pub(super) fn page(template: &impl Template) -> Result<Html<String>, askama::Error> {
    template.render().map(Html)
}

/// Back to a page of ours, with a word on what was done.
fn back(path: &str, done: &str) -> Response {
    Redirect::to(&format!("{path}?done={done}")).into_response()
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct Refused<'a> {
    frame: Frame,
    status: u16,
    message: &'a str,
}

/// Why there is no page.
pub(super) fn refusal(status: StatusCode, who: Option<&Who>, message: &str) -> Html<String> {
    let title = status.canonical_reason().unwrap_or("Refused");
    let template = Refused { frame: Frame::new(title, who, ""), status: status.as_u16(), message };
    // A template that cannot be written must not hide the refusal.
    page(&template).unwrap_or_else(|_| Html(format!("<!doctype html><title>{title}</title><h1>{title}</h1>")))
}

/// The one style sheet.
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../static/style.css"))
}

/// The mark in the tab and beside the name.
pub(super) async fn mark() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("../../../static/mark.svg"))
}

/// The rows of all pages.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(fleet::routes());
    routes.extend(bucket::routes());
    routes.extend(sessions::routes());
    routes.extend(transcript::routes());
    routes.extend(artifacts::routes());
    routes.extend(findings::routes());
    routes.extend(analyses::routes());
    routes.extend(analysis::routes());
    routes.extend(jobs::routes());
    routes.extend(people::routes());
    routes
}

/// What a template needs that is not its own.
pub(super) mod words {
    pub use super::super::show::{CELL, Visible, counted, number, size, span};
    pub(super) use super::analyses::written;

    /// Visitors' text in a table.
    pub fn cell(text: &str) -> Visible<'_> {
        Visible::line(text, CELL)
    }

    /// A part of a path or a query.
    pub fn part(text: &str) -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    }
}
