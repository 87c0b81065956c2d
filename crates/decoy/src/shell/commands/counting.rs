//! `wc`: lines, words, characters and bytes (GNU coreutils 9.1, busybox 1.35).

use super::{
    Call, Said,
    complaint::{self, Known},
    quoting::quoted,
    sources,
};
use crate::machine::{FileError, Kind};

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    chars: u64,
    bytes: u64,
    widest: u64,
}

impl Counts {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let valid = std::str::from_utf8(bytes).is_ok();
        let (mut widest, mut column) = (0_u64, 0_u64);
        for sign in text.chars() {
            match sign {
                '\n' | '\r' | '\u{c}' => {
                    widest = widest.max(column);
                    column = 0;
                }
                '\t' => column += 8 - column % 8,
                sign if sign.is_control() || sign == char::REPLACEMENT_CHARACTER => {}
                _ => column += 1,
            }
        }
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
        Self {
            lines: memchr::memchr_iter(b'\n', bytes).count() as u64,
            words: bytes.split(is_blank).filter(|word| !word.is_empty()).count() as u64,
            chars: if valid {
                text.chars().count() as u64
            } else {
                text.chars().filter(|sign| *sign != char::REPLACEMENT_CHARACTER).count() as u64
            },
            bytes: bytes.len() as u64,
            widest: widest.max(column),
        }
    }

    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.words += other.words;
        self.chars += other.chars;
        self.bytes += other.bytes;
        self.widest = self.widest.max(other.widest);
    }
}

pub(super) fn wc(call: &Call<'_>) -> Said {
    let known = Known {
        letters: "clLmw",
        long: &["bytes", "chars", "lines", "words", "max-line-length", "files0-from"],
    };
    if let Some(said) = complaint::of(call, &known, "") {
        return said;
    }
    let options = call.options("");
    let long =
        |name: &str| options.long.iter().any(|long| name.starts_with(long.as_str()) && !long.is_empty());
    let mut shown = [
        options.has('l') || long("lines"),
        options.has('w') || long("words"),
        options.has('m') || long("chars"),
        options.has('c') || long("bytes"),
        options.has('L') || long("max-line-length"),
    ];
    if shown == [false; 5] {
        shown = [true, true, false, true, false];
    }
    let several = shown.iter().filter(|shown| **shown).count() > 1;
    let operands = if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
    let mut said = Said::default();
    let width = if call.applet {
        if several || operands.len() > 1 { 9 } else { 1 }
    } else if operands.len() == 1 && !several {
        1
    } else {
        width(call, &operands)
    };
    let row = |counts: Counts, name: &str| {
        let all = [counts.lines, counts.words, counts.chars, counts.bytes, counts.widest];
        let columns: Vec<String> = all
            .iter()
            .zip(shown)
            .filter(|(_, shown)| *shown)
            .map(|(count, _)| format!("{count:>width$}"))
            .collect();
        if name.is_empty() { columns.join(" ") + "\n" } else { format!("{} {name}\n", columns.join(" ")) }
    };
    let mut total = Counts::default();
    for operand in &operands {
        match sources::read(call, operand) {
            Ok(bytes) => {
                let counts = Counts::of(&bytes);
                total.add(counts);
                let name = if options.operands.is_empty() { "" } else { operand.as_str() };
                said.out.extend(row(counts, name).bytes());
            }
            Err(error) => {
                said.status = 1;
                let text = error.errno_text();
                let line = if call.applet {
                    format!("wc: {operand}: {text}\n")
                } else {
                    format!(
                        "wc: {}: {text}\n",
                        if operand.contains([' ', '\'']) { quoted(operand) } else { operand.clone() }
                    )
                };
                said.err.extend(line.bytes());
                if error == FileError::IsADirectory {
                    said.out.extend(row(Counts::default(), operand).bytes());
                }
            }
        }
    }
    if operands.len() > 1 {
        said.out.extend(row(total, "total").bytes());
    }
    said
}

/// As wide as the sizes of all files together; seven at least where a size is not known before.
fn width(call: &Call<'_>, operands: &[String]) -> usize {
    let (mut sum, mut least) = (0, 1);
    for operand in operands {
        match call.files().stat(&call.path(operand)) {
            _ if operand == "-" => least = 7,
            Ok(node) if node.kind == Kind::File => sum += node.size,
            Ok(_) => least = 7,
            Err(_) => {}
        }
    }
    sum.to_string().len().max(least)
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn counts_are_right() {
        let counts = Counts::of("één\ttwo\nthree".as_bytes());
        assert_eq!((counts.lines, counts.words, counts.chars, counts.bytes), (1, 3, 13, 15));
        assert_eq!(counts.widest, 11);
        assert_eq!(Counts::of(b"\xff\xfe a").bytes, 4);
    }
}
