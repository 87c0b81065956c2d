//! Texts: their encoding, their line ends, and the languages that are told by how they begin.

use super::Found;

/// The longest line that is not very long.
const LONG_LINE: usize = 300;

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Ascii,
    Utf8,
    Latin,
    Extended,
}

/// The encoding of bytes that are text (`encoding.c` of file).
fn encoding(bytes: &[u8]) -> Option<Encoding> {
    let is_text = |byte: u8| matches!(byte, 7..=13 | 27 | 32..=126 | 128..);
    if !bytes.iter().all(|byte| is_text(*byte)) {
        return None;
    }
    if bytes.is_ascii() {
        return Some(Encoding::Ascii);
    }
    // A character may be cut where looking ends.
    match std::str::from_utf8(bytes) {
        Ok(_) => Some(Encoding::Utf8),
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => Some(Encoding::Utf8),
        Err(_) if bytes.iter().any(|byte| matches!(byte, 128..=132 | 134..=159)) => Some(Encoding::Extended),
        Err(_) => Some(Encoding::Latin),
    }
}

pub(super) fn found(bytes: &[u8]) -> Option<Found> {
    let encoding = encoding(bytes)?;
    let (name, charset) = match encoding {
        Encoding::Ascii => ("ASCII text", "us-ascii"),
        Encoding::Utf8 if bytes.starts_with(&[0xef, 0xbb, 0xbf]) => {
            ("Unicode text, UTF-8 (with BOM) text", "utf-8")
        }
        Encoding::Utf8 => ("Unicode text, UTF-8 text", "utf-8"),
        Encoding::Latin => ("ISO-8859 text", "iso-8859-1"),
        Encoding::Extended => ("Non-ISO extended-ASCII text", "unknown-8bit"),
    };
    let (language, media, runs) = language(bytes);
    if language.ends_with('.') {
        // Says all by itself.
        let words = language.trim_end_matches('.').to_owned();
        return Some(Found { words, media: media.to_owned(), charset });
    }
    let comma = if language.is_empty() { "" } else { ", " };
    let runs = if runs { " executable" } else { "" };
    let words = format!("{language}{comma}{name}{runs}{}", lines(bytes));
    Some(Found { words, media: media.to_owned(), charset })
}

/// What the lines have that is not usual.
fn lines(bytes: &[u8]) -> String {
    let crlf = memchr::memmem::find_iter(bytes, b"\r\n").count();
    let lf = bytes.iter().filter(|byte| **byte == b'\n').count() - crlf;
    let cr = bytes.iter().filter(|byte| **byte == b'\r').count() - crlf;
    let longest = bytes.split(|byte| *byte == b'\n' || *byte == b'\r').map(<[u8]>::len).max().unwrap_or(0);
    let mut text = String::new();
    if longest > LONG_LINE {
        text += &format!(", with very long lines ({longest})");
    }
    if crlf + lf + cr == 0 {
        text += ", with no line terminators";
    } else if crlf + cr > 0 {
        let kinds: Vec<&str> = [(crlf, "CRLF"), (cr, "CR"), (lf, "LF")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(_, name)| *name)
            .collect();
        text += &format!(", with {} line terminators", kinds.join(", "));
    }
    if bytes.contains(&27) {
        text += ", with escape sequences";
    }
    if bytes.contains(&8) {
        text += ", with overstriking";
    }
    text
}

