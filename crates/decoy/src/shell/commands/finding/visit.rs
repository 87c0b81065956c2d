//! One file that `find` comes to, and what the expression says of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    expression::{Action, Expr, Moment, Number, Plan, Target, Unit, Want},
    mounts, printed,
};
use crate::{
    machine::{Attributes, FileError, Kind},
    shell::{
        commands::{quoting::curled, removing::may_remove},
        session::Session,
    },
};

/// A file on the way.
pub(super) struct Visited {
    /// Where it is.
    pub(super) path: String,
    /// The path as it is shown, from the start.
    pub(super) shown: String,
    pub(super) start: Arc<str>,
    pub(super) depth: usize,
    /// The node itself, and what a link leads to.
    pub(super) entry: Attributes,
    pub(super) target: Option<Attributes>,
    pub(super) link: Option<String>,
    pub(super) loops: bool,
    pub(super) follows: bool,
    /// Inodes of the directories above, and how they were shown; only where links are followed.
    pub(super) above: Option<Arc<Above>>,
}

/// A directory above.
pub(super) struct Above {
    pub(super) inode: u64,
    pub(super) shown: String,
    pub(super) next: Option<Arc<Self>>,
}

impl Visited {
    /// What tests look at.
    pub(super) fn node(&self) -> &Attributes {
        self.target.as_ref().filter(|_| self.follows).unwrap_or(&self.entry)
    }

    /// What the other way of following links would see.
    fn other(&self) -> &Attributes {
        if self.follows { &self.entry } else { self.target.as_ref().unwrap_or(&self.entry) }
    }

    /// The last part of the name; what stands at a start may end with a slash.
    pub(super) fn base(&self) -> &str {
        let trimmed = self.shown.trim_end_matches('/');
        let base = trimmed.rsplit_once('/').map_or(trimmed, |(_, base)| base);
        let end = usize::from(self.shown.len() > trimmed.len());
        let from = trimmed.len() - base.len();
        self.shown.get(from..(trimmed.len() + end)).unwrap_or(base)
    }

    pub(super) fn folder(&self) -> &str {
        let trimmed = self.shown.trim_end_matches('/');
        match self.shown.rfind('/') {
            // `%h` cuts at the last slash, whatever follows it.
            Some(at) if self.shown.len() > trimmed.len() => self.shown.get(..at).unwrap_or_default(),
            Some(at) => self.shown.get(..at).unwrap_or_default(),
            None => ".",
        }
    }

    /// The path below the start.
    pub(super) fn below(&self) -> &str {
        self.shown.get(self.start.len()..).unwrap_or_default().trim_start_matches('/')
    }
}

/// What an evaluation has led to.
pub(super) enum Effect {
    Write(Target, Vec<u8>),
    Complain(String),
    /// A file for a command that takes many.
    Gather(usize, String, Option<String>),
}

/// Why an evaluation stops.
pub(super) enum Halt {
    /// A command has to run first.
    Run {
        id: usize,
        words: Vec<String>,
        folder: Option<String>,
        ask: Option<String>,
    },
    Quit,
}

/// The evaluation for one file. It is begun anew when a command has run: how that ended is then in `done`.
pub(super) struct Look<'a> {
    pub(super) session: &'a Session,
    pub(super) plan: &'a Plan,
    pub(super) file: &'a Visited,
    pub(super) done: &'a HashMap<usize, bool>,
    pub(super) removed: &'a mut Option<Result<(), FileError>>,
    pub(super) effects: Vec<Effect>,
    pub(super) prune: bool,
    pub(super) to_terminal: bool,
}

