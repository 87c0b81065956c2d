//! `uuencode` and `uudecode`: files as lines of text (GNU sharutils 4.15.2, busybox 1.35).

use base64::Engine as _;

use super::{Call, Said, complaint, sources};

/// Bytes on one line.
const LINE: usize = 45;

pub(super) fn uuencode(call: &Call<'_>) -> Said {
    let options = call.options("");
    if let Some(letter) = options.unknown("me") {
        return Said::err(format!("/usr/bin/uuencode: illegal option -- {letter}\n{ENCODE_USAGE}"), 1);
    }
    let (source, name) = match options.operands.as_slice() {
        [name] => ("-", name),
        [source, name] => (source.as_str(), name),
        _ if call.applet => return complaint::missing(call, ""),
        _ => return Said::err(ENCODE_USAGE, 1),
    };
    let bytes = match sources::read(call, source) {
        Ok(bytes) => bytes,
        Err(error) => {
            let text = error.errno_text();
            return Said::err(format!("uuencode: fopen-ing {source}: {text}\n"), 1);
        }
    };
    let mode = call.files().stat(&call.path(source)).ok().filter(|_| source != "-");
    let mode = mode.map_or(0o666 & !call.session.umask(), |node| node.mode & 0o777);
    let base64 = options.has('m') || options.has_long("base64");
    let mut out = format!("begin{} {mode:o} {name}\n", if base64 { "-base64" } else { "" }).into_bytes();
    for line in bytes.chunks(LINE) {
        if base64 {
            out.extend(base64::engine::general_purpose::STANDARD.encode(line).bytes());
        } else {
            out.extend(encoded(line));
        }
        out.push(b'\n');
    }
    out.extend(if base64 { b"====\n".as_slice() } else { b"`\nend\n" });
    Said::out(out)
}

const ENCODE_USAGE: &str = "uuencode (GNU sharutils) - encode a file into email friendly text\nUsage:  uuencode [ -<flag> | --<name> ]... [<in-file>] <output-name>\nTry 'uuencode --help' for more information.\n";
const DECODE_USAGE: &str = "uudecode (GNU sharutils) - decode an encoded file\nUsage:  uudecode [ -<flag> | --<name> ]... [<file>...]\nTry 'uudecode --help' for more information.\n";

/// One line of the old form: its length, then six bits a character.
fn encoded(line: &[u8]) -> Vec<u8> {
    let sign = |value: u8| if value == 0 { b'`' } else { b' ' + value };
    let mut out = vec![sign(line.len() as u8)];
    for group in line.chunks(3) {
        let byte = |at: usize| group.get(at).copied().unwrap_or_default();
        let (first, second, third) = (byte(0), byte(1), byte(2));
        let values =
            [first >> 2, (first & 3) << 4 | second >> 4, (second & 15) << 2 | third >> 6, third & 63];
        out.extend(values.map(sign));
    }
    out
}

fn decoded(line: &[u8]) -> Vec<u8> {
    let value = |at: usize| line.get(at).map_or(0, |sign| sign.wrapping_sub(b' ') & 63);
    let length = usize::from(value(0));
    let mut out = Vec::new();
    let mut at = 1;
    while out.len() < length {
        let (a, b, c, d) = (value(at), value(at + 1), value(at + 2), value(at + 3));
        out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        at += 4;
    }
    out.truncate(length);
    out
}

pub(super) fn uudecode(call: &Call<'_>) -> Said {
    let options = call.options("o");
    if let Some(letter) = options.unknown("c") {
        return Said::err(format!("/usr/bin/uudecode: illegal option -- {letter}\n{DECODE_USAGE}"), 1);
    }
    let long = options.long.iter().find_map(|long| long.strip_prefix("output-file="));
    let target = options.value('o').or(long);
    let names = if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
    let mut said = Said::default();
    for name in &names {
        let shown = if name == "-" { "standard input" } else { name.as_str() };
        let text = match sources::read(call, name) {
            Ok(text) => text,
            Err(error) => {
                said.err.extend(format!("uudecode: {name}: {}\n", error.errno_text()).bytes());
                said.status = 1;
                continue;
            }
        };
        let result = parse(&text).map_err(|what| match (call.applet, what) {
            (true, Fault::NoBegin) => "uudecode: no 'begin' line\n".to_owned(),
            (true, Fault::Short) => "uudecode: short file\n".to_owned(),
            (false, Fault::NoBegin) => {
                format!("uudecode fatal error:\n{shown}: Invalid or missing 'begin' line\n")
            }
            (false, Fault::Short) => format!("uudecode fatal error:\n{shown}: Short file\n"),
        });
        match result {
            Ok(file) => {
                let to = target.unwrap_or(&file.name);
                if matches!(to, "-" | "/dev/stdout") {
                    said.out.extend(file.content);
                    continue;
                }
                let written = sources::write_as(call, to, &file.content, file.mode)
                    .and_then(|()| call.files().set_mode(&call.path(to), file.mode));
                if let Err(error) = written {
                    said.err.extend(format!("uudecode: {to}: {}\n", error.errno_text()).bytes());
                    said.status = 1;
                }
            }
            Err(text) => {
                said.err.extend(text.bytes());
                said.status = 1;
            }
        }
    }
    said
}

struct Packed {
    name: String,
    mode: u32,
    content: Vec<u8>,
}

#[derive(Debug, PartialEq)]
enum Fault {
    NoBegin,
    Short,
}

fn parse(text: &[u8]) -> Result<Packed, Fault> {
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let begin = lines.by_ref().find_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let (kind, rest) = line.split_once(' ')?;
        let (mode, name) = rest.trim_start().split_once(' ')?;
        let base64 = match kind {
            "begin" => false,
            "begin-base64" => true,
            _ => return None,
        };
        Some((base64, u32::from_str_radix(mode, 8).ok()? & 0o777, name.to_owned()))
    });
    let (base64, mode, name) = begin.ok_or(Fault::NoBegin)?;
    let mut content = Vec::new();
    let engine = base64::engine::general_purpose::STANDARD;
    while let Some(line) = lines.next() {
        if base64 {
            if line == b"====" {
                return Ok(Packed { name, mode, content });
            }
            content.extend(engine.decode(line).unwrap_or_default());
        } else {
            let part = decoded(line);
            if part.is_empty() {
                return if lines.next() == Some(b"end") {
                    Ok(Packed { name, mode, content })
                } else {
                    Err(Fault::Short)
                };
            }
            content.extend(part);
        }
    }
    Err(Fault::Short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        for line in bytes.chunks(LINE) {
            assert_eq!(decoded(&encoded(line)), line);
        }
        assert_eq!(encoded(b"Cat"), b"#0V%T");
        let packed = parse(b"noise\nbegin-base64 644 x y\nQQD/Wg==\n====\n").unwrap();
        assert_eq!((packed.content.as_slice(), packed.name.as_str()), (b"A\0\xffZ".as_slice(), "x y"));
        assert_eq!(parse(b"x").err(), Some(Fault::NoBegin));
        assert_eq!(parse(b"begin 644 x\n#0V%T\n").err(), Some(Fault::Short));
    }
}
