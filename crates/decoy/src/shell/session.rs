//! What a shell and its programs share: who is at work, where output goes, how deep they are nested.

mod bounds;
mod line;
mod speaker;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;

use super::{
    Launch, Window,
    io::{Input, Output},
};
use crate::{
    dialogue::Contact,
    machine::{Files, Guest, Identity, Owner, Reader},
};

/// Shared by the shell, its programs and its view of the files.
pub(super) struct Session {
    pub(super) contact: Contact,
    pub(super) launch: Launch,
    uid: AtomicU32,
    gid: AtomicU32,
    umask: AtomicU32,
    pub(super) window: Window,
    /// Where output of the running line goes and input comes from.
    pub(super) channels: Mutex<Option<(Output, Input)>>,
    /// Command words of the running line that named nothing.
    pub(super) not_found: Mutex<Vec<String>>,
    /// Stops the library at its next command.
    pub(super) cancel: Mutex<Arc<AtomicBool>>,
    /// Where the stack was when the running line was last polled; 0 before the first line.
    stack_base: AtomicUsize,
    /// When the running line was last polled, and how long it had worked before.
    polled: Mutex<(Option<Instant>, Duration)>,
    /// A program is at work that reads files as data, not to run them.
    pub(super) in_tool: AtomicBool,
    /// That program looks at itself in `/proc`.
    reads_itself: AtomicBool,
    /// Working directory when the running line began.
    pub(super) cwd: Mutex<String>,
    /// The running line has a pipe, a redirection or a substitution in it.
    piped: AtomicBool,
    /// Something of the running line is read by something else of it.
    feeds: AtomicBool,
    /// The running line ends in a pager: that one has the terminal.
    pages: AtomicBool,
    /// The running line puts something into the background.
    background: AtomicBool,
    /// The running line has a redirection of output in it, and one of errors.
    out_redirected: AtomicBool,
    err_redirected: AtomicBool,
    /// What is typed gets into no history.
    forgets: AtomicBool,
    /// The running line is a `trap` of the shell itself.
    typed_trap: AtomicBool,
    /// The signal by which the shell has killed itself; 0 while it has not.
    pub(super) killed: AtomicU8,
    /// Signals that the shell catches or ignores.
    pub(super) traps: Mutex<BTreeSet<u8>>,
    /// Errors of the running line go to the visitor, as far as its text tells.
    errors_shown: AtomicBool,
    /// When the shell was started.
    pub(super) started: SystemTime,
    /// The latest commands and what they said.
    pub(super) recall: super::recall::Recall,
    /// The script that the last shell started by name was given: its first line means nothing to that shell.
    pub(super) given_to_shell: Mutex<Option<String>>,
    /// What the program at work says when it is interrupted.
    pub(super) last_words: Mutex<String>,
    /// That script is for dash, and has still to be read.
    pub(super) dash_given: AtomicBool,
    /// What dash ran last, as far as it is remembered.
    pub(super) dash_text: Mutex<String>,
    /// dash has given up on it.
    pub(super) dash_failed: AtomicBool,
    /// The word that a shell was called by, if that was a path.
    pub(super) called: Mutex<Option<String>>,
    /// The program at work that starts others, by its name: it has its own words for what is not there.
    pub(super) runner: Mutex<Option<String>>,
    /// Searches of `find` that wait for a command to end.
    pub(super) searches: Mutex<Vec<(u32, super::commands::finding::Search)>>,
    /// The programs that were started last, with their arguments; the latest first.
    pub(super) arguments: Mutex<Vec<(String, Vec<String>)>>,
    /// Where `cd` was last kept out, as it was typed.
    pub(super) denied: Mutex<Option<String>>,
    /// The line at work, as far as it is remembered.
    pub(super) line: Mutex<String>,
    /// Where the `cd` at work leads to.
    pub(super) heading: Mutex<Option<String>>,
    /// Scripts of this line that dash runs.
    dash: Mutex<Vec<String>>,
    /// No terminal, and the jobs are the shell's all the same.
    keeps_jobs: AtomicBool,
    /// What is in the background or stopped.
    pub(super) jobs: Mutex<super::jobs::Jobs>,
    /// What outlasts a line on a terminal.
    pub(super) lasting: Mutex<super::lasting::Lasting>,
    /// dash shows what it runs: in its own way.
    pub(super) dash_traces: AtomicBool,
    /// The shells in each other that belong to somebody else, the innermost last.
    pub(super) personas: Mutex<Vec<super::personas::Persona>>,
    /// What the shell that is the innermost from now on is told.
    pub(super) settings: Mutex<Option<super::personas::Settings>>,
    /// How long the job at work would have waited so far.
    pub(super) slept: Mutex<Duration>,
    /// Lines typed so far.
    pub(super) history: Mutex<Vec<String>>,
    /// Shells started inside the login shell (`sh`, `bash`), innermost last, with the lines each has read.
    pub(super) inner: Mutex<Vec<(Inner, u32)>>,
}

