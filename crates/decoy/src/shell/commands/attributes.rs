//! `chattr` and `lsattr` (e2fsprogs 1.47) on an ext4: what is immutable stays, what is append-only grows.

use super::{Call, Said};
use crate::machine::{Attributes, FileError, Kind, files::Flag};

const VERSION: &str = "1.47.0 (5-Feb-2023)";
const USAGE: &str = "Usage: chattr [-RVf] [-+=aAcCdDeijPsStTuFx] [-p project] [-v version] files...\n";
/// Letters that chattr takes.
const LETTERS: &str = "aAcCdDeijmPsStTuFx";
/// The most files of one call.
const MOST: usize = 5000;

/// The kernel's word for a file that is on no ext4; `None` where there are flags.
fn refused(path: &str, node: &Attributes) -> Option<&'static str> {
    let on = |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !matches!(node.kind, Kind::File | Kind::Dir) {
        return Some("Operation not supported");
    }
    (on("/proc") || on("/sys") || on("/dev") || on("/run")).then_some("Inappropriate ioctl for device")
}

/// The flags as one word of 22 letters, in the order of e2fsprogs; every file of ext4 has extents.
fn shown(flags: &[Flag]) -> String {
    let has = |flag: Flag, letter: char| if flags.contains(&flag) { letter } else { '-' };
    format!(
        "{}{}--{}{}--------e-------",
        has(Flag::Shredded, 's'),
        has(Flag::Kept, 'u'),
        has(Flag::Immutable, 'i'),
        has(Flag::Append, 'a')
    )
}

fn named(flags: &[Flag]) -> String {
    let names = [
        (Flag::Shredded, "Secure_Deletion"),
        (Flag::Kept, "Undelete"),
        (Flag::Immutable, "Immutable"),
        (Flag::Append, "Append_Only"),
    ];
    let names = names.into_iter().filter(|(flag, _)| flags.contains(flag)).map(|(_, name)| name);
    names.chain(["Extents"]).collect::<Vec<_>>().join(", ")
}

fn flag_of(letter: char) -> Option<Flag> {
    Some(match letter {
        'i' => Flag::Immutable,
        'a' => Flag::Append,
        's' => Flag::Shredded,
        'u' => Flag::Kept,
        _ => return None,
    })
}

/// What is to be changed.
#[derive(Default)]
struct Order {
    add: String,
    take: String,
    set: Option<String>,
    recursive: bool,
    silent: bool,
    verbose: bool,
    other: bool,
}

impl Order {
    /// What the arguments say, and how many of them are no files.
    fn of(args: &[String]) -> Result<(Self, usize), Said> {
        let misused = |what: String| Err(Said::err(what + USAGE, 1));
        let mut order = Self::default();
        let mut at = 0;
        while let Some(arg) = args.get(at) {
            let Some(sign) = arg.chars().next().filter(|sign| "+-=".contains(*sign)) else { break };
            at += 1;
            let letters = arg.get(1..).unwrap_or_default();
            if sign != '-' {
                if letters.chars().any(|letter| !LETTERS.contains(letter)) {
                    return misused(String::new());
                }
                if sign == '+' {
                    order.add.push_str(letters);
                } else {
                    order.set.get_or_insert_default().push_str(letters);
                }
                continue;
            }
            if letters == "-" {
                break;
            }
            for letter in letters.chars() {
                match letter {
                    'R' => order.recursive = true,
                    'V' => order.verbose = true,
                    'f' => order.silent = true,
                    'p' | 'v' => {
                        let Some(value) = args.get(at) else { return misused(String::new()) };
                        at += 1;
                        order.other = true;
                        if value.parse::<u32>().is_err() {
                            let what = if letter == 'p' { "project" } else { "version" };
                            return misused(format!("chattr: bad {what} - {value}\n\n"));
                        }
                    }
                    letter if LETTERS.contains(letter) => order.take.push(letter),
                    _ => return misused(String::new()),
                }
            }
        }
        if at >= args.len() {
            return misused(String::new());
        }
        if order.set.is_some() && !(order.add.is_empty() && order.take.is_empty()) {
            return Err(Said::err("= is incompatible with - and +\n", 1));
        }
        if order.add.chars().any(|letter| order.take.contains(letter)) {
            return Err(Said::err("Can't both set and unset same flag.\n", 1));
        }
        if order.set.is_none() && order.add.is_empty() && order.take.is_empty() && !order.other {
            return Err(Said::err("Must use '-v', =, - or +\n", 1));
        }
        Ok((order, at))
    }
}

pub(super) fn chattr(call: &Call<'_>) -> Said {
    let (order, at) = match Order::of(call.args) {
        Ok(order) => order,
        Err(said) => return said,
    };
    let mut said = Said::default();
    if order.verbose {
        said.err.extend(format!("chattr {VERSION}\n").bytes());
    }
    let mut left = MOST;
    for operand in call.args.get(at..).unwrap_or_default() {
        change(call, &order, operand, &mut said, &mut left);
    }
    said
}

