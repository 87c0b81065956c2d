//! The programs whose every byte is looked at: one table, one file per subject.

mod accounts;
mod activity;
mod asking;
mod busybox;
mod calc;
mod complaint;
mod copying;
mod curl;
mod dd;
mod describing;
mod dmidecode;
mod dumps;
mod encoding;
mod groups;
mod hardware;
mod input;
mod interpreters;
mod linking;
mod listing;
mod making;
mod names;
mod network;
mod nodes;
mod packages;
mod patch;
mod ps;
mod quoting;
mod refusal;
mod removing;
mod running;
mod services;
mod signals;
mod sources;
mod space;
mod stat;
mod suggestions;
mod table;
mod tar;
mod tee;
mod tftp;
mod transfer;
mod unheard;
mod unzip;
mod usage;
mod users;
mod uuencode;
mod wget;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::SystemTime,
};

use bashkit::{
    Builtin, BuiltinContext, BuiltinRegistry, CommandResolver, ExecResult, ExecutionPlan, SubCommand,
    async_trait,
};
use futures::future::BoxFuture;

use super::{
    engine, environment,
    session::{Handle, Session},
};
pub(super) use refusal::awk as awk_refusal;
pub(super) use running::top as top_once;
use table::COMMANDS;

use crate::machine::{Files, Identity};

/// One call of a program.
pub(super) struct Call<'a> {
    pub(super) session: &'a Session,
    /// The word the program was called by, without a path.
    pub(super) name: &'a str,
    pub(super) args: &'a [String],
    pub(super) cwd: &'a str,
    pub(super) vars: Option<&'a HashMap<String, String>>,
    /// What is piped in; `None` when input is the terminal or nothing.
    pub(super) stdin: Option<&'a [u8]>,
    /// Output goes to the terminal.
    pub(super) to_terminal: bool,
    /// Called as `busybox NAME`: the same work, other words.
    pub(super) applet: bool,
}

impl Call<'_> {
    fn files(&self) -> &Files {
        self.session.files()
    }

    fn identity(&self) -> &Identity {
        self.session.identity()
    }

    fn now(&self) -> SystemTime {
        self.session.contact.visitor.now()
    }

    /// The absolute path of an operand.
    fn path(&self, operand: &str) -> String {
        let full = self.files().resolve(self.cwd, operand);
        if operand.ends_with('/') && full.len() > 1 { full + "/" } else { full }
    }

    /// A variable of the shell.
    fn var(&self, name: &str) -> Option<String> {
        match self.vars {
            Some(vars) => vars.get(name).cloned(),
            None => environment::of(self.session)
                .into_iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value),
        }
    }

    fn is_root(&self) -> bool {
        self.session.who().uid == 0
    }

    /// The arguments cut into single-letter options, long options and operands; `valued` letters take a value.
    fn options(&self, valued: &str) -> Options {
        Options::of(self.args, valued)
    }
}

/// Arguments as getopt(3) of glibc cuts them.
#[derive(Debug, Default)]
struct Options {
    letters: Vec<char>,
    values: Vec<(char, String)>,
    long: Vec<String>,
    operands: Vec<String>,
}

impl Options {
    fn of(args: &[String], valued: &str) -> Self {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                options.operands.extend(args.cloned());
                break;
            }
            if let Some(long) = arg.strip_prefix("--") {
                options.long.push(long.to_owned());
            } else if let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                let mut letters = letters.chars();
                while let Some(letter) = letters.next() {
                    if valued.contains(letter) {
                        let rest: String = letters.by_ref().collect();
                        let value =
                            if rest.is_empty() { args.next().cloned().unwrap_or_default() } else { rest };
                        options.values.push((letter, value));
                    } else {
                        options.letters.push(letter);
                    }
                }
            } else {
                options.operands.push(arg.clone());
            }
        }
        options
    }

    fn has(&self, letter: char) -> bool {
        self.letters.contains(&letter)
    }

    fn has_long(&self, name: &str) -> bool {
        self.long.iter().any(|long| long == name)
    }

    fn value(&self, letter: char) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == letter).map(|(_, value)| value.as_str())
    }

    /// The first letter that is none of these.
    fn unknown(&self, known: &str) -> Option<char> {
        self.letters.iter().copied().find(|letter| !known.contains(*letter))
    }
}

/// What a program said.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
    pub(super) status: i32,
}

impl Said {
    fn out(text: impl Into<Vec<u8>>) -> Self {
        Self { out: text.into(), ..Self::default() }
    }

