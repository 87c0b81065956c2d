//! The interpreter behind a shell: `bashkit` over the machine's files, with bounds.

mod kept;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Finished, bytes, commands, dash,
    disk::Disk,
    guard,
    hooks::{after_tool, before_tool},
    io::{Input, Out, Output},
    keys, lasting, phrases, pids,
    session::{Handle, Session},
    wording,
};
use bashkit::{
    Bash, ControlFlow, Error, ExecOptions, ExecutionExtensions, ExecutionLimits, MemoryLimits, SessionLimits,
    hooks::HookAction,
};
pub(super) use kept::{KEPT, is_kept};

/// A line runs no longer than this, waiting included; how long it may work is `Session::is_too_long`.
const LONGEST_RUN: Duration = Duration::from_secs(3600);
/// A line says no more than this.
const MOST_OUTPUT: usize = 1024 * 1024;

/// The most programs of a line that run at once: a pipeline may be long.
const MOST_JOBS: usize = 640;

/// The interpreter of one shell.
pub(super) struct Engine {
    bash: Bash,
    session: Arc<Session>,
    exit_called: Arc<AtomicBool>,
    has_definitions: bool,
    has_variables: bool,
    /// How many shells deep it is, as `SHLVL` says.
    level: usize,
}

impl Engine {
    pub(super) fn new(session: &Arc<Session>, cwd: &str) -> Self {
        let account = &session.launch.account;
        let limits = ExecutionLimits::new()
            .timeout(LONGEST_RUN)
            .max_commands(120_000)
            .max_loop_iterations(40_000)
            .max_total_loop_iterations(100_000)
            .max_input_bytes(guard::LONGEST_SCRIPT)
            .max_ast_depth(64)
            .max_subst_depth(12)
            .max_subshell_depth(12)
            .max_background_jobs(MOST_JOBS)
            .max_live_intermediate_bytes(16_000_000)
            .max_stdout_bytes(MOST_OUTPUT)
            .max_stderr_bytes(MOST_OUTPUT);
        let exit_called = Arc::new(AtomicBool::new(false));
        let (exit_flag, before, after) = (Arc::clone(&exit_called), Arc::clone(session), Arc::clone(session));
        let mut builder = Bash::builder()
            .fs(Arc::new(Disk::new(session)))
            .rootfs(false)
            .builtin_filter(is_kept)
            .builtin_registry(commands::REGISTRY.clone())
            .command_resolver(Arc::new(commands::Unknown(Arc::clone(session))))
            .limits(limits)
            .session_limits(SessionLimits::unlimited())
            .memory_limits(MemoryLimits::new().max_total_variable_bytes(2_000_000))
            .before_tool(Box::new(move |event| before_tool(&before, event)))
            .after_tool(Box::new(move |result| after_tool(&after, result)))
            .on_exit(Box::new(move |event| {
                exit_flag.store(true, Ordering::Relaxed);
                HookAction::Continue(event)
            }))
            .username(&account.name)
            .hostname(&session.identity().hostname)
            .cwd(cwd);
        let who = session.who();
        for (name, value) in super::environment::of(session) {
            builder = builder.env(name, value);
        }
        let parent = (session.shell_pid() - 7).to_string();
        builder =
            builder.env("UID", who.uid.to_string()).env("EUID", who.uid.to_string()).env("PPID", parent);
        for (name, program) in commands::beyond_the_image(session.identity()) {
            builder = builder.builtin(name, program);
        }
        // The library has no `suspend` at all.
        for (name, program) in super::jobs::programs() {
            if session.has_jobs() || name == "suspend" {
                builder = builder.builtin(name, program);
            }
        }
        if session.launch.tty.is_some() {
            builder = builder.tty(0, true).tty(1, true).tty(2, true);
        }
        let mut bash = builder.build();
        bash.set_interactive(session.launch.is_interactive());
        *session.cancel.lock() = bash.cancellation_token();
        Self {
            bash,
            session: Arc::clone(session),
            exit_called,
            has_definitions: false,
            has_variables: false,
            level: 1,
        }
    }

    pub(super) fn cwd(&self) -> String {
        self.bash.shell_state_view().cwd.to_string_lossy().into_owned()
    }

    /// Whether words may mean something else than the programs they name. The library does not show its aliases, so
    /// nothing is assumed any more once a line may have defined one.
    pub(super) fn has_definitions(&self) -> bool {
        self.has_definitions
    }

