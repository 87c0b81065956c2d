//! `find` (findutils 4.9): the walk, and the commands that it has run.

mod expression;
mod mounts;
mod parse;
mod patterns;
mod printed;
mod steps;
mod visit;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use futures::{FutureExt as _, future::BoxFuture};
use rand::RngExt as _;

use self::{
    expression::{Expr, Follow, Plan, Target},
    parse::failed,
    steps::{END, NEXT, RUN},
    visit::{Above, Effect, Halt, Look, Visited},
};
pub(super) use steps::register;

use super::{Call, Said, is_reachable, quoting::curled, usage};
use crate::{
    machine::{Access, FileError, Kind},
    shell::session::Session,
};

/// Searches of one session that wait for a command: one may start another.
const MOST_SEARCHES: usize = 64;
/// The most that one call prints.
const MOST: usize = 1024 * 1024;
/// What one command of `{} +` is given at most: names, and bytes of them.
const GATHERED: (usize, usize) = (4096, 120_000);
/// How many files are looked at before the time is.
const STRIDE: u32 = 64;

/// A pattern of names, for whoever else takes one.
pub(super) fn glob(pattern: &str) -> Option<regex::Regex> {
    patterns::glob(pattern, false)
}

/// Reads the words, or says what is wrong with them.
fn begun(call: &Call<'_>) -> Result<Search, Said> {
    let mut warned = String::new();
    let mut plan = match parse::plan(call, &mut warned) {
        Ok(plan) => plan,
        Err(parse::Refusal::Help(text)) => return Err(Said::out(text)),
        Err(parse::Refusal::About(asked)) => return Err(usage::exactly("find", asked).unwrap_or_default()),
        Err(parse::Refusal::Wrong(text)) => return Err(Said::err(warned + &text, 1)),
    };
    let expr = std::mem::replace(&mut plan.expr, Expr::Is(true));
    let starts = plan.starts.drain(..).collect();
    Ok(Search {
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
        gathered: Vec::new(),
        ready: VecDeque::new(),
        out: Vec::new(),
        err: warned.into_bytes(),
        failed: false,
        over: false,
        seen: 0,
    })
}

/// A search that runs no command.
pub(super) fn find<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        match begun(call) {
            Ok(mut search) => {
                let _ = search.resume(call.session, None).await;
                search.said()
            }
            Err(said) => said,
        }
    }
    .boxed()
}

