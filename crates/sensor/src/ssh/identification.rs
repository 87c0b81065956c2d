//! A client's identification line, judged as OpenSSH 9.2 judges it (kex_exchange_identification in kex.c).

/// The longest line, with its end (OpenSSH: SSH_MAX_BANNER_LEN).
pub const LONGEST: usize = 8192;
/// What a client is told whose line is none.
const INVALID: &[u8] = b"Invalid SSH identification string.\r\n";
/// What a client of another major version is told.
const DIFFERENT: &[u8] = b"Protocol major versions differ.\r\n";

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// The line's end has not come.
    Incomplete,
    /// A line to go on with, and where what follows it begins.
    Line(usize),
    /// Told these words, perhaps none, and turned away; the line ends here.
    Refused(&'static [u8], usize),
}

/// Reads the line from the front of all that came.
pub fn read(bytes: &[u8]) -> Reading {
    let mut after_return = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => return judge(bytes.get(..at).unwrap_or_default(), at + 1),
            _ if at >= LONGEST => return Reading::Refused(INVALID, at),
            b'\r' => after_return = true,
            0 => return Reading::Refused(INVALID, at),
            _ if after_return => return Reading::Refused(INVALID, at),
            _ => {}
        }
    }
    Reading::Incomplete
}

/// A whole line, without its line feed.
fn judge(line: &[u8], next: usize) -> Reading {
    let returns = line.iter().rev().take_while(|&&byte| byte == b'\r').count();
    let line = line.get(..line.len().saturating_sub(returns)).unwrap_or_default();
    let Some((major, minor, software)) = fields(line) else {
        return Reading::Refused(INVALID, next);
    };
    if major != 2 && (major, minor) != (1, 99) {
        return Reading::Refused(DIFFERENT, next);
    }
    // compat.c: whoever only wants to know the version (SSH_BUG_PROBE, SSH_BUG_SCANNER) is not answered.
    let scans = software.windows(18).any(|part| part == b"SSH_Version_Mapper");
    if software.starts_with(b"Probe-") || scans {
        return Reading::Refused(b"", next);
    }
    Reading::Line(next)
}

/// `sscanf("SSH-%d.%d-%[^\n]")`.
fn fields(line: &[u8]) -> Option<(i64, i64, &[u8])> {
    let (major, rest) = number(line.strip_prefix(b"SSH-")?)?;
    let (minor, rest) = number(rest.strip_prefix(b".")?)?;
    let software = rest.strip_prefix(b"-")?;
    (!software.is_empty()).then_some((major, minor, software))
}

/// `%d`: blanks, a sign, digits.
fn number(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let bytes = bytes.trim_ascii_start();
    let (sign, digits) = match bytes.split_first()? {
        (b'-', rest) => (-1, rest),
        (b'+', rest) => (1, rest),
        _ => (1, bytes),
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(length);
    let value =
        digits.iter().fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    (length > 0).then_some((sign * value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_judged_as_sshd_judges_them() {
        for line in [
            "SSH-2.0-x\r\n",
            "SSH-2.0-x\n",
            "SSH-1.99-x\n",
            "SSH-2.1-x\n",
            "SSH-02.00- \n",
            "SSH-2.0-x y\r\r\n",
        ] {
            assert_eq!(read(line.as_bytes()), Reading::Line(line.len()), "{line:?}");
        }
        for line in [
            "SSH-2.0-\r\n",
            "ssh-2.0-x\n",
            "\n",
            "SSH-1337-OpenSSH_9.0\r\n",
            "SSH-.0-x\n",
            "GET / HTTP/1.1\r\n",
        ] {
            assert_eq!(read(line.as_bytes()), Reading::Refused(INVALID, line.len()), "{line:?}");
        }
        for line in ["SSH-1.5-x\n", "SSH-3.0-x\r\n", "SSH--2.0-x\n"] {
            assert_eq!(read(line.as_bytes()), Reading::Refused(DIFFERENT, line.len()), "{line:?}");
        }
        assert_eq!(read(b"SSH-2.0-Probe-x\n"), Reading::Refused(b"", 16));
        assert_eq!(read(b"SSH-2.0-x\ry"), Reading::Refused(INVALID, 10));
        assert_eq!(read(b"ab\0"), Reading::Refused(INVALID, 2));
        assert_eq!(read(b"\r\r\r\r"), Reading::Incomplete);
        assert_eq!(read(&[b'a'; LONGEST]), Reading::Incomplete);
        assert_eq!(read(&[b'a'; LONGEST + 1]), Reading::Refused(INVALID, LONGEST));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _reading = read(&bytes);
        }
    }
}
