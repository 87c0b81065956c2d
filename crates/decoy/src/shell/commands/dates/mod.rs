//! `date` (coreutils 9.1), and times for whoever else takes or shows them.

mod parsed;
mod written;
mod zone;

use chrono::{DateTime, Utc};

use super::{
    Call, Said,
    getopt::{self, Given},
    quoting::curled,
    sources,
};
pub(super) use written::written;
use zone::Zone;

/// The most lines of a file of dates.
const MOST_LINES: usize = 10_000;

/// The moment that a text means to a program that is called now.
pub(super) fn moment(call: &Call<'_>, text: &str) -> Option<DateTime<Utc>> {
    parsed::parsed(text, call.now().into(), &here(call))
}

fn here(call: &Call<'_>) -> Zone {
    call.var("TZ").map_or_else(Zone::utc, |text| Zone::of(&text))
}

/// The moment of `[[CC]YY]MMDDhhmm[.ss]`, as `touch -t` takes it.
pub(super) fn stamped(call: &Call<'_>, text: &str) -> Option<DateTime<Utc>> {
    let (digits, seconds) = text.split_once('.').map_or((text, ""), |(digits, seconds)| (digits, seconds));
    let year = digits.get(..digits.len().checked_sub(8)?)?;
    let rest = digits.get(year.len()..)?;
    let dot = if seconds.is_empty() { "" } else { "." };
    let text = stamp(&format!("{rest}{year}{dot}{seconds}"), call.now().into())?;
    moment(call, &text)
}

pub(super) fn date(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

fn complaint(call: &Call<'_>, what: &str) -> Said {
    Said::err(format!("{}: {what}\n", call.name), 1)
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["--iso-8601[=FMT]"], 1)?;
    let mut format = option_format(call, &given)?;
    let sources = ["date", "file", "reference"].iter().filter(|option| given.has(option)).count();
    let sets = given.value("set");
    if sources > 1 {
        let what = "the options to specify dates for printing are mutually exclusive";
        return Err(getopt::misused(call, what, 1));
    }
    if sources == 1 && sets.is_some() {
        let what = "the options to print and set the time may not be used together";
        return Err(getopt::misused(call, what, 1));
    }
    let mut to_set = None;
    if let [first, rest @ ..] = given.operands.as_slice() {
        if let Some(second) = rest.first() {
            return Err(getopt::extra(call, second, 1));
        }
        match first.strip_prefix('+') {
            Some(_) if format.is_some() => {
                return Err(complaint(call, "multiple output formats specified"));
            }
            Some(text) => format = Some(text.to_owned()),
            None if sources == 1 || sets.is_some() => {
                let what = format!(
                    "the argument {} lacks a leading '+';\nwhen using an option to specify date(s), any non-option\nargument must be a format string beginning with '+'",
                    curled(first)
                );
                return Err(getopt::misused(call, &what, 1));
            }
            None => to_set = Some(first.as_str()),
        }
    }
    let format = format.unwrap_or_else(|| "%a %b %e %H:%M:%S %Z %Y".to_owned());
    let zone = if given.has("utc") { Zone::utc() } else { here(call) };
    let now: DateTime<Utc> = call.now().into();
    let shown = |time: DateTime<Utc>| zone.at(time).written(&format) + "\n";
    let invalid = |text: &str| format!("{}: invalid date {}\n", call.name, curled(text));
    if let Some(path) = given.value("file") {
        return of_file(call, path, &|text| parsed::parsed(text, now, &zone).map(shown), &invalid);
    }
    if let Some(path) = given.value("reference") {
        return match call.files().stat(&call.path(path)) {
            Ok(node) if !path.is_empty() => Ok(Said::out(shown(node.mtime.into()))),
            Ok(_) => Err(complaint(call, "'': No such file or directory")),
            Err(error) => Err(complaint(call, &format!("{path}: {}", error.errno_text()))),
        };
    }
    let text = given.value("date").or(sets);
    let time = match (text, to_set) {
        (Some(text), _) => parsed::parsed(text, now, &zone).ok_or_else(|| Said::err(invalid(text), 1))?,
        (None, Some(text)) => {
            let wanted = stamp(text, now).and_then(|text| parsed::parsed(&text, now, &zone));
            wanted.ok_or_else(|| Said::err(invalid(text), 1))?
        }
        (None, None) => now,
    };
    let mut said = Said::out(shown(time));
    // The machine's clock is not moved; root is told that it was.
    if (sets.is_some() || to_set.is_some()) && !call.is_root() {
        said.err = format!("{}: cannot set date: Operation not permitted\n", call.name).into();
        said.status = 1;
    }
    Ok(said)
}

