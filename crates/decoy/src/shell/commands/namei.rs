//! `namei` of util-linux 2.38.1: what lies on the way that a path goes.

use super::{Call, Said, usage};
use crate::machine::Kind;

/// util-linux 2.38.1.
pub(super) fn namei(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("namei", call.args) {
        return said;
    }
    let options = call.options("");
    let has = |letter, long| options.has(letter) || options.has_long(long);
    let long = has('l', "long");
    let (modes, owners) = (long || has('m', "modes"), long || has('o', "owners"));
    if options.operands.is_empty() {
        return Said::err(
            "namei: pathname argument is missing\nTry 'namei --help' for more information.\n",
            1,
        );
    }
    let mut said = Said::default();
    for operand in &options.operands {
        let mut text = format!("f: {operand}\n");
        let vertical = long || has('v', "vertical");
        let mut walk = Walk { call, nosymlinks: has('n', "nosymlinks"), names: Vec::new(), failed: false };
        let start = if operand.starts_with('/') { "/".to_owned() } else { call.cwd.to_owned() };
        if operand.starts_with('/') {
            walk.node("/", "/", 0);
        }
        walk.along(&start, operand, 0);
        let width = |part: usize| {
            walk.names.iter().filter_map(|(cells, ..)| cells.get(part)).map(String::len).max().unwrap_or(0)
        };
        let (users, groups) = (width(1), width(2));
        for (cells, depth, name) in &walk.names {
            let [mode, user, group] = cells;
            let mode = match mode.chars().next() {
                Some(kind) if !modes => kind.to_string(),
                Some(_) => mode.clone(),
                None => " ".repeat(if modes { 10 } else { 1 }),
            };
            let owner = if owners { format!(" {user:<users$} {group:<groups$}") } else { String::new() };
            let indent = "  ".repeat(*depth);
            text += &if vertical {
                format!("{mode}{owner} {indent}{name}\n")
            } else {
                format!(" {indent}{mode}{owner} {name}\n")
            };
        }
        said.status = i32::from(walk.failed || said.status != 0);
        said.out.extend(text.bytes());
    }
    said
}

struct Walk<'a, 'b> {
    call: &'a Call<'b>,
    nosymlinks: bool,
    /// Mode, user and group of each name, how deep it lies behind links, and what is shown of it.
    names: Vec<([String; 3], usize, String)>,
    failed: bool,
}

impl Walk<'_, '_> {
    fn node(&mut self, path: &str, name: &str, depth: usize) -> bool {
        let Ok(node) = self.call.files().lstat(path) else {
            self.failed = true;
            self.names.push((Default::default(), depth, format!("{name} - No such file or directory")));
            return false;
        };
        let kind = match node.kind {
            Kind::Dir => 'd',
            Kind::Symlink => 'l',
            Kind::File => '-',
            _ => 'c',
        };
        let letters: String = (0..9)
            .map(|bit| {
                let letter = ['r', 'w', 'x'].get(bit % 3).copied().unwrap_or('-');
                if node.mode & (0o400 >> bit) != 0 { letter } else { '-' }
            })
            .collect();
        let mut mode: Vec<char> = std::iter::once(kind).chain(letters.chars()).collect();
        for (at, bit, low, high) in [(3, 0o4000, 'S', 's'), (6, 0o2000, 'S', 's'), (9, 0o1000, 'T', 't')] {
            if node.mode & bit != 0
                && let Some(place) = mode.get_mut(at)
            {
                *place = if *place == 'x' { high } else { low };
            }
        }
        let user = self.call.session.name_of(node.uid).unwrap_or_else(|| node.uid.to_string());
        let groups = self.call.identity().groups();
        let group = groups
            .into_iter()
            .find(|group| group.1 == node.gid)
            .map_or_else(|| node.gid.to_string(), |group| group.0);
        let mut shown = name.to_owned();
        if node.kind == Kind::Symlink
            && let Ok(target) = self.call.files().read_link(path)
        {
            shown += &format!(" -> {target}");
        }
        self.names.push(([mode.into_iter().collect(), user, group], depth, shown));
        true
    }

    fn along(&mut self, from: &str, path: &str, depth: usize) {
        let mut at = from.to_owned();
        for part in path.split('/').filter(|part| !part.is_empty()).take(256) {
            let next = if at == "/" { format!("/{part}") } else { format!("{at}/{part}") };
            if !self.node(&next, part, depth) {
                return;
            }
            let link = self.call.files().read_link(&next).ok().filter(|_| !self.nosymlinks && depth < 8);
            if let Some(target) = link {
                let folder = if target.starts_with('/') { "/".to_owned() } else { at.clone() };
                if target.starts_with('/') {
                    self.node("/", "/", depth + 1);
                }
                self.along(&folder, &target, depth + 1);
            }
            at = self.call.files().real_path(&next).unwrap_or(next);
        }
    }
}
