//! Bytes that are no text, carried through the shell library as characters that nobody types.
//!
//! The library hands on what programs say as text and would put U+FFFD in place of anything else. So every byte of
//! what is not UTF-8 becomes one character of the last 256 of plane 16 (private use) on its way in, and a byte again
//! wherever it leaves: at a program of ours, in a file, at the visitor. Real characters from there are cut into their
//! bytes, so that the way back is never in doubt.

use std::borrow::Cow;

/// The character that stands for byte 0.
const FIRST: u32 = 0x10_FF00;
/// How characters from there begin in UTF-8: `F4 8F BC` to `F4 8F BF`.
const LEAD: [u8; 2] = [0xF4, 0x8F];

fn character(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a character stands for.
fn byte(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(FIRST)?).ok()
}

/// Bytes as the text that stands for them.
pub(super) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !has_mark(bytes) => return Cow::Borrowed(text),
        _ => {}
    }
    let mut text = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for sign in chunk.valid().chars() {
            if byte(sign).is_some() {
                let mut buffer = [0; 4];
                text.extend(sign.encode_utf8(&mut buffer).bytes().map(character));
            } else {
                text.push(sign);
            }
        }
        text.extend(chunk.invalid().iter().copied().map(character));
    }
    Cow::Owned(text)
}

/// Bytes as text of which nothing but its way back is meant.
pub(super) fn all_to_text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(character).collect()
}

/// What came through the library as bytes.
pub(super) fn to_bytes(text: &[u8]) -> Cow<'_, [u8]> {
    if !has_mark(text) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let sign = rest.get(..4).and_then(marked);
        bytes.push(sign.unwrap_or(first));
        rest = if sign.is_some() { rest.get(4..).unwrap_or_default() } else { after };
    }
    Cow::Owned(bytes)
}

/// The same for text that comes in pieces: what may be the beginning of a character waits in `rest` for the next one.
pub(super) fn next_bytes(rest: &mut Vec<u8>, piece: &[u8]) -> Vec<u8> {
    let mut whole = std::mem::take(rest);
    whole.extend_from_slice(piece);
    let cut = (1..=3.min(whole.len())).find(|length| {
        let tail = whole.get(whole.len() - length..).unwrap_or_default();
        tail.first() == Some(&LEAD[0]) && tail.iter().zip([0xF4, 0x8F]).all(|(byte, lead)| *byte == lead)
    });
    if let Some(length) = cut {
        *rest = whole.split_off(whole.len() - length);
    }
    to_bytes(&whole).into_owned()
}

fn has_mark(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, &LEAD).is_some()
}

fn marked(four: &[u8]) -> Option<u8> {
    byte(std::str::from_utf8(four).ok()?.chars().next()?)
}

