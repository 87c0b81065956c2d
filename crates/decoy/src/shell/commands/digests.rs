//! `md5sum`, `sha256sum` and their like, `cksum` and `sum` (GNU coreutils 9.1, busybox 1.35).

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::{
    Call, Said,
    complaint::{self, Known},
    sources,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest that a program of this name makes.
fn digest(name: &str, bytes: &[u8]) -> String {
    match name {
        "md5sum" => hex(&Md5::digest(bytes)),
        "sha1sum" => hex(&Sha1::digest(bytes)),
        "sha224sum" => hex(&Sha224::digest(bytes)),
        "sha384sum" => hex(&Sha384::digest(bytes)),
        "sha512sum" => hex(&Sha512::digest(bytes)),
        _ => hex(&Sha256::digest(bytes)),
    }
}

const LONG: &[&str] =
    &["binary", "check", "tag", "text", "zero", "ignore-missing", "quiet", "status", "strict", "warn"];

pub(super) fn sums(call: &Call<'_>) -> Said {
    if let Some(said) = complaint::of(call, &Known { letters: "bctwz", long: LONG }, "") {
        return said;
    }
    let options = call.options("");
    let checks = options.has('c') || options.has_long("check");
    let only_checking = ["ignore-missing", "status", "warn", "quiet", "strict"];
    let idle =
        only_checking.into_iter().find(|name| options.has_long(name)).or(options.has('w').then_some("warn"));
    if let Some(idle) = idle.filter(|_| !checks && !call.applet) {
        let what = format!("the --{idle} option is meaningful only when verifying checksums");
        return super::getopt::misused(call, &what, 1);
    }
    let operands = if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
    let mut said = Said::default();
    for operand in &operands {
        if options.has('c') || options.has_long("check") {
            check(call, operand, &options, &mut said);
            continue;
        }
        match sources::read(call, operand) {
            Ok(bytes) => {
                let sum = digest(call.name, &bytes);
                let end = if options.has('z') || options.has_long("zero") { '\0' } else { '\n' };
                if options.has_long("tag") {
                    let kind = call.name.trim_end_matches("sum").to_uppercase();
                    said.out.extend(format!("{kind} ({operand}) = {sum}{end}").bytes());
                    continue;
                }
                let mark = if options.has('b') || options.has_long("binary") { '*' } else { ' ' };
                let special = end == '\n' && operand.contains(['\\', '\n', '\r']);
                let name = if special {
                    operand.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
                } else {
                    operand.clone()
                };
                let lead = if special { "\\" } else { "" };
                said.out.extend(format!("{lead}{sum} {mark}{name}{end}").bytes());
            }
            Err(error) => {
                let text = error.errno_text();
                said.err.extend(if call.applet {
                    format!("{}: can't open '{operand}': {text}\n", call.name).into_bytes()
                } else {
                    format!("{}: {operand}: {text}\n", call.name).into_bytes()
                });
                said.status = 1;
            }
        }
    }
    said
}

/// Compares files with the sums in a list.
fn check(call: &Call<'_>, list: &str, options: &super::Options, said: &mut Said) {
    let name = call.name;
    let text = match sources::read(call, list) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => {
            said.err.extend(format!("{name}: {list}: {}\n", error.errno_text()).bytes());
            said.status = 1;
            return;
        }
    };
    let (mut sound, mut bad_lines, mut unread, mut different) = (0, 0, 0, 0);
    let silent = options.has_long("status");
    let length = digest(name, b"").len();
    for line in text.lines() {
        let parsed = line.split_once(' ').and_then(|(sum, file)| {
            let file = file.strip_prefix([' ', '*'])?;
            let is_sum = sum.len() == length && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_sum.then(|| (sum.to_ascii_lowercase(), file))
        });
        let Some((sum, file)) = parsed else {
            bad_lines += 1;
            continue;
        };
        sound += 1;
        let verdict = match sources::read(call, file) {
            Ok(bytes) if digest(name, &bytes) == sum => "OK",
            Ok(_) => {
                different += 1;
                "FAILED"
            }
            Err(error) => {
                if options.has_long("ignore-missing") {
                    continue;
                }
                unread += 1;
                said.err.extend(format!("{name}: {file}: {}\n", error.errno_text()).bytes());
                "FAILED open or read"
            }
        };
        let hushed = silent || verdict == "OK" && options.has_long("quiet");
        if !hushed {
            said.out.extend(format!("{file}: {verdict}\n").bytes());
        }
    }
    let shown = if list == "-" { "'standard input'" } else { list };
    if sound == 0 {
        said.err.extend(format!("{name}: {shown}: no properly formatted checksum lines found\n").bytes());
        said.status = 1;
        return;
    }
    let plural = |count: i32, one: &'static str, more: &'static str| if count == 1 { one } else { more };
    if !silent {
        let mut warn = |count: i32, what: &str| {
            if count > 0 {
                said.err.extend(format!("{name}: WARNING: {count} {what}\n").bytes());
            }
        };
        warn(bad_lines, plural(bad_lines, "line is improperly formatted", "lines are improperly formatted"));
        warn(unread, plural(unread, "listed file could not be read", "listed files could not be read"));
        warn(
            different,
            plural(different, "computed checksum did NOT match", "computed checksums did NOT match"),
        );
    }
    if unread + different > 0 {
        said.status = 1;
    }
}