impl Look<'_> {
    pub(super) fn holds(&mut self, expr: &Expr) -> Result<bool, Halt> {
        let (file, node) = (self.file, self.file.node());
        Ok(match expr {
            Expr::All(all) => {
                for one in all {
                    if !self.holds(one)? {
                        return Ok(false);
                    }
                }
                true
            }
            Expr::Any(all) => {
                for one in all {
                    if self.holds(one)? {
                        return Ok(true);
                    }
                }
                false
            }
            Expr::List(all) => {
                let mut last = true;
                for one in all {
                    last = self.holds(one)?;
                }
                last
            }
            Expr::Not(one) => !self.holds(one)?,
            Expr::Is(value) => *value,
            Expr::Name(pattern) => {
                let base = file.base();
                pattern.is_match(if base == "/" { base } else { base.trim_end_matches('/') })
            }
            Expr::Path(pattern) => pattern.is_match(&file.shown),
            Expr::Link(pattern) => {
                node.kind == Kind::Symlink && file.link.as_ref().is_some_and(|link| pattern.is_match(link))
            }
            Expr::Kind(kinds, false) => kinds.contains(printed::kind(node.kind)),
            Expr::Kind(kinds, true) => kinds.contains(printed::kind(file.other().kind)),
            Expr::Size(number, unit) => number.fits(node.size.div_ceil((*unit).max(1))),
            Expr::Empty => match node.kind {
                Kind::File => node.size == 0,
                Kind::Dir => self.session.files().list(&file.path).is_ok_and(|names| names.is_empty()),
                _ => false,
            },
            Expr::May(access) => {
                let who = self.session.who();
                self.session.files().may(who.uid, who.gid, &file.path, *access).is_ok()
            }
            Expr::Age(field, unit, number, from) => aged(Moment::of(field.of(node)), *unit, *number, *from),
            Expr::Used(number) => {
                let later = node.atime.duration_since(node.ctime).unwrap_or(Duration::ZERO).as_secs_f64();
                let days = (later / 86_400.0).ceil();
                match number.want {
                    Want::More => days > number.value,
                    Want::Less => days < number.value,
                    _ => (days - number.value).abs() < f64::EPSILON,
                }
            }
            Expr::Newer(field, than) => field.of(node) > *than,
            Expr::Inode(number) => number.fits(node.inode),
            Expr::Links(number) => number.fits(u64::from(node.nlink)),
            Expr::Uid(number) => number.fits(u64::from(node.uid)),
            Expr::Gid(number) => number.fits(u64::from(node.gid)),
            Expr::NoUser => !self.plan.owners.users.contains_key(&node.uid),
            Expr::NoGroup => !self.plan.owners.groups.contains_key(&node.gid),
            Expr::Mode(want, mode) => match want {
                Want::AtLeast => node.mode & mode == *mode,
                Want::Some => *mode == 0 || mode_of(node) & mode != 0,
                _ => mode_of(node) == *mode,
            },
            Expr::FileSystem(kind) => mounts::kind(&file.path) == kind,
            Expr::Prune => {
                self.prune = !self.plan.inside_first;
                true
            }
            Expr::Quit => return Err(Halt::Quit),
            Expr::Do(action) => self.act(action)?,
        })
    }

    fn act(&mut self, action: &Action) -> Result<bool, Halt> {
        let file = self.file;
        match action {
            Action::Print(target, end) => {
                let mut line = match target {
                    // A terminal is spared what is no sign.
                    Target::Out if self.to_terminal && *end == b'\n' => {
                        file.shown.replace(|c: char| c.is_control(), "?").into_bytes()
                    }
                    _ => file.shown.clone().into_bytes(),
                };
                line.push(*end);
                self.effects.push(Effect::Write(*target, line));
            }
            Action::Format(target, pieces) => {
                let mut complaints = String::new();
                let text = printed::formatted(pieces, file, &self.plan.owners, &mut complaints);
                self.effects.push(Effect::Write(*target, text.into_bytes()));
                if !complaints.is_empty() {
                    self.effects.push(Effect::Write(Target::Err, complaints.into_bytes()));
                }
            }
            Action::List(target) => {
                let line = printed::listed(file, &self.plan.owners, self.plan.now);
                self.effects.push(Effect::Write(*target, line.into_bytes()));
            }
            Action::Delete => return Ok(self.delete()),
            Action::Run { id, inside, asks, many } => return self.run(*id, *inside, *asks, *many),
        }
        Ok(true)
    }

    /// Removes the file, once.
    fn delete(&mut self) -> bool {
        let (files, file) = (self.session.files(), self.file);
        if file.depth == 0 && matches!(file.shown.as_str(), "." | "./") {
            return true;
        }
        let result = *self.removed.get_or_insert_with(|| {
            may_remove(self.session, &file.path).and_then(|()| files.remove(&file.path))
        });
        if let Err(error) = result {
            let text = format!("find: cannot delete {}: {}\n", curled(&file.shown), error.errno_text());
            self.effects.push(Effect::Complain(text));
        }
        result.is_ok()
    }

    fn run(&mut self, id: usize, inside: bool, asks: bool, many: bool) -> Result<bool, Halt> {
        let file = self.file;
        let base = file.base().trim_end_matches('/');
        let name = match inside {
            true if base.is_empty() => "/".to_owned(),
            true => format!("./{base}"),
            false => file.shown.clone(),
        };
        let folder = inside.then(|| {
            let folder = file.path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            if folder.is_empty() { "/".to_owned() } else { folder.to_owned() }
        });
        if many {
            self.effects.push(Effect::Gather(id, name, folder));
            return Ok(true);
        }
        if let Some(well) = self.done.get(&id) {
            return Ok(*well);
        }
        let Some(words) = self.plan.commands.get(id) else { return Ok(false) };
        let ask =
            asks.then(|| format!("< {} ... {} > ? ", words.first().map_or("", String::as_str), file.shown));
        let words = words.iter().map(|word| word.replace("{}", &name)).collect();
        Err(Halt::Run { id, words, folder, ask })
    }
}

/// The bits that `-perm` compares: links have all of them.
fn mode_of(node: &Attributes) -> u32 {
    node.mode & 0o7777
}

/// Whether a time is so long ago.
fn aged(time: Moment, unit: Unit, number: Number<f64>, from: Moment) -> bool {
    let length = if unit == Unit::Minutes { 60.0 } else { 86_400.0 };
    let age = (from.0 - time.0) / length;
    match (number.want, unit) {
        (Want::Less, _) => age < number.value,
        (Want::More, Unit::Minutes) => age > number.value,
        (Want::More, Unit::Days) => age > number.value + 1.0,
        (_, Unit::Minutes) => age < number.value && age >= number.value - 1.0,
        (_, Unit::Days) => age >= number.value && age < number.value + 1.0,
    }
}

/// A moment for tests.
#[cfg(test)]
fn at(seconds: u64) -> std::time::SystemTime {
    std::time::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_whole_days() {
        let now = Moment::of(at(1_000_000));
        let old = |seconds: u64| Moment::of(at(1_000_000 - seconds));
        let number = |want, value| Number { want, value };
        assert!(aged(old(3600), Unit::Days, number(Want::Exactly, 0.0), now));
        assert!(aged(old(90_000), Unit::Days, number(Want::Exactly, 1.0), now));
        assert!(!aged(old(90_000), Unit::Days, number(Want::More, 1.0), now));
        assert!(aged(old(180_000), Unit::Days, number(Want::More, 1.0), now));
        assert!(aged(old(30), Unit::Minutes, number(Want::Exactly, 1.0), now));
        assert!(aged(old(30), Unit::Minutes, number(Want::Less, 5.0), now));
    }
}
