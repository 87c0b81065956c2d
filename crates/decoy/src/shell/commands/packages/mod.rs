//! Packages: what is installed, and how more of them seem to come from Debian's archive.

mod apt;
mod archives;
mod asked;
mod catalogue;
mod database;
mod dpkg;
mod versions;

pub(super) use apt::{apt, apt_cache};
pub(super) use dpkg::dpkg;

use super::Call;

/// Files and directories that all packages have, as dpkg counts them.
fn count_of_files(call: &Call<'_>) -> usize {
    // By the size of the lists: a line has some fifty characters.
    let names = call.files().list("/var/lib/dpkg/info").unwrap_or_default();
    let lists = names.iter().filter(|entry| entry.name.ends_with(".list"));
    let bytes: u64 = lists.map(|entry| entry.attributes.size).sum();
    usize::try_from(bytes / 52).unwrap_or_default()
}