    pub(in crate::shell) fn err(text: impl Into<Vec<u8>>, status: i32) -> Self {
        Self { err: text.into(), status, ..Self::default() }
    }

    fn nothing(status: i32) -> Self {
        Self { status, ..Self::default() }
    }
}

/// How a program works.
#[derive(Clone, Copy)]
pub(super) enum Run {
    /// Answers at once.
    Now(fn(&Call<'_>) -> Said),
    /// Waits for the visitor or for the oracle.
    Waits(for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, Said>),
    /// Runs another program: its words, or what it says itself.
    Passes(fn(&Call<'_>) -> Result<Vec<String>, Said>),
    /// Runs another program if the first says which; waits otherwise.
    Either(fn(&Call<'_>) -> Option<Vec<String>>, for<'a> fn(&'a Call<'a>) -> BoxFuture<'a, Said>),
}

/// Programs that bash has built in: they need no file.
const BUILT_IN: &[&str] = &["enable", "help", "history"];

/// The program of this name, if it is one of ours.
pub(super) fn find(name: &str) -> Option<Run> {
    let index = COMMANDS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    COMMANDS.get(index).map(|(_, run)| *run)
}

/// The program of this name that is meant by a path or by busybox: the shell may have its own of that name.
fn by_path(name: &str) -> Option<Run> {
    match name {
        "kill" => Some(Run::Now(signals::kill)),
        name => find(name),
    }
}

/// Programs that begin their messages with the word they were called by, path and all.
const NAMED_AS_CALLED: &[&str] = &[
    "arch",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "cut",
    "date",
    "df",
    "dir",
    "dirname",
    "du",
    "env",
    "find",
    "groups",
    "head",
    "hostid",
    "id",
    "install",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "nohup",
    "nproc",
    "od",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "seq",
    "sha1sum",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "touch",
    "tr",
    "truncate",
    "tty",
    "uname",
    "uniq",
    "unlink",
    "uptime",
    "wc",
    "who",
    "whoami",
    "xargs",
    "yes",
];

/// Messages of a program that was called by its path.
pub(super) fn as_called(mut said: Said, name: &str, called: &str) -> Said {
    if called == name || said.err.is_empty() || !NAMED_AS_CALLED.contains(&name) {
        return said;
    }
    let text = String::from_utf8_lossy(&said.err).into_owned();
    let (begin, try_begin) = (format!("{name}: "), format!("Try '{name} "));
    said.err = text
        .split_inclusive('\n')
        .map(|line| match (line.strip_prefix(&begin), line.strip_prefix(&try_begin)) {
            (Some(rest), _) => format!("{called}: {rest}"),
            (None, Some(rest)) => format!("Try '{called} {rest}"),
            (None, None) => line.to_owned(),
        })
        .collect::<String>()
        .into_bytes();
    said
}

/// What a call says that only asks what the program is.
pub(super) fn help(call: &Call<'_>) -> Option<Said> {
    let asks = matches!(call.args, [only] if only == "--help" || only == "--version");
    if asks { usage::said(call) } else { None }
}

/// Whether the file of a program is (still) there.
pub(super) fn is_installed(session: &Session, name: &str) -> bool {
    BUILT_IN.contains(&name)
        || ["/usr/bin/", "/usr/sbin/"]
            .iter()
            .any(|dir| session.files().lstat(&format!("{dir}{name}")).is_ok())
}

/// Our programs and everything that is installed, by name and by path. Shared by all shells.
pub(super) static REGISTRY: LazyLock<BuiltinRegistry> = LazyLock::new(registry);

/// The library hands a pipe to a program of this name in a way that only its own one understands: ours is for lines
/// that need no interpreter.
const STREAMED: &str = "cat";

/// Everything the library shall find by name or by path before it looks at files.
fn registry() -> BuiltinRegistry {
    let registry = BuiltinRegistry::new();
    registry.insert(NOT_FOUND, Arc::new(Status127));
    let installed = crate::machine::files::program_names();
    const FOLDERS: [&str; 4] = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"];
    let add = |name: &'static str, program: &Arc<dyn Builtin>, by_name: bool| {
        if by_name {
            registry.insert(name, Arc::clone(program));
        }
        for dir in FOLDERS {
            registry.insert(format!("{dir}{name}"), Arc::clone(program));
        }
    };
    let add_ours = |name: &'static str, run: Run, by_name: bool| {
        let words = FOLDERS.iter().map(|dir| format!("{dir}{name}")).chain(by_name.then(|| name.to_owned()));
        for called in words {
            let program: Arc<dyn Builtin> =
                Arc::new(Ours { name, called: called.clone(), run, needs_file: true });
            registry.insert(called, program);
        }
    };
    for (name, run) in COMMANDS.iter().filter(|(name, _)| *name != STREAMED) {
        add_ours(name, *run, true);
    }
    for name in busybox::applets().filter(|name| by_path(name).is_some() || !engine::is_kept(name)) {
        let applet: Arc<dyn Builtin> = match by_path(name) {
            Some(run) => Arc::new(Ours { name, called: name.to_owned(), run, needs_file: false }),
            None => Arc::new(Unemulated { name, needs_file: false }),
        };
        registry.insert(format!("{}{name}", busybox::DOOR), applet);
    }
    for name in installed.filter(|name| find(name).is_none() || *name == STREAMED) {
        if let Some(run) = by_path(name) {
            add_ours(name, run, false);
        } else if engine::is_kept(name) || matches!(name, "bash" | "sh" | "dash" | "rbash" | "mawk" | "gawk")
        {
            let name_of_library = match name {
                "dash" | "rbash" => "sh",
                "mawk" | "gawk" => "awk",
                other => other,
            };
            let program: Arc<dyn Builtin> = Arc::new(ByPath(name_of_library));
            add(name, &program, name != name_of_library);
        } else {
            let program: Arc<dyn Builtin> = Arc::new(Unemulated { name, needs_file: true });
            add(name, &program, true);
        }
    }
    registry
}

/// One of our programs in the library's eyes.
struct Ours {
    name: &'static str,
    /// The word that calls it, with its path.
    called: String,
    run: Run,
    needs_file: bool,
}

fn session_of(context: &BuiltinContext<'_>) -> Option<Arc<Session>> {
    context.execution_extension::<Handle>()?.try_with(|handle| Arc::clone(&handle.0)).ok()
}

fn call<'a>(context: &'a BuiltinContext<'_>, session: &'a Session, name: &'a str) -> Call<'a> {
    Call {
        session,
        name,
        args: context.args,
        cwd: context.cwd.to_str().unwrap_or("/"),
        vars: Some(context.variables),
        stdin: context.stdin_bytes(),
        to_terminal: session.launch.tty.is_some() && !session.is_piped(),
        applet: false,
    }
}

fn result(said: Said) -> ExecResult {
    ExecResult {
        stdout: said.out.into(),
        stderr: said.err.into(),
        exit_code: said.status,
        ..ExecResult::default()
    }
}

#[async_trait]
impl Builtin for Ours {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        if self.needs_file && !is_installed(&session, self.name) {
            return Ok(not_found(&session, self.name));
        }
        let call = Call { applet: !self.needs_file, ..call(&context, &session, self.name) };
        let said = match (help(&call), self.run) {
            (Some(said), _) => said,
            (None, Run::Now(run)) => run(&call),
            (None, Run::Waits(run) | Run::Either(_, run)) => run(&call).await,
            (None, Run::Passes(run)) => run(&call).err().unwrap_or_default(),
        };
        Ok(result(as_called(said, self.name, &self.called)))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let run = |call: &Call<'_>| match self.run {
            Run::Passes(run) => run(call).ok(),
            Run::Either(run, _) => run(call),
            Run::Now(_) | Run::Waits(_) => None,
        };
        if matches!(self.run, Run::Now(_) | Run::Waits(_)) {
            return Ok(None);
        }
        let Some(session) = session_of(context) else { return Ok(None) };
        session.check_depth()?;
        let words = run(&call(context, &session, self.name));
        Ok(words.and_then(|words| plan(words, context.stdin.cloned())))
    }
}

fn plan(words: Vec<String>, stdin: Option<bashkit::StreamData>) -> Option<ExecutionPlan> {
    let mut words = words.into_iter();
    let command = SubCommand { name: words.next()?, args: words.collect(), stdin, assignments: Vec::new() };
    Some(ExecutionPlan::Batch { commands: vec![command] })
}

/// A program of the library, called by its path.
struct ByPath(&'static str);

#[async_trait]
impl Builtin for ByPath {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::ok(""))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        if let Some(session) = session_of(context) {
            session.check_depth()?;
        }
        let words = std::iter::once(self.0.to_owned()).chain(context.args.iter().cloned()).collect();
        Ok(plan(words, context.stdin.cloned()))
    }
}

/// A program that is installed and that nobody emulates: the oracle may know what it says.
struct Unemulated {
    name: &'static str,
    needs_file: bool,
}

#[async_trait]
impl Builtin for Unemulated {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        if self.needs_file && !is_installed(&session, self.name) {
            return Ok(not_found(&session, self.name));
        }
        consult(&context, &session, self.name, !self.needs_file).await
    }
}

