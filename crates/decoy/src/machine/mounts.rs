//! What is mounted where: Debian's own, and what a visitor has mounted, changed and unmounted since the machine was booted.

use super::{Identity, Visitor, files::mount_table};

/// The family of lines among a visitor's doings: `on SOURCE TARGET KIND OPTIONS`, `off TARGET`, the latest last.
const FAMILY: &str = "mounts";
/// The most changes that are kept.
const MOST: usize = 24;

/// One mounted file system, as a row of `/proc/mounts` tells it (proc(5)): blanks are written `\040`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) kind: String,
    pub(crate) options: String,
}

/// What a visitor has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Mounted; in place of what was there with the same options, where it is mounted anew (`-o remount`).
    On(Mount),
    /// The latest mount there is gone.
    Off(String),
}

impl Change {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        match (words.next()?.as_str(), words.next()?, words.next(), words.next(), words.next()) {
            ("on", source, Some(target), Some(kind), Some(options)) => {
                Some(Self::On(Mount { source, target, kind, options }))
            }
            ("off", target, None, ..) => Some(Self::Off(target)),
            _ => None,
        }
    }

    fn line(&self) -> String {
        match self {
            Self::On(Mount { source, target, kind, options }) => {
                format!("on {source} {target} {kind} {options}")
            }
            Self::Off(target) => format!("off {target}"),
        }
    }
}

/// A name as rows have it.
pub(crate) fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            ' ' => text.push_str("\\040"),
            '\t' => text.push_str("\\011"),
            '\n' => text.push_str("\\012"),
            '\\' => text.push_str("\\134"),
            c => text.push(c),
        }
    }
    text
}

/// All that is mounted, in the order in which it was.
pub(crate) fn table(identity: &Identity, changes: &[Change]) -> Vec<Mount> {
    let mut list: Vec<Mount> = mount_table(identity)
        .into_iter()
        .map(|(source, target, kind, options)| Mount {
            source,
            target: target.to_owned(),
            kind: kind.to_owned(),
            options,
        })
        .collect();
    for change in changes {
        match change {
            Change::On(mount) => list.push(mount.clone()),
            Change::Off(target) => {
                if let Some(at) = list.iter().rposition(|mount| mount.target == *target) {
                    list.remove(at);
                }
            }
        }
    }
    list
}

impl Visitor {
    /// What the visitor has changed.
    fn mount_changes(&self) -> Vec<Change> {
        self.doings().of(FAMILY).iter().filter_map(|line| Change::read(line)).collect()
    }

    /// What is mounted on the machine as the visitor has left it.
    pub(crate) fn mounts(&self) -> Vec<Mount> {
        table(self.identity(), &self.mount_changes())
    }

    /// Remembers a change; what was mounted and unmounted again leaves nothing behind.
    pub(crate) fn change_mounts(&self, change: Change) {
        let mut changes = self.mount_changes();
        match &change {
            Change::Off(target) => {
                let own = changes
                    .iter()
                    .rposition(|old| matches!(old, Change::On(mount) if mount.target == *target));
                match own {
                    Some(at) => drop(changes.remove(at)),
                    None => changes.push(change),
                }
            }
            Change::On(_) => changes.push(change),
        }
        while changes.len() > MOST {
            changes.remove(0);
        }
        self.doings().replace(FAMILY, &changes.iter().map(Change::line).collect::<Vec<_>>());
        self.tell_mounts();
    }

    /// The machine was booted: everything is mounted as `/etc/fstab` says.
    pub(super) fn forget_mounts(&self) {
        self.doings().replace(FAMILY, &[]);
        self.tell_mounts();
    }

    /// Lets the machine's files know.
    pub(crate) fn tell_mounts(&self) {
        self.files().show_mounts(self.mount_changes());
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn changes_are_kept_as_lines() {
        let mount = Mount {
            source: "none".to_owned(),
            target: escaped("/mnt/a b"),
            kind: "tmpfs".to_owned(),
            options: "rw,relatime".to_owned(),
        };
        for change in [Change::On(mount.clone()), Change::Off("/run".to_owned())] {
            assert_eq!(Change::read(&change.line()), Some(change));
        }
        assert_eq!(Change::read("on a b"), None);
        let identity = Identity::draw(b"mounts", SystemTime::UNIX_EPOCH, None, None);
        let before = table(&identity, &[]).len();
        let changes = [Change::On(mount.clone()), Change::Off("/run".to_owned())];
        let list = table(&identity, &changes);
        assert_eq!((list.len(), list.last()), (before, Some(&mount)));
    }
}
