//! Disks, what is on them and where it is mounted, as util-linux 2.38 and parted 3.5 tell of them.

mod blkid;
mod findmnt;
mod lsblk;
mod swap;
mod tables;

pub(super) use blkid::blkid;
pub(super) use findmnt::findmnt;
pub(super) use lsblk::lsblk;
pub(super) use swap::swapon;
pub(super) use tables::{fdisk, parted, sfdisk};

use super::{Call, disks, smartcols, usage};
use crate::machine::disks::{Disk, Part, Use, disk};

/// What blkid(8) finds on a part.
struct Content {
    kind: &'static str,
    version: &'static str,
    uuid: String,
}

fn content(call: &Call<'_>, part: &Part) -> Option<Content> {
    let identity = call.identity();
    match part.what {
        Use::Root => Some(Content { kind: "ext4", version: "1.0", uuid: identity.disk_uuid.clone() }),
        Use::Swap => Some(Content { kind: "swap", version: "1", uuid: identity.swap_uuid.clone() }),
        Use::Extended => None,
    }
}

fn part_uuid(disk: &Disk, part: &Part) -> String {
    format!("{}-{:02x}", disk.id, part.number)
}

/// A column of a list `-o`, or the complaint about it.
fn columns<'a, T>(
    call: &Call<'_>,
    list: &str,
    known: &'a [T],
    name: impl Fn(&T) -> &'static str,
) -> Result<Vec<&'a T>, super::Said> {
    list.trim_start_matches('+')
        .split(',')
        .map(|word| {
            let found = known.iter().find(|one| name(one).eq_ignore_ascii_case(word));
            found.ok_or_else(|| super::Said::err(format!("{}: unknown column: {word}\n", call.name), 1))
        })
        .collect()
}
