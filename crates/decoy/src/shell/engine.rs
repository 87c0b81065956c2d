//! The interpreter behind a shell: `bashkit` over the machine's files, with bounds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Finished, bytes, commands,
    dash::{self, Invocation},
    disk::Disk,
    finding, guard,
    io::{Input, Out, Output},
    keys, listings, phrases, pids, runners,
    session::{Handle, Session},
    wording,
};
use bashkit::{
    Bash, ControlFlow, Error, ExecOptions, ExecutionExtensions, ExecutionLimits, MemoryLimits, SessionLimits,
    hooks::{HookAction, ToolEvent, ToolResult},
};

/// A line runs no longer than this, waiting included; how long it may work is `Session::is_too_long`.
const LONGEST_RUN: Duration = Duration::from_secs(3600);
/// A line says no more than this.
const MOST_OUTPUT: usize = 1024 * 1024;

/// The most programs of a line that run at once: a pipeline may be long.
const MOST_JOBS: usize = 640;

/// Programs of the library that are good enough to be seen; everything else of it is taken out.
pub(super) const KEPT: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "awk",
    "basename",
    "basenc",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cat",
    "cd",
    "cmp",
    "column",
    "comm",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "cut",
    "date",
    "declare",
    "diff",
    "dirname",
    "dirs",
    "disown",
    "du",
    "echo",
    "egrep",
    "env",
    "eval",
    "exec",
    "exit",
    "expand",
    "export",
    "expr",
    "factor",
    "false",
    "fg",
    "fgrep",
    "find",
    "fmt",
    "fold",
    "getopts",
    "grep",
    "hash",
    "hostid",
    "iconv",
    "install",
    "jobs",
    "join",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "mkfifo",
    "mktemp",
    "nl",
    "numfmt",
    "paste",
    "popd",
    "printenv",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readlink",
    "readonly",
    "realpath",
    "return",
    "sed",
    "seq",
    "set",
    "shift",
    "shopt",
    "shuf",
    "sort",
    "source",
    "split",
    "suspend",
    "sync",
    "tac",
    "test",
    "timeout",
    "times",
    "tr",
    "trap",
    "true",
    "truncate",
    "tsort",
    "tty",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unexpand",
    "uniq",
    "unset",
    "wait",
    "xargs",
    "yes",
];

/// Whether the library answers this name itself.
pub(super) fn is_kept(name: &str) -> bool {
    KEPT.binary_search(&name).is_ok()
}

/// The interpreter of one shell.
pub(super) struct Engine {
    bash: Bash,
    session: Arc<Session>,
    exit_called: Arc<AtomicBool>,
    has_definitions: bool,
    has_variables: bool,
}