    /// Runs text. `status` is what `$?` says at first.
    pub(super) async fn run(&mut self, line: &str, status: i32, output: &Output, input: &Input) -> Finished {
        self.session.cancel.lock().store(false, Ordering::Relaxed);
        self.exit_called.store(false, Ordering::Relaxed);
        *self.session.channels.lock() = Some((Arc::clone(output), input.clone()));
        let name = self.session.shell_name();
        // Variables can be part of what a program sees (`PATH`), and traps run at every command.
        self.has_definitions |=
            ["alias", "()", "function", "PATH", "trap", "eval", "source", ". ", "exec ", "umask"]
                .iter()
                .any(|sign| line.contains(sign));
        self.begin_variables().await;
        self.count_shells().await;
        let given = Given::default();
        let options = self.options(&name, output, &given);
        if let Some(text) = wording::early_end(line, &parser_name(&self.session)) {
            let text = without_counts(text, &self.session);
            output(Out::Stderr, text.as_bytes());
            return Finished { status: 2, ..Finished::default() };
        }
        // The library forgets `$?` between lines.
        let prefixed = (status != 0 && line.contains('?')).then(|| format!("(exit {status}); {line}"));
        let text = prefixed.as_deref().unwrap_or(line);
        let typed =
            self.session.dash_line().and_then(|line| dash::translated(text, dash::Place::Typed(line)));
        let text = typed.as_deref().unwrap_or(text);
        let last = self.session.jobs.lock().last;
        let numbered =
            pids::with_own(text, self.session.shell_pid(), last, self.session.launch.is_interactive());
        let text = numbered.as_deref().unwrap_or(text);
        let reading = keys::let_read(text, self.session.launch.is_interactive());
        let text = reading.as_deref().unwrap_or(text);
        let looking = lasting::with_look(&self.session, text, status);
        let text = looking.as_deref().unwrap_or(text);
        let result = watched(&self.session, self.bash.exec_with_options(text, options)).await;
        *self.session.channels.lock() = None;
        let not_found = std::mem::take(&mut *self.session.not_found.lock());
        match result {
            Ok(result) => {
                let exited = matches!(result.control_flow, ControlFlow::Exit(_))
                    || self.exit_called.load(Ordering::Relaxed) && leaves(line);
                Finished { status: result.exit_code & 0xff, exited, not_found }
            }
            Err(_) if self.session.killed.load(Ordering::Relaxed) > 0 => {
                let signal = i32::from(self.session.killed.load(Ordering::Relaxed));
                Finished { status: 128 + signal, exited: true, not_found }
            }
            Err(error) => {
                let (text, status) = last_words(&error, &self.session, line);
                if !text.is_empty() {
                    output(Out::Stderr, text.as_bytes());
                }
                Finished { status, exited: false, not_found }
            }
        }
    }

    /// Gives the variables that are bash's own their values, once.
    async fn begin_variables(&mut self) {
        if std::mem::replace(&mut self.has_variables, true) {
            return;
        }
        let mut script = "BASH_VERSINFO[5]=x86_64-pc-linux-gnu; BASH=/bin/bash; unset OLDPWD".to_owned();
        // bash gives TERM a value where there is none, and does not export it (variables.c).
        if !self.session.launch.env.iter().any(|(name, _)| name == "TERM") {
            script += "; [ -n \"$TERM\" ] || TERM=dumb";
        }
        if self.session.launch.is_interactive() {
            let (columns, rows) = self.session.window();
            script += &format!(
                "; COLUMNS={columns}; LINES={rows}; HISTFILE=~/.bash_history; HISTFILESIZE=500; HISTSIZE=500; PS1='${{debian_chroot:+($debian_chroot)}}\\u@\\h:\\w\\$ '; PS2='> '; shopt -s expand_aliases"
            );
        }
        if let Err(error) = self.bash.exec(&script).await {
            tracing::debug!(%error, "the shell's own variables are not all set");
        }
    }

    /// A shell in the shell knows how deep it is.
    async fn count_shells(&mut self) {
        let level = self.session.inner.lock().len() + 1;
        if std::mem::replace(&mut self.level, level) != level
            && let Err(error) = self.bash.exec(&format!("SHLVL={level}")).await
        {
            tracing::debug!(%error, "SHLVL is not set");
        }
    }

    /// What a script says, unseen by the visitor.
    pub(super) async fn capture(&mut self, script: &str) -> String {
        self.session.cancel.lock().store(false, Ordering::Relaxed);
        self.begin_variables().await;
        let mut extensions = ExecutionExtensions::new();
        let _previous = extensions.insert(Handle(Arc::clone(&self.session)));
        let options = ExecOptions::new().arg0(self.session.shell_name()).extensions(extensions);
        match watched(&self.session, self.bash.exec_with_options(script, options)).await {
            Ok(result) => result.stdout.to_string(),
            Err(_) => String::new(),
        }
    }

