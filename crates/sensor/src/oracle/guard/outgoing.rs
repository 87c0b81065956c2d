//! What a model wrote, made what this server would send, or refused with a reason.

mod words;

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use decoy::{
    Ask,
    machine::{Identity, files::parse_listing},
};

use super::plain;
use words::{MARKS, OUT_OF_ROLE};

/// The longest answer that reaches a visitor, in bytes.
const LONGEST: usize = 48 * 1024;
/// The most lines of one program's output.
const MOST_LINES: usize = 400;

/// What the guard knows.
pub struct Outgoing<'a> {
    /// Who the machine is.
    pub identity: &'a Identity,
    /// The machine's time.
    pub now: SystemTime,
    /// Sentences of our own prompts, in lower case.
    pub sentences: &'a [String],
}

/// Makes an answer what the server sends.
///
/// # Errors
/// The reason why it cannot be one: a word for events and metrics.
pub fn check(answer: &str, what: &Ask, guard: &Outgoing<'_>) -> Result<String, &'static str> {
    let text = unwrap(answer)?;
    let mut text = clean(&text);
    if matches!(what, Ask::Program { .. } | Ask::Reply { .. } | Ask::Line { .. } | Ask::Verb { .. }) {
        text = without_echo(&text, what);
    }
    if text.trim().is_empty() {
        return Err("empty");
    }
    if text.len() > LONGEST || !matches!(what, Ask::File { .. }) && text.lines().count() > MOST_LINES {
        return Err("too_long");
    }
    words(&text, what)?;
    if repeats(&text) {
        return Err("repeats");
    }
    let lower = text.to_lowercase();
    let squeezed = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    if guard.sentences.iter().any(|sentence| squeezed.contains(sentence.as_str())) {
        return Err("own_prompt");
    }
    if has_prompt_line(&text, guard.identity) && !matches!(what, Ask::File { .. }) {
        return Err("prompt_line");
    }
    contradiction(&text, what, guard)?;
    shape(&text, what, guard)?;
    Ok(finish(repair_names(text, guard), what))
}

/// Takes a fence off; one in the middle, or two, cannot be repaired.
fn unwrap(answer: &str) -> Result<String, &'static str> {
    let text = answer.trim_matches(['\n', '\r']);
    let Some(at) = text.find("```") else { return Ok(text.to_owned()) };
    let before = text.get(..at).unwrap_or_default().trim();
    let body = text.get(at + 3..).unwrap_or_default();
    // A language may stand behind the fence.
    let (language, body) = body.split_once('\n').ok_or("fence")?;
    if language.trim().contains(' ') || !before.is_empty() {
        return Err("fence");
    }
    let (body, after) = body.split_once("```").unwrap_or((body, ""));
    if !after.trim().is_empty() {
        return Err("fence");
    }
    Ok(body.trim_matches('\n').to_owned())
}

/// Bare line ends, and no control characters but tabs: escape sequences of a model are guesses.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            // The rest of a colour sequence.
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while let Some(c) = chars.next_if(|c| matches!(c, '0'..='?' | ' '..='/')) {
                    debug_assert!(!c.is_alphabetic());
                }
                chars.next_if(|c| c.is_ascii_alphabetic());
            }
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{fffd}') => {}
            c => out.push(c),
        }
    }
    out
}

/// The command itself as the first line, with or without a prompt before it, is taken away.
fn without_echo(text: &str, what: &Ask) -> String {
    let written = what.written();
    let first = text.lines().next().unwrap_or_default();
    let typed = first.trim_start_matches(['$', '#', '>', ' ']).trim();
    if !written.is_empty() && typed == written.trim() {
        return text.split_once('\n').map_or("", |(_, rest)| rest).to_owned();
    }
    text.to_owned()
}

fn words(text: &str, what: &Ask) -> Result<(), &'static str> {
    let lower = text.to_lowercase();
    if lower.contains("```") {
        return Err("fence");
    }
    if MARKS.iter().any(|mark| lower.contains(mark)) {
        return Err("mark");
    }
    // Programs, files and pages may speak to a reader; only what nobody but a model says is refused there.
    let said = format!(" {} ", plain(text));
    let may_talk = matches!(what, Ask::File { .. } | Ask::Page { .. });
    for (reason, words) in OUT_OF_ROLE {
        if *reason == "talks" && may_talk && !starts(&said, words) {
            continue;
        }
        let wanted = if *words == "emulat" { " emulat".to_owned() } else { format!(" {} ", words.trim()) };
        if said.contains(&wanted) {
            return Err(reason);
        }
    }
    let first = plain(text.lines().next().unwrap_or_default());
    let opens = [
        "sure",
        "certainly",
        "of course",
        "okay",
        "output",
        "answer",
        "response",
        "note",
        "assistant",
        "result",
    ];
    if opens.contains(&first.as_str()) {
        return Err("talks");
    }
    Ok(())
}

/// Whether the text begins with these words.
fn starts(said: &str, words: &str) -> bool {
    said.trim_start().starts_with(words)
}

/// A small model that is lost says the same again and again.
fn repeats(text: &str) -> bool {
    const MOST: usize = 6;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.len() > 3).collect();
    let mut run = 1;
    for pair in lines.windows(2) {
        run = if pair.first() == pair.last() { run + 1 } else { 1 };
        if run > MOST {
            return true;
        }
    }
    if lines.len() > 24 {
        let mut seen: Vec<&str> = lines.clone();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() * 4 < lines.len() {
            return true;
        }
    }
    // One long line of the same words.
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(24).any(|window| {
        let first = window.first();
        window.iter().filter(|word| Some(*word) == first).count() > 20
    })
}

