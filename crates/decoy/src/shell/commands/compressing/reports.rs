//! What the packing programs tell of their work: ratios, lists, the contents of an archive's header.

use super::{
    super::{Call, Said, dates, sources},
    formats::{Fault, Kind, MOST, complaint, unpack},
};

/// How much gzip has saved, its header left out of the count (`display_ratio` of gzip).
pub(super) fn saved(plain: usize, packed: usize, bytes: &[u8]) -> String {
    let own = header(bytes) + 8;
    let saved = plain as f64 - packed.saturating_sub(own) as f64;
    let ratio = if plain == 0 { 0.0 } else { 100.0 * saved / plain as f64 };
    format!("{ratio:5.1}%")
}

/// The length of a gzip header (RFC 1952).
fn header(bytes: &[u8]) -> usize {
    let flags = bytes.get(3).copied().unwrap_or_default();
    let named = if flags & 8 != 0 {
        bytes.iter().skip(10).position(|byte| *byte == 0).map_or(0, |length| length + 1)
    } else {
        0
    };
    10 + named
}

/// bzip2's complaint about what it tests.
pub(super) fn bad_magic(program: &str, shown: &str) -> String {
    format!(
        "{program}: {shown}: bad magic number (file not created by bzip2)\n\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n"
    )
}

/// What `-v` adds for one file.
pub(super) fn progress(
    kind: Kind,
    unpacks: bool,
    test: bool,
    shown: &str,
    widest: usize,
    (plain, packed): (usize, usize),
    bytes: &[u8],
) -> String {
    match kind {
        Kind::Gzip if test => format!("{shown}:\t OK\n"),
        Kind::Gzip => format!("{shown}:\t{}\n", saved(plain, packed, bytes)),
        Kind::Bzip2 => {
            let pad = " ".repeat(widest.saturating_sub(shown.len()));
            if unpacks {
                return format!("  {shown}: {pad}{}\n", if test { "ok" } else { "done" });
            }
            if plain == 0 {
                return format!("  {shown}: {pad} no data compressed.\n");
            }
            let (all, some) = (plain as f64, packed as f64);
            format!(
                "  {shown}: {pad}{:6.3}:1, {:6.3} bits/byte, {:5.2}% saved, {plain} in, {packed} out.\n",
                all / some,
                some * 8.0 / all,
                100.0 * (1.0 - some / all)
            )
        }
        Kind::Xz => {
            let (from, to) = if unpacks { (packed, plain) } else { (plain, packed) };
            let ratio = match packed as f64 / (plain as f64).max(f64::MIN_POSITIVE) {
                ratio if ratio > 9.999 => " > 9.999".to_owned(),
                ratio => format!(" = {ratio:.3}"),
            };
            let sizes = if unpacks {
                format!("{} / {}", nice(from), nice(to))
            } else {
                format!("{} / {}", nice(to), nice(from))
            };
            format!("{shown}: {sizes}{ratio}\n")
        }
    }
}

/// A size as xz writes it.
fn nice(bytes: usize) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 10_000 {
        return format!("{} B", grouped(bytes));
    }
    let mut value = bytes as f64 / 1024.0;
    let mut at = 0;
    while value > 9999.9 && at + 1 < UNITS.len() {
        value /= 1024.0;
        at += 1;
    }
    let (whole, tenth) = (value as usize, ((value * 10.0).round() as usize) % 10);
    format!("{}.{tenth} {}", grouped(whole), UNITS.get(at).copied().unwrap_or_default())
}

fn grouped(number: usize) -> String {
    if number >= 1000 { format!("{},{:03}", number / 1000, number % 1000) } else { number.to_string() }
}

/// `-l` of gzip and xz.
pub(super) fn list(call: &Call<'_>, kind: Kind, program: &str, verbose: bool, operands: &[String]) -> Said {
    let mut said = Said::default();
    let (mut rows, mut all, mut out) = (0, (0, 0), String::new());
    for operand in operands {
        let name = match call.files().stat(&call.path(operand)) {
            Err(_) if !operand.ends_with(kind.ending()) && kind == Kind::Gzip => {
                format!("{operand}{}", kind.ending())
            }
            _ => operand.clone(),
        };
        let bytes = match sources::file(call, &name) {
            Ok(bytes) => bytes,
            Err(error) => {
                said.err.extend(format!("{program}: {name}: {}\n", error.errno_text()).bytes());
                said.status = 1;
                continue;
            }
        };
        let plain = match unpack(&bytes, kind, MOST) {
            Ok(plain) => plain,
            Err(fault) => {
                let fault = if fault == Fault::Short && kind == Kind::Gzip { Fault::Foreign } else { fault };
                said.err.extend(complaint(kind, program, &name, &fault).bytes());
                said.status = 1;
                continue;
            }
        };
        rows += 1;
        all = (all.0 + bytes.len(), all.1 + plain.len());
        if kind == Kind::Xz {
            if rows == 1 {
                out += "Strms  Blocks   Compressed Uncompressed  Ratio  Check   Filename\n";
            }
            let ratio = bytes.len() as f64 / (plain.len() as f64).max(f64::MIN_POSITIVE);
            let ratio = if ratio > 9.999 { "---".to_owned() } else { format!("{ratio:.3}") };
            let blocks = u8::from(!plain.is_empty());
            out += &format!(
                "{:>5} {blocks:>7}  {:>11}  {:>11}  {ratio:>5}  {:<7} {name}\n",
                1,
                nice(bytes.len()),
                nice(plain.len()),
                "CRC64"
            );
            continue;
        }
        let lead = |text: &str| if verbose { text.to_owned() } else { String::new() };
        if rows == 1 {
            out += &lead("method  crc     date  time  ");
            out += "         compressed        uncompressed  ratio uncompressed_name\n";
        }
        let time = bytes.get(4..8).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes);
        let tail = bytes.len().checked_sub(8).and_then(|at| bytes.get(at..at + 4));
        let crc = tail.and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes);
        let time = chrono::DateTime::from_timestamp(time.into(), 0).unwrap_or_default();
        out += &lead(&format!("defla {crc:08x} {} ", dates::written("%b %e %H:%M", time)));
        let bare = name.strip_suffix(".gz").unwrap_or(&name);
        let ratio = saved(plain.len(), bytes.len(), &bytes);
        out += &format!("{:>19} {:>19} {ratio} {bare}\n", bytes.len(), plain.len());
    }
    if rows > 1 && kind == Kind::Gzip {
        let ratio = 100.0 * (all.1 as f64 - all.0 as f64) / (all.1 as f64).max(1.0);
        out += &format!("{:>19} {:>19} {ratio:5.1}% (totals)\n", all.0, all.1);
    }
    said.out = out.into();
    said
}
