//! The options of `journalctl`.

use std::time::SystemTime;

use chrono::{DateTime, Utc};

use super::super::units::full_name;
use crate::shell::commands::{Call, Said, dates, usage};

/// What is asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) lines: Option<usize>,
    pub(super) units: Vec<String>,
    pub(super) identifiers: Vec<String>,
    pub(super) since: Option<SystemTime>,
    pub(super) until: Option<SystemTime>,
    pub(super) output: String,
    pub(super) grep: Option<regex::Regex>,
    pub(super) grave: bool,
    pub(super) boot: bool,
    pub(super) kernel: bool,
    pub(super) reverse: bool,
    pub(super) follow: bool,
    pub(super) no_pager: bool,
    pub(super) no_host: bool,
    pub(super) quiet: bool,
    pub(super) verb: Option<&'static str>,
}

/// Options with a value, by letter and name; those that may have one are in small letters at the end.
const VALUED: [(&str, &str); 12] = [
    ("S", "since"),
    ("U", "until"),
    ("u", "unit"),
    ("t", "identifier"),
    ("p", "priority"),
    ("g", "grep"),
    ("o", "output"),
    ("D", "directory"),
    ("M", "machine"),
    ("c", "cursor"),
    ("", "file"),
    ("", "facility"),
];
const PLAIN: [(&str, &str); 24] = [
    ("k", "dmesg"),
    ("r", "reverse"),
    ("f", "follow"),
    ("q", "quiet"),
    ("x", "catalog"),
    ("a", "all"),
    ("e", "pager-end"),
    ("m", "merge"),
    ("l", "full"),
    ("h", "help"),
    ("N", "fields"),
    ("", "no-pager"),
    ("", "no-hostname"),
    ("", "no-full"),
    ("", "no-tail"),
    ("", "utc"),
    ("", "system"),
    ("", "user"),
    ("", "list-boots"),
    ("", "disk-usage"),
    ("", "rotate"),
    ("", "flush"),
    ("", "sync"),
    ("", "version"),
];

pub(super) fn asked(call: &Call<'_>) -> Result<Asked, Said> {
    let mut asked = Asked { output: "short".to_owned(), ..Asked::default() };
    let mut args = call.args.iter().peekable();
    let wrong = |text: String| Err(Said::err(format!("{text}\n"), 1));
    while let Some(arg) = args.next() {
        let mut found: Vec<(String, Option<String>)> = Vec::new();
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            let known = VALUED.iter().chain(&PLAIN).map(|(_, long)| *long);
            let known = known.chain([
                "lines",
                "boot",
                "vacuum-size",
                "vacuum-time",
                "vacuum-files",
                "root",
                "namespace",
                "output-fields",
            ]);
            let fits: Vec<&str> = known.filter(|known| known.starts_with(name)).collect();
            let Some(full) = fits.iter().find(|full| **full == name).or(fits.first()).copied() else {
                return wrong(format!("journalctl: unrecognized option '--{long}'"));
            };
            let valued = VALUED.iter().any(|(_, long)| *long == full)
                || full.starts_with("vacuum")
                || matches!(full, "root" | "namespace" | "output-fields");
            let value = match (valued, value) {
                (true, None) => match args.next() {
                    Some(next) => Some(next.clone()),
                    None => return wrong(format!("journalctl: option '--{full}' requires an argument")),
                },
                (_, value) => value,
            };
            found.push((full.to_owned(), value));
        } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let short = letter.to_string();
                let rest = || letters.as_str().to_owned();
                if let Some((_, long)) = PLAIN.iter().find(|(known, _)| *known == short) {
                    found.push(((*long).to_owned(), None));
                    continue;
                }
                let name = match letter {
                    'n' => "lines",
                    'b' => "boot",
                    _ => match VALUED.iter().find(|(known, _)| *known == short) {
                        Some((_, long)) => long,
                        None => return wrong(format!("journalctl: invalid option -- '{letter}'")),
                    },
                };
                let is_count = |next: &&String| next.parse::<i64>().is_ok() || *next == "all";
                let value = match (rest(), name) {
                    (rest, _) if !rest.is_empty() => Some(rest),
                    (_, "lines" | "boot") => args.next_if(|next| is_count(next)).cloned(),
                    _ => match args.next() {
                        Some(next) => Some(next.clone()),
                        None => {
                            return wrong(format!("journalctl: option requires an argument -- '{letter}'"));
                        }
                    },
                };
                found.push((name.to_owned(), value));
                break;
            }
        } else if !arg.contains('=') {
            let path = call.path(arg);
            if !call.files().exists(&path) {
                let text = if arg.starts_with('/') {
                    "Couldn't canonicalize path: No such file or directory".to_owned()
                } else {
                    format!("Failed to add match '{arg}': Invalid argument")
                };
                return wrong(text);
            }
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            asked.identifiers.push(name);
        } else if let Some((key, value)) = arg.split_once('=') {
            match key {
                "_SYSTEMD_UNIT" => asked.units.push(value.to_owned()),
                "SYSLOG_IDENTIFIER" | "_COMM" => asked.identifiers.push(value.to_owned()),
                _ => {}
            }
        }
        for (name, value) in found {
            take(call, &mut asked, &name, value)?;
        }
    }
    if asked.follow && asked.lines.is_none() {
        asked.lines = Some(10);
    }
    Ok(asked)
}

