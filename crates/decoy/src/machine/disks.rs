//! The disk and its parts, as the kernel, `lsblk`, `fdisk` and their likes tell of them.

use super::Identity;

/// Bytes of a sector.
pub(crate) const SECTOR: u64 = 512;
/// Parts begin at whole mebibytes: sectors of one.
const MEBI: u64 = 2048;
const GIB: u64 = 1 << 30;
/// The kernel gives a drive without a disc this many sectors.
pub(crate) const DISC_SECTORS: u64 = 2_097_151;

/// What a part of the disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Root,
    Extended,
    Swap,
}

/// One part of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// `vda1`.
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) start: u64,
    pub(crate) sectors: u64,
    pub(crate) what: Use,
}

/// The disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// `vda` or `sda`.
    pub(crate) name: &'static str,
    pub(crate) major: u32,
    pub(crate) sectors: u64,
    /// What a partition table of MS-DOS is told by: eight hex digits.
    pub(crate) id: String,
    pub(crate) parts: Vec<Part>,
}

impl Disk {
    /// Whether it is one of virtio's, which have no maker.
    pub(crate) fn is_virtio(&self) -> bool {
        self.name.starts_with("vd")
    }
}

/// Laid out as Debian's installer does: the root, and behind it swap within an extended part.
pub(crate) fn disk(identity: &Identity) -> Disk {
    let name = identity.disk.trim_end_matches(char::is_numeric);
    let swap = if identity.swap_bytes > 0 { (identity.swap_bytes + 4096) / SECTOR } else { 0 };
    // The file system is what ext4 leaves of its part.
    let whole = identity.disk_bytes * 1000 / 977 + swap * SECTOR;
    let sectors = (whole + GIB / 2) / GIB * (GIB / SECTOR);
    let end = sectors - MEBI;
    let part = |number: u32, start: u64, sectors: u64, what| Part {
        name: format!("{name}{number}"),
        number,
        start,
        sectors,
        what,
    };
    let mut parts = Vec::new();
    if swap == 0 {
        parts.push(part(1, MEBI, end - MEBI, Use::Root));
    } else {
        let start = end - swap;
        parts.push(part(1, MEBI, start - 2 * MEBI, Use::Root));
        parts.push(part(2, start - 2, swap + 2, Use::Extended));
        parts.push(part(5, start, swap, Use::Swap));
    }
    Disk {
        name,
        major: if name.starts_with("vd") { 254 } else { 8 },
        sectors,
        // As random as its UUID, and another.
        id: format!("{:08x}", identity.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32),
        parts,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn parts_lie_one_behind_the_other_on_a_disk_of_whole_gigabytes() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut swaps = 0;
        for number in 0..40_u32 {
            let identity = Identity::draw(&number.to_be_bytes(), now, None, None);
            let disk = disk(&identity);
            assert_eq!(disk.sectors % (GIB / SECTOR), 0);
            let gib = disk.sectors / (GIB / SECTOR);
            assert!([20, 25, 40, 50, 80, 160].contains(&gib), "{gib}");
            let ends: Vec<u64> = disk.parts.iter().map(|part| part.start + part.sectors).collect();
            assert!(ends.iter().all(|end| *end < disk.sectors), "{disk:?}");
            assert!(disk.parts[0].sectors * SECTOR > identity.disk_bytes, "{disk:?}");
            swaps += usize::from(disk.parts.len() == 3);
            assert_eq!(disk.parts.len() == 3, identity.swap_bytes > 0);
        }
        assert!(swaps > 10);
    }
}
