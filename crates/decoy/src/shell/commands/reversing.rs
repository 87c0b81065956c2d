//! `rev`: each line from its end (util-linux 2.38).

use super::{Call, Said, sources};

pub(super) fn rev(call: &Call<'_>) -> Said {
    let options = call.options("");
    if let Some(letter) = options.unknown("") {
        return Said::err(
            format!("rev: invalid option -- '{letter}'\nTry 'rev --help' for more information.\n"),
            1,
        );
    }
    let operands = if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
    let mut said = Said::default();
    for operand in &operands {
        match sources::read(call, operand) {
            Ok(bytes) => {
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    said.out.extend(reversed(line));
                }
            }
            Err(error) => {
                said.err.extend(format!("rev: cannot open {operand}: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    said
}

/// The C library's idea of a line: a NUL ends it, and then the line end is not seen.
fn reversed(line: &[u8]) -> Vec<u8> {
    let whole = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let (text, end) = match whole.strip_suffix(b"\n") {
        Some(text) => (text, true),
        None => (whole, false),
    };
    let mut out = match std::str::from_utf8(text) {
        Ok(text) => text.chars().rev().collect::<String>().into_bytes(),
        Err(_) => text.iter().rev().copied().collect(),
    };
    if end {
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::reversed;

    #[test]
    fn lines_are_turned() {
        assert_eq!(reversed(b"abc\n"), b"cba\n");
        assert_eq!(reversed("grün".as_bytes()), "nürg".as_bytes());
        assert_eq!(reversed(b"lin\0e 1\n"), b"nil");
    }
}
