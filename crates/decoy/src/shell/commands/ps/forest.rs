//! Processes as a tree: `ps f`, `ps --forest`, `ps -H` (`show_forest` of procps 4.0.2), and `pstree`'s.

use std::collections::{HashMap, HashSet};

use crate::machine::processes::Process;

/// The deepest branch that is drawn.
const DEEPEST: usize = 100;

/// Processes in the order of a tree, each with what is drawn before its command.
pub(super) fn grown(list: Vec<Process>, indents: bool) -> Vec<(String, Process)> {
    let numbers: HashSet<u32> = list.iter().map(|process| process.pid).collect();
    let mut children: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (at, process) in list.iter().enumerate() {
        if numbers.contains(&process.parent) && process.parent != process.pid {
            children.entry(process.parent).or_default().push(at);
        } else {
            roots.push(at);
        }
    }
    let mut grown = Vec::new();
    // The array is looked through from its end.
    for root in roots.into_iter().rev() {
        grow(&list, &children, root, "", Place { level: 0, indents, more: false }, &mut grown);
    }
    let mut places: Vec<Option<Process>> = list.into_iter().map(Some).collect();
    grown.into_iter().filter_map(|(before, at)| Some((before, places.get_mut(at)?.take()?))).collect()
}

#[derive(Clone, Copy)]
struct Place {
    level: usize,
    indents: bool,
    /// Others of the same parent follow.
    more: bool,
}

fn grow(
    list: &[Process],
    children: &HashMap<u32, Vec<usize>>,
    at: usize,
    trunk: &str,
    place: Place,
    grown: &mut Vec<(String, usize)>,
) {
    let Place { level, indents, more } = place;
    let before = match (level, indents) {
        (0, _) => String::new(),
        (level, true) => "  ".repeat(level),
        (_, false) => format!("{trunk} \\_ "),
    };
    grown.push((before, at));
    let Some(process) = list.get(at) else { return };
    let own = children.get(&process.pid).map(Vec::as_slice).unwrap_or_default();
    let trunk = match (level, more) {
        (0, _) => String::new(),
        (_, true) => format!("{trunk} |  "),
        (_, false) => format!("{trunk}    "),
    };
    // What init has taken in stands beside it.
    let level = if process.pid == 1 && !indents { 0 } else { level + 1 };
    for (number, child) in own.iter().enumerate() {
        if level < DEEPEST {
            let place = Place { level, indents, more: number + 1 < own.len() };
            grow(list, children, *child, &trunk, place, grown);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::machine::{Identity, processes};

    #[test]
    fn children_stand_under_their_parents_and_those_of_init_beside_it() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let identity = Identity::draw(b"forest", now, None, None);
        let list = processes::list(&identity);
        let tree = grown(list.clone(), false);
        assert_eq!(tree.len(), list.len());
        let before =
            |head: &str| tree.iter().find(|(_, one)| one.command.starts_with(head)).unwrap().0.clone();
        assert_eq!(tree[0].1.pid, 2);
        assert_eq!((before("[rcu_gp]").as_str(), before("/usr/sbin/cron").as_str()), (" \\_ ", ""));
        assert_eq!(before("nginx: worker"), " \\_ ");
        let indented = grown(list, true);
        let cron = indented.iter().find(|(_, one)| one.command.starts_with("/usr/sbin/cron")).unwrap();
        assert_eq!(cron.0, "  ");
    }
}