/// Language, media type, and whether it can be started. One that ends with a point says all.
fn language(bytes: &[u8]) -> (String, &'static str, bool) {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(4096)).unwrap_or_default());
    let trimmed = head.trim_start();
    if let Some(line) = head.strip_prefix("#!") {
        return script(line.lines().next().unwrap_or_default().trim());
    }
    let lower = trimmed.get(..trimmed.len().min(64)).unwrap_or_default().to_ascii_lowercase();
    let whole = |words: &str, media| (format!("{words}."), media, false);
    let text = |words: &str, media| (words.to_owned(), media, false);
    let pem = [
        ("-----BEGIN CERTIFICATE REQUEST-----", "PEM certificate request"),
        ("-----BEGIN CERTIFICATE-----", "PEM certificate"),
        ("-----BEGIN RSA PRIVATE KEY-----", "PEM RSA private key"),
        ("-----BEGIN DSA PRIVATE KEY-----", "PEM DSA private key"),
        ("-----BEGIN EC PRIVATE KEY-----", "PEM EC private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "OpenSSH private key"),
        ("ssh-rsa ", "OpenSSH RSA public key"),
        ("ssh-dss ", "OpenSSH DSA public key"),
        ("ssh-ed25519 ", "OpenSSH ED25519 public key"),
    ];
    if let Some((_, words)) = pem.iter().find(|(sign, _)| head.starts_with(sign)) {
        return whole(words, "text/plain");
    }
    if lower.starts_with("<?php") {
        return text("PHP script", "text/x-php");
    }
    if lower.starts_with("<?xml version=") {
        let version = trimmed.chars().skip(15).take_while(|c| c.is_ascii_digit() || *c == '.');
        return text(&format!("XML {} document", version.collect::<String>()), "text/xml");
    }
    if ["<!doctype html", "<html", "<head", "<title", "<body"].iter().any(|sign| lower.starts_with(sign)) {
        return text("HTML document", "text/html");
    }
    if lower.starts_with(['{', '[']) && is_json(bytes) {
        return whole("JSON text data", "application/json");
    }
    let lines: Vec<&str> = head.lines().take(200).collect();
    let any = |sign: &str| lines.iter().any(|line| line.starts_with(sign));
    if any("#include") || any("#ifndef ") && any("#define ") {
        return text("C source", "text/x-c");
    }
    if head.starts_with("diff ") || head.starts_with("--- ") && any("+++ ") {
        return text("unified diff output", "text/x-diff");
    }
    if any("def ") && lines.iter().any(|line| line.starts_with("import ") || line.trim_end().ends_with("):"))
    {
        return text("Python script", "text/x-script.python");
    }
    (String::new(), "text/plain", false)
}

/// What the first line of a script names.
fn script(line: &str) -> (String, &'static str, bool) {
    let mut words = line.split_whitespace();
    let path = words.next().unwrap_or_default();
    let mut name = path.rsplit('/').next().unwrap_or_default();
    if name == "env" {
        name = words.next().unwrap_or_default();
    }
    let said = |words: &str, media| (words.to_owned(), media, true);
    match name {
        "sh" => said("POSIX shell script", "text/x-shellscript"),
        "bash" => said("Bourne-Again shell script", "text/x-shellscript"),
        "dash" => said("a /bin/dash script", "text/x-shellscript"),
        "ksh" => said("Korn shell script", "text/x-shellscript"),
        "zsh" => said("Paul Falstad's zsh script", "text/x-shellscript"),
        "perl" => ("Perl script text executable.".to_owned(), "text/x-perl", true),
        "node" => ("Node.js script executable".to_owned(), "application/javascript", false),
        "ruby" => said("Ruby script", "text/x-ruby"),
        "php" => said("PHP script", "text/x-php"),
        name if name.starts_with("python") => said("Python script", "text/x-script.python"),
        "awk" => said("awk script", "text/x-awk"),
        _ => (format!("a {line} script"), "text/plain", true),
    }
}

/// Whether the bytes are one JSON value; nesting is bounded.
fn is_json(bytes: &[u8]) -> bool {
    let (mut open, mut at) = (Vec::new(), 0);
    let mut values = false;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                open.push(*byte);
                if open.len() > 500 {
                    return false;
                }
            }
            b'}' if open.pop() != Some(b'{') => return false,
            b']' if open.pop() != Some(b'[') => return false,
            b'}' | b']' => values = true,
            b'"' => loop {
                match bytes.get(at) {
                    Some(b'\\') => at += 2,
                    Some(b'"') => {
                        at += 1;
                        break;
                    }
                    Some(b'\n') | None => return false,
                    Some(_) => at += 1,
                }
            },
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E' if !open.is_empty() => {}
            _ => return false,
        }
    }
    open.is_empty() && values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_as_file_does() {
        // Measured with file 5.44.
        for (bytes, words) in [
            (b"a\n".as_slice(), "ASCII text"),
            (b"a\r\nb\r\n", "ASCII text, with CRLF line terminators"),
            (b"no newline", "ASCII text, with no line terminators"),
            (b"caf\xe9\n", "ISO-8859 text"),
            (b"caf\xc3\xa9\n", "Unicode text, UTF-8 text"),
            (b"#!/usr/bin/python3\n", "Python script, ASCII text executable"),
            (b"#!/usr/bin/perl -w\n", "Perl script text executable"),
            (b"{\"a\":1}\n", "JSON text data"),
            (b"<?xml version=\"1.0\"?>\n<a/>\n", "XML 1.0 document, ASCII text"),
        ] {
            assert_eq!(found(bytes).map(|found| found.words).as_deref(), Some(words));
        }
        assert!(found(b"\0\x01\x02").is_none());
    }
}