/// A program that nobody emulates: an interpreter on the terminal, or a question.
async fn consult(
    context: &BuiltinContext<'_>,
    session: &Session,
    name: &str,
    applet: bool,
) -> bashkit::Result<ExecResult> {
    let call = call(context, session, name);
    let asked = asking::Asked {
        name,
        args: call.args,
        cwd: call.cwd,
        vars: call.vars,
        stdin: call.stdin,
        to_terminal: call.to_terminal,
    };
    if let Some(said) = interpreters::sit(session, &asked).await {
        return Ok(result(said));
    }
    if let Some(said) = usage::of(name, context.args, applet).filter(|_| asked.stdin.is_none()) {
        return Ok(result(said));
    }
    let said = context.run_budgeted(asking::ask(session, &asked)).await?;
    Ok(result(said))
}

/// What the operator named beyond the image, by name and by path.
pub(super) fn beyond_the_image(identity: &Identity) -> impl Iterator<Item = (String, Box<dyn Builtin>)> {
    identity.programs.iter().flat_map(|name| {
        [name.clone(), format!("/usr/bin/{name}")].map(|called| {
            let program: Box<dyn Builtin> = Box::new(Beyond(name.clone()));
            (called, program)
        })
    })
}

struct Beyond(String);

#[async_trait]
impl Builtin for Beyond {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        if !is_installed(&session, &self.0) {
            return Ok(not_found(&session, &self.0));
        }
        consult(&context, &session, &self.0, false).await
    }
}

