//! `du` (GNU coreutils 9.1): how much directories hold.

use std::{collections::HashSet, time::SystemTime};

use super::{
    Call, Said, dates, disks,
    getopt::{self, Given},
    patterns::is_like,
    quoting::{curled, quoted},
};
use crate::machine::{Access, Attributes, FileError, files::Kind};

/// The most nodes of one call.
const MOST: usize = 200_000;
/// The deepest that directories are followed.
const DEEPEST: usize = 200;

pub(super) fn du(call: &Call<'_>) -> Said {
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

struct Walk<'a> {
    call: &'a Call<'a>,
    given: &'a Given,
    scale: disks::Scale,
    deepest: usize,
    threshold: Option<i64>,
    excluded: Vec<String>,
    seen: HashSet<u64>,
    seen_all: bool,
    done: usize,
    said: Said,
}

/// What a directory holds: bytes or nodes, and the last change.
#[derive(Clone, Copy)]
struct Sum {
    size: u64,
    last: SystemTime,
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["--megabytes"], 1)?;
    let fail = |what: &str| Err(getopt::misused(call, what, 1));
    let summary = given.has("summarize");
    let depth = match given.value("max-depth") {
        None => None,
        Some(text) => match text.parse::<usize>() {
            Ok(depth) => Some(depth),
            Err(_) => return fail(&format!("invalid maximum depth {}", curled(text))),
        },
    };
    if summary && given.has("all") {
        return fail("cannot both summarize and show all entries");
    }
    let mut said = Said::default();
    match depth {
        Some(0) if summary => {
            said.err = b"du: warning: summarizing is the same as using --max-depth=0\n".to_vec();
        }
        Some(depth) if summary => {
            return fail(&format!("warning: summarizing conflicts with --max-depth={depth}"));
        }
        _ => {}
    }
    let scale = match given.last(&["human-readable", "si", "block-size", "k", "m", "bytes"]) {
        Some("human-readable") => disks::Scale::Human(1024),
        Some("si") => disks::Scale::Human(1000),
        Some("m") => disks::Scale::Units(1 << 20, String::new()),
        Some("bytes") => disks::Scale::Units(1, String::new()),
        Some("block-size") => {
            let text = given.value("block-size").unwrap_or_default();
            match (text, disks::unit(text)) {
                ("human-readable", _) => disks::Scale::Human(1024),
                ("si", _) => disks::Scale::Human(1000),
                (_, Some((unit, suffix))) => disks::Scale::Units(unit, suffix),
                (_, None) => return Err(Said::err(format!("du: invalid -B argument {}\n", curled(text)), 1)),
            }
        }
        _ => disks::Scale::Units(1024, String::new()),
    };
    let threshold = match given.value("threshold") {
        None => None,
        Some(text) => {
            let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
            match disks::unit(digits).and_then(|(size, _)| i64::try_from(size).ok()) {
                Some(size) => Some(size * sign),
                None => {
                    return Err(Said::err(format!("du: invalid --threshold argument {}\n", curled(text)), 1));
                }
            }
        }
    };
    let operands = if given.operands.is_empty() { vec![".".to_owned()] } else { given.operands.clone() };
    let mut walk = Walk {
        call,
        given: &given,
        scale,
        deepest: if summary { 0 } else { depth.unwrap_or(usize::MAX) },
        threshold,
        excluded: given
            .options
            .iter()
            .filter(|(option, _)| option == "exclude")
            .filter_map(|(_, value)| value.clone())
            .collect(),
        seen: HashSet::new(),
        seen_all: operands.len() > 1,
        done: 0,
        said,
    };
    let mut total = 0_u64;
    for operand in &operands {
        let path = call.path(operand);
        let follows = ["dereference", "dereference-args", "H"].iter().any(|option| given.has(option))
            || operand.ends_with('/');
        let node = if follows { call.files().stat(&path) } else { call.files().lstat(&path) };
        match node {
            Ok(node) => {
                let path = if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path };
                if let Some(sum) = walk.node(&path, operand, &node, 0) {
                    total = total.saturating_add(sum.size);
                }
            }
            Err(error) => walk.fail("access", operand, error),
        }
    }
    if given.has("total") {
        let text = walk.amount(total);
        walk.said.out.extend(format!("{text}\ttotal{}", walk.end()).bytes());
    }
    Ok(walk.said)
}