/// The words of the shell for a search that runs commands: it goes on after each one.
pub(super) fn with_commands(call: &Call<'_>) -> Option<Vec<String>> {
    if !call.args.iter().any(|arg| matches!(arg.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir")) {
        return None;
    }
    let search = begun(call).ok()?;
    let id = rand::rng().random::<u32>();
    let mut searches = call.session.searches.lock();
    if searches.len() >= MOST_SEARCHES {
        searches.remove(0);
    }
    searches.push((id, search));
    drop(searches);
    // `&& :` so that a command that fails ends no script.
    let script = format!("while {NEXT} {id} $?; do {RUN} {id} && :; done; {END} {id}");
    Some(vec!["eval".to_owned(), script])
}

/// What is left to do.
enum Work {
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

/// Names for one command.
struct Gathered {
    id: usize,
    folder: Option<String>,
    names: Vec<String>,
    size: usize,
}

/// A search under way.
pub(in crate::shell) struct Search {
    cwd: String,
    path: Option<String>,
    to_terminal: bool,
    /// What is piped in and not yet read by a question.
    piped: Option<Vec<u8>>,
    plan: Plan,
    expr: Expr,
    starts: VecDeque<String>,
    stack: Vec<Work>,
    current: Option<Current>,
    waits: Waits,
    /// The command that comes next.
    command: Option<Command>,
    gathered: Vec<Gathered>,
    ready: VecDeque<Gathered>,
    out: Vec<u8>,
    err: Vec<u8>,
    failed: bool,
    over: bool,
    seen: u32,
}

impl Search {
    fn complain(&mut self, text: &str) {
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
                Effect::Gather(id, name, folder) => self.gather(id, name, folder),
            }
        }
    }

    fn gather(&mut self, id: usize, name: String, folder: Option<String>) {
        let at = self.gathered.iter().position(|known| known.id == id && known.folder == folder);
        let full = at.is_some_and(|at| {
            self.gathered
                .get(at)
                .is_some_and(|one| one.names.len() >= GATHERED.0 || one.size + name.len() > GATHERED.1)
        });
        if let Some(at) = at.filter(|_| full) {
            let one = self.gathered.remove(at);
            self.ready.push_back(one);
        }
        let at = at.filter(|_| !full);
        let size = name.len() + 1;
        match at.and_then(|at| self.gathered.get_mut(at)) {
            Some(known) => {
                known.names.push(name);
                known.size += size;
            }
            None => self.gathered.push(Gathered { id, folder, names: vec![name], size }),
        }
    }

    /// The next start that is there.
    fn begin(&mut self, session: &Session, start: &str) {
        if start.is_empty() {
            return self.complain(&failed("", FileError::NotFound));
        }
        let files = session.files();
        let mut path = files.resolve(&self.cwd, start);
        if start.ends_with('/') && path.len() > 1 {
            path.push('/');
        }
        let looked = files.lstat(&path);
        while path.len() > 1 && path.ends_with('/') {
            path.pop();
        }
        match looked {
            Ok(entry) => {
                let file = self.visited(session, path, start.to_owned(), start.into(), 0, entry, None);
                self.stack.push(Work::Visit(Box::new(file)));
            }
            Err(error) => self.complain(&failed(start, error)),
        }
    }

    fn visited(
        &self,
        session: &Session,
        path: String,
        shown: String,
        start: Arc<str>,
        depth: usize,
        entry: crate::machine::Attributes,
        above: Option<Arc<Above>>,
    ) -> Visited {
        let files = session.files();
        let follows = match self.plan.follow {
            Follow::Never => false,
            Follow::Starts => depth == 0,
            Follow::Always => true,
        };
        let (mut target, mut link, mut loops) = (None, None, false);
        if entry.kind == Kind::Symlink {
            link = files.read_link(&path).ok();
            let found = files.stat(&path);
            loops = found == Err(FileError::TooManyLinks);
            target = found.ok();
        }
        Visited { path, shown, start, depth, entry, target, link, loops, follows, above }
    }

    /// What is in a directory, last first.
    fn inside(&mut self, session: &Session, file: &Visited) -> Vec<Work> {
        let is_dir = file.node().kind == Kind::Dir;
        let other = self.plan.stays && file.depth > 0 && {
            let above = file.path.rsplit_once('/').map_or("/", |(above, _)| above);
            mounts::number(&file.path) != mounts::number(above)
        };
        if !is_dir || file.depth >= self.plan.deepest || other {
            return Vec::new();
        }
        let who = session.who();
        let files = session.files();
        let listed =
            files.may(who.uid, who.gid, &file.path, Access::Read).and_then(|()| files.list(&file.path));
        let names = match listed {
            Ok(names) => names,
            Err(error) => {
                self.complain(&failed(&file.shown, error));
                return Vec::new();
            }
        };
        let above = (self.plan.follow != Follow::Never).then(|| {
            Arc::new(Above { inode: file.node().inode, shown: file.shown.clone(), next: file.above.clone() })
        });
        let may_look = files.may(who.uid, who.gid, &file.path, Access::Execute);
        let slash = if file.shown.ends_with('/') { "" } else { "/" };
        let top = file.path.trim_end_matches('/');
        let mut all = Vec::with_capacity(names.len());
        for name in names.into_iter().rev() {
            let shown = format!("{}{slash}{}", file.shown, name.name);
            if let Err(error) = may_look {
                self.complain(&failed(&shown, error));
                continue;
            }
            let path = format!("{top}/{}", name.name);
            let start = Arc::clone(&file.start);
            let child =
                self.visited(session, path, shown, start, file.depth + 1, name.attributes, above.clone());
            all.push(Work::Visit(Box::new(child)));
        }
        all
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
    async fn resume(&mut self, session: &Session, last: Option<bool>) -> Option<Command> {
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
            if self.gathered.is_empty() && self.ready.is_empty() {
                break;
            }
            self.ready.extend(std::mem::take(&mut self.gathered));
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
    fn said(&mut self) -> Said {
        Said {
            out: std::mem::take(&mut self.out),
            err: std::mem::take(&mut self.err),
            status: i32::from(self.failed),
        }
    }
}

/// A command that a search waits for.
struct Command {
    words: Vec<String>,
    folder: Option<String>,
}
