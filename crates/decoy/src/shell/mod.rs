//! The visitor's shell: a line goes in, bytes and a status come out.
//!
//! Grammar and most small programs come from the `bashkit` library, the files from the machine, and the programs whose
//! every byte is looked at from here. Nothing of the host is ever run, read or named.

mod builtins;
mod bytes;
mod commands;
mod completion;
mod dash;
mod disk;
mod engine;
mod environment;
mod guard;
mod hooks;
pub mod io;
mod jobs;
mod keys;
mod lasting;
mod lines;
mod listings;
mod mawk;
mod operands;
mod operators;
mod options;
mod personas;
mod phrases;
mod pids;
mod recall;
mod runners;
mod screens;
mod scripts;
mod session;
mod simple;
mod window;
mod wording;

use std::sync::{Arc, atomic::Ordering};

use wire::EventKind;

pub use completion::Completion;
pub use io::{Input, Out, Output};
pub use window::Window;

use crate::{dialogue::Contact, machine::Account};
use engine::Engine;
use session::{Inner, Session};

/// Takes events that happen while a line runs.
pub type Notes = Arc<dyn Fn(EventKind) + Send + Sync>;

/// What a shell is started with.
#[derive(Clone)]
pub struct Launch {
    /// Who has logged in.
    pub account: Account,
    /// A login shell: its errors begin with `-bash: `.
    pub login: bool,
    /// Terminal, such as `pts/0`; `None` when there is none. One command may have a terminal without being a login.
    pub tty: Option<String>,
    /// Environment the client sent, on top of the usual one.
    pub env: Vec<(String, String)>,
    /// Columns and rows.
    pub window: (u16, u16),
    /// Takes events that happen while a line runs: downloads that were asked for and not made.
    pub notes: Notes,
}

impl Launch {
    /// Whether somebody types: a login shell on a terminal.
    pub(crate) fn is_interactive(&self) -> bool {
        self.login && self.tty.is_some()
    }
}

/// How a line ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Exit status of the last command.
    pub status: i32,
    /// `exit` or `logout`: the session ends.
    pub exited: bool,
    /// Command words that gave "command not found".
    pub not_found: Vec<String>,
}

/// The most characters of a prompt.
const LONGEST_PROMPT: usize = 1024;

/// One visitor's shell. Made with nothing but its settings; the interpreter comes with the first line that needs it.
pub struct Shell {
    session: Arc<Session>,
    cwd: String,
    status: i32,
    engine: Option<Box<Engine>>,
    /// Prompts that the visitor has changed: `PS1` and `PS2`.
    prompts: Option<(String, String)>,
    /// Where the shells were that started another one.
    outer: Vec<String>,
}

impl Shell {
    /// A shell in the account's home directory (or `/` when that is gone).
    pub fn new(contact: &Contact, launch: Launch) -> Self {
        let files = contact.visitor.files();
        let cwd =
            if files.is_dir(&launch.account.home) { launch.account.home.clone() } else { "/".to_owned() };
        let window = Window::new(launch.window.0, launch.window.1);
        Self {
            session: Arc::new(Session::new(contact, launch, window)),
            cwd,
            status: 0,
            engine: None,
            prompts: None,
            outer: Vec::new(),
        }
    }

    /// A shell whose window somebody else holds too.
    pub fn in_window(contact: &Contact, launch: Launch, window: Window) -> Self {
        let mut shell = Self::new(contact, launch);
        if let Some(session) = Arc::get_mut(&mut shell.session) {
            session.window = window;
        }
        shell
    }

    /// The signal that has ended the shell, if one has.
    pub fn killed_by(&self) -> Option<u8> {
        Some(self.session.killed.load(Ordering::Relaxed)).filter(|signal| *signal > 0)
    }

    /// The prompt, as Debian's `bash.bashrc` has it: `user@host:directory` and `#` or `$`; dash has only the sign.
    pub fn prompt(&self) -> String {
        let mark = if self.session.who().uid == 0 { '#' } else { '$' };
        if matches!(self.session.inner.lock().last(), Some((Inner::Dash, _))) {
            return format!("{mark} ");
        }
        if let Some((first, _)) = &self.prompts {
            return first.clone();
        }
        let user = self.session.user_name();
        let home = self.session.home_of(self.session.who().uid);
        let home = home.as_str();
        let shown = match self.cwd.strip_prefix(home) {
            Some("") if home != "/" => "~".to_owned(),
            Some(rest) if rest.starts_with('/') && home != "/" => format!("~{rest}"),
            _ => self.cwd.clone(),
        };
        format!("{user}@{}:{shown}{mark} ", self.session.identity().hostname)
    }

