//! What a visitor writes for the model instead of for the server. Such a question is answered by the server's own
//! `otherwise`, and the model never hears it.

mod phrases;

use super::{narrow, plain};
use phrases::{COMPACT, MARKS, OTHER_SCRIPTS, PHRASES};

/// Why this text is not for the server; `None` for what a server may well be sent.
pub fn reason(written: &str) -> Option<&'static str> {
    // What follows the first few thousand characters is not shown to the model either.
    let written: String = written.chars().take(6000).collect();
    if let Some(reason) = look(&written) {
        return Some(reason);
    }
    let decoded = percent_decoded(&written);
    if decoded != written
        && let Some(reason) = look(&decoded)
    {
        return Some(reason);
    }
    let letters: String = written.chars().map(letter_of).collect();
    if look(&letters) == Some("instruction") {
        return Some("instruction");
    }
    let turned: String = written.chars().map(rot13).collect();
    if look(&turned).is_some_and(|reason| reason == "instruction") {
        return Some("encoded");
    }
    let backwards: String = written.chars().rev().collect();
    if look(&backwards).is_some_and(|reason| reason == "instruction") {
        return Some("encoded");
    }
    let words = written.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')));
    let hidden = words
        .filter(|word| word.len() >= 24)
        .take(8)
        .any(|word| [base64(word), hex(word)].into_iter().flatten().any(|text| look(&text).is_some()));
    hidden.then_some("encoded")
}

fn look(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    if MARKS.iter().any(|mark| lower.contains(mark)) {
        return Some("mark");
    }
    if OTHER_SCRIPTS.iter().any(|word| lower.contains(word)) {
        return Some("instruction");
    }
    let plain = plain(text);
    let words: Vec<&str> = plain.split(' ').collect();
    if PHRASES.iter().any(|phrase| says(&words, phrase)) {
        return Some("instruction");
    }
    let compact: String = plain.chars().filter(|c| *c != ' ').collect();
    COMPACT.iter().any(|phrase| compact.contains(phrase)).then_some("instruction")
}

/// Whether the words come in this order, each at most three after the one before.
fn says(words: &[&str], phrase: &[&str]) -> bool {
    const BETWEEN: usize = 3;
    let is = |word: &str, wanted: &str| wanted.split('|').any(|wanted| wanted == word);
    let Some((first, rest)) = phrase.split_first() else { return false };
    words.iter().enumerate().filter(|(_, word)| is(word, first)).any(|(start, _)| {
        let mut at = start;
        rest.iter().all(|wanted| {
            let next =
                words.iter().enumerate().skip(at + 1).take(BETWEEN + 1).find(|(_, word)| is(word, wanted));
            next.map(|(found, _)| at = found).is_some()
        })
    })
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Digits and signs that stand for letters.
fn letter_of(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => narrow(c),
    }
}

fn rot13(c: char) -> char {
    let turn = |c: char, first: u8| char::from((c as u8 - first + 13) % 26 + first);
    match c {
        'a'..='z' => turn(c, b'a'),
        'A'..='Z' => turn(c, b'A'),
        c => c,
    }
}

/// Text in base64 (RFC 4648), if it is text.
fn base64(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let (mut held, mut bits) = (0_u32, 0);
    for byte in word.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(word: &str) -> Option<String> {
    String::from_utf8(hex::decode(word).ok()?).ok()
}

#[cfg(test)]
mod tests;