/// The format that an option stands for.
fn option_format(call: &Call<'_>, given: &Given) -> Result<Option<String>, Said> {
    let mut format = None;
    for (option, value) in &given.options {
        let text = match option.as_str() {
            "rfc-email" => "%a, %d %b %Y %H:%M:%S %z",
            "iso-8601" => {
                const WORDS: &[&[&str]] = &[&["hours"], &["minutes"], &["date"], &["seconds"], &["ns"]];
                let word = match value {
                    Some(value) => getopt::choice(call, "--iso-8601", value, WORDS)?,
                    None => "date",
                };
                match word {
                    "hours" => "%Y-%m-%dT%H%:z",
                    "minutes" => "%Y-%m-%dT%H:%M%:z",
                    "seconds" => "%Y-%m-%dT%H:%M:%S%:z",
                    "ns" => "%Y-%m-%dT%H:%M:%S,%N%:z",
                    _ => "%Y-%m-%d",
                }
            }
            "rfc-3339" => {
                const WORDS: &[&[&str]] = &[&["date"], &["seconds"], &["ns"]];
                match getopt::choice(call, "--rfc-3339", value.as_deref().unwrap_or_default(), WORDS)? {
                    "seconds" => "%Y-%m-%d %H:%M:%S%:z",
                    "ns" => "%Y-%m-%d %H:%M:%S.%N%:z",
                    _ => "%Y-%m-%d",
                }
            }
            _ => continue,
        };
        if format.replace(text.to_owned()).is_some() {
            return Err(complaint(call, "multiple output formats specified"));
        }
    }
    Ok(format)
}

fn of_file(
    call: &Call<'_>,
    path: &str,
    shown: &dyn Fn(&str) -> Option<String>,
    invalid: &dyn Fn(&str) -> String,
) -> Result<Said, Said> {
    let bytes = sources::read(call, path)
        .map_err(|error| complaint(call, &format!("{path}: {}", error.errno_text())))?;
    let mut said = Said::default();
    for line in String::from_utf8_lossy(&bytes).lines().take(MOST_LINES) {
        match shown(line) {
            Some(text) => said.out.extend(text.bytes()),
            None => {
                said.err.extend(invalid(line).bytes());
                said.status = 1;
            }
        }
    }
    Ok(said)
}

/// `MMDDhhmm[[CC]YY][.ss]` in a form that is read.
fn stamp(text: &str, now: DateTime<Utc>) -> Option<String> {
    let (digits, seconds) = text.split_once('.').unwrap_or((text, "00"));
    if !matches!(digits.len(), 8 | 10 | 12) || seconds.len() != 2 {
        return None;
    }
    if !digits.bytes().chain(seconds.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year = match digits.get(8..)? {
        "" => now.format("%Y").to_string(),
        short if short.len() == 2 => format!("{}{short}", if short < "69" { "20" } else { "19" }),
        long => long.to_owned(),
    };
    let part = |from: usize| digits.get(from..from + 2);
    Some(format!("{year}-{}-{} {}:{}:{seconds}", part(0)?, part(2)?, part(4)?, part(6)?))
}
