//! The formats of gzip, bzip2, xz and compress, there and back.

use std::io::{Read as _, Write as _};

/// The most that comes out of one file: more is a bomb.
pub(super) const MOST: u64 = 16 * 1024 * 1024;
/// The most memory that unpacking one `.xz` takes, in KiB: the dictionary of `xz -9`.
const MOST_DICTIONARY: u32 = 66 * 1024;

/// Which of the formats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::shell::commands) enum Kind {
    Gzip,
    Bzip2,
    Xz,
}

impl Kind {
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Xz => ".xz",
        }
    }

    fn begins(self) -> &'static [u8] {
        match self {
            Self::Gzip => &[0x1f, 0x8b],
            Self::Bzip2 => b"BZh",
            Self::Xz => b"\xfd7zXZ\0",
        }
    }
}

/// What packed bytes these are, by their beginning.
pub(in crate::shell::commands) fn kind_of(bytes: &[u8]) -> Option<Kind> {
    [Kind::Gzip, Kind::Bzip2, Kind::Xz].into_iter().find(|kind| bytes.starts_with(kind.begins()))
}

pub(in crate::shell::commands) fn is_packed(bytes: &[u8]) -> bool {
    kind_of(bytes).is_some()
}

/// Bytes packed as a program at the end of a pipe packs them.
pub(in crate::shell::commands) fn packed(bytes: &[u8], kind: Kind) -> Vec<u8> {
    let level = if kind == Kind::Bzip2 { 9 } else { 6 };
    // Writing to memory cannot fail.
    pack(bytes, kind, level, None, 0).unwrap_or_default()
}

/// Bytes unpacked, or what the program says about what is piped into it under the name `shown`.
pub(in crate::shell::commands) fn unpacked(
    bytes: &[u8],
    kind: Kind,
    most: u64,
    shown: &str,
) -> Result<Vec<u8>, String> {
    let program = match kind {
        Kind::Gzip => "gzip",
        Kind::Bzip2 => "bzip2",
        Kind::Xz => "xz",
    };
    unpack(bytes, kind, most).map_err(|fault| complaint(kind, program, shown, &fault))
}

/// Why bytes are no archive.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    Foreign,
    Short,
    Damaged,
}

pub(super) fn unpack(bytes: &[u8], kind: Kind, most: u64) -> Result<Vec<u8>, Fault> {
    if kind == Kind::Gzip && bytes.starts_with(&[0x1f, 0x9d]) {
        return uncompress(bytes);
    }
    let mut out = Vec::new();
    if !bytes.starts_with(kind.begins()) {
        return Err(if bytes.is_empty() { Fault::Short } else { Fault::Foreign });
    }
    let read = match kind {
        Kind::Gzip => flate2::read::MultiGzDecoder::new(bytes).take(most).read_to_end(&mut out),
        Kind::Bzip2 => bzip2::read::MultiBzDecoder::new(bytes).take(most).read_to_end(&mut out),
        Kind::Xz => {
            lzma_rust2::XzReader::new_mem_limit(bytes, true, MOST_DICTIONARY).take(most).read_to_end(&mut out)
        }
    };
    match read {
        Ok(_) => Ok(out),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::Short),
        Err(_) => Err(Fault::Damaged),
    }
}

/// The way back from `compress` (LZW), which gzip knows too.
fn uncompress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let flags = *bytes.get(2).ok_or(Fault::Short)?;
    let (most_bits, blocks) = (u32::from(flags & 0x1f), flags & 0x80 != 0);
    if !(9..=16).contains(&most_bits) {
        return Err(Fault::Damaged);
    }
    let data = bytes.get(3..).unwrap_or_default();
    // Each entry: the one it goes on from, its last byte, its first.
    let mut table: Vec<(usize, u8)> = Vec::new();
    let begin = if blocks { 257 } else { 256 };
    let (mut width, mut at, mut group) = (9_u32, 0_usize, 0_usize);
    let (mut out, mut before) = (Vec::new(), None::<(usize, u8)>);
    while at + width as usize <= data.len() * 8 && (out.len() as u64) < MOST {
        let code = (0..width as usize).fold(0_usize, |code, bit| {
            let place = at + bit;
            let byte = data.get(place / 8).copied().unwrap_or_default();
            code | usize::from(byte >> (place % 8) & 1) << bit
        });
        at += width as usize;
        if blocks && code == 256 {
            // Codes come in groups of eight: the rest of the group is not used.
            let length = width as usize * 8;
            at = group + (at - group).div_ceil(length) * length;
            (group, width, before) = (at, 9, None);
            table.clear();
            continue;
        }
        let known = begin + table.len();
        let mut text = Vec::new();
        let mut here = match before {
            _ if code < known => code,
            Some((last, first)) if code == known => {
                text.push(first);
                last
            }
            _ => return Err(Fault::Damaged),
        };
        while here >= begin {
            let (parent, byte) = table.get(here - begin).copied().ok_or(Fault::Damaged)?;
            text.push(byte);
            here = parent;
        }
        let first = u8::try_from(here).map_err(|_| Fault::Damaged)?;
        text.push(first);
        out.extend(text.iter().rev());
        if let Some((last, _)) = before.filter(|_| known < 1 << most_bits) {
            table.push((last, first));
            if begin + table.len() >= 1 << width && width < most_bits {
                let length = width as usize * 8;
                at = group + (at - group).div_ceil(length) * length;
                group = at;
                width += 1;
            }
        }
        before = Some((code, first));
    }
    Ok(out)
}