/// Answers for every name that nothing else answers for.
pub(super) struct Unknown(pub(super) Arc<Session>);

impl CommandResolver for Unknown {
    fn resolve(&self, name: &str) -> Option<Arc<dyn Builtin>> {
        // The library says it best itself, line number and all; but to some names it adds advice that bash never gives,
        // which is taken off only on the way to the visitor.
        if self.0.dash_line().is_none() && (self.0.shows_errors() || !suggestions::has_advice(name)) {
            self.0.note_unknown(name);
            return None;
        }
        Some(Arc::new(Nothing(name.to_owned())))
    }
}

struct Nothing(String);

#[async_trait]
impl Builtin for Nothing {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 127)) };
        Ok(not_found(&session, &self.0))
    }

    /// Only the shell itself knows which script and line it is in: it is asked to say the words.
    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let traced = ["SHOPT_x", "SHOPT_v"].iter().any(|name| is_on(context, name));
        let Some(session) = session_of(context).filter(|_| !traced) else { return Ok(None) };
        session.note_unknown(&self.0);
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let name = quoted(&self.0.chars().take(4096).collect::<String>());
        let said = if is_on(context, engine::DASH_MARK) {
            format!("printf '%s: %s: %s: not found\\n' \"$0\" \"$LINENO\" {name}")
        } else {
            format!(
                "printf '%s: line %s: %s: command not found\\n' \"${{BASH_SOURCE:-$0}}\" \"$LINENO\" {name}"
            )
        };
        let script = if session.launch.tty.is_some() {
            let (top, text) = (quoted(&session.shell_name()), quoted(&session.unknown_command(&self.0)));
            format!("case \"$0\" in {top}) printf %s {text};; *) {said};; esac >&2")
        } else {
            format!("{said} >&2")
        };
        let run = |name: &str, args: Vec<String>| SubCommand {
            name: name.to_owned(),
            args,
            stdin: None,
            assignments: Vec::new(),
        };
        let commands = vec![run("eval", vec![script]), run(NOT_FOUND, Vec::new())];
        Ok(Some(ExecutionPlan::Batch { commands }))
    }
}

/// The status of a command that was not found.
struct Status127;

#[async_trait]
impl Builtin for Status127 {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::err("", 127))
    }
}

/// A name that nobody types.
const NOT_FOUND: &str = "\u{2}127";

fn is_on(context: &BuiltinContext<'_>, name: &str) -> bool {
    context.variables.get(name).is_some_and(|value| value == "1")
}

fn not_found(session: &Session, name: &str) -> ExecResult {
    session.note_unknown(name);
    ExecResult::err(session.unknown_command(name), 127)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(COMMANDS.is_sorted_by_key(|(name, _)| *name));
    }
}