/// A shell started by name in the login shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inner {
    /// bash
    Bash,
    /// dash, as Debian's `sh`
    Dash,
}

/// How a program of ours finds its session: handed in with each line.
pub(super) struct Handle(pub(super) Arc<Session>);

impl Session {
    pub(super) fn new(contact: &Contact, launch: Launch, window: Window) -> Self {
        let since = contact.visitor.now();
        contact.visitor.tell_ports();
        contact.visitor.tell_mounts();
        contact.visitor.files().welcome(Guest {
            user: launch.account.name.clone(),
            uid: launch.account.uid,
            tty: launch.tty.clone(),
            peer: contact.peer,
            port: if contact.local.port() % 100 == 23 { 23 } else { 22 },
            since,
        });
        Self {
            uid: launch.account.uid.into(),
            gid: launch.account.gid.into(),
            umask: 0o022.into(),
            window,
            channels: Mutex::new(None),
            not_found: Mutex::default(),
            cancel: Mutex::default(),
            stack_base: AtomicUsize::new(0),
            polled: Mutex::default(),
            in_tool: AtomicBool::new(false),
            reads_itself: AtomicBool::new(false),
            cwd: Mutex::default(),
            piped: AtomicBool::new(false),
            feeds: AtomicBool::new(false),
            pages: AtomicBool::new(false),
            background: AtomicBool::new(false),
            recall: super::recall::Recall::default(),
            forgets: AtomicBool::new(false),
            typed_trap: AtomicBool::new(false),
            out_redirected: AtomicBool::new(false),
            err_redirected: AtomicBool::new(false),
            killed: AtomicU8::new(0),
            traps: Mutex::default(),
            errors_shown: AtomicBool::new(false),
            started: since,
            given_to_shell: Mutex::default(),
            last_words: Mutex::default(),
            dash_given: AtomicBool::new(false),
            dash_text: Mutex::default(),
            dash_failed: AtomicBool::new(false),
            called: Mutex::default(),
            runner: Mutex::default(),
            searches: Mutex::default(),
            arguments: Mutex::default(),
            line: Mutex::default(),
            heading: Mutex::default(),
            denied: Mutex::default(),
            dash: Mutex::default(),
            keeps_jobs: AtomicBool::new(false),
            jobs: Mutex::default(),
            lasting: Mutex::default(),
            dash_traces: AtomicBool::new(false),
            personas: Mutex::default(),
            settings: Mutex::default(),
            slept: Mutex::default(),
            history: Mutex::default(),
            inner: Mutex::default(),
            contact: contact.clone(),
            launch,
        }
    }

    pub(super) fn files(&self) -> &Files {
        self.contact.visitor.files()
    }

    pub(super) fn identity(&self) -> &Identity {
        self.contact.visitor.identity()
    }

    /// A program is about to look at itself in `/proc`: it is not the shell.
    pub(super) fn begin_reading(&self, name: &str, args: &[String]) {
        const LINKS: [&str; 2] = ["/proc/self", "/proc/thread-self"];
        if !args.iter().any(|arg| LINKS.iter().any(|link| arg.contains(link))) {
            return;
        }
        let now = self.contact.visitor.now();
        let newest = crate::machine::processes::newest_pid(self.identity(), now);
        let words = std::iter::once(name).chain(args.iter().map(String::as_str));
        self.files().read_by(Some(Reader {
            pid: (self.shell_pid() + 1).max(newest)
                + 5
                + (now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().subsec_millis() % 40),
            words: words.map(|word| word.chars().take(1000).collect()).take(64).collect(),
            program: super::commands::program_file(self, name),
            cwd: self.cwd.lock().clone(),
        }));
        self.reads_itself.store(true, Ordering::Relaxed);
    }

    /// The program that looked is gone.
    pub(super) fn end_reading(&self) {
        if self.reads_itself.swap(false, Ordering::Relaxed) {
            self.files().read_by(None);
        }
    }

    /// Who is at work (changes with `su`).
    pub(super) fn who(&self) -> Owner {
        Owner { uid: self.uid.load(Ordering::Relaxed), gid: self.gid.load(Ordering::Relaxed) }
    }