    /// The prompt of a line that is not finished.
    pub fn second_prompt(&self) -> &str {
        self.prompts.as_ref().map_or("> ", |(_, second)| second)
    }

    /// Works out prompts that the visitor has changed; `PROMPT_COMMAND` runs before them.
    async fn renew_prompts(&mut self, line: &str, output: &Output) {
        let changes = ["PS1", "PS2", "PROMPT_COMMAND"].iter().any(|name| line.contains(name));
        if !self.session.launch.is_interactive() || !(changes || self.prompts.is_some()) {
            return;
        }
        let Some(engine) = &mut self.engine else { return };
        const SCRIPT: &str = "eval \"$PROMPT_COMMAND\"; printf '\\001%s\\001%s' \"${PS1@P}\" \"${PS2@P}\"";
        let said = engine.capture(SCRIPT).await;
        let mut parts = said.splitn(3, '\u{1}');
        let (Some(before), Some(first), Some(second)) = (parts.next(), parts.next(), parts.next()) else {
            return;
        };
        if !before.is_empty() {
            output(Out::Stdout, &bytes::to_bytes(before.as_bytes()));
        }
        let first: String = first.chars().take(LONGEST_PROMPT).collect();
        self.prompts = Some((first, second.chars().take(LONGEST_PROMPT).collect()));
    }

    /// What its errors begin with: `-bash`, `bash` or `sh`.
    pub fn name(&self) -> String {
        self.session.shell_name()
    }

    /// Whether what is typed is not yet a whole command: the terminal shows `> ` and goes on reading.
    pub fn wants_more(&self, typed: &str) -> bool {
        lines::is_unfinished(typed)
    }

    /// Runs a line (or several). Output is given as it comes; dropping the future (Ctrl-C) leaves a usable shell.
    pub async fn run(&mut self, line: &str, output: &Output, input: &Input) -> Finished {
        self.session.begin_line(line, &self.cwd);
        // A program that was interrupted while it asked for a secret left the terminal silent.
        input.set_echo(true);
        self.session.approach(line, &self.cwd).await;
        let (output, heard) = recall::listen(output);
        let (depth, cwd) = (self.session.inner.lock().len(), self.cwd.clone());
        let finished = match self.job_parts(line) {
            Some(parts) => self.run_parts(parts, &output, input).await,
            None => self.run_one(line, &output, input).await,
        };
        self.session.jobs.lock().finish_foreground();
        self.settle(depth, cwd).await;
        self.status = finished.status;
        if !finished.exited {
            self.renew_prompts(line, &output).await;
        }
        self.session.recall.keep(line, &heard);
        self.status = finished.status;
        finished
    }

    /// Runs commands of which nothing goes into the background by itself.
    async fn run_one(&mut self, line: &str, output: &Output, input: &Input) -> Finished {
        // `%1` alone brings a job back.
        let brought = (self.session.has_jobs() && line.trim_start().starts_with('%'))
            .then(|| format!("fg {}", line.trim_start()));
        let line = brought.as_deref().unwrap_or(line);
        match self.run_simple(line, output, input).await {
            Some(finished) => finished,
            None => self.run_script(line, output, input).await,
        }
    }

    /// Hands a line to the interpreter.
    async fn run_script(&mut self, line: &str, output: &Output, input: &Input) -> Finished {
        let longest =
            if self.session.launch.is_interactive() { guard::LONGEST_LINE } else { guard::LONGEST_SCRIPT };
        if !guard::is_harmless(line, longest) {
            let text = format!("{}: memory exhausted\n", self.session.shell_name());
            output(Out::Stderr, text.as_bytes());
            return Finished { status: 2, ..Finished::default() };
        }
        let engine = match &mut self.engine {
            Some(engine) => engine,
            none => none.insert(Box::new(Engine::new(&self.session, &self.cwd))),
        };
        let finished = engine.run(line, self.status, output, input).await;
        self.cwd = engine.cwd();
        let last = if finished.exited { self.session.lasting.lock().at_exit.take() } else { None };
        if let Some(last) = last {
            engine.run(&last, finished.status, output, input).await;
        }
        finished
    }

    /// The window of the shell's terminal: it may be given another size while a program runs.
    pub fn window(&self) -> &Window {
        &self.session.window
    }
}

#[cfg(test)]
pub(crate) mod tests;
