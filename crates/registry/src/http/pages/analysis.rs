//! One analysis: the text, what it covers, the facts it stands on.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Html,
};
use serde_json::Value;

use super::{Frame, page, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        route::{Caller, Route},
        show::{Visible, WHOLE},
        who::Who,
    },
    store::Analysis,
};

/// The most characters of a text that are shown.
const LONGEST: usize = 200_000;

/// A part of the text. Analyses come as light Markdown; only headings and lists are drawn, everything is text.
enum Part {
    Heading(Visible<'static>),
    Item(Visible<'static>),
    Paragraph(Visible<'static>),
}

#[derive(Template)]
#[template(path = "analysis.html")]
struct Page {
    frame: Frame,
    analysis: Analysis,
    parts: Vec<Part>,
    facts: Option<Visible<'static>>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/analyses/{id}", Caller::Viewer, show)]
}

async fn show(State(front): State<Front>, who: Who, Path(id): Path<String>) -> Result<Html<String>, Failure> {
    let analysis = find(&front, &id).await?;
    let parts = parts(&analysis.text);
    let facts = analysis.facts.as_deref().map(|facts| {
        let pretty =
            serde_json::from_str::<Value>(facts).and_then(|facts| serde_json::to_string_pretty(&facts));
        Visible::owned(pretty.unwrap_or_else(|_| facts.to_owned()), WHOLE * 4)
    });
    let frame = Frame::new(format!("Analysis {}", analysis.id), Some(&who), "analyses");
    Ok(page(&Page { frame, analysis, parts, facts })?)
}

/// The analysis of this number; for the API too.
pub(in crate::http) async fn find(front: &Front, id: &str) -> Result<Analysis, Failure> {
    let missing = || Failure::NotFound("analysis of this number");
    let id = id.parse::<i64>().map_err(|_| missing())?;
    front.store.analysis(id).await?.ok_or_else(missing)
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut paragraph = String::new();
    let text: String = text.chars().take(LONGEST).collect();
    let flush = |paragraph: &mut String, parts: &mut Vec<Part>| {
        if !paragraph.is_empty() {
            parts.push(Part::Paragraph(Visible::owned(std::mem::take(paragraph), LONGEST)));
        }
    };
    for line in text.lines() {
        let line = line.trim_end();
        let trimmed = line.trim_start();
        let heading = trimmed.trim_start_matches('#');
        let item = trimmed.strip_prefix("- ").or_else(|| trimmed.strip_prefix("* "));
        if heading.len() < trimmed.len() && heading.starts_with(' ') {
            flush(&mut paragraph, &mut parts);
            parts.push(Part::Heading(Visible::owned(bare(heading.trim()), LONGEST)));
        } else if let Some(item) = item {
            flush(&mut paragraph, &mut parts);
            parts.push(Part::Item(Visible::owned(bare(item), LONGEST)));
        } else if trimmed.is_empty() {
            flush(&mut paragraph, &mut parts);
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(&bare(trimmed));
        }
    }
    flush(&mut paragraph, &mut parts);
    parts
}

/// Without the stars of bold text.
fn bare(text: &str) -> String {
    text.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analysis_is_drawn_as_text() {
        let parts = parts("# Head <b>\nfirst\nsecond\n\n- **item** one\n* two\nlast");
        let shown: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Part::Heading(text) => format!("h {text}"),
                Part::Item(text) => format!("- {text}"),
                Part::Paragraph(text) => format!("p {text}"),
            })
            .collect();
        assert_eq!(shown, ["h Head &lt;b&gt;", "p first second", "- item one", "- two", "p last"]);
    }
}