fn take(call: &Call<'_>, asked: &mut Asked, name: &str, value: Option<String>) -> Result<(), Said> {
    let text = value.clone().unwrap_or_default();
    let wrong = |text: String| Err(Said::err(format!("{text}\n"), 1));
    match name {
        "lines" => {
            asked.lines = match value.as_deref() {
                None => Some(10),
                Some("all") => Some(usize::MAX),
                Some(count) => match count.parse() {
                    Ok(count) => Some(count),
                    Err(_) => return wrong(format!("Failed to parse lines '{count}'")),
                },
            }
        }
        "boot" => match value.as_deref() {
            None | Some("0" | "all") => asked.boot = true,
            Some(other) => {
                return wrong(format!(
                    "Data from the specified boot ({other}) is not available: No such boot ID in journal"
                ));
            }
        },
        "unit" => asked.units.push(full_name(&text)),
        "identifier" => asked.identifiers.push(text),
        "since" | "until" => match moment(call, &text) {
            Some(at) if name == "since" => asked.since = Some(at),
            Some(at) => asked.until = Some(at),
            None => return wrong(format!("Failed to parse timestamp: {text}")),
        },
        "grep" => {
            let fold = !text.chars().any(char::is_uppercase);
            match regex::RegexBuilder::new(&text).case_insensitive(fold).size_limit(1 << 20).build() {
                Ok(pattern) => asked.grep = Some(pattern),
                Err(_) => return wrong(format!("Bad pattern \"{text}\"")),
            }
        }
        "priority" => {
            let last = text.rsplit("..").next().unwrap_or_default().to_ascii_lowercase();
            const NAMES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
            let number = NAMES.iter().position(|known| *known == last).or_else(|| last.parse().ok());
            match number {
                Some(number) if number < 8 => asked.grave = number < 6,
                _ => return wrong(format!("Unknown log level {text}")),
            }
        }
        "output" => {
            const KNOWN: [&str; 16] = [
                "short",
                "short-precise",
                "short-iso",
                "short-iso-precise",
                "short-full",
                "short-monotonic",
                "short-unix",
                "verbose",
                "export",
                "json",
                "json-pretty",
                "json-sse",
                "json-seq",
                "cat",
                "with-unit",
                "help",
            ];
            if !KNOWN.contains(&text.as_str()) {
                return wrong(format!("Unknown output format '{text}'."));
            }
            asked.output = text;
        }
        "dmesg" => (asked.kernel, asked.boot) = (true, true),
        "reverse" => asked.reverse = true,
        "follow" => asked.follow = true,
        "no-pager" => asked.no_pager = true,
        "no-hostname" => asked.no_host = true,
        "quiet" => asked.quiet = true,
        "pager-end" => asked.lines = asked.lines.or(Some(1000)),
        "list-boots" => asked.verb = Some("list-boots"),
        "disk-usage" => asked.verb = Some("disk-usage"),
        "rotate" | "flush" | "sync" => asked.verb = Some("silent"),
        "help" => return Err(usage::exactly("journalctl", "--help").unwrap_or_default()),
        "version" => return Err(usage::exactly("journalctl", "--version").unwrap_or_default()),
        name if name.starts_with("vacuum") => asked.verb = Some("vacuum"),
        _ => {}
    }
    Ok(())
}

/// systemd.time(7), as far as it is not date(1)'s.
fn moment(call: &Call<'_>, text: &str) -> Option<SystemTime> {
    let now: DateTime<Utc> = call.now().into();
    let midnight = now.date_naive().and_hms_opt(0, 0, 0)?.and_utc();
    let day = chrono::Duration::days(1);
    match text.trim() {
        "now" => return Some(call.now()),
        "today" => return Some(midnight.into()),
        "yesterday" => return Some((midnight - day).into()),
        "tomorrow" => return Some((midnight + day).into()),
        _ => {}
    }
    let (sign, rest) = match text.trim().split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return dates::moment(call, text).map(Into::into),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let number: i64 = rest.get(..digits)?.parse().ok()?;
    let unit = match rest.get(digits..)?.trim() {
        "" | "s" | "sec" | "seconds" => 1,
        "m" | "min" | "minutes" => 60,
        "h" | "hr" | "hours" | "hour" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    let away = chrono::Duration::try_seconds(number.checked_mul(unit)?.checked_mul(sign)?)?;
    now.checked_add_signed(away).map(Into::into)
}
