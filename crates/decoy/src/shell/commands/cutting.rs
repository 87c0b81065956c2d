//! `cut` (GNU coreutils 9.1): bytes and fields of lines.

use super::{
    Call, Said,
    getopt::{self, Given},
    quoting::{Style, curled},
    sources,
};
use crate::shell::bytes;

/// The most ranges of a list.
const MOST_RANGES: usize = 4096;

/// What is taken of each line, from 1, both ends included.
type Ranges = Vec<(usize, usize)>;

pub(super) fn cut(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

fn ranges(call: &Call<'_>, list: &str, fields: bool, complement: bool) -> Result<Ranges, Said> {
    let fail = |what: String| Err(getopt::misused(call, &what, 1));
    let choose = |field: &'static str, byte: &'static str| if fields { field } else { byte };
    let zero =
        || choose("fields are numbered from 1", "byte/character positions are numbered from 1").to_owned();
    let strange = |text: &str| {
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        let rest = text.get(digits..).unwrap_or_default();
        format!("invalid {} {}", choose("field value", "byte/character position"), curled(rest))
    };
    let mut ranges = Ranges::new();
    for part in list.split([',', ' ', '\t']).take(MOST_RANGES) {
        let number = |text: &str| -> Result<Option<usize>, Said> {
            match text.parse::<usize>() {
                _ if text.is_empty() => Ok(None),
                Ok(0) => Err(getopt::misused(call, &zero(), 1)),
                Ok(number) => Ok(Some(number)),
                Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let what = choose("field number", "byte/character offset");
                    Err(Said::err(
                        format!("cut: {what} {} is too large\n{}", curled(text), getopt::see("cut")),
                        1,
                    ))
                }
                Err(_) => Err(getopt::misused(call, &strange(text), 1)),
            }
        };
        match part.split_once('-') {
            Some(("", "")) => return fail("invalid range with no endpoint: -".to_owned()),
            Some((_, to)) if to.contains('-') => {
                return fail(choose("invalid field range", "invalid byte or character range").to_owned());
            }
            Some((from, to)) => {
                let (from, to) = (number(from)?.unwrap_or(1), number(to)?.unwrap_or(usize::MAX));
                if to < from {
                    return fail("invalid decreasing range".to_owned());
                }
                ranges.push((from, to));
            }
            None => match number(part)? {
                Some(one) => ranges.push((one, one)),
                None => return fail(zero()),
            },
        }
    }
    ranges.sort_unstable();
    let mut merged = Ranges::new();
    for (from, to) in ranges {
        match merged.last_mut() {
            Some((_, end)) if from <= *end => *end = (*end).max(to),
            _ => merged.push((from, to)),
        }
    }
    if !complement {
        return Ok(merged);
    }
    let (mut rest, mut next) = (Ranges::new(), 1_usize);
    for (from, to) in merged {
        if from > next {
            rest.push((next, from - 1));
        }
        next = to.saturating_add(1);
    }
    if next < usize::MAX {
        rest.push((next, usize::MAX));
    }
    Ok(rest)
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-n"], 1)?;
    let fail = |what: &str| Err(getopt::misused(call, what, 1));
    let lists: Vec<&(String, Option<String>)> = given
        .options
        .iter()
        .filter(|(option, _)| matches!(option.as_str(), "bytes" | "characters" | "fields"))
        .collect();
    let delimiter = given.value("delimiter").map(|text| bytes::to_bytes(text.as_bytes()).into_owned());
    if delimiter.as_ref().is_some_and(|sign| sign.len() > 1) {
        return fail("the delimiter must be a single character");
    }
    let (option, list) = match lists.as_slice() {
        [] if call.applet => {
            return Err(Said::err("cut: expected a list of bytes, characters, or fields\n", 1));
        }
        [] => return fail("you must specify a list of bytes, characters, or fields"),
        [(option, list)] => (option.as_str(), list.as_deref().unwrap_or_default()),
        _ => return fail("only one list may be specified"),
    };
    let fields = option == "fields";
    if !fields && delimiter.is_some() {
        return fail("an input delimiter may be specified only when operating on fields");
    }
    if !fields && given.has("only-delimited") {
        return fail("suppressing non-delimited lines makes sense\n\tonly when operating on fields");
    }
    let cut = Cut {
        ranges: ranges(call, list, fields, given.has("complement"))?,
        fields,
        sign: delimiter.map_or(b'\t', |sign| sign.first().copied().unwrap_or(0)),
        between: given.value("output-delimiter").map(|text| bytes::to_bytes(text.as_bytes()).into_owned()),
        only: given.has("only-delimited"),
        end: if given.has("zero-terminated") { 0 } else { b'\n' },
    };
    Ok(read(call, &given, &cut))
}

fn read(call: &Call<'_>, given: &Given, cut: &Cut) -> Said {
    let mut said = Said::default();
    let own = ["-".to_owned()];
    for operand in if given.operands.is_empty() { &own[..] } else { &given.operands } {
        match sources::read(call, operand) {
            Ok(content) => {
                let content = content
                    .strip_suffix(&[cut.end])
                    .map_or(if content.is_empty() { None } else { Some(&content[..]) }, Some);
                for line in content.into_iter().flat_map(|content| content.split(|byte| *byte == cut.end)) {
                    cut.line(line, &mut said.out);
                }
            }
            Err(error) => {
                let name = Style::ShellEscape(false).write(operand);
                said.err.extend(format!("{}: {name}: {}\n", call.name, error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    said
}

struct Cut {
    ranges: Ranges,
    fields: bool,
    sign: u8,
    between: Option<Vec<u8>>,
    only: bool,
    end: u8,
}

impl Cut {
    fn line(&self, line: &[u8], out: &mut Vec<u8>) {
        if self.fields {
            if !line.contains(&self.sign) {
                if !self.only {
                    out.extend_from_slice(line);
                    out.push(self.end);
                }
                return;
            }
            let sign = [self.sign];
            let between = self.between.as_deref().unwrap_or(&sign);
            let mut first = true;
            let mut wanted = self.ranges.iter().peekable();
            for (at, field) in line.split(|byte| *byte == self.sign).enumerate() {
                while wanted.next_if(|(_, to)| *to < at + 1).is_some() {}
                if wanted.peek().is_none_or(|(from, _)| *from > at + 1) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.extend_from_slice(between);
                }
                out.extend_from_slice(field);
            }
        } else {
            let reached = self.ranges.iter().take_while(|(from, _)| *from <= line.len());
            for (at, (from, to)) in reached.enumerate() {
                let Some(part) = line.get(from - 1..(*to).min(line.len())).filter(|part| !part.is_empty())
                else {
                    continue;
                };
                if let Some(between) = self.between.as_ref().filter(|_| at > 0) {
                    out.extend_from_slice(between);
                }
                out.extend_from_slice(part);
            }
        }
        out.push(self.end);
    }
}