impl Engine {
    pub(super) fn new(session: &Arc<Session>, cwd: &str) -> Self {
        let account = &session.launch.account;
        let limits = ExecutionLimits::new()
            .timeout(LONGEST_RUN)
            .max_commands(20_000)
            .max_loop_iterations(10_000)
            .max_total_loop_iterations(50_000)
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
        if session.launch.is_interactive() {
            for (name, program) in super::jobs::programs() {
                builder = builder.builtin(name, program);
            }
        }
        if session.launch.tty.is_some() {
            builder = builder.tty(0, true).tty(1, true).tty(2, true);
        }
        let mut bash = builder.build();
        bash.set_interactive(session.launch.is_interactive());
        *session.cancel.lock() = bash.cancellation_token();
        Self { bash, session: Arc::clone(session), exit_called, has_definitions: false, has_variables: false }
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
        let numbered = pids::with_own(text, self.session.shell_pid(), last, self.session.has_jobs());
        let text = numbered.as_deref().unwrap_or(text);
        let reading = keys::let_read(text, self.session.launch.is_interactive());
        let text = reading.as_deref().unwrap_or(text);
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
                "; COLUMNS={columns}; LINES={rows}; HISTFILE=~/.bash_history; HISTFILESIZE=500; HISTSIZE=500; PS1='\\u@\\h:\\w\\$ '; PS2='> '"
            );
        }
        if let Err(error) = self.bash.exec(&script).await {
            tracing::debug!(%error, "the shell's own variables are not all set");
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
        ExecOptions::new().arg0(name).extensions(extensions).streaming(Box::new(move |stdout, stderr| {
            let script = session.dash_text.lock().clone();
            let errors = std::str::from_utf8(stderr.as_bytes()).map(|text| {
                let text =
                    wording::reword(text, &top, session.dash_line(), &|name| session.is_dash(name), &script);
                if !script.is_empty() && dash::is_fatal(&text) {
                    session.dash_failed.store(true, Ordering::Relaxed);
                }
                phrases::of_programs(text, &session.arguments.lock(), &session.cwd.lock())
            });
            let errors = errors.as_ref().map_or(stderr.as_bytes(), |text| text.as_bytes());
            let pieces = [(Out::Stdout, stdout.as_bytes()), (Out::Stderr, errors)];
            for ((out, piece), rest) in pieces.into_iter().zip(&mut cut) {
                let bytes = bytes::next_bytes(rest, piece);
                let room = MOST_OUTPUT
                    .saturating_sub(given.fetch_add(bytes.len(), Ordering::Relaxed))
                    .min(bytes.len());
                if let Some(bytes) = bytes.get(..room).filter(|bytes| !bytes.is_empty()) {
                    sink(out, bytes);
                }
            }
        }))
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
        if spare {
            tokio::task::block_in_place(|| work.as_mut().poll(context))
        } else {
            work.as_mut().poll(context)
        }
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
        return text.replacen("sh: 1: ", &format!("sh: {line}: "), 1);
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

/// Looks at each program before it starts: what would nest without end is given nothing to nest.
fn before_tool(session: &Session, mut event: ToolEvent) -> HookAction<ToolEvent> {
    let nests = runs_others(&event.name);
    session.in_tool.store(!nests, Ordering::Relaxed);
    if session.is_too_deep() || session.is_too_long() {
        session.cancel.lock().store(true, Ordering::Relaxed);
        event.args.clear();
        return HookAction::Continue(event);
    }
    if !matches!(event.name.as_str(), "eval" | "printf" | "case") {
        session.arguments.lock().clone_from(&event.args);
        *session.runner.lock() = runners::absent(session, &event.name, &event.args);
    }
    let interactive = session.launch.is_interactive();
    if event.name == "kill"
        && let Some(signal) = pids::ends_the_shell(&event.args, session.shell_pid(), interactive)
    {
        session.killed.store(signal, Ordering::Relaxed);
        session.cancel.lock().store(true, Ordering::Relaxed);
        return HookAction::Continue(event);
    }
    // The library's shell is process 1 to itself.
    if event.name == "kill" && event.args.first().is_some_and(|arg| arg == "-0") && !interactive {
        let own = session.shell_pid().to_string();
        for arg in event.args.iter_mut().filter(|arg| **arg == own) {
            *arg = "1".to_owned();
        }
    }
    if event.name == "awk"
        && let Some(program) = commands::awk_refusal(&event.args)
    {
        event.args = vec![program];
        return HookAction::Continue(event);
    }
    bytes::prepare(&event.name, &mut event.args);
    if event.name == "umask"
        && let Some(mask) = event.args.first().and_then(|mask| u32::from_str_radix(mask, 8).ok())
    {
        session.set_umask(mask & 0o777);
    }
    if event.name == "factor" {
        for arg in &mut event.args {
            *arg = arg.trim_start_matches(' ').to_owned();
        }
    }
    if event.name == "find" {
        finding::rewrite(&mut event.args, |path| session.files().resolve(&session.cwd.lock(), path));
    }
    if event.name == "cd" {
        // The library tells of a change only when the line is over.
        let to = event.args.iter().find(|arg| !arg.starts_with('-'));
        let to = to.map_or(session.launch.account.home.as_str(), String::as_str);
        let heading = session.files().resolve(&session.cwd.lock(), to);
        *session.heading.lock() = Some(heading);
    }
    if event.name == "sh" && !as_dash(session, &mut event) {
        return HookAction::Continue(event);
    }
    let script = match event.name.as_str() {
        "bash" if !event.args.iter().any(|arg| is_command_option(arg)) => {
            event.args.iter().find(|arg| !arg.starts_with('-')).cloned()
        }
        "." | "source" => event.args.iter().find(|arg| !arg.starts_with('-')).cloned(),
        _ => None,
    };
    if event.name == "bash"
        && let Some(path) = script
            .as_ref()
            .filter(|path| session.files().is_dir(&session.files().resolve(&session.cwd.lock(), path)))
    {
        say_instead(&mut event.args, &format!("{path}: {path}: Is a directory"), 126);
        return HookAction::Continue(event);
    }
    let script_is_harmless = script.is_none_or(|path| {
        let path = session.files().resolve(&session.cwd.lock(), &path);
        *session.given_to_shell.lock() = Some(path.clone());
        session
            .files()
            .read(&path)
            .is_ok_and(|text| guard::is_harmless(&String::from_utf8_lossy(&text), guard::LONGEST_SCRIPT))
            || !session.files().exists(&path)
            || session.files().is_dir(&path)
    });
    if !script_is_harmless || !guard::arguments_are_harmless(&event.name, &event.args) {
        session.cancel.lock().store(true, Ordering::Relaxed);
        event.args.clear();
    } else if matches!(event.name.as_str(), "bash" | "sh") {
        as_the_real_one(&mut event, session.shell_pid() + 2);
    }
    HookAction::Continue(event)
}

/// Whether an option has `c` among its letters: a script follows.
fn is_command_option(arg: &str) -> bool {
    arg.starts_with('-') && !arg.starts_with("--") && arg.contains('c')
}

/// Makes a call of a shell one that says this and ends.
fn say_instead(args: &mut Vec<String>, said: &str, status: i32) {
    let said = said.replace('\'', "'\\''");
    *args = vec!["-c".to_owned(), format!("printf '%s\\n' '{said}' >&2; exit {status}")];
}

/// Makes a call of dash one that the library's bash can run; `false` when nothing else is to be looked at.
fn as_dash(session: &Session, event: &mut ToolEvent) -> bool {
    // What our own programs call is translated already.
    if event.args.first().is_some_and(|arg| arg == "-o") {
        return true;
    }
    match dash::invocation(&event.args) {
        Invocation::Refused(said) => {
            say_instead(&mut event.args, &said, 2);
            false
        }
        Invocation::Command(at) => {
            if let Some(script) = event.args.get_mut(at)
                && let Some(text) = session.translated(script)
            {
                *script = text;
            }
            true
        }
        Invocation::File(at) => {
            let Some(named) = event.args.get(at).cloned() else { return true };
            let path = session.files().resolve(&session.cwd.lock(), &named);
            if !session.files().exists(&path) {
                say_instead(&mut event.args, &format!("sh: 0: cannot open {named}: No such file"), 2);
                return false;
            }
            if session.files().is_dir(&path) {
                event.args = vec!["-c".to_owned(), ":".to_owned()];
                return false;
            }
            *session.given_to_shell.lock() = Some(path.clone());
            session.dash_given.store(true, Ordering::Relaxed);
            session.add_dash(&named);
            let text = session.files().read(&path).unwrap_or_default();
            if !guard::is_harmless(&String::from_utf8_lossy(&text), guard::LONGEST_SCRIPT) {
                session.cancel.lock().store(true, Ordering::Relaxed);
                event.args.clear();
                return false;
            }
            true
        }
        Invocation::Piped(at) => {
            let given = event.args.get(at..).unwrap_or_default().to_vec();
            let words: Vec<String> =
                given.iter().map(|arg| format!("'{}'", arg.replace('\'', "'\\''"))).collect();
            let script = format!("{} {}", commands::dash::PIPED, words.join(" "));
            event.args = ["-o", "posix", "-c", script.trim_end()].map(str::to_owned).to_vec();
            true
        }
    }
}

/// The library's shells tell of themselves what neither bash nor dash would, and its `sh` is bash: the option marks it
/// for the programs that need to know, for as long as it runs.
fn as_the_real_one(event: &mut ToolEvent, pid: u32) {
    let first = event.args.first().map(String::as_str).unwrap_or_default();
    let said = match (event.name.as_str(), first) {
        ("bash", "--version") => Some(wording::BASH_VERSION),
        ("bash", "--help") => Some(wording::BASH_HELP),
        _ => None,
    };
    if let Some(text) = said {
        let text = text.replace('\'', "'\\''");
        event.args = vec!["-c".to_owned(), format!("printf %s '{text}'")];
        return;
    }
    if let Some(at) = event.args.iter().position(|arg| arg == "-c")
        && let Some(script) = event.args.get_mut(at + 1)
        && let Some(numbered) = pids::with_own(script, pid, None, false)
    {
        *script = numbered;
    }
    if event.name == "sh" && event.args.first().is_none_or(|arg| arg != "-o") {
        event.args.splice(0..0, ["-o".to_owned(), "posix".to_owned()]);
    }
}

/// The variable that the mark of `as_the_real_one` sets.
pub(super) const DASH_MARK: &str = "SHOPT_posix";

fn after_tool(session: &Session, mut result: ToolResult) -> HookAction<ToolResult> {
    session.in_tool.store(false, Ordering::Relaxed);
    // dash gives up with another status than bash.
    if result.name == "sh" && result.exit_code == 1 && session.dash_failed.swap(false, Ordering::Relaxed) {
        result.exit_code = 2;
    }
    // One that starts others tells that any of them failed.
    if result.name == "xargs" && (1..=125).contains(&result.exit_code) {
        result.exit_code = 123;
    }
    if result.name == "cd"
        && let Some(heading) = session.heading.lock().take()
        && result.exit_code == 0
    {
        *session.cwd.lock() = heading;
    }
    if let Some(text) = listings::corrected(&result.name, &result.stdout, session.launch.is_interactive()) {
        result.stdout = text;
    }
    HookAction::Continue(result)
}

/// Programs that run other programs: files that are read while they work may be read to be run.
fn runs_others(name: &str) -> bool {
    matches!(
        name,
        "eval"
            | "."
            | "source"
            | "bash"
            | "sh"
            | "command"
            | "builtin"
            | "exec"
            | "env"
            | "xargs"
            | "find"
            | "timeout"
            | "trap"
            | "nohup"
            | "sudo"
            | "busybox"
            | "setsid"
            | "nice"
            | "time"
    )
}

#[cfg(test)]
mod tests {
    use super::KEPT;

    #[test]
    fn the_list_can_be_searched() {
        assert!(KEPT.is_sorted());
    }
}
