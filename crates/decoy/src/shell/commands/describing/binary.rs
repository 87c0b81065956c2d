//! Formats that begin with signs of their own.

use super::{super::dates, Found, elf};

fn word(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn found(bytes: &[u8], piped: bool) -> Option<Found> {
    let starts = |sign: &[u8]| bytes.starts_with(sign);
    if starts(b"\x7fELF") {
        return Some(elf::found(bytes));
    }
    if starts(&[0x1f, 0x8b]) {
        return Some(Found::binary(gzip(bytes, piped), "application/gzip"));
    }
    if starts(b"BZh")
        && let Some(level) = bytes.get(3).filter(|level| level.is_ascii_digit())
    {
        let words = format!("bzip2 compressed data, block size = {}00k", char::from(*level));
        return Some(Found::binary(words, "application/x-bzip2"));
    }
    if starts(b"\xfd7zXZ\0") {
        let check = match bytes.get(7) {
            Some(0) => ", checksum NONE",
            Some(1) => ", checksum CRC32",
            Some(4) => ", checksum CRC64",
            Some(10) => ", checksum SHA-256",
            _ => "",
        };
        return Some(Found::binary(format!("XZ compressed data{check}"), "application/x-xz"));
    }
    if starts(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Some(Found::binary(
            "Zstandard compressed data (v0.8+), Dictionary ID: None",
            "application/zstd",
        ));
    }
    if starts(&[0x1f, 0x9d]) {
        let bits = bytes.get(2).map_or(0, |flags| flags & 0x1f);
        let block =
            if bytes.get(2).is_some_and(|flags| flags & 0x80 != 0) { " block compressed" } else { "" };
        return Some(Found::binary(format!("compress'd data{block} {bits} bits"), "application/x-compress"));
    }
    if starts(b"PK\x03\x04") && bytes.len() >= 30 {
        let version = bytes.get(4).copied().unwrap_or_default();
        let method = match half(bytes, 8) {
            Some(0) => "store",
            Some(8) => "deflate",
            _ => "[0x0000]",
        };
        let words = format!(
            "Zip archive data, at least v{}.{} to extract, compression method={method}",
            version / 10,
            version % 10
        );
        return Some(Found::binary(words, "application/zip"));
    }
    if let Some(sign) = bytes.get(257..265).filter(|sign| sign.starts_with(b"ustar")) {
        let gnu = if sign == b"ustar  \0" { " (GNU)" } else { "" };
        return Some(Found::binary(format!("POSIX tar archive{gnu}"), "application/x-tar"));
    }
    if starts(b"!<arch>\n") {
        return Some(if bytes.get(8..21) == Some(b"debian-binary") {
            Found::binary("Debian binary package (format 2.0)", "application/vnd.debian.binary-package")
        } else {
            Found::binary("current ar archive", "application/x-archive")
        });
    }
    picture(bytes).or_else(|| {
        let version = bytes.strip_prefix(b"%PDF-")?.get(..3)?;
        let version = String::from_utf8_lossy(version).into_owned();
        Some(Found::binary(format!("PDF document, version {version}"), "application/pdf"))
    })
}

fn picture(bytes: &[u8]) -> Option<Found> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR") {
        let (width, height) = (word(bytes, 16, true)?, word(bytes, 20, true)?);
        let depth = bytes.get(24)?;
        let kind = match bytes.get(25)? {
            0 => " grayscale",
            2 => "/color RGB",
            3 => " colormap",
            4 => " gray+alpha",
            _ => "/color RGBA",
        };
        let laced = if bytes.get(28) == Some(&1) { "interlaced" } else { "non-interlaced" };
        let words = format!("PNG image data, {width} x {height}, {depth}-bit{kind}, {laced}");
        return Some(Found::binary(words, "image/png"));
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(Found::binary("JPEG image data", "image/jpeg"));
    }
    if bytes.starts_with(b"GIF8") {
        let version = String::from_utf8_lossy(bytes.get(3..6)?).into_owned();
        let size = match (half(bytes, 6), half(bytes, 8)) {
            (Some(width), Some(height)) => format!(" {width} x {height}"),
            _ => String::new(),
        };
        return Some(Found::binary(format!("GIF image data, version {version},{size}"), "image/gif"));
    }
    None
}

fn gzip(bytes: &[u8], piped: bool) -> String {
    let mut words = "gzip compressed data".to_owned();
    let flags = bytes.get(3).copied().unwrap_or_default();
    if flags & 8 != 0 {
        let name = bytes.get(10..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        words += &format!(", was \"{}\"", String::from_utf8_lossy(name));
    }
    if let Some(time) = word(bytes, 4, false).filter(|time| *time > 0) {
        let time = chrono::DateTime::from_timestamp(time.into(), 0).unwrap_or_default();
        words += &format!(", last modified: {}", dates::written("%a %b %e %H:%M:%S %Y", time));
    }
    words += match bytes.get(8) {
        Some(2) => ", max compression",
        Some(4) => ", max speed",
        _ => "",
    };
    words += match bytes.get(9) {
        Some(0) => ", from FAT filesystem (MS-DOS, OS/2, NT)",
        Some(3) => ", from Unix",
        Some(11) => ", from NTFS filesystem (NT)",
        _ => "",
    };
    let size = bytes.len().checked_sub(4).and_then(|at| word(bytes, at, false));
    if let Some(size) = size.filter(|_| !piped && bytes.len() >= 18) {
        words += &format!(", original size modulo 2^32 {size}");
    }
    words
}
