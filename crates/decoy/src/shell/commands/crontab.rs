//! `crontab` of Debian's cron 3.0pl1: tables are files in the spool, and what is no table is not taken.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said, usage};
use crate::machine::Owner;

/// The most of a table that is read (cron's own bound is 10000 lines).
const LONGEST: usize = 256 * 1024;

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    List,
    Edit,
    Delete,
    Replace,
}

/// A usage error, in the words of cron.
fn misused(what: &str) -> Said {
    let usage = usage::of("crontab", &["-h".to_owned()], false).unwrap_or_default();
    Said::err([what.as_bytes(), &usage.err].concat(), 1)
}

/// What is asked for, and whose table; a file of `-`: the input.
struct Order {
    operation: Operation,
    user: Option<String>,
    file: Option<String>,
    asks: bool,
    only_checks: bool,
}

impl Order {
    fn of(args: &[String]) -> Result<Self, Said> {
        let mut order =
            Self { operation: Operation::Replace, user: None, file: None, asks: false, only_checks: false };
        let mut operands: Vec<&String> = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                operands.push(arg);
                continue;
            };
            if letters == "-" {
                operands.extend(args.by_ref());
                break;
            }
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let operation = match letter {
                    'l' => Operation::List,
                    'e' => Operation::Edit,
                    'r' => Operation::Delete,
                    'i' => {
                        order.asks = true;
                        continue;
                    }
                    'n' => {
                        order.only_checks = true;
                        continue;
                    }
                    'h' => return Err(misused("")),
                    'u' => {
                        let rest: String = letters.by_ref().collect();
                        order.user = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                        if order.user.is_none() {
                            return Err(misused(
                                "crontab: option requires an argument -- 'u'\ncrontab: usage error: unrecognized option\n",
                            ));
                        }
                        continue;
                    }
                    other => {
                        return Err(misused(&format!(
                            "crontab: invalid option -- '{other}'\ncrontab: usage error: unrecognized option\n"
                        )));
                    }
                };
                if order.operation != Operation::Replace {
                    return Err(misused("crontab: usage error: only one operation permitted\n"));
                }
                order.operation = operation;
            }
        }
        if order.operation != Operation::Replace {
            if !operands.is_empty() {
                return Err(misused("crontab: usage error: no arguments permitted after this option\n"));
            }
            return Ok(order);
        }
        match operands.first() {
            Some(file) => order.file = Some((*file).clone()),
            None if order.asks || order.only_checks || order.user.is_some() => {
                return Err(misused("crontab: usage error: file name must be specified for replace\n"));
            }
            None => {}
        }
        Ok(order)
    }
}

pub(super) fn crontab<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let order = match Order::of(call.args) {
            Ok(order) => order,
            Err(said) => return said,
        };
        if order.user.is_some() && !call.is_root() {
            return Said::err("must be privileged to use -u\n", 1);
        }
        let user = order.user.clone().unwrap_or_else(|| call.session.user_name());
        let Some(account) = super::users::named(call, &user) else {
            return Said::err(format!("crontab:  user `{user}' unknown\n"), 1);
        };
        let path = format!("/var/spool/cron/crontabs/{user}");
        let spool = call.files().stat("/var/spool/cron/crontabs").map_or(105, |node| node.gid);
        let owner = Owner { uid: account.uid, gid: spool };
        match order.operation {
            Operation::List => call.files().read(&path).map_or_else(
                |_| Said::err(format!("no crontab for {user}\n"), 1),
                |text| Said::out(without_head(&text).to_vec()),
            ),
            Operation::Delete => {
                if order.asks && call.files().exists(&path) {
                    let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
                    let mut said = Said::default();
                    let mut lines = super::accounts::Lines::of(call, &text);
                    let question = format!("crontab: really delete {user}'s crontab? (y/n) ");
                    let answer = lines.answer(&question, &mut said).await.unwrap_or_default();
                    if !answer.starts_with(['y', 'Y']) {
                        return Said { out: std::mem::take(&mut said.err), ..said };
                    }
                }
                call.files()
                    .remove(&path)
                    .map_or_else(|_| Said::err(format!("no crontab for {user}\n"), 1), |()| Said::nothing(0))
            }
            Operation::Edit if call.files().exists(&path) => Said::err("No modification made\n", 0),
            Operation::Edit => {
                Said::err(format!("no crontab for {user} - using an empty one\nNo modification made\n"), 0)
            }
            Operation::Replace => replace(call, &order, &path, &owner).await,
        }
    }
    .boxed()
}

