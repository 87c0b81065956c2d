//! For which unknown names the library would suggest another one.

use std::{collections::HashMap, sync::LazyLock};

/// Names that get advice of their own.
const ADVISED: &[&str] = &[
    "apk",
    "apt",
    "apt-get",
    "brew",
    "bun",
    "cargo",
    "clang",
    "cmake",
    "dnf",
    "doas",
    "docker",
    "emacs",
    "g++",
    "gcc",
    "go",
    "info",
    "javac",
    "kubectl",
    "nano",
    "node",
    "npm",
    "pacman",
    "pip",
    "pip2",
    "pip3",
    "pnpm",
    "podman",
    "rsync",
    "rustc",
    "scp",
    "service",
    "sftp",
    "ssh",
    "su",
    "systemctl",
    "vi",
    "vim",
    "yarn",
    "yum",
];

/// Every name that the library knows, by length.
static KNOWN: LazyLock<HashMap<usize, Vec<String>>> = LazyLock::new(|| {
    let mut known: HashMap<usize, Vec<String>> = HashMap::new();
    for name in super::REGISTRY
        .names()
        .into_iter()
        .chain(crate::shell::engine::KEPT.iter().map(|name| (*name).to_owned()))
    {
        known.entry(name.chars().count()).or_default().push(name);
    }
    known
});

/// Whether the library would say more than "command not found": the name is like one it knows, or one it explains.
pub(super) fn has_advice(name: &str) -> bool {
    if ADVISED.binary_search(&name).is_ok() {
        return true;
    }
    let length = name.chars().count();
    let most = if name.len() <= 3 { 1 } else { 2 };
    (length.saturating_sub(most)..=length + most)
        .filter_map(|length| KNOWN.get(&length))
        .flatten()
        .any(|known| distance(name, known) <= most)
}

/// How many letters have to change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let above = *slot;
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            (diagonal, *slot) = (above, left);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(ADVISED.is_sorted());
    }

    #[test]
    fn near_names_are_told() {
        for (a, b, most) in [("kitten", "sitting", 3), ("", "ab", 2), ("ls", "ls", 0), ("sl", "ls", 2)] {
            assert_eq!(distance(a, b), most);
        }
        assert!(has_advice("gerp") && has_advice("docker") && has_advice("unam"));
        assert!(!has_advice("completely-unknown"));
    }
}