    fn options(&self, name: &str, output: &Output, given: &Given) -> ExecOptions {
        let (sink, given) = (Arc::clone(output), Arc::clone(given));
        let mut extensions = ExecutionExtensions::new();
        let _previous = extensions.insert(Handle(Arc::clone(&self.session)));
        let (session, top) = (Arc::clone(&self.session), self.session.error_prefix());
        let mut cut = [Vec::new(), Vec::new()];
        let positional = self.session.lasting.lock().positional.clone();
        ExecOptions::new().arg0(name).positional(positional).extensions(extensions).streaming(Box::new(
            move |stdout, stderr| {
                let script = session.dash_text.lock().clone();
                let denied = session.denied.lock().clone();
                let errors = std::str::from_utf8(stderr.as_bytes()).map(|text| {
                    let kept_out = denied.as_deref().map(|to| wording::kept_out(text, to));
                    let text = kept_out.as_deref().unwrap_or(text);
                    let text = wording::reword(
                        text,
                        &top,
                        session.dash_line(),
                        &|name| session.is_dash(name),
                        &script,
                    );
                    if !script.is_empty() && dash::is_fatal(&text) {
                        session.dash_failed.store(true, Ordering::Relaxed);
                    }
                    let text = phrases::of_programs(text, &session.arguments.lock(), &session.cwd.lock());
                    let traces = session.dash_traces.load(Ordering::Relaxed);
                    if traces { dash::trace(text).into_owned() } else { text.into_owned() }
                });
                let errors = errors.as_ref().map_or(stderr.as_bytes(), |text| text.as_bytes());
                let pieces = [(Out::Stdout, stdout.as_bytes()), (Out::Stderr, errors)];
                // A trace shows what is about to be done.
                let traced = errors.starts_with(b"+");
                let mut both: Vec<_> = pieces.into_iter().zip(&mut cut).collect();
                if traced {
                    both.reverse();
                }
                for ((out, piece), rest) in both {
                    let bytes = bytes::next_bytes(rest, piece);
                    let room = MOST_OUTPUT
                        .saturating_sub(given.fetch_add(bytes.len(), Ordering::Relaxed))
                        .min(bytes.len());
                    if let Some(bytes) = bytes.get(..room).filter(|bytes| !bytes.is_empty()) {
                        sink(out, bytes);
                    }
                }
            },
        ))
    }
}

/// How many bytes a line has said.
type Given = Arc<AtomicUsize>;

/// Notes where the stack is at each poll, so that nesting can be measured from there on whatever thread that is.
async fn watched<T>(session: &Session, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let spare = tokio::runtime::Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread);
    std::future::poll_fn(|context| {
        session.begin();
        // The library works through a whole line at once: meanwhile another thread serves everybody else.
        let ready = if spare {
            tokio::task::block_in_place(|| work.as_mut().poll(context))
        } else {
            work.as_mut().poll(context)
        };
        session.rest();
        ready
    })
    .await
}

/// `(exit 1)` and `$(exit)` fire the same hook as `exit`: only a line that ends the shell itself counts.
fn leaves(line: &str) -> bool {
    let words: Vec<&str> = line.split([';', '&', '|', '\n']).map(str::trim).collect();
    words.iter().any(|command| matches!(command.split_whitespace().next(), Some("exit" | "logout" | "exec")))
}

/// What the visitor sees when the library gives up on a line.
fn last_words(error: &Error, session: &Session, line: &str) -> (String, i32) {
    match error {
        Error::Parse { .. } => {
            (without_counts(wording::syntax_error(error, &parser_name(session), line), session), 2)
        }
        Error::Cancelled => ("Segmentation fault\n".to_owned(), 139),
        Error::ResourceLimit(_) => ("Killed\n".to_owned(), 137),
        _ => (String::new(), 1),
    }
}

/// What errors of the parser begin with.
fn parser_name(session: &Session) -> String {
    let name = session.shell_name();
    if session.launch.is_interactive() { name } else { format!("{name}: -c") }
}

/// An interactive shell counts no lines and does not repeat the line; dash says it its own way.
fn without_counts(text: String, session: &Session) -> String {
    if let Some(line) = session.dash_line() {
        let is_dash = |name: &str| name == "sh";
        let text = wording::reword(&text, "", Some(line), &is_dash, "").into_owned();
        return text.replacen("sh: 1: ", &format!("{}: {line}: ", session.shell_name()), 1);
    }
    if !session.launch.is_interactive() {
        return text;
    }
    text.lines().take(1).map(|line| format!("{}\n", without_line(line))).collect()
}

/// `-bash: line 1: x` as `-bash: x`.
fn without_line(text: &str) -> String {
    let mut parts = text.splitn(3, ": ");
    match (parts.next(), parts.next(), parts.next()) {
        (Some(who), Some(line), Some(rest)) if line.starts_with("line ") => format!("{who}: {rest}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::KEPT;

    #[test]
    fn the_list_can_be_searched() {
        assert!(KEPT.is_sorted());
    }
}
