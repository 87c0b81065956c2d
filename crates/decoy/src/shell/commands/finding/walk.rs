//! The walk of `find` through the folders, from one command that has to run to the next.

use std::collections::{HashMap, VecDeque};

use super::{
    batches::{Batches, Gathered},
    expression::{Expr, Plan, Target},
    parse::failed,
    visit::{Effect, Halt, Look, Visited},
};
use crate::{
    machine::{FileError, Kind},
    shell::{
        commands::{Call, Said, is_reachable, quoting::curled},
        session::Session,
    },
};

/// The most that one call prints.
const MOST: usize = 1024 * 1024;
/// How many files are looked at before the time is.
const STRIDE: u32 = 64;

/// What is left to do.
pub(super) enum Work {
    Visit(Box<Visited>),
    /// A directory whose content has been seen to (`-depth`).
    Leave(Box<Visited>),
}

/// The file at work.
struct Current {
    file: Box<Visited>,
    leaves: bool,
    /// How the commands ended that it has been given to.
    done: HashMap<usize, bool>,
    /// How many effects have been seen to.
    settled: usize,
    removed: Option<Result<(), FileError>>,
}

/// Which command's result is awaited.
enum Waits {
    Nothing,
    One(usize),
    Many,
}

/// A search under way.
pub(in crate::shell) struct Search {
    pub(super) cwd: String,
    path: Option<String>,
    to_terminal: bool,
    /// What is piped in and not yet read by a question.
    piped: Option<Vec<u8>>,
    pub(super) plan: Plan,
    expr: Expr,
    starts: VecDeque<String>,
    pub(super) stack: Vec<Work>,
    current: Option<Current>,
    waits: Waits,
    /// The command that comes next.
    pub(super) command: Option<Command>,
    gathered: Batches,
    ready: VecDeque<Gathered>,
    out: Vec<u8>,
    err: Vec<u8>,
    pub(super) failed: bool,
    over: bool,
    seen: u32,
}

impl Search {
    pub(super) fn new(call: &Call<'_>, mut plan: Plan, warned: String) -> Self {
        let expr = std::mem::replace(&mut plan.expr, Expr::Is(true));
        let starts = plan.starts.drain(..).collect();
        Self {
            cwd: call.cwd.to_owned(),
            path: call.var("PATH"),
            to_terminal: call.to_terminal,
            piped: call.stdin.map(<[u8]>::to_vec),
            plan,
            expr,
            starts,
            stack: Vec::new(),
            current: None,
            waits: Waits::Nothing,
            command: None,
            gathered: Batches::default(),
            ready: VecDeque::new(),
            out: Vec::new(),
            err: warned.into_bytes(),
            failed: false,
            over: false,
            seen: 0,
        }
    }

    pub(super) fn complain(&mut self, text: &str) {
        if self.err.len() < MOST {
            self.err.extend(text.bytes());
        }
        self.failed = true;
    }

    fn write(&mut self, target: Target, bytes: &[u8]) {
        let sink = match target {
            Target::Out => &mut self.out,
            Target::Err => &mut self.err,
            Target::File(at) => match self.plan.files.get_mut(at) {
                Some((_, sink)) => sink,
                None => return,
            },
        };
        if sink.len() + bytes.len() > MOST {
            self.over = true;
            return;
        }
        sink.extend_from_slice(bytes);
    }

    fn settle(&mut self, effects: Vec<Effect>, before: usize) {
        for effect in effects.into_iter().skip(before) {
            match effect {
                Effect::Write(target, bytes) => self.write(target, &bytes),
                Effect::Complain(text) => self.complain(&text),
                Effect::Gather(id, name, folder) => self.gathered.add(&mut self.ready, id, name, folder),
            }
        }
    }

    fn visit(&mut self, session: &Session, work: Work) {
        let file = match work {
            Work::Leave(file) => {
                self.current =
                    Some(Current { file, leaves: true, done: HashMap::new(), settled: 0, removed: None });
                return;
            }
            Work::Visit(file) => file,
        };
        if file.follows && file.loops {
            return self.complain(&failed(&file.shown, FileError::TooManyLinks));
        }
        if file.node().kind == Kind::Dir {
            let mut above = file.above.as_deref();
            while let Some(one) = above {
                if one.inode == file.node().inode {
                    return self.complain(&format!(
                        "find: File system loop detected; {} is part of the same file system loop as {}.\n",
                        curled(&file.shown),
                        curled(&one.shown)
                    ));
                }
                above = one.next.as_deref();
            }
        }
        if self.plan.inside_first && file.node().kind == Kind::Dir {
            let inside = self.inside(session, &file);
            self.stack.push(Work::Leave(file));
            self.stack.extend(inside);
        } else {
            self.current =
                Some(Current { file, leaves: false, done: HashMap::new(), settled: 0, removed: None });
        }
    }