    /// Whether the shell keeps its jobs itself: somebody types into a bash, or it began with a line that could be cut.
    pub(super) fn has_jobs(&self) -> bool {
        (self.launch.is_interactive() || self.keeps_jobs.load(Ordering::Relaxed))
            && self.dash_line().is_none()
    }

    /// The shell shall keep its jobs itself; says whether it does. The library has those of a shell that is at work.
    pub(super) fn keep_jobs(&self, at_work: bool) -> bool {
        if !at_work {
            self.keeps_jobs.store(true, Ordering::Relaxed);
        }
        self.has_jobs()
    }

    /// Whatever directory a line comes near that has still to say what is in it says so first.
    pub(super) async fn approach(&self, line: &str, cwd: &str) {
        const PLACES: usize = 6;
        let identity = self.contact.visitor.identity();
        if identity.directories.is_empty() {
            return;
        }
        self.contact.approach(cwd).await;
        // A line may go elsewhere before it looks: `cd /srv; ls backups`.
        let mut places = vec![cwd.to_owned()];
        let words = line.split(|c: char| c.is_whitespace() || "\"'`;|&<>()=$,:".contains(c));
        for word in words.filter(|word| !word.is_empty()) {
            let home = word.strip_prefix('~').map(|rest| format!("{}{rest}", self.launch.account.home));
            // What a pattern could match lies in the directory before it.
            let word = home.as_deref().unwrap_or(word);
            let plain = word.find(['*', '?', '[', '{']).map_or(word, |at| word.get(..at).unwrap_or_default());
            for path in places.iter().map(|place| self.files().resolve(place, plain)).collect::<Vec<_>>() {
                self.contact.approach(&path).await;
                let below = format!("{}/", path.trim_end_matches('/'));
                let named = identity.directories.iter().filter(|named| named.starts_with(&below));
                for directory in named.clone().filter(|_| walks(line)) {
                    self.contact.approach(directory).await;
                }
                if places.len() < PLACES && named.count() > 0 && !places.contains(&path) {
                    places.push(path);
                }
            }
        }
    }

    /// Remembers a word that named nothing.
    pub(super) fn note_unknown(&self, name: &str) {
        let mut names = self.not_found.lock();
        if names.len() < 64 {
            names.push(name.chars().take(256).collect());
        }
    }

    /// Becomes another user.
    pub(super) fn become_user(&self, uid: u32, gid: u32) {
        self.uid.store(uid, Ordering::Relaxed);
        self.gid.store(gid, Ordering::Relaxed);
    }

    /// The shell's own process, as `ps` shows it; the one before it is sshd's or login's.
    pub(super) fn shell_pid(&self) -> u32 {
        crate::machine::processes::shell_pid(self.identity(), self.started)
    }

    /// Name of whoever is at work.
    pub(super) fn user_name(&self) -> String {
        let uid = self.who().uid;
        self.name_of(uid).unwrap_or_else(|| uid.to_string())
    }

    /// Name of a user of the machine, or of one that the visitor made.
    pub(super) fn name_of(&self, uid: u32) -> Option<String> {
        if let Some(user) = self.identity().account_by_uid(uid) {
            return Some(user.name.clone());
        }
        let passwd = self.files().read("/etc/passwd").ok()?;
        let row = String::from_utf8_lossy(&passwd).into_owned();
        let mut rows = row.lines().map(|row| row.splitn(4, ':').collect::<Vec<_>>());
        rows.find(|row| row.get(2).is_some_and(|id| id.parse() == Ok(uid)))?
            .first()
            .map(|name| (*name).to_owned())
    }

    /// Columns and rows of the terminal.
    pub(super) fn window(&self) -> (u32, u32) {
        let (columns, rows) = self.window.size();
        (columns.into(), rows.into())
    }

    pub(super) fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    pub(super) fn set_umask(&self, umask: u32) {
        self.umask.store(umask, Ordering::Relaxed);
    }
}

/// Whether a line looks into whatever is below what it names.
fn walks(line: &str) -> bool {
    let runs = |programs: &[&str]| programs.iter().any(|program| line.contains(program));
    let flag =
        |letter: char| line.split_whitespace().any(|word| word.starts_with('-') && word.contains(letter));
    runs(&["find ", "du ", "tree", "tar ", "rsync ", "zip "])
        || flag('R')
        || flag('r') && runs(&["grep ", "cp ", "scp ", "rm ", "chown "])
}
