//! Files of `/proc` whose text is the same on every server of this kind: settings of the kernel (`settings.txt`), what it
//! tells of itself (`kernel.txt`) and of the network (`network.txt`).

use std::time::SystemTime;

use bytes::Bytes;

use super::{
    kernel::put,
    tree::{Content, Tree},
};
use crate::machine::Identity;

/// One a line: path below `/proc/sys`, mode, value with `\n` for the end of a line.
const SETTINGS: &str = include_str!("settings.txt");
/// After a byte 1E: path below `/proc`, mode; the text from the next line on.
const KERNEL: &str = include_str!("kernel.txt");
/// The same below `/proc/net`.
const NETWORK: &str = include_str!("network.txt");

/// Files and their modes.
fn sections(text: &'static str) -> impl Iterator<Item = (&'static str, u32, &'static str)> {
    text.split('\u{1e}').filter_map(|section| {
        let (head, text) = section.split_once('\n')?;
        let (name, mode) = head.split_once(' ')?;
        Some((name, u32::from_str_radix(mode, 8).ok()?, text))
    })
}

/// What the kernel tells of itself.
pub(super) fn add(tree: &mut Tree, now: SystemTime) {
    for (name, mode, text) in sections(KERNEL) {
        put(tree, &format!("/proc/{name}"), Content::Text(Bytes::from_static(text.as_bytes())), mode, now);
    }
}

/// What it tells of the network, below the folder of a process.
pub(super) fn add_network(tree: &mut Tree, folder: &str, now: SystemTime) {
    for (name, mode, text) in sections(NETWORK) {
        put(tree, &format!("{folder}/{name}"), Content::Text(Bytes::from_static(text.as_bytes())), mode, now);
    }
}

/// Settings; those that follow from the machine are put over them afterwards.
pub(super) fn add_settings(tree: &mut Tree, identity: &Identity, now: SystemTime) {
    for line in SETTINGS.lines() {
        let mut fields = line.splitn(3, ' ');
        let (Some(name), Some(mode), Some(value)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let mode = u32::from_str_radix(mode, 8).unwrap_or(0o644);
        let name = name.replace("INTERFACE", identity.interface);
        // A setting that has no value has no line either.
        let text = if value.is_empty() && mode & 0o444 == 0 {
            String::new()
        } else {
            value.replace("\\n", "\n") + "\n"
        };
        put(tree, &format!("/proc/sys/{name}"), Content::Text(text.into()), mode, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_read() {
        assert!(sections(KERNEL).count() > 15 && sections(NETWORK).count() > 25);
        assert!(SETTINGS.lines().all(|line| line.splitn(3, ' ').count() == 3));
    }
}
