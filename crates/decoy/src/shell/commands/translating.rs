//! `tr` (GNU coreutils 9.1): bytes for bytes.

use super::{
    Call, Said, getopt,
    quoting::{self, curled},
};
use crate::shell::bytes;

/// The most bytes that a set may be written out to.
const MOST: usize = 4096;

pub(super) fn tr(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

/// One sign of a set: itself, or a class as a whole.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Upper,
    Lower,
    Other,
}

/// A set written out.
#[derive(Default)]
struct Set {
    bytes: Vec<u8>,
    /// Where classes begin, and what they are.
    classes: Vec<(usize, Class)>,
    /// Where `[c*]` stands, which fills the set up.
    fill: Option<(usize, u8)>,
}

fn class_bytes(name: &[u8]) -> Option<(Vec<u8>, Class)> {
    let all = |is: fn(&u8) -> bool| (0..=255).filter(is).collect::<Vec<u8>>();
    Some(match name {
        b"alpha" => (all(u8::is_ascii_alphabetic), Class::Other),
        b"digit" => (all(u8::is_ascii_digit), Class::Other),
        b"alnum" => (all(u8::is_ascii_alphanumeric), Class::Other),
        b"upper" => (all(u8::is_ascii_uppercase), Class::Upper),
        b"lower" => (all(u8::is_ascii_lowercase), Class::Lower),
        b"space" => (all(|byte| matches!(byte, 9..=13 | 32)), Class::Other),
        b"blank" => (all(|byte| matches!(byte, 9 | 32)), Class::Other),
        b"punct" => (all(u8::is_ascii_punctuation), Class::Other),
        b"print" => (all(|byte| matches!(byte, 32..=126)), Class::Other),
        b"graph" => (all(u8::is_ascii_graphic), Class::Other),
        b"cntrl" => (all(u8::is_ascii_control), Class::Other),
        b"xdigit" => (all(u8::is_ascii_hexdigit), Class::Other),
        _ => return None,
    })
}

/// The signs of a set; `true`: escaped, and nothing but itself.
fn signs(text: &[u8], warning: &mut bool) -> Vec<(u8, bool)> {
    let mut signs = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        at += 1;
        if byte != b'\\' {
            signs.push((byte, false));
            continue;
        }
        let Some(next) = text.get(at).copied() else {
            *warning = true;
            signs.push((b'\\', true));
            break;
        };
        at += 1;
        let sign = match next {
            b'0'..=b'7' => {
                let mut value = u32::from(next - b'0');
                for _ in 0..2 {
                    let Some(digit) = text.get(at).filter(|byte| (b'0'..=b'7').contains(byte)) else { break };
                    if value * 8 + u32::from(digit - b'0') > 255 {
                        break;
                    }
                    value = value * 8 + u32::from(digit - b'0');
                    at += 1;
                }
                (value & 0xff) as u8
            }
            other => quoting::control_of(other).unwrap_or(other),
        };
        signs.push((sign, true));
    }
    signs
}

fn shown(byte: u8) -> String {
    match byte {
        b'\\' => "\\\\".to_owned(),
        32..=126 => char::from(byte).to_string(),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\r' => "\\r".to_owned(),
        other => format!("\\{other:03o}"),
    }
}

