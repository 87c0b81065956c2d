//! `head` and `tail`: how a text begins and ends (GNU coreutils 9.1, busybox 1.35).

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Said,
    complaint::{self, Known},
    quoting::{curled, quoted},
    sources,
};
use crate::{machine::FileError, shell::io::Out};

/// The most that is shown.
const MOST: usize = 4 * 1024 * 1024;

/// How much of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    bytes: bool,
    /// For `head`: all but so many. For `tail`: from there on.
    other_way: bool,
    count: usize,
}

struct Wanted {
    part: Part,
    quiet: bool,
    verbose: bool,
    zero: bool,
    follow: bool,
    operands: Vec<String>,
}

const HEAD_LONG: [&str; 6] = ["bytes", "lines", "quiet", "silent", "verbose", "zero-terminated"];
const TAIL_LONG: [&str; 11] = [
    "bytes",
    "lines",
    "quiet",
    "silent",
    "verbose",
    "zero-terminated",
    "follow",
    "retry",
    "pid",
    "sleep-interval",
    "max-unchanged-stats",
];

/// A count with the suffixes of sizes.
fn count(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let factor: usize = match text.get(digits..)? {
        "" => 1,
        "b" => 512,
        "kB" => 1000,
        "k" | "K" | "KiB" => 1024,
        "MB" => 1_000_000,
        "m" | "M" | "MiB" => 1024 * 1024,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    let number = text.get(..digits)?;
    if number.is_empty() {
        return None;
    }
    Some(number.parse::<usize>().unwrap_or(usize::MAX).saturating_mul(factor))
}

fn read(call: &Call<'_>, is_head: bool) -> Result<Wanted, Said> {
    // `-5`, as it was written once; of the later ones only the last counts.
    let mut args: Vec<String> = Vec::new();
    for arg in call.args {
        // The value of the option before.
        if args.last().is_some_and(|last| matches!(last.as_str(), "-n" | "-c" | "-s" | "--lines" | "--bytes"))
        {
            args.push(arg.clone());
            continue;
        }
        let old = arg.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let plus = arg
            .strip_prefix('+')
            .filter(|rest| !is_head && args.is_empty() && rest.starts_with(|c: char| c.is_ascii_digit()));
        match (old, plus) {
            (Some(rest), _) => {
                let digits = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let letters = rest.get(digits.len()..).unwrap_or_default();
                args.push(if letters.contains('c') { "-c".to_owned() } else { "-n".to_owned() });
                args.push(digits.to_owned());
                let others: String = letters.chars().filter(|letter| "qvzf".contains(*letter)).collect();
                if !others.is_empty() {
                    args.push(format!("-{others}"));
                }
            }
            (None, Some(rest)) => args.extend(["-n".to_owned(), format!("+{rest}")]),
            _ => args.push(arg.clone()),
        }
    }
    // A long option takes its value from the next word too.
    let mut words = std::mem::take(&mut args).into_iter();
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").filter(|name| !name.is_empty() && !name.contains('='));
        let takes = name.is_some_and(|name| {
            let values: &[&str] =
                if is_head { &["bytes", "lines"] } else { &["bytes", "lines", "sleep-interval", "pid"] };
            values.iter().any(|value| value.starts_with(name))
        });
        match if takes { words.next() } else { None } {
            Some(value) => args.push(format!("{word}={value}")),
            None => args.push(word),
        }
    }
    let long: &[&'static str] = if is_head { &HEAD_LONG } else { &TAIL_LONG };
    let known = Known { letters: if is_head { "qvz" } else { "fFqvz" }, long };
    let valued = if is_head { "nc" } else { "ncs" };
    if let Some(said) = complaint::of(&Call { args: &args, ..*call }, &known, valued) {
        return Err(said);
    }
    let options = super::Options::of(&args, valued);
    let mut part = Part { bytes: false, other_way: false, count: 10 };
    let long = options.long.iter().filter_map(|long| {
        let (name, value) = long.split_once('=')?;
        Some((
            if "bytes".starts_with(name) {
                'c'
            } else if "lines".starts_with(name) {
                'n'
            } else {
                ' '
            },
            value,
        ))
    });
    let values = options.values.iter().map(|(letter, value)| (*letter, value.as_str()));
    for (letter, value) in values.chain(long).filter(|(letter, _)| matches!(letter, 'n' | 'c')) {
        let other = if is_head { '-' } else { '+' };
        let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
        let Some(number) = count(digits) else {
            if call.applet {
                return Err(Said::err(format!("{}: invalid number '{value}'\n", call.name), 1));
            }
            let what = if letter == 'c' { "bytes" } else { "lines" };
            return Err(Said::err(
                format!("{}: invalid number of {what}: {}\n", call.name, curled(value)),
                1,
            ));
        };
        part = Part { bytes: letter == 'c', other_way: value.starts_with(other), count: number };
    }
    Ok(Wanted {
        part,
        quiet: options.has('q') || options.has_long("quiet") || options.has_long("silent"),
        verbose: options.has('v') || options.has_long("verbose"),
        zero: options.has('z') || options.has_long("zero-terminated"),
        follow: options.has('f')
            || options.has('F')
            || options.long.iter().any(|long| long.starts_with("follow")),
        operands: options.operands,
    })
}

/// The first or the last part of a text.
fn cut(bytes: &[u8], part: Part, is_head: bool, end: u8) -> &[u8] {
    let length = bytes.len();
    let at = match (part.bytes, is_head, part.other_way) {
        (true, true, false) => part.count,
        (true, true, true) | (true, false, false) => length.saturating_sub(part.count),
        (true, false, true) => part.count.saturating_sub(1),
        (false, true, false) | (false, false, true) => {
            let lines = if is_head { part.count } else { part.count.saturating_sub(1) };
            if lines == 0 {
                0
            } else {
                memchr::memchr_iter(end, bytes).nth(lines - 1).map_or(length, |at| at + 1)
            }
        }
        (false, true, true) | (false, false, false) => {
            // What follows the last end is a line of its own.
            let open = usize::from(bytes.last().is_some_and(|last| *last != end));
            let back = part.count.saturating_add(1).saturating_sub(open);
            match back {
                0 => length,
                _ if part.count == 0 => length,
                back => memchr::memrchr_iter(end, bytes).nth(back - 1).map_or(0, |at| at + 1),
            }
        }
    };
    let at = at.min(length);
    if is_head { bytes.get(..at) } else { bytes.get(at..) }.unwrap_or_default()
}

fn said(call: &Call<'_>, wanted: &Wanted, is_head: bool) -> Said {
    let (mut said, stdin) = (Said::default(), ["-".to_owned()]);
    let operands = if wanted.operands.is_empty() { &stdin[..] } else { &wanted.operands[..] };
    let headed = !wanted.quiet && (wanted.verbose || operands.len() > 1);
    let end = if wanted.zero { 0 } else { b'\n' };
    let mut first = true;
    for operand in operands {
        let read = sources::read(call, operand);
        let is_folder = read == Err(FileError::IsADirectory);
        if headed && (read.is_ok() || is_folder) {
            let shown = if operand == "-" { "standard input" } else { operand.as_str() };
            let gap = if std::mem::take(&mut first) { "" } else { "\n" };
            said.out.extend(format!("{gap}==> {shown} <==\n").bytes());
        }
        match read {
            Ok(bytes) => {
                let part = cut(&bytes, wanted.part, is_head, end);
                let room = MOST.saturating_sub(said.out.len()).min(part.len());
                said.out.extend_from_slice(part.get(..room).unwrap_or_default());
            }
            Err(error) => {
                let (name, text) = (call.name, error.errno_text());
                let line = match (call.applet, is_folder) {
                    (true, true) => format!("{name}: read error: {text}\n"),
                    (true, false) => format!("{name}: can't open '{operand}': {text}\n"),
                    (false, true) => format!("{name}: error reading {}: {text}\n", quoted(operand)),
                    (false, false) => {
                        format!("{name}: cannot open {} for reading: {text}\n", quoted(operand))
                    }
                };
                said.err.extend(line.bytes());
                said.status = 1;
            }
        }
    }
    said
}

pub(super) fn head(call: &Call<'_>) -> Said {
    match read(call, true) {
        Ok(wanted) => said(call, &wanted, true),
        Err(said) => said,
    }
}

pub(super) fn tail<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let wanted = match read(call, false) {
            Ok(wanted) => wanted,
            Err(said) => return said,
        };
        let mut said = said(call, &wanted, false);
        let follows = wanted.follow && call.to_terminal && call.stdin.is_none() && said.status == 0;
        let channels = call.session.channels.lock().clone();
        if let Some((output, _)) = channels.filter(|_| follows) {
            // Nothing is written to the file while the visitor waits for it: only ^C ends this.
            output(Out::Stdout, &std::mem::take(&mut said.out));
            futures::future::pending::<()>().await;
        }
        said
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_where_the_real_ones_cut() {
        let part = |bytes, other_way, count| Part { bytes, other_way, count };
        let text = b"1\n2\n3\n4";
        assert_eq!(cut(text, part(false, false, 2), true, b'\n'), b"1\n2\n");
        assert_eq!(cut(text, part(false, true, 1), true, b'\n'), b"1\n2\n3\n");
        assert_eq!(cut(b"1\n2\n3\n", part(false, true, 1), true, b'\n'), b"1\n2\n");
        assert_eq!(cut(text, part(false, false, 2), false, b'\n'), b"3\n4");
        assert_eq!(cut(b"1\n2\n3\n", part(false, false, 2), false, b'\n'), b"2\n3\n");
        assert_eq!(cut(text, part(false, true, 3), false, b'\n'), b"3\n4");
        assert_eq!(cut(text, part(true, false, 3), false, b'\n'), b"3\n4");
        assert_eq!(cut(text, part(true, true, 3), false, b'\n'), b"2\n3\n4");
        assert_eq!(cut(text, part(true, true, 3), true, b'\n'), b"1\n2\n");
        assert_eq!(cut(text, part(false, false, 0), true, b'\n'), b"");
        assert_eq!(cut(text, part(false, false, 0), false, b'\n'), b"");
        assert_eq!(cut(text, part(false, true, 0), true, b'\n'), text);
        assert_eq!((count("2k"), count("1kB"), count("x"), count("")), (Some(2048), Some(1000), None, None));
    }
}