pub(super) fn pack(
    bytes: &[u8],
    kind: Kind,
    level: u32,
    name: Option<&str>,
    time: u32,
) -> std::io::Result<Vec<u8>> {
    match kind {
        Kind::Gzip => {
            let mut builder = flate2::GzBuilder::new().operating_system(3).mtime(time);
            if let Some(name) = name {
                builder = builder.filename(name);
            }
            let mut writer = builder.write(Vec::new(), flate2::Compression::new(level));
            writer.write_all(bytes)?;
            writer.finish()
        }
        Kind::Bzip2 => {
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
            writer.write_all(bytes)?;
            writer.finish()
        }
        Kind::Xz => {
            // What is long is packed with less effort: time is the machine's.
            let most = if bytes.len() > 4 << 20 { 1 } else { 6 };
            let mut options = lzma_rust2::XzOptions::with_preset(level.min(most));
            // The encoder's memory follows its dictionary, and no more of one is used than there are bytes.
            let used = u32::try_from(bytes.len().next_power_of_two()).unwrap_or(u32::MAX);
            options.lzma_options.dict_size = options.lzma_options.dict_size.min(used).clamp(4096, 1 << 23);
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options)?;
            writer.write_all(bytes)?;
            let mut packed = writer.finish()?;
            name_dictionary(&mut packed, level);
            Ok(packed)
        }
    }
}

/// Has the header of the block name the dictionary that `xz` would have used (The .xz File Format, 3.1 and 5.3.1).
fn name_dictionary(packed: &mut [u8], level: u32) {
    const SIZES: [u8; 10] = [0x0c, 0x10, 0x12, 0x14, 0x14, 0x16, 0x16, 0x18, 0x1a, 0x1c];
    let (Some(block), Some(size)) = (packed.get_mut(12..24), SIZES.get(level as usize)) else { return };
    let (head, sum) = block.split_at_mut(8);
    if let [2, 0, 0x21, 1, dictionary, 0, 0, 0] = head {
        *dictionary = *size;
        let mut crc = flate2::Crc::new();
        crc.update(head);
        sum.copy_from_slice(&crc.sum().to_le_bytes());
    }
}

pub(super) fn complaint(kind: Kind, program: &str, shown: &str, fault: &Fault) -> String {
    match (kind, fault) {
        (Kind::Xz, Fault::Foreign) => format!("{program}: {shown}: File format not recognized\n"),
        (Kind::Xz, Fault::Short) => format!("{program}: {shown}: Unexpected end of input\n"),
        (Kind::Xz, Fault::Damaged) => format!("{program}: {shown}: Compressed data is corrupt\n"),
        (Kind::Gzip, Fault::Foreign) => format!("\n{program}: {shown}: not in gzip format\n"),
        (Kind::Gzip, Fault::Short) => format!("\n{program}: {shown}: unexpected end of file\n"),
        (Kind::Gzip, Fault::Damaged) => {
            format!("\n{program}: {shown}: invalid compressed data--format violated\n")
        }
        (Kind::Bzip2, Fault::Foreign) => format!("{program}: {shown} is not a bzip2 file.\n"),
        (Kind::Bzip2, Fault::Short) => format!(
            "\n{program}: Compressed file ends unexpectedly;\n\tperhaps it is corrupted?  *Possible* reason follows.\n{program}: Inappropriate ioctl for device\n\tInput file = {shown}, output file = (stdout)\n\nIt is possible that the compressed file(s) have become corrupted.\nYou can use the -tvv option to test integrity of such files.\n\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n"
        ),
        (Kind::Bzip2, Fault::Damaged) => format!(
            "\n{program}: Data integrity error when decompressing.\n\tInput file = {shown}, output file = (stdout)\n\nIt is possible that the compressed file(s) have become corrupted.\nYou can use the -tvv option to test integrity of such files.\n\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
        for kind in [Kind::Gzip, Kind::Bzip2, Kind::Xz] {
            let packed = pack(&bytes, kind, 6, Some("x"), 1).unwrap();
            assert_eq!(unpack(&packed, kind, MOST), Ok(bytes.clone()));
            assert_eq!(unpack(&packed[..packed.len() / 2], kind, MOST), Err(Fault::Short));
            assert_eq!(unpack(b"no archive", kind, MOST), Err(Fault::Foreign));
        }
        assert_eq!(unpack(&[0x1f, 0x9d, 0x90, 0x61, 0x14, 0], Kind::Gzip, MOST), Ok(b"a\n".to_vec()));
        assert_eq!(unpack(&[0x1f, 0x9d, 0x90, 0], Kind::Gzip, MOST), Ok(Vec::new()));
    }
}