fn set(text: &[u8], is_second: bool, warning: &mut bool) -> Result<Set, String> {
    let signs = signs(text, warning);
    let mut set = Set::default();
    let plain = |at: usize, wanted: u8| signs.get(at) == Some(&(wanted, false));
    let mut at = 0;
    while let Some((byte, escaped)) = signs.get(at).copied() {
        if set.bytes.len() > MOST {
            return Err("too many characters in set".to_owned());
        }
        if byte == b'[' && !escaped {
            // [:class:], [=c=]
            let kind =
                signs.get(at + 1).copied().filter(|(sign, escaped)| !escaped && matches!(sign, b':' | b'='));
            if let Some((kind, _)) = kind {
                let end = (at + 2..signs.len()).find(|end| plain(*end, kind) && plain(end + 1, b']'));
                // `[:*]` and `[=*]` repeat.
                if let Some(end) = end.filter(|end| *end > at + 2 || kind == b':') {
                    let name: Vec<u8> =
                        signs.get(at + 2..end).unwrap_or_default().iter().map(|(byte, _)| *byte).collect();
                    if kind == b':' {
                        if name.is_empty() {
                            return Err("missing character class name '[::]'".to_owned());
                        }
                        let Some((bytes, class)) = class_bytes(&name) else {
                            let name: String = name.iter().map(|byte| shown(*byte)).collect();
                            return Err(format!("invalid character class {}", curled(&name)));
                        };
                        set.classes.push((set.bytes.len(), class));
                        set.bytes.extend(bytes);
                    } else if let [one] = name.as_slice() {
                        set.bytes.push(*one);
                    } else {
                        let name: String = name.iter().map(|byte| shown(*byte)).collect();
                        return Err(format!("{name}: equivalence class operand must be a single character"));
                    }
                    at = end + 2;
                    continue;
                }
            }
            // [c*n]
            if let Some((repeated, _)) = signs.get(at + 1).copied()
                && plain(at + 2, b'*')
                && let Some(end) = (at + 3..signs.len()).find(|end| plain(*end, b']'))
            {
                let digits: String = signs
                    .get(at + 3..end)
                    .unwrap_or_default()
                    .iter()
                    .map(|(byte, _)| char::from(*byte))
                    .collect();
                let radix = if digits.starts_with('0') { 8 } else { 10 };
                let count =
                    if digits.is_empty() { Some(0) } else { usize::from_str_radix(&digits, radix).ok() };
                match count {
                    Some(0) if !is_second => {
                        return Err("the [c*] repeat construct may not appear in string1".to_owned());
                    }
                    Some(0) => set.fill = Some((set.bytes.len(), repeated)),
                    Some(count) => set.bytes.extend(std::iter::repeat_n(repeated, count.min(MOST))),
                    None => {
                        return Err(format!("invalid repeat count {} in [c*n] construct", curled(&digits)));
                    }
                }
                at = end + 1;
                continue;
            }
        }
        if plain(at + 1, b'-')
            && let Some((last, _)) = signs.get(at + 2).copied()
        {
            if last < byte {
                return Err(format!(
                    "range-endpoints of '{}-{}' are in reverse collating sequence order",
                    shown(byte),
                    shown(last)
                ));
            }
            set.bytes.extend(byte..=last);
            at += 3;
            continue;
        }
        set.bytes.push(byte);
        at += 1;
    }
    Ok(set)
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-C"], 1)?;
    let (deletes, squeezes) = (given.has("delete"), given.has("squeeze-repeats"));
    let complement = given.has("complement") || given.has("C");
    let needs_two = deletes == squeezes;
    match given.operands.as_slice() {
        [] => return Err(getopt::misused(call, "missing operand", 1)),
        [only] if needs_two => {
            let why = if deletes {
                "Two strings must be given when both deleting and squeezing repeats."
            } else {
                "Two strings must be given when translating."
            };
            return Err(getopt::misused(call, &format!("missing operand after {}\n{why}", curled(only)), 1));
        }
        [_, second, ..] if deletes && !squeezes => {
            let why = "Only one string may be given when deleting without squeezing repeats.";
            return Err(getopt::misused(call, &format!("extra operand {}\n{why}", curled(second)), 1));
        }
        [_, _, third, ..] => return Err(getopt::extra(call, third, 1)),
        _ => {}
    }
    let fail = |what: String| Said::err(format!("{}: {what}\n", call.name), 1);
    let mut warning = false;
    let operand = |at: usize| given.operands.get(at).map(|text| bytes::to_bytes(text.as_bytes()));
    let first = set(&operand(0).unwrap_or_default(), false, &mut warning).map_err(fail)?;
    let second = match operand(1) {
        Some(text) => Some(set(&text, true, &mut warning).map_err(fail)?),
        None => None,
    };
    let mut said = Said::default();
    if warning {
        let text = "warning: an unescaped backslash at end of string is not portable";
        said.err = format!("{}: {text}\n", call.name).into();
    }
    let translates = second.is_some() && !deletes;
    let mut is_first = [false; 256];
    for byte in &first.bytes {
        if let Some(known) = is_first.get_mut(usize::from(*byte)) {
            *known = true;
        }
    }
    if complement {
        is_first.iter_mut().for_each(|known| *known = !*known);
    }
    let truncates = given.has("truncate-set1");
    let from: Vec<u8> = if complement {
        (0..=255_u8).filter(|byte| is_first.get(usize::from(*byte)) == Some(&true)).collect()
    } else {
        first.bytes.clone()
    };
    let mut table: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut last_set = [false; 256];
    if let Some(second) = &second {
        let mut to = second.bytes.clone();
        if let Some((at, byte)) = second.fill {
            let missing = from.len().saturating_sub(to.len());
            to.splice(at..at, std::iter::repeat_n(byte, missing));
        }
        if translates {
            if second.classes.iter().any(|(_, class)| *class == Class::Other) {
                return Err(fail("when translating, the only character classes that may appear in\nstring2 are 'upper' and 'lower'".to_owned()));
            }
            let matches =
                |at: &usize| first.classes.iter().any(|(place, class)| place == at && *class != Class::Other);
            if !complement && second.classes.iter().any(|(at, _)| !matches(at)) {
                return Err(fail("misaligned [:upper:] and/or [:lower:] construct".to_owned()));
            }
            if to.is_empty() && !truncates {
                return Err(fail("when not truncating set1, string2 must be non-empty".to_owned()));
            }
            let last = to.last().copied().unwrap_or_default();
            for (at, byte) in from.iter().enumerate() {
                let new = match to.get(at) {
                    Some(new) => *new,
                    None if truncates => break,
                    None => last,
                };
                if let Some(entry) = table.get_mut(usize::from(*byte)) {
                    *entry = new;
                }
            }
        }
        for byte in &to {
            if let Some(known) = last_set.get_mut(usize::from(*byte)) {
                *known = true;
            }
        }
    }
    let squeezed = if second.is_some() { &last_set } else { &is_first };
    let is_in = |set: &[bool; 256], byte: u8| set.get(usize::from(byte)) == Some(&true);
    let mut before = None;
    for byte in call.stdin.unwrap_or_default() {
        if deletes && is_in(&is_first, *byte) {
            continue;
        }
        let new = if translates { table.get(usize::from(*byte)).copied().unwrap_or(*byte) } else { *byte };
        if squeezes && before == Some(new) && is_in(squeezed, new) {
            continue;
        }
        before = Some(new);
        said.out.push(new);
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_out() {
        let bytes = |text: &str| set(text.as_bytes(), true, &mut false).map(|set| set.bytes);
        assert_eq!(bytes("a-e"), Ok(b"abcde".to_vec()));
        assert_eq!(bytes("\\150\\n-"), Ok(b"h\n-".to_vec()));
        assert_eq!(bytes("[:digit:]"), Ok(b"0123456789".to_vec()));
        assert_eq!(bytes("[x*3]y"), Ok(b"xxxy".to_vec()));
        assert!(bytes("z-a").is_err() && bytes("[:bad:]").is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text: Vec<u8>) {
            let _ = set(&text, true, &mut false);
        }
    }
}