async fn replace(call: &Call<'_>, order: &Order, path: &str, owner: &Owner) -> Said {
    let file = order.file.as_deref().unwrap_or("-");
    let text = if file == "-" {
        match call.stdin {
            Some(bytes) => bytes.to_vec(),
            None => typed(call).await,
        }
    } else {
        match call.files().read(&call.path(file)) {
            Ok(bytes) => bytes.to_vec(),
            Err(error) => return Said::err(format!("{file}: {}\n", error.errno_text()), 1),
        }
    };
    let faults = faults(&text, file);
    if !faults.is_empty() {
        return Said::err(faults + "errors in crontab file, can't install.\n", 1);
    }
    if order.only_checks {
        return Said::err("The syntax of the crontab file was successfully checked.\n", 0);
    }
    if text.last().is_some_and(|byte| *byte != b'\n') {
        return Said::err("new crontab file is missing newline before EOF, can't install.\n", 1);
    }
    let source = if file == "-" { "-".to_owned() } else { file.to_owned() };
    let at: chrono::DateTime<chrono::Utc> = call.now().into();
    let head = format!(
        "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# ({source} installed on {})\n# (Cron version -- $Id: crontab.c,v 2.13 1994/01/17 03:20:37 vixie Exp $)\n",
        at.format("%a %b %e %H:%M:%S %Y")
    );
    match call.files().write(path, &[head.as_bytes(), &text].concat(), owner, 0o600) {
        Ok(()) => Said::nothing(0),
        Err(error) => Said::err(format!("crontab: {}\n", error.errno_text()), 1),
    }
}

/// `crontab -l` leaves out the lines that were put before the table: up to three that begin as they do.
fn without_head(text: &[u8]) -> &[u8] {
    let mut rest = text;
    for _ in 0..3 {
        if !rest.starts_with(b"#") {
            break;
        }
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        rest = rest.get(end..).unwrap_or_default();
    }
    rest
}

async fn typed(call: &Call<'_>) -> Vec<u8> {
    let Some((_, input)) = call.session.channels.lock().clone() else { return Vec::new() };
    let mut text = Vec::new();
    while let Some(bytes) = input.read().await {
        text.extend_from_slice(&bytes);
        if text.len() > LONGEST {
            break;
        }
    }
    text
}

/// What cron complains about, line by line. It counts the lines that it has read to their end: a fault in the last
/// field is told after the line's end was seen.
fn faults(text: &[u8], file: &str) -> String {
    let text = String::from_utf8_lossy(text.get(..text.len().min(LONGEST)).unwrap_or_default()).into_owned();
    let mut faults = String::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') || is_assignment(line) {
            continue;
        }
        // It stops at the first.
        if let Some((what, at_end)) = fault(line) {
            faults.push_str(&format!("\"{file}\":{}: {what}\n", number + usize::from(at_end)));
            break;
        }
    }
    faults
}

/// `NAME = VALUE` (crontab(5)).
fn is_assignment(line: &str) -> bool {
    let Some((name, _)) = line.split_once('=') else { return false };
    let name = name.trim();
    let bare = name.trim_matches(['"', '\'']);
    !bare.is_empty() && (bare.len() < name.len() || !bare.contains([' ', '\t']))
}

/// Names of fields and the numbers they take, with the words that stand for them.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("bad minute", 0, 59, &[]),
    ("bad hour", 0, 23, &[]),
    ("bad day-of-month", 1, 31, &[]),
    (
        "bad month",
        1,
        12,
        &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    ),
    ("bad day-of-week", 0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// What is wrong with a line, and whether that was seen at its end.
fn fault(line: &str) -> Option<(&'static str, bool)> {
    if let Some(name) = line.strip_prefix('@') {
        let name = name.split([' ', '\t']).next().unwrap_or_default();
        const NAMES: [&str; 8] =
            ["reboot", "yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
        return (!NAMES.contains(&name)).then_some(("bad time specifier", false));
    }
    let mut rest = line;
    for (bad, least, most, names) in FIELDS {
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        let (field, after) = rest.split_at(end);
        if !is_list(field, least, most, names) {
            // What ends the field was read, too.
            return Some((bad, after.is_empty()));
        }
        rest = after.trim_start_matches([' ', '\t']);
    }
    None
}

fn is_list(field: &str, least: u32, most: u32, names: &[&str]) -> bool {
    let number = |text: &str| {
        let place = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let by_name = place.and_then(|place| u32::try_from(place).ok()).map(|place| place + least);
        by_name.or_else(|| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())))
    };
    field.split(',').all(|part| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step_fits = step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0));
        let range_fits = range == "*"
            || match range.split_once('-') {
                Some((from, to)) => {
                    matches!((number(from), number(to)), (Some(from), Some(to)) if least <= from && from <= to && to <= most)
                }
                None => step.is_none() && number(range).is_some_and(|one| (least..=most).contains(&one)),
            };
        step_fits && range_fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_table_is_told_in_crons_words() {
        for (line, said) in [
            ("* * * * * x", ""),
            ("*/5 1-4,7 * jan-mar sun x y", ""),
            ("A = b", ""),
            ("@daily x", ""),
            ("60 * * * * x", "\"-\":0: bad minute\n"),
            ("* * * * x", "\"-\":1: bad day-of-week\n"),
            ("* *", "\"-\":1: bad day-of-month\n"),
            ("*/5 * * * *", ""),
            ("@foo x", "\"-\":0: bad time specifier\n"),
            ("bad line", "\"-\":0: bad minute\n"),
        ] {
            let got = faults(format!("{line}\n").as_bytes(), "-");
            assert_eq!(got, said, "{line}");
        }
    }
}
