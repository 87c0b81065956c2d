//! What a shell and its programs share: who is at work, where output goes, how deep they are nested.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;

use super::{
    Launch,
    io::{Input, Output},
};
use crate::{
    dialogue::Contact,
    machine::{Files, Identity, Owner},
};

/// Shared by the shell, its programs and its view of the files.
pub(super) struct Session {
    pub(super) contact: Contact,
    pub(super) launch: Launch,
    uid: AtomicU32,
    gid: AtomicU32,
    umask: AtomicU32,
    columns: AtomicU32,
    rows: AtomicU32,
    /// Where output of the running line goes and input comes from.
    pub(super) channels: Mutex<Option<(Output, Input)>>,
    /// Command words of the running line that named nothing.
    pub(super) not_found: Mutex<Vec<String>>,
    /// Stops the library at its next command.
    pub(super) cancel: Mutex<Arc<AtomicBool>>,
    /// Where the stack was when the running line was last polled; 0 before the first line.
    stack_base: AtomicUsize,
    /// When the running line was last polled.
    polled: Mutex<Option<Instant>>,
    /// A program is at work that reads files as data, not to run them.
    pub(super) in_tool: AtomicBool,
    /// Working directory when the running line began.
    pub(super) cwd: Mutex<String>,
    /// The running line has a pipe, a redirection or a substitution in it.
    piped: AtomicBool,
    /// The running line puts something into the background.
    background: AtomicBool,
    /// When the shell was started.
    pub(super) started: SystemTime,
    /// The latest commands and what they said.
    pub(super) recall: super::recall::Recall,
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

/// The most lines that `history` knows.
const MOST_HISTORY: usize = 500;

/// The longest that a line may work without waiting for anything: it holds a thread meanwhile.
const LONGEST_WORK: Duration = Duration::from_secs(10);

/// The most stack that one line may use. Threads have 64 MiB; what is left is for the deepest single step.
pub(super) const MOST_STACK: usize = 24 * 1024 * 1024;

impl Session {
    pub(super) fn new(contact: &Contact, launch: Launch) -> Self {
        Self {
            uid: launch.account.uid.into(),
            gid: launch.account.gid.into(),
            umask: 0o022.into(),
            columns: u32::from(launch.window.0).into(),
            rows: u32::from(launch.window.1).into(),
            channels: Mutex::new(None),
            not_found: Mutex::default(),
            cancel: Mutex::default(),
            stack_base: AtomicUsize::new(0),
            polled: Mutex::default(),
            in_tool: AtomicBool::new(false),
            cwd: Mutex::default(),
            piped: AtomicBool::new(false),
            background: AtomicBool::new(false),
            started: contact.visitor.now(),
            recall: super::recall::Recall::default(),
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

    /// Who is at work (changes with `su`).
    pub(super) fn who(&self) -> Owner {
        Owner { uid: self.uid.load(Ordering::Relaxed), gid: self.gid.load(Ordering::Relaxed) }
    }

    /// A line is about to run.
    pub(super) fn begin_line(&self, line: &str, cwd: &str) {
        cwd.clone_into(&mut self.cwd.lock());
        self.piped.store(line.contains(['|', '>', '$', '`', '(']), Ordering::Relaxed);
        let without_others = line.replace("&&", "").replace(">&", "").replace("&>", "");
        self.background.store(without_others.contains('&'), Ordering::Relaxed);
        if let Some((_, lines)) = self.inner.lock().last_mut() {
            *lines = lines.saturating_add(1);
        }
        if self.launch.tty.is_some() && !line.trim().is_empty() && !line.starts_with(' ') {
            let mut history = self.history.lock();
            if history.len() < MOST_HISTORY {
                history.push(line.trim_end_matches('\n').chars().take(2048).collect());
            }
        }
    }

    /// Whether what programs say may go somewhere else than to the terminal.
    pub(super) fn is_piped(&self) -> bool {
        self.piped.load(Ordering::Relaxed)
    }

    /// Whether something of the running line is in the background.
    pub(super) fn has_background(&self) -> bool {
        self.background.load(Ordering::Relaxed)
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

    /// Name of whoever is at work.
    pub(super) fn user_name(&self) -> String {
        let uid = self.who().uid;
        self.identity().account_by_uid(uid).map_or_else(|| uid.to_string(), |user| user.name.clone())
    }

    /// What errors of the shell begin with, without the colon.
    pub(super) fn shell_name(&self) -> String {
        match (self.inner.lock().last(), self.launch.tty.is_some() && self.launch.login) {
            (Some((Inner::Dash, _)), _) => "sh".to_owned(),
            (Some((Inner::Bash, _)), _) | (None, false) => "bash".to_owned(),
            (None, true) => "-bash".to_owned(),
        }
    }

    /// What the shell says about a name that names nothing.
    pub(super) fn unknown_command(&self, name: &str) -> String {
        let shell = self.shell_name();
        match self.inner.lock().last() {
            Some((Inner::Dash, line)) => format!("sh: {line}: {name}: not found\n"),
            _ if self.launch.tty.is_some() => format!("{shell}: {name}: command not found\n"),
            _ => format!("{shell}: line 1: {name}: command not found\n"),
        }
    }

    /// Columns and rows of the terminal.
    pub(super) fn window(&self) -> (u32, u32) {
        (self.columns.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed))
    }

    pub(super) fn umask(&self) -> u32 {
        self.umask.load(Ordering::Relaxed)
    }

    pub(super) fn set_window(&self, columns: u16, rows: u16) {
        self.columns.store(columns.into(), Ordering::Relaxed);
        self.rows.store(rows.into(), Ordering::Relaxed);
    }

    /// Remembers where the stack is now, and when that was.
    pub(super) fn begin(&self) {
        *self.polled.lock() = Some(self.contact.visitor.clock().stopwatch());
        self.stack_base.store(here(), Ordering::Relaxed);
    }

    /// Refuses to go deeper when the running line has used up its stack.
    pub(super) fn check_depth(&self) -> bashkit::Result<()> {
        if self.is_too_deep() {
            self.cancel.lock().store(true, Ordering::Relaxed);
            return Err(bashkit::Error::Cancelled);
        }
        Ok(())
    }

    /// Whether the running line has worked for too long without waiting for anything.
    pub(super) fn is_too_long(&self) -> bool {
        self.polled.lock().is_some_and(|since| since.elapsed() > LONGEST_WORK)
    }

    pub(super) fn is_too_deep(&self) -> bool {
        let base = self.stack_base.load(Ordering::Relaxed);
        base != 0 && base.abs_diff(here()) > MOST_STACK
    }
}

/// Roughly where the stack pointer is.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&mark)) as usize
}
