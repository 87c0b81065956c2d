//! What is played: each recorded line alone, and whole visits at a terminal.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use acceptance::corpora::texts;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::allowed::{Allowed, Mode, names_in};
use crate::Arguments;

/// One visit: lines in one shell.
#[derive(Clone, Debug)]
pub struct Unit {
    /// How the lines are given.
    pub mode: Mode,
    /// The lines.
    pub lines: Vec<String>,
    /// How often visitors did this.
    pub count: f64,
}

/// Whole visits of one family (the same programs with the same options) that are played.
const OF_A_FAMILY: usize = 1;
/// Lines of a visit that are played.
const LONGEST_VISIT: usize = 24;

/// Everything that passes the allow-list.
pub fn read(corpora: &Path, allowed: &Allowed, arguments: &Arguments) -> Vec<Unit> {
    let mut units = alone(corpora, allowed);
    units.extend(visits(allowed));
    if let Some(only) = &arguments.only {
        units.retain(|unit| unit.lines.iter().any(|line| line.contains(only)));
    }
    if arguments.quick {
        // The most frequent, and every eighth of the rest.
        units.retain(|unit| unit.count >= 100.0 || is_sampled(&unit.lines));
    }
    units
}

/// Lines of one's own, in a file: nothing of them is refused, so none may be a visitor's.
pub fn own(path: &Path) -> Vec<Unit> {
    let text = std::fs::read_to_string(path).expect("a file of lines");
    let (mut units, mut typed) = (Vec::<Unit>::new(), false);
    for row in text.lines().filter(|row| !row.is_empty() && !row.starts_with('#')) {
        if let Some(mode) = row.strip_prefix("! ") {
            typed = mode == "typed";
            if typed {
                units.push(Unit { mode: Mode::Typed, lines: Vec::new(), count: 1.0 });
            }
            continue;
        }
        let line = serde_json::from_str(row).unwrap_or_else(|_| row.to_owned());
        match units.last_mut() {
            Some(unit) if typed => unit.lines.push(line),
            _ => units.push(Unit { mode: Mode::Exec, lines: vec![line], count: 1.0 }),
        }
    }
    units.retain(|unit| !unit.lines.is_empty());
    units
}

fn is_sampled(lines: &[String]) -> bool {
    Sha256::digest(lines.join("\n")).first().is_some_and(|byte| byte % 8 == 0)
}

fn alone(corpora: &Path, allowed: &Allowed) -> Vec<Unit> {
    let text = std::fs::read_to_string(corpora.join("commands_open.tsv")).expect("commands_open.tsv");
    let (mut units, mut refused) = (Vec::new(), BTreeMap::<String, usize>::new());
    for row in text.split('\n').skip(1).filter(|row| !row.is_empty()) {
        let mut fields = row.split('\t');
        let (Some(count), Some(line)) = (fields.next(), fields.next()) else { continue };
        let line: String = serde_json::from_str(line).expect("a JSON text");
        if line.trim().is_empty() {
            continue;
        }
        match allowed.check(&line, Mode::Exec, &BTreeSet::new()) {
            Ok(()) => units.push(Unit {
                mode: Mode::Exec,
                lines: vec![line],
                count: count.parse().expect("a count"),
            }),
            Err(why) => {
                *refused.entry(why.split(": ").next().unwrap_or_default().to_owned()).or_default() += 1
            }
        }
    }
    let mut refused: Vec<_> = refused.into_iter().collect();
    refused.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let most: Vec<String> = refused.iter().take(25).map(|(why, count)| format!("{why} {count}")).collect();
    eprintln!("refused of commands_open.tsv, by reason: {}", most.join(", "));
    units
}

fn visits(allowed: &Allowed) -> Vec<Unit> {
    let records = acceptance::corpora::read("sessions_open.jsonl").unwrap_or_default();
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    let mut units = Vec::new();
    for record in &records {
        let mut made = BTreeSet::new();
        let mut lines = Vec::new();
        for line in texts(record, "commands") {
            // At a terminal a line is what stands before its end.
            if line.trim().is_empty() || line.contains(['\n', '\t', '\u{1b}', '\u{3}', '\u{4}']) {
                continue;
            }
            if allowed.check(&line, Mode::Typed, &made).is_ok() && lines.len() < LONGEST_VISIT {
                lines.push(line.clone());
            }
            made.extend(names_in(&line));
        }
        // One line alone has been played already.
        if lines.len() < 2 {
            continue;
        }
        let family = record["family"].as_str().unwrap_or_default().to_owned();
        let played = families.entry(family).or_default();
        *played += 1;
        if *played <= OF_A_FAMILY {
            let count = record.get("count").and_then(Value::as_f64).unwrap_or(1.0);
            units.push(Unit { mode: Mode::Typed, lines, count });
        }
    }
    units
}
