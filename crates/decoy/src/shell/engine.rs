//! The interpreter behind a shell: `bashkit` over the machine's files, with bounds.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Finished, commands,
    disk::Disk,
    guard,
    io::{Input, Out, Output},
    session::{Handle, Session},
};
use bashkit::{
    Bash, BuiltinRegistry, ControlFlow, Error, ExecOptions, ExecutionExtensions, ExecutionLimits,
    MemoryLimits, SessionLimits,
    hooks::{HookAction, ToolEvent, ToolResult},
};

/// A line runs no longer than this.
const LONGEST_RUN: Duration = Duration::from_secs(300);
/// A line says no more than this.
const MOST_OUTPUT: usize = 1024 * 1024;

/// Programs of the library that are good enough to be seen; everything else of it is taken out.
const KEPT: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "awk",
    "base64",
    "basename",
    "bc",
    "bg",
    "break",
    "builtin",
    "caller",
    "cd",
    "cksum",
    "cmp",
    "comm",
    "command",
    "continue",
    "cut",
    "date",
    "dd",
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
    "gunzip",
    "gzip",
    "hash",
    "head",
    "hexdump",
    "install",
    "jobs",
    "join",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "md5sum",
    "mkfifo",
    "mktemp",
    "nl",
    "od",
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
    "rev",
    "sed",
    "seq",
    "set",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shift",
    "shopt",
    "shuf",
    "sort",
    "source",
    "split",
    "strings",
    "sum",
    "sync",
    "tac",
    "tail",
    "tee",
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
    "wc",
    "xargs",
    "xxd",
    "yes",
    "zcat",
];

/// Whether the library answers this name itself.
pub(super) fn is_kept(name: &str) -> bool {
    KEPT.binary_search(&name).is_ok()
}

/// Our programs and everything that is installed, by name and by path. Shared by all shells.
static REGISTRY: LazyLock<BuiltinRegistry> = LazyLock::new(commands::registry);

/// The interpreter of one shell.
pub(super) struct Engine {
    bash: Bash,
    session: Arc<Session>,
    exit_called: Arc<AtomicBool>,
    has_definitions: bool,
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
            .max_background_jobs(16)
            .max_live_intermediate_bytes(16_000_000)
            .max_stdout_bytes(MOST_OUTPUT)
            .max_stderr_bytes(MOST_OUTPUT);
        let exit_called = Arc::new(AtomicBool::new(false));
        let (exit_flag, before, after) = (Arc::clone(&exit_called), Arc::clone(session), Arc::clone(session));
        let mut builder = Bash::builder()
            .fs(Arc::new(Disk::new(session)))
            .rootfs(false)
            .builtin_filter(is_kept)
            .builtin_registry(REGISTRY.clone())
            .command_resolver(Arc::new(commands::Unknown))
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
        builder = builder.env("UID", who.uid.to_string()).env("EUID", who.uid.to_string());
        if session.launch.tty.is_some() {
            builder = builder.tty(0, true).tty(1, true).tty(2, true);
        }
        let mut bash = builder.build();
        bash.set_interactive(session.launch.tty.is_some());
        *session.cancel.lock() = bash.cancellation_token();
        Self { bash, session: Arc::clone(session), exit_called, has_definitions: false }
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
        let given = Given::default();
        let options = self.options(&name, output, &given);
        // The library forgets `$?` between lines.
        let prefixed = (status != 0 && line.contains('?')).then(|| format!("(exit {status}); {line}"));
        let text = prefixed.as_deref().unwrap_or(line);
        let result = watched(&self.session, self.bash.exec_with_options(text, options)).await;
        *self.session.channels.lock() = None;
        let not_found = std::mem::take(&mut *self.session.not_found.lock());
        match result {
            Ok(result) => {
                let exited = matches!(result.control_flow, ControlFlow::Exit(_))
                    || self.exit_called.load(Ordering::Relaxed) && leaves(line);
                Finished { status: result.exit_code & 0xff, exited, not_found }
            }
            Err(error) => {
                let (text, status) = last_words(&error, &name, line, self.session.launch.tty.is_some());
                if !text.is_empty() {
                    output(Out::Stderr, text.as_bytes());
                }
                Finished { status, exited: false, not_found }
            }
        }
    }

    fn options(&self, name: &str, output: &Output, given: &Given) -> ExecOptions {
        let (sink, given) = (Arc::clone(output), Arc::clone(given));
        let mut extensions = ExecutionExtensions::new();
        let _previous = extensions.insert(Handle(Arc::clone(&self.session)));
        ExecOptions::new().arg0(name).extensions(extensions).streaming(Box::new(move |stdout, stderr| {
            for (out, bytes) in [(Out::Stdout, stdout.as_bytes()), (Out::Stderr, stderr.as_bytes())] {
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
fn last_words(error: &Error, name: &str, line: &str, interactive: bool) -> (String, i32) {
    match error {
        Error::Parse { .. } => {
            let who = if interactive { name.to_owned() } else { format!("{name}: -c") };
            let mut text = error.syntax_report(&who, line).unwrap_or_default();
            if interactive {
                // An interactive shell counts no lines and does not repeat the line.
                text = text.lines().take(1).map(|line| format!("{}\n", without_line(line))).collect();
            }
            (text, 2)
        }
        Error::Cancelled => ("Segmentation fault\n".to_owned(), 139),
        Error::ResourceLimit(_) => ("Killed\n".to_owned(), 137),
        _ => (String::new(), 1),
    }
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
    if event.name == "awk"
        && let Some(program) = commands::awk_refusal(&event.args)
    {
        event.args = vec![program];
        return HookAction::Continue(event);
    }
    let script = match event.name.as_str() {
        "bash" | "sh" | "." | "source" => event.args.iter().find(|arg| !arg.starts_with('-')),
        _ => None,
    };
    // Debian's `sh` is dash and has its own words for this.
    let missing = script.filter(|_| event.name == "sh").filter(|path| {
        !event.args.iter().any(|arg| arg == "-c")
            && !session.files().exists(&session.files().resolve(&session.cwd.lock(), path))
    });
    if let Some(path) = missing.filter(|path| !path.contains('\'')) {
        let text = format!("printf '%s\\n' 'sh: 0: cannot open {path}: No such file' >&2; exit 2");
        event.args = vec!["-c".to_owned(), text];
        return HookAction::Continue(event);
    }
    let script_is_harmless = script.is_none_or(|path| {
        let path = session.files().resolve(&session.cwd.lock(), path);
        session
            .files()
            .read(&path)
            .is_ok_and(|text| guard::is_harmless(&String::from_utf8_lossy(&text), guard::LONGEST_SCRIPT))
            || !session.files().exists(&path)
    });
    if !script_is_harmless || !guard::arguments_are_harmless(&event.name, &event.args) {
        session.cancel.lock().store(true, Ordering::Relaxed);
        event.args.clear();
    }
    HookAction::Continue(event)
}

fn after_tool(session: &Session, result: ToolResult) -> HookAction<ToolResult> {
    session.in_tool.store(false, Ordering::Relaxed);
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