    /// Evaluates the file at work; a command that has to run first.
    async fn evaluate(&mut self, session: &Session, mut current: Current) -> Option<Command> {
        let mut look = Look {
            session,
            plan: &self.plan,
            file: &current.file,
            done: &current.done,
            removed: &mut current.removed,
            effects: Vec::new(),
            prune: false,
            to_terminal: self.to_terminal,
        };
        let outcome = if current.file.depth < self.plan.first { Ok(true) } else { look.holds(&self.expr) };
        let (effects, prune) = (look.effects, look.prune);
        let settled = std::mem::replace(&mut current.settled, effects.len());
        self.settle(effects, settled);
        match outcome {
            Err(Halt::Run { id, words, folder, ask }) => {
                let goes = match ask {
                    Some(question) => self.agreed(session, &question).await,
                    None => true,
                };
                let goes = goes && self.can_run(session, &words);
                if goes {
                    self.current = Some(current);
                    self.waits = Waits::One(id);
                    return Some(Command { words, folder });
                }
                current.done.insert(id, false);
                self.current = Some(current);
            }
            Err(Halt::Quit) => self.over = true,
            Ok(_) if !current.leaves && !prune && !self.over => {
                let inside = self.inside(session, &current.file);
                self.stack.extend(inside);
            }
            Ok(_) => {}
        }
        None
    }

    /// Whether there is a program of this name; complains if there is none.
    fn can_run(&mut self, session: &Session, words: &[String]) -> bool {
        let Some(name) = words.first() else { return false };
        let files = session.files();
        let known = if name.contains('/') {
            files.stat(&files.resolve(&self.cwd, name)).map(|_| ())
        } else if is_reachable(session, name, self.path.as_deref()) {
            Ok(())
        } else {
            Err(FileError::NotFound)
        };
        if let Err(error) = known {
            self.err.extend(failed(name, error).bytes());
        }
        known.is_ok()
    }

    /// Asks whoever is there.
    async fn agreed(&mut self, session: &Session, question: &str) -> bool {
        self.err.extend(question.bytes());
        let line = match &mut self.piped {
            Some(rest) => {
                let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                rest.drain(..end).collect()
            }
            None => {
                let channels = session.channels.lock().clone();
                let Some((output, input)) = channels.filter(|_| session.launch.tty.is_some()) else {
                    return false;
                };
                output(crate::shell::io::Out::Stderr, &std::mem::take(&mut self.err));
                input.read_line().await
            }
        };
        matches!(line.first(), Some(b'y' | b'Y'))
    }

    /// Goes on to the next command; `last`: how the one before ended.
    pub(super) async fn resume(&mut self, session: &Session, last: Option<bool>) -> Option<Command> {
        match (std::mem::replace(&mut self.waits, Waits::Nothing), last) {
            (Waits::One(id), Some(well)) => {
                if let Some(current) = &mut self.current {
                    current.done.insert(id, well);
                }
            }
            (Waits::Many, Some(well)) => self.failed |= !well,
            _ => {}
        }
        loop {
            self.seen = self.seen.wrapping_add(1);
            if self.seen.is_multiple_of(STRIDE) && session.is_too_long() {
                break;
            }
            if let Some(one) = self.ready.pop_front() {
                let template = self.plan.commands.get(one.id).cloned().unwrap_or_default();
                let fixed = template.len().saturating_sub(1);
                let words: Vec<String> = template.into_iter().take(fixed).chain(one.names).collect();
                if self.can_run(session, &words) {
                    self.waits = Waits::Many;
                    return Some(Command { words, folder: one.folder });
                }
                self.failed = true;
            }
            if let Some(current) = self.current.take() {
                if let Some(command) = self.evaluate(session, current).await {
                    return Some(command);
                }
                continue;
            }
            if !self.over {
                if let Some(work) = self.stack.pop() {
                    self.visit(session, work);
                    continue;
                }
                if let Some(start) = self.starts.pop_front() {
                    self.begin(session, &start);
                    continue;
                }
            }
            // What was gathered is run even after `-quit`.
            if self.gathered.0.is_empty() && self.ready.is_empty() {
                break;
            }
            self.ready.extend(std::mem::take(&mut self.gathered.0));
        }
        let who = session.who();
        for (path, content) in std::mem::take(&mut self.plan.files) {
            if !content.is_empty()
                && let Err(error) = session.files().append(&path, &content, &who, 0o644)
            {
                self.complain(&failed(&path, error));
            }
        }
        None
    }

    /// What has been printed since the last time.
    pub(super) fn said(&mut self) -> Said {
        Said {
            out: std::mem::take(&mut self.out),
            err: std::mem::take(&mut self.err),
            status: i32::from(self.failed),
        }
    }
}

/// A command that a search waits for.
pub(super) struct Command {
    pub(super) words: Vec<String>,
    pub(super) folder: Option<String>,
}
