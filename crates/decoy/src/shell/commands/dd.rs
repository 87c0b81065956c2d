//! `dd`: GNU coreutils 9.1 and busybox 1.35.

use super::{
    Call, Said, getopt,
    quoting::{curled, quoted},
};
use crate::machine::{Access, FileError};

/// The most that one call moves.
const MOST: u64 = 64 * 1024 * 1024;

/// `4k`, `1M`, `2x512`.
fn number(text: &str) -> Option<u64> {
    if let Some((left, right)) = text.split_once('x') {
        return number(left)?.checked_mul(number(right)?);
    }
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let scale: u64 = match text.get(digits.len()..)? {
        "" => 1,
        "c" => 1,
        "w" => 2,
        "b" => 512,
        "k" | "K" | "KiB" => 1024,
        "kB" | "KB" => 1000,
        "M" | "MiB" => 1024 * 1024,
        "MB" => 1_000_000,
        "G" | "GiB" => 1 << 30,
        "GB" => 1_000_000_000,
        "T" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

fn human(bytes: u64) -> String {
    let scaled = |unit: f64, names: [&str; 4]| {
        let mut value = bytes as f64 / unit;
        let mut at = 0;
        while value >= unit && at < 3 {
            value /= unit;
            at += 1;
        }
        let name = names.get(at).copied().unwrap_or_default();
        if value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
    };
    match bytes {
        0..1000 => format!("{bytes} byte{} copied", if bytes == 1 { "" } else { "s" }),
        1000..1024 => format!("{bytes} bytes ({}) copied", scaled(1000.0, ["kB", "MB", "GB", "TB"])),
        _ => format!(
            "{bytes} bytes ({}, {}) copied",
            scaled(1000.0, ["kB", "MB", "GB", "TB"]),
            scaled(1024.0, ["KiB", "MiB", "GiB", "TiB"])
        ),
    }
}

pub(super) fn dd(call: &Call<'_>) -> Said {
    let (mut input, mut output) = (None, None);
    let (mut ibs, mut obs, mut count, mut skip, mut seek) = (512, 512, None, 0, 0);
    let (mut quiet, mut no_rate, mut notrunc, mut append) = (false, false, false, false);
    let (mut conv, mut iflag, mut oflag, mut cbs) = (String::new(), String::new(), String::new(), 0);
    for arg in call.args {
        let is_option = arg.starts_with('-') && arg.len() > 1 && !call.applet;
        if is_option {
            let what = match arg.strip_prefix("--") {
                Some(_) => format!("unrecognized option '{arg}'"),
                None => format!("invalid option -- '{}'", arg.chars().nth(1).unwrap_or('?')),
            };
            return getopt::misused(call, &what, 1);
        }
        let Some((name, value)) = arg.split_once('=') else {
            return Said::err(
                format!("dd: unrecognized operand {}\nTry 'dd --help' for more information.\n", curled(arg)),
                1,
            );
        };
        let read =
            number(value).ok_or_else(|| Said::err(format!("dd: invalid number: {}\n", curled(value)), 1));
        if matches!(name, "status" | "conv" | "iflag" | "oflag")
            && let Some(said) = strange(call, name, value)
        {
            return said;
        }
        match name {
            "if" => input = Some(value),
            "of" => output = Some(value),
            "status" => {
                quiet = value == "none";
                no_rate = value == "noxfer";
            }
            "conv" => {
                conv = format!(",{value},");
                notrunc = value.contains("notrunc");
            }
            "oflag" => {
                oflag = format!(",{value},");
                append = value.contains("append");
            }
            "iflag" => iflag = format!(",{value},"),
            "cbs" | "bs" | "ibs" | "obs" | "count" | "skip" | "seek" | "iseek" | "oseek" => match read {
                Err(said) => return said,
                Ok(0) if name.ends_with("bs") => {
                    return Said::err(format!("dd: invalid number: {}\n", curled(value)), 1);
                }
                Ok(number) => match name {
                    "bs" => (ibs, obs) = (number, number),
                    "cbs" => cbs = number,
                    "ibs" => ibs = number,
                    "obs" => obs = number,
                    "count" => count = Some(number),
                    "skip" | "iseek" => skip = number,
                    _ => seek = number,
                },
            },
            _ => {
                return Said::err(
                    format!(
                        "dd: unrecognized operand {}\nTry 'dd --help' for more information.\n",
                        curled(arg)
                    ),
                    1,
                );
            }
        }
    }
    let open_failed = |name: &str, error: FileError| {
        if call.applet {
            Said::err(format!("dd: can't open '{name}': {}\n", error.errno_text()), 1)
        } else {
            Said::err(format!("dd: failed to open {}: {}\n", quoted(name), error.errno_text()), 1)
        }
    };
    let who = call.session.who();
    let bytes = match input {
        None => bytes::Bytes::copy_from_slice(call.stdin.unwrap_or_default()),
        Some(name) => {
            let path = call.path(name);
            let read = call.files().stat(&path).and_then(|node| {
                call.files().may(who.uid, who.gid, &path, Access::Read)?;
                if node.is_dir() { Err(FileError::IsADirectory) } else { call.files().read(&path) }
            });
            match read {
                Ok(bytes) => bytes,
                Err(FileError::IsADirectory) => {
                    return Said::err(
                        format!(
                            "dd: error reading {}: Is a directory\n0+0 records in\n0+0 records out\n0 bytes copied, 0.000112 s, 0.0 kB/s\n",
                            quoted(name)
                        ),
                        1,
                    );
                }
                Err(error) => return open_failed(name, error),
            }
        }
    };
    let is_endless = input.is_some_and(|name| {
        matches!(call.path(name).as_str(), "/dev/zero" | "/dev/urandom" | "/dev/random" | "/dev/full")
    });
    let unit = |flag: &str| if iflag.contains(flag) { 1 } else { ibs };
    let from = skip.saturating_mul(unit(",skip_bytes,"));
    let wanted = count.map_or(u64::MAX, |count| count.saturating_mul(unit(",count_bytes,")));
    // Endless devices give what is asked for; what is more than fits was counted, not kept.
    let total =
        if is_endless { wanted.min(1 << 40) } else { wanted.min((bytes.len() as u64).saturating_sub(from)) };
    let kept = total.min(MOST) as usize;
    let mut data: Vec<u8> = if is_endless {
        bytes.iter().copied().cycle().take(kept).collect()
    } else {
        bytes.iter().skip(from as usize).take(kept).copied().collect()
    };
    data = converted(data, &conv, ibs as usize, cbs as usize);
    let mut said = Said::default();
    match output {
        None => said.out.append(&mut data),
        Some(name) => {
            let path = call.path(name);
            let unit = if oflag.contains(",seek_bytes,") { 1 } else { obs };
            let begin = seek.saturating_mul(unit).min(MOST) as usize;
            let old = if begin > 0 || notrunc || append {
                call.files().read(&path).unwrap_or_default().to_vec()
            } else {
                Vec::new()
            };
            let content = if begin == 0 && !notrunc && !append {
                data
            } else {
                let at = if append { old.len() } else { begin };
                let mut content = old;
                if content.len() < at {
                    content.resize(at, 0);
                }
                let tail = content.split_off(at.min(content.len()));
                let rest = tail.get(data.len()..).filter(|_| notrunc).unwrap_or_default().to_vec();
                content.append(&mut data);
                content.extend(rest);
                content
            };
            let written = call
                .files()
                .may(who.uid, who.gid, &path, Access::Write)
                .and_then(|()| call.files().write(&path, &content, &who, 0o666 & !call.session.umask()));
            match written {
                Ok(()) => {}
                Err(FileError::NoSpace) => {
                    said.err.extend(
                        format!("dd: error writing {}: No space left on device\n", quoted(name)).bytes(),
                    );
                    said.status = 1;
                }
                Err(error) => return open_failed(name, error),
            }
        }
    }
    let records = |size: u64| format!("{}+{}", total / size, u64::from(!total.is_multiple_of(size)));
    if !quiet {
        let mut text = format!("{} records in\n{} records out\n", records(ibs), records(obs));
        // Debian's busybox says no more.
        if !call.applet && !no_rate {
            let seconds = 0.000_05 + total as f64 / 1.1e9;
            let rate = total as f64 / seconds;
            let rate = match rate {
                rate if rate < 1e6 => format!("{:.0} kB/s", rate / 1e3),
                rate if rate < 1e9 => format!("{:.0} MB/s", rate / 1e6),
                rate => format!("{:.1} GB/s", rate / 1e9),
            };
            text += &format!("{}, {} s, {rate}\n", human(total), shown(seconds));
        }
        said.err.extend(text.bytes());
    }
    said
}

/// The complaint about the first word that these options do not know.
fn strange(call: &Call<'_>, name: &str, value: &str) -> Option<Said> {
    const FLAGS: &[&str] = &[
        "append",
        "binary",
        "cio",
        "count_bytes",
        "direct",
        "directory",
        "dsync",
        "fullblock",
        "noatime",
        "nocache",
        "noctty",
        "nofollow",
        "nolinks",
        "nonblock",
        "seek_bytes",
        "skip_bytes",
        "sync",
        "text",
    ];
    let (known, what): (&[&str], &str) = match name {
        "conv" => (
            &[
                "ascii",
                "block",
                "ebcdic",
                "excl",
                "fdatasync",
                "fsync",
                "ibm",
                "lcase",
                "nocreat",
                "noerror",
                "notrunc",
                "sparse",
                "swab",
                "sync",
                "ucase",
                "unblock",
            ],
            "conversion",
        ),
        "status" => (&["none", "noxfer", "progress"], "status level"),
        "iflag" => (FLAGS, "input flag"),
        _ => (FLAGS, "output flag"),
    };
    let word = value.split(',').find(|word| !known.contains(word))?;
    Some(getopt::misused(call, &format!("invalid {what}: {}", curled(word)), 1))
}

/// What `conv=` makes of the data.
fn converted(mut data: Vec<u8>, conv: &str, ibs: usize, cbs: usize) -> Vec<u8> {
    let has = |word: &str| conv.contains(&format!(",{word},"));
    if has("swab") {
        data.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    }
    if has("ucase") {
        data.make_ascii_uppercase();
    } else if has("lcase") {
        data.make_ascii_lowercase();
    }
    let pad = if has("block") || has("unblock") { b' ' } else { 0 };
    if has("sync") && ibs > 0 && ibs as u64 <= MOST {
        data.resize(data.len().div_ceil(ibs) * ibs, pad);
    }
    // Lines of one length, and back; bounded as the data is.
    if has("block")
        && cbs > 0
        && (data.iter().filter(|byte| **byte == b'\n').count() + 1) * cbs <= MOST as usize
    {
        let whole = data.strip_suffix(b"\n").unwrap_or(&data);
        let lines = whole.split(|byte| *byte == b'\n');
        return lines
            .flat_map(|line| {
                line.iter().copied().chain(std::iter::repeat(b' ')).take(cbs).collect::<Vec<u8>>()
            })
            .collect();
    }
    if has("unblock") && cbs > 0 {
        let line = |chunk: &[u8]| {
            let end = chunk.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
            [chunk.get(..end).unwrap_or_default(), b"\n"].concat()
        };
        return data.chunks(cbs).flat_map(line).collect();
    }
    data
}

/// As `%g` prints seconds.
fn shown(seconds: f64) -> String {
    if seconds < 0.0001 { format!("{:.4}e-05", seconds * 1e5) } else { format!("{seconds:.6}") }
}

#[cfg(test)]
mod tests {
    use super::{human, number};

    #[test]
    fn sizes_are_read_and_written() {
        assert_eq!(number("4k"), Some(4096));
        assert_eq!(number("2x512"), Some(1024));
        assert_eq!(number("abc"), None);
        assert_eq!(number("99999999999999999999"), None);
        assert_eq!(human(52), "52 bytes copied");
        assert_eq!(human(1000), "1000 bytes (1.0 kB) copied");
        assert_eq!(human(1_048_576), "1048576 bytes (1.0 MB, 1.0 MiB) copied");
    }
}
