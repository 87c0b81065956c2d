//! What `file` tells of an ELF file (elf(5)).

use super::Found;

/// The most headers that are looked at.
const MOST: u64 = 512;

/// A file with its widths and its order of bytes.
struct Elf<'a> {
    bytes: &'a [u8],
    wide: bool,
    big: bool,
}

impl Elf<'_> {
    fn number(&self, at: u64, length: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let part = self.bytes.get(at..at.checked_add(length)?)?;
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.big { part.iter().fold(0, fold) } else { part.iter().rev().fold(0, fold) })
    }

    /// A number of the width of an address; `narrow` and `wide` are where it is.
    fn address(&self, narrow: u64, wide: u64) -> Option<u64> {
        if self.wide { self.number(wide, 8) } else { self.number(narrow, 4) }
    }

    /// Type, place and length of each segment.
    fn segments(&self) -> Vec<(u64, u64, u64)> {
        let read = || {
            let begin = self.address(28, 32)?;
            let (size, count) = if self.wide {
                (self.number(54, 2)?, self.number(56, 2)?)
            } else {
                (self.number(42, 2)?, self.number(44, 2)?)
            };
            let one = |index: u64| {
                let at = begin.checked_add(index.checked_mul(size)?)?;
                let (place, length) = if self.wide { (at + 8, at + 32) } else { (at + 4, at + 16) };
                let width = if self.wide { 8 } else { 4 };
                Some((self.number(at, 4)?, self.number(place, width)?, self.number(length, width)?))
            };
            Some((0..count.min(MOST)).map_while(one).collect())
        };
        read().unwrap_or_default()
    }

    /// What the table of sections says: symbols, none, or no table at all.
    fn sections(&self) -> Option<&'static str> {
        let begin = self.address(32, 40)?;
        let (size, count) = if self.wide {
            (self.number(58, 2)?, self.number(60, 2)?)
        } else {
            (self.number(46, 2)?, self.number(48, 2)?)
        };
        let kind = |index: u64| self.number(begin.checked_add(index.checked_mul(size)?)?.checked_add(4)?, 4);
        Some(if begin == 0 || count == 0 {
            ", no section header"
        } else if (0..count.min(MOST)).filter_map(kind).any(|kind| kind == 2) {
            ", not stripped"
        } else {
            ", stripped"
        })
    }

    fn text(&self, at: u64, length: u64) -> Option<String> {
        let from = usize::try_from(at).ok()?;
        let part = self.bytes.get(from..from.checked_add(usize::try_from(length.min(4096)).ok()?)?)?;
        let part = part.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(part).into_owned())
    }
}

/// The number in the note that the linker leaves (`NT_GNU_BUILD_ID`).
fn build_id(bytes: &[u8]) -> Option<String> {
    const NOTE: &[u8] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let at = memchr::memmem::find(bytes, NOTE)? + NOTE.len();
    Some(hex::encode(bytes.get(at..at + 20)?))
}

/// The oldest kernel (`NT_GNU_ABI_TAG`).
fn kernel(bytes: &[u8]) -> Option<String> {
    const NOTE: &[u8] = b"\x04\0\0\0\x10\0\0\0\x01\0\0\0GNU\0\0\0\0\0";
    let at = memchr::memmem::find(bytes, NOTE)? + NOTE.len();
    let part = bytes.get(at..at + 12)?;
    let number = |from: usize| part.get(from).copied().unwrap_or_default();
    Some(format!("{}.{}.{}", number(0), number(4), number(8)))
}

pub(super) fn found(bytes: &[u8]) -> Found {
    words(bytes).unwrap_or_else(|| Found::binary("ELF", "application/octet-stream"))
}

fn words(bytes: &[u8]) -> Option<Found> {
    let (class, order, abi) = (bytes.get(4)?, bytes.get(5)?, bytes.get(7)?);
    let elf = Elf { bytes, wide: *class == 2, big: *order == 2 };
    if !matches!((class, order), (1 | 2, 1 | 2)) {
        return None;
    }
    let (kind, machine) = (elf.number(16, 2)?, elf.number(18, 2)?);
    let segments = elf.segments();
    let segment = |wanted: u64| segments.iter().find(|(kind, ..)| *kind == wanted);
    let interpreter = segment(3).and_then(|(_, at, length)| elf.text(*at, *length));
    // The programs of the machine are pies; what lies between their headers is not written out.
    let is_pie = kind == 3 && interpreter.is_some();
    let (name, media) = match kind {
        1 => ("relocatable", "application/x-object"),
        2 => ("executable", "application/x-executable"),
        3 if is_pie => ("pie executable", "application/x-pie-executable"),
        3 => ("shared object", "application/x-sharedlib"),
        4 => ("core file", "application/x-coredump"),
        _ => ("no file type", "application/octet-stream"),
    };
    let flags = elf.address(36, 48).map(|_| elf.number(if elf.wide { 48 } else { 36 }, 4).unwrap_or(0));
    let arm = match flags.unwrap_or(0) >> 24 {
        5 => "ARM, EABI5",
        4 => "ARM, EABI4",
        _ => "ARM",
    };
    let mips = match flags.unwrap_or(0) >> 28 {
        0 => "MIPS, MIPS-I",
        1 => "MIPS, MIPS-II",
        2 => "MIPS, MIPS-III",
        5 => "MIPS, MIPS32",
        7 => "MIPS, MIPS32 rel2",
        _ => "MIPS, MIPS-I",
    };
    let machine = match machine {
        2 => "SPARC",
        3 => "Intel 80386",
        4 => "Motorola m68k, 68020",
        8 => mips,
        20 => "PowerPC or cisco 4500",
        21 => "64-bit PowerPC or cisco 7500",
        22 => "IBM S/390",
        40 => arm,
        42 => "Renesas SH",
        62 => "x86-64",
        183 => "ARM aarch64",
        243 => "UCB RISC-V",
        _ => "unknown arch",
    };
    let comma = if machine.contains("EABI") || machine.contains("MIPS-") || machine.contains("MIPS32") {
        ""
    } else {
        ","
    };
    let system = match abi {
        3 => "GNU/Linux",
        9 => "FreeBSD",
        _ => "SYSV",
    };
    let mut text = format!(
        "ELF {}-bit {} {name}, {machine}{comma} version 1 ({system})",
        if elf.wide { 64 } else { 32 },
        if elf.big { "MSB" } else { "LSB" }
    );
    let sections = elf.sections();
    if matches!(kind, 2 | 3) && sections.is_some() {
        text += if segment(2).is_some() || is_pie { ", dynamically linked" } else { ", statically linked" };
    }
    if let Some(interpreter) = interpreter {
        text += &format!(", interpreter {interpreter}");
    }
    if let Some(id) = build_id(bytes) {
        text += &format!(", BuildID[sha1]={id}");
    }
    if let Some(kernel) = kernel(bytes) {
        text += &format!(", for GNU/Linux {kernel}");
    }
    if matches!(kind, 1..=3) {
        text += sections.unwrap_or_default();
    }
    Some(Found::binary(text, media))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(mut bytes: Vec<u8>) {
            bytes.splice(0..0, *b"\x7fELF");
            let _ = found(&bytes);
            bytes.splice(4..4, [2, 1, 1, 0]);
            let _ = found(&bytes);
        }
    }
}