/// The arguments of `printf` and `echo -e` with their escapes above 127 as characters that stand for bytes, because the
/// library makes text of them. `octal_needs_zero`: `\0351` and not `\351`.
pub(super) fn escapes(text: &str, octal_needs_zero: bool) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    let (mut done, mut out) = (String::new(), Vec::new());
    let (mut rest, mut changed) = (text, false);
    while let Some(sign) = rest.chars().next() {
        let (value, taken) =
            if sign == '\\' { escape(rest, octal_needs_zero) } else { (None, sign.len_utf8()) };
        match value {
            Some(value) if value >= 0x80 => {
                out.push(value);
                changed = true;
            }
            // The library loses this one in a format.
            Some(0) if !octal_needs_zero => {
                done += &to_text(&std::mem::take(&mut out));
                done.push(character(0));
                changed = true;
            }
            _ => out.extend(rest.get(..taken).unwrap_or_default().bytes()),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    done += &to_text(&out);
    changed.then_some(done)
}

/// The same for the arguments of a program of the library that understands escapes.
pub(super) fn prepare(name: &str, args: &mut [String]) {
    let is_option = |arg: &String| arg.starts_with('-') && arg.len() > 1;
    let change = |arg: &mut String, octal_needs_zero: bool| {
        if let Some(changed) = escapes(arg, octal_needs_zero) {
            *arg = changed;
        }
    };
    match name {
        "echo" => {
            let are_flags = |arg: &&String| is_option(arg) && arg.chars().skip(1).all(|c| "neE".contains(c));
            let flags = args.iter().take_while(are_flags).count();
            let expands = args.iter().take(flags).any(|arg| arg.contains('e'));
            for arg in args.iter_mut().skip(if expands { flags } else { usize::MAX }) {
                change(arg, true);
            }
        }
        "printf" => {
            let mut format = 0;
            if args.first().is_some_and(|arg| arg == "-v") {
                format = 2;
            }
            format += usize::from(args.get(format).is_some_and(|arg| arg == "--"));
            let expands = args.get(format).is_some_and(|format| format.contains("%b"));
            for (at, arg) in args.iter_mut().enumerate().skip(format) {
                if at == format || expands {
                    // `%b` takes `\0351` and `\351` alike.
                    let is_long = at > format && arg.contains("\\0");
                    change(arg, is_long);
                }
            }
        }
        "tr" => args.iter_mut().for_each(|arg| {
            change(arg, false);
            // What it reads has it as it is.
            *arg = arg.replace(character(0), "\0");
        }),
        _ => {}
    }
}

/// The byte of an escape at the beginning, and how many characters are gone over.
fn escape(text: &str, octal_needs_zero: bool) -> (Option<u8>, usize) {
    let after = text.get(1..).unwrap_or_default();
    let digits = |from: usize, most: usize, radix: u32| {
        let digits = after.get(from..).unwrap_or_default();
        let count = digits.chars().take(most).take_while(|sign| sign.is_digit(radix)).count();
        let value = digits.get(..count).and_then(|text| u32::from_str_radix(text, radix).ok());
        (value.map(|value| (value & 0xff) as u8), 1 + from + count)
    };
    match after.chars().next() {
        Some('x') => digits(1, 2, 16),
        Some('0') if octal_needs_zero => digits(1, 3, 8),
        Some('0'..='7') if !octal_needs_zero => digits(0, 3, 8),
        Some(other) => (None, 1 + other.len_utf8()),
        None => (None, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert!(matches!(to_text("grün\0\n".as_bytes()), Cow::Borrowed("grün\0\n")));
        assert_eq!(to_text(b"a\xff").chars().last(), Some('\u{10ffff}'));
        assert_eq!(to_bytes("a\u{10ff80}b".as_bytes()).as_ref(), b"a\x80b");
    }

    #[test]
    fn escapes_above_ascii_become_bytes() {
        let bytes = |text: &str, zero| escapes(text, zero).map(|text| to_bytes(text.as_bytes()).into_owned());
        assert_eq!(bytes(r"\x7fELF\xff\\xff", false).unwrap(), b"\\x7fELF\xff\\\\xff");
        assert_eq!(bytes(r"\351t\303\251", false).unwrap(), b"\xe9t\xc3\xa9");
        assert_eq!(escapes(r"\303\251", false).unwrap(), "é");
        assert_eq!(bytes(r"\0351\351", true).unwrap(), b"\xe9\\351");
        assert_eq!(bytes(r"a\x00b", false).unwrap(), b"a\0b");
        assert_eq!(escapes("plain \\n", false), None);
    }

    proptest::proptest! {
        #[test]
        fn bytes_come_back(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(to_bytes(to_text(&bytes).as_bytes()).into_owned(), bytes);
        }

        #[test]
        fn real_characters_of_plane_16_come_back(text in "[\u{10ff00}-\u{10ffff}a-c]{0,40}") {
            let carried = to_text(text.as_bytes()).into_owned();
            proptest::prop_assert_eq!(to_bytes(carried.as_bytes()).into_owned(), text.into_bytes());
        }

        #[test]
        fn pieces_come_back(bytes: Vec<u8>, size in 1_usize..9) {
            let text = to_text(&bytes).into_owned();
            let (mut rest, mut all) = (Vec::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                all.extend(next_bytes(&mut rest, piece));
            }
            all.extend(to_bytes(&rest).iter());
            proptest::prop_assert_eq!(all, bytes);
        }
    }
}