fn change(call: &Call<'_>, order: &Order, shown_as: &str, said: &mut Said, left: &mut usize) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    let path = call.path(shown_as);
    let mut fail = |text: String| {
        if !order.silent {
            said.err.extend(format!("chattr: {text} {shown_as}\n").bytes());
        }
        said.status = 1;
    };
    let node = match call.files().lstat(&path) {
        Ok(node) => node,
        Err(error) => return fail(format!("{} while trying to stat", error.errno_text())),
    };
    if node.kind == Kind::Symlink {
        return fail("Operation not supported while reading flags on".to_owned());
    }
    if let Some(why) = refused(&path, &node) {
        return fail(format!("{why} while reading flags on"));
    }
    let mut flags = call.files().flags(&path).unwrap_or_default();
    if let Some(set) = &order.set {
        flags = set.chars().filter_map(flag_of).collect();
    }
    flags.retain(|flag| !order.take.chars().any(|letter| flag_of(letter) == Some(*flag)));
    flags.extend(order.add.chars().filter_map(flag_of));
    let changed = if call.is_root() || node.uid == call.session.who().uid && !touches_root_only(order) {
        call.files().set_flags(&path, &flags)
    } else {
        Err(FileError::NotPermitted)
    };
    match changed {
        Ok(()) if order.verbose => {
            said.out.extend(format!("Flags of {shown_as} set as {}\n", shown(&flags)).bytes());
        }
        Ok(()) => {}
        Err(error) => fail(format!("{} while setting flags on", error.errno_text())),
    }
    if order.recursive && node.is_dir() {
        for entry in call.files().list(&path).unwrap_or_default() {
            if entry.attributes.kind != Kind::Symlink {
                change(
                    call,
                    order,
                    &format!("{}/{}", shown_as.trim_end_matches('/'), entry.name),
                    said,
                    left,
                );
            }
        }
    }
}

/// Only root makes files immutable or append-only (CAP_LINUX_IMMUTABLE).
fn touches_root_only(order: &Order) -> bool {
    [order.add.as_str(), &order.take, order.set.as_deref().unwrap_or("ia")]
        .iter()
        .any(|text| text.contains(['i', 'a']))
}

/// How `lsattr` is called.
#[derive(Default)]
struct Listing {
    recursive: bool,
    all: bool,
    itself: bool,
    long: bool,
    project: bool,
    generation: bool,
    left: usize,
    said: Said,
}

pub(super) fn lsattr(call: &Call<'_>) -> Said {
    let mut listing = Listing { left: MOST, ..Listing::default() };
    let mut operands: Vec<&str> = Vec::new();
    for arg in call.args {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            operands.push(arg);
            continue;
        };
        for letter in letters.chars() {
            match letter {
                'R' => listing.recursive = true,
                'V' => listing.said.err.extend(format!("lsattr {VERSION}\n").bytes()),
                'a' => listing.all = true,
                'd' => listing.itself = true,
                'l' => listing.long = true,
                'p' => listing.project = true,
                'v' => listing.generation = true,
                other => {
                    let text =
                        format!("lsattr: invalid option -- '{other}'\nUsage: lsattr [-RVadlpv] [files...]\n");
                    return Said::err(text, 1);
                }
            }
        }
    }
    let operands = if operands.is_empty() { vec!["."] } else { operands };
    for operand in operands {
        let path = call.path(operand);
        let node = match call.files().lstat(&path) {
            Ok(node) => node,
            Err(error) => {
                let text = format!("lsattr: {} while trying to stat {operand}\n", error.errno_text());
                listing.said.err.extend(text.bytes());
                listing.said.status = 1;
                continue;
            }
        };
        if node.is_dir() && !listing.itself {
            listing.folder(call, operand);
        } else {
            listing.one(call, operand, &node);
        }
    }
    listing.said
}

impl Listing {
    fn one(&mut self, call: &Call<'_>, shown_as: &str, node: &Attributes) {
        let path = call.path(shown_as);
        if let Some(why) = refused(&path, node) {
            self.said.err.extend(format!("lsattr: {why} While reading flags on {shown_as}\n").bytes());
            return;
        }
        let flags = call.files().flags(&path).unwrap_or_default();
        let mut line = String::new();
        if self.project {
            line.push_str("    0 ");
        }
        if self.generation {
            line.push_str(&format!("{:<10} ", node.inode.wrapping_mul(2_654_435_761) % 4_294_967_296));
        }
        if self.long {
            line.push_str(&format!("{shown_as:<28} {}\n", named(&flags)));
        } else {
            line.push_str(&format!("{} {shown_as}\n", shown(&flags)));
        }
        self.said.out.extend(line.bytes());
    }

    fn folder(&mut self, call: &Call<'_>, shown_as: &str) {
        let path = call.path(shown_as);
        let mut entries: Vec<(String, Attributes)> = call
            .files()
            .list(&path)
            .unwrap_or_default()
            .into_iter()
            .map(|entry| (entry.name, entry.attributes))
            .collect();
        if self.all {
            for name in ["..", "."] {
                if let Ok(node) = call.files().stat(&format!("{path}/{name}")) {
                    entries.insert(0, (name.to_owned(), node));
                }
            }
        }
        let all = self.all;
        for (name, node) in entries.into_iter().filter(|(name, _)| all || !name.starts_with('.')) {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let shown_as = format!("{}/{name}", shown_as.trim_end_matches('/'));
            self.one(call, &shown_as, &node);
            if self.recursive && node.is_dir() && name != "." && name != ".." {
                self.said.out.extend(format!("\n{shown_as}:\n").bytes());
                self.folder(call, &shown_as);
                self.said.out.push(b'\n');
            }
        }
    }
}