/// The checksum of POSIX: a polynomial over the bytes and then over their number.
fn posix(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: u8| {
        let mut crc = crc ^ u32::from(byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04C1_1DB7 };
        }
        crc
    };
    let mut crc = bytes.iter().fold(0, |crc, byte| step(crc, *byte));
    let mut length = bytes.len();
    while length > 0 {
        crc = step(crc, (length & 0xff) as u8);
        length >>= 8;
    }
    !crc
}

pub(super) fn cksum(call: &Call<'_>) -> Said {
    if let Some(said) = complaint::of(call, &Known { letters: "", long: LONG }, "al") {
        return said;
    }
    each(call, |bytes, name| {
        let gap = if name.is_empty() { "" } else { " " };
        format!("{} {}{gap}{name}\n", posix(bytes), bytes.len())
    })
}

pub(super) fn sum(call: &Call<'_>) -> Said {
    if let Some(said) = complaint::of(call, &Known { letters: "rs", long: &["sysv"] }, "") {
        return said;
    }
    let options = call.options("");
    let named = options.operands.len() > 1;
    if options.has('s') || options.has_long("sysv") {
        return each(call, |bytes, name| {
            let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).fold(0, u32::wrapping_add);
            let folded = (sum & 0xffff) + (sum >> 16);
            let gap = if name.is_empty() { "" } else { " " };
            format!("{} {}{gap}{name}\n", (folded & 0xffff) + (folded >> 16), bytes.len().div_ceil(512))
        });
    }
    each(call, |bytes, name| {
        let sum = bytes.iter().fold(0_u16, |sum, byte| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
        let name = if named || !name.is_empty() { format!(" {name}") } else { String::new() };
        format!("{sum:05} {:>5}{name}\n", bytes.len().div_ceil(1024))
    })
}

fn each(call: &Call<'_>, line: impl Fn(&[u8], &str) -> String) -> Said {
    let options = call.options("al");
    let operands = if options.operands.is_empty() { vec!["-".to_owned()] } else { options.operands.clone() };
    let mut said = Said::default();
    for operand in &operands {
        match sources::read(call, operand) {
            Ok(bytes) => {
                let name = if options.operands.is_empty() { "" } else { operand.as_str() };
                said.out.extend(line(&bytes, name).bytes());
            }
            Err(error) => {
                said.err.extend(format!("{}: {operand}: {}\n", call.name, error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_known_ones() {
        assert_eq!(digest("md5sum", b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(digest("sha1sum", b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(digest("sha256sum", b"abc").starts_with("ba7816bf"));
        assert_eq!(posix(b"123456789"), 930_766_865);
        assert_eq!(posix(b""), 4_294_967_295);
    }
}