/// A line of a shell's prompt: the model went on to the next command.
fn has_prompt_line(text: &str, identity: &Identity) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start().trim_start_matches('[');
        let Some((user, rest)) = line.split_once('@') else {
            return line.starts_with("$ ")
                || line.starts_with("> ")
                || line.starts_with("root# ")
                || line == "$"
                || line == "#";
        };
        let host = rest.split([':', ' ', ']']).next().unwrap_or_default();
        let named =
            identity.users.iter().any(|account| account.name == user) || user == "user" || user == "root";
        let sign = rest.contains(['#', '$']) && rest.contains([':', ']', '~']);
        named && (sign || host == identity.hostname && rest.trim_end().ends_with(['#', '$']))
    })
}

/// What cannot be true of this machine.
fn contradiction(text: &str, what: &Ask, guard: &Outgoing<'_>) -> Result<(), &'static str> {
    let now: DateTime<Utc> = guard.now.into();
    let tomorrow: DateTime<Utc> = (guard.now + Duration::from_secs(86_400)).into();
    // A certificate or a licence may end in the future; a program's clock is not there.
    let about_time = !matches!(what, Ask::File { .. } | Ask::Page { .. });
    for word in text.split(|c: char| !(c.is_ascii_digit() || c == '-')) {
        if let Some(day) = day_of(word)
            && about_time
            && day > tomorrow.date_naive()
        {
            return Err("date");
        }
    }
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let words: Vec<&str> = text.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let word = word.trim_end_matches(',');
        if DAYS.contains(&word) && about_time {
            let years = words.iter().skip(at + 1).take(6).filter_map(|word| word.parse::<i32>().ok());
            if years.into_iter().any(|year| (2000..2100).contains(&year) && year > now.year()) {
                return Err("date");
            }
        }
        if let Some(claim) = word.strip_prefix("uid=")
            && let Some((number, name)) = claim.split_once('(')
            && let Some(name) = name.split(')').next()
            && !guard.identity.users.iter().any(|user| user.name == name && Ok(user.uid) == number.parse())
        {
            return Err("user");
        }
    }
    let lower = text.to_lowercase();
    let system = lower.lines().any(|line| {
        let names =
            line.contains("pretty_name=") || line.contains("description:") || line.contains("welcome to ");
        names
            && ["ubuntu", "centos", "fedora", "alpine", "red hat", "arch linux", "windows"]
                .iter()
                .any(|os| line.contains(os))
    });
    if system {
        return Err("system");
    }
    if matches!(what, Ask::Page { .. })
        && ["server: apache", "apache/2", "microsoft-iis", "server: caddy"]
            .iter()
            .any(|sign| lower.contains(sign))
    {
        return Err("system");
    }
    Ok(())
}

fn day_of(word: &str) -> Option<NaiveDate> {
    let word = word.trim_matches('-');
    if word.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(word, "%Y-%m-%d").ok()
}

/// What each kind looks like.
fn shape(text: &str, what: &Ask, guard: &Outgoing<'_>) -> Result<(), &'static str> {
    match what {
        Ask::Page { .. } => {
            let body = text.split_once("\n\n").map_or(text, |(head, body)| {
                if head.to_ascii_lowercase().starts_with("http/1.")
                    || head.to_ascii_lowercase().starts_with("status:")
                {
                    body
                } else {
                    text
                }
            });
            let body = body.trim_start();
            let fine = body.is_empty()
                || body.starts_with(['<', '{', '['])
                || text.to_ascii_lowercase().contains("text/plain")
                || text.to_ascii_lowercase().contains("\nlocation:");
            if fine { Ok(()) } else { Err("shape") }
        }
        Ask::Line { .. } | Ask::Verb { .. } if text.lines().count() > 12 => Err("too_long"),
        Ask::Directory { .. } if parse_listing(text, guard.identity, guard.now).is_none() => Err("shape"),
        _ => Ok(()),
    }
}

/// Another host's name or kernel where this machine's belongs.
fn repair_names(text: String, guard: &Outgoing<'_>) -> String {
    let (host, kernel) = (&guard.identity.hostname, guard.identity.kernel_release.as_str());
    if !text.contains("Linux ") && !text.contains("-amd64") && !text.contains("-generic") {
        return text;
    }
    let is_kernel = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && word.split('.').count() >= 3
            && (word.ends_with("-amd64")
                || word.ends_with("-generic")
                || word.contains(".el")
                || word.contains("-cloud"))
    };
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for at in 0..words.len() {
            let follows = words.get(at + 1).cloned();
            let Some(word) = words.get_mut(at) else { continue };
            if is_kernel(word) {
                kernel.clone_into(word);
            } else if line.starts_with("Linux ")
                && at == 1
                && follows.is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()))
            {
                host.clone_into(word);
            }
        }
        lines.push(words.join(" "));
    }
    lines.join("\n")
}

/// The line ends that belong to the kind.
fn finish(text: String, what: &Ask) -> String {
    let body = text.trim_end_matches('\n');
    match what {
        Ask::Line { .. } => body.lines().map(|line| format!("{}\r\n", line.trim_end())).collect(),
        _ => format!("{body}\n"),
    }
}

#[cfg(test)]
mod tests;
