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
use crate::shell::session::Session;

/// The name of a program that a package from the archive brought, and that has not been put there otherwise.
pub(in crate::shell) fn program_of_package(session: &Session, path: &str) -> Option<String> {
    let name = path.strip_prefix("/usr/bin/").or_else(|| path.strip_prefix("/usr/sbin/"))?;
    let brought = |package: &str| {
        catalogue::programs(package).contains(&name)
            && session.files().exists(&format!("/var/lib/dpkg/info/{package}.list"))
    };
    catalogue::all().any(|offer| brought(offer.name)).then(|| name.to_owned())
}

/// The version that a program of the archive tells: its package's, without what is Debian's own in it.
pub(super) fn version_of_program(name: &str) -> Option<String> {
    let offer = catalogue::all().find(|offer| catalogue::programs(offer.name).contains(&name))?;
    let version = offer.version.split_once(':').map_or(offer.version, |(_, version)| version);
    let upstream = version.rsplit_once('-').map_or(version, |(upstream, _)| upstream);
    Some(upstream.split(['+', '~']).next().unwrap_or(upstream).to_owned())
}

/// The version of an installed package, as dpkg keeps it.
pub(super) fn version_of_package(call: &Call<'_>, package: &str) -> Option<String> {
    database::installed(call, package).map(|found| found.version)
}

/// Files and directories that all packages have, as dpkg counts them.
fn count_of_files(call: &Call<'_>) -> usize {
    // By the size of the lists: a line has some fifty characters.
    let names = call.files().list("/var/lib/dpkg/info").unwrap_or_default();
    let lists = names.iter().filter(|entry| entry.name.ends_with(".list"));
    let bytes: u64 = lists.map(|entry| entry.attributes.size).sum();
    usize::try_from(bytes / 52).unwrap_or_default()
}
