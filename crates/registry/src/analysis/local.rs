//! The facts as readable text, for when no model is asked.

use std::fmt::Write as _;

use crate::store::{Facts, Tally};
use crate::time::readable;

/// Entries of a list that are written out.
const SHOWN: usize = 10;

/// The text.
pub(super) fn text(bucket: &str, facts: &Facts, why: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "No model was asked ({why}). These are the facts of {bucket}.\n");
    if let (Some(from), Some(to)) = (facts.from, facts.to) {
        let _ = writeln!(text, "From {} to {}.", readable(from), readable(to));
    }
    let _ = writeln!(
        text,
        "{} events in {} sessions from {} addresses; {} logins accepted, {} refused; {} commands typed.",
        facts.events, facts.sessions, facts.sources, facts.logins_ok, facts.logins_failed, facts.commands
    );
    for (title, list) in [
        ("Sessions by protocol", &facts.by_protocol),
        ("Addresses with most events", &facts.top_sources),
        ("Accepted logins", &facts.accepted_credentials),
        ("Logins tried most", &facts.top_credentials),
        ("Commands typed most", &facts.top_commands),
        ("Files brought", &facts.uploads),
        ("Files visitors wanted fetched (none was)", &facts.downloads),
        ("HTTP requests made most", &facts.top_requests),
        ("Mails taken", &facts.mails),
        ("Attempts to be passed on to other hosts (none was)", &facts.forwards),
        ("SSH clients", &facts.clients),
        ("Events by kind", &facts.by_event),
    ] {
        section(&mut text, title, list);
    }
    text
}

fn section(text: &mut String, title: &str, list: &[Tally]) {
    if list.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}:");
    for Tally { what, count } in list.iter().take(SHOWN) {
        let _ = writeln!(text, "  {count:>7}  {}", what.escape_debug());
    }
    if list.len() > SHOWN {
        let _ = writeln!(text, "  and {} more", list.len() - SHOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_all_there_each_on_its_line() {
        let facts = Facts {
            events: 7,
            commands: 2,
            from: Some(1_795_291_262_000),
            to: Some(1_795_291_263_000),
            top_commands: vec![Tally { what: "uname -a\u{1b}[2J\nrm".into(), count: 2 }],
            ..Facts::default()
        };
        let text = text("rustbucket-aaaaaaaa", &facts, "no key");
        assert!(text.starts_with("No model was asked (no key). These are the facts of rustbucket-aaaaaaaa."));
        assert!(text.contains("7 events in 0 sessions") && text.contains("2026-11-21 20:01:02Z"), "{text}");
        assert!(
            text.contains("      2  uname -a\\u{1b}[2J\\nrm\n") && !text.contains("Files brought"),
            "{text}"
        );
    }
}