impl Walk<'_> {
    fn fail(&mut self, verb: &str, shown: &str, error: FileError) {
        let what = if verb == "access" { "access" } else { "read directory" };
        self.said
            .err
            .extend(format!("du: cannot {what} {}: {}\n", quoted(shown), error.errno_text()).bytes());
        self.said.status = 1;
    }

    fn end(&self) -> char {
        if self.given.has("null") { '\0' } else { '\n' }
    }

    fn amount(&self, size: u64) -> String {
        if self.given.has("inodes") { size.to_string() } else { self.scale.show_bytes(size) }
    }

    /// What one node takes alone.
    fn own(&self, node: &Attributes) -> u64 {
        if self.given.has("inodes") {
            1
        } else if self.given.has("apparent-size") || self.given.has("bytes") {
            if matches!(node.kind, Kind::File | Kind::Symlink | Kind::Dir) { node.size } else { 0 }
        } else if matches!(node.kind, Kind::File | Kind::Dir) {
            node.size.div_ceil(4096) * 4096
        } else {
            0
        }
    }

    fn is_excluded(&self, shown: &str) -> bool {
        let tails = || {
            std::iter::once(shown).chain(shown.match_indices('/').filter_map(|(at, _)| shown.get(at + 1..)))
        };
        self.excluded.iter().any(|pattern| tails().any(|tail| is_like(tail, pattern)))
    }

    /// Goes through a node from the bottom up; nothing when it is not counted.
    fn node(&mut self, path: &str, shown: &str, node: &Attributes, depth: usize) -> Option<Sum> {
        self.done += 1;
        if self.done > MOST || depth > DEEPEST || self.is_excluded(shown) {
            return None;
        }
        let counts_once =
            (self.seen_all || node.nlink > 1 && !node.is_dir()) && !self.given.has("count-links");
        if counts_once && !self.seen.insert(node.inode) {
            return None;
        }
        let mut sum = Sum { size: self.own(node), last: node.mtime };
        if node.is_dir() {
            // What the kernel makes up takes no room.
            if matches!(path, "/proc" | "/sys") && !self.given.has("inodes") {
                sum.size = 0;
            } else {
                let below = self.directory(path, shown, depth);
                let own = sum.size;
                sum.size = sum.size.saturating_add(below.size);
                sum.last = sum.last.max(below.last);
                if self.given.has("separate-dirs") {
                    self.show(shown, &Sum { size: own + self.files_of(path), ..sum }, node, depth);
                    return Some(sum);
                }
            }
        }
        self.show(shown, &sum, node, depth);
        Some(sum)
    }

    /// What the files of a directory take, without its directories.
    fn files_of(&self, path: &str) -> u64 {
        let entries = self.call.files().list(path).unwrap_or_default();
        entries
            .iter()
            .filter(|entry| !entry.attributes.is_dir())
            .map(|entry| self.own(&entry.attributes))
            .sum()
    }

    fn directory(&mut self, path: &str, shown: &str, depth: usize) -> Sum {
        let mut sum = Sum { size: 0, last: SystemTime::UNIX_EPOCH };
        let who = self.call.session.who();
        let listed = self
            .call
            .files()
            .may(who.uid, who.gid, path, Access::Read)
            .and_then(|()| self.call.files().list(path));
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) => {
                self.fail("read", shown, error);
                return sum;
            }
        };
        for entry in entries {
            let join = |base: &str| format!("{}/{}", base.trim_end_matches('/'), entry.name);
            let full = join(path);
            let node = if self.given.has("dereference") {
                self.call.files().stat(&full).unwrap_or(entry.attributes)
            } else {
                entry.attributes
            };
            if self.given.has("one-file-system") && disks::mounted_on(self.call, &full) == full {
                continue;
            }
            if let Some(below) = self.node(&full, &join(shown), &node, depth + 1) {
                sum.size = sum.size.saturating_add(below.size);
                sum.last = sum.last.max(below.last);
            }
        }
        sum
    }

    fn show(&mut self, shown: &str, sum: &Sum, node: &Attributes, depth: usize) {
        let is_wanted = depth == 0 || depth <= self.deepest && (node.is_dir() || self.given.has("all"));
        let fits = match self.threshold {
            Some(least) if least >= 0 => sum.size >= least.unsigned_abs(),
            Some(most) => sum.size <= most.unsigned_abs(),
            None => true,
        };
        if !is_wanted || !fits {
            return;
        }
        let time = if self.given.has("time") {
            format!("\t{}", dates::written("%Y-%m-%d %H:%M", sum.last.into()))
        } else {
            String::new()
        };
        let text = format!("{}{time}\t{shown}{}", self.amount(sum.size), self.end());
        self.said.out.extend(text.bytes());
    }
}
