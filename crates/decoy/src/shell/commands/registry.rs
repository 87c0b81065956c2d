//! How the shell library finds our programs, and what is installed and nobody emulates.

mod absent;

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use bashkit::{Builtin, BuiltinContext, BuiltinRegistry, ExecResult, ExecutionPlan, SubCommand, async_trait};

use super::{
    Call, Run, Said, as_called, asking, becoming, busybox, by_path, dash, find, finding, help, interpreters,
    is_installed, is_reachable, learn, outward, table::COMMANDS, usage,
};
use crate::{
    machine::{Identity, Kind},
    shell::{
        bytes,
        dash::{Invocation, invocation},
        engine, lasting,
        session::{Handle, Session},
    },
};
pub(in crate::shell) use absent::Unknown;
use absent::{NOT_FOUND, Status127, not_found};

/// Our programs and everything that is installed, by name and by path. Shared by all shells.
pub(in crate::shell) static REGISTRY: LazyLock<BuiltinRegistry> = LazyLock::new(registry);

/// The library hands a pipe to programs of these names in a way that only its own ones understand: ours are for lines
/// that need no interpreter, and for calls by a path.
const STREAMED: [&str; 2] = ["cat", "tr"];

/// Everything the library shall find by name or by path before it looks at files.
fn registry() -> BuiltinRegistry {
    let registry = BuiltinRegistry::new();
    registry.insert(NOT_FOUND, Arc::new(Status127));
    registry.insert(PACKAGED, Arc::new(Packaged));
    dash::register(&registry);
    becoming::register(&registry);
    finding::register(&registry);
    lasting::register(&registry);
    let installed = crate::machine::files::program_names();
    const FOLDERS: [&str; 4] = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"];
    let add_ours = |name: &'static str, run: Run, by_name: bool| {
        let words = FOLDERS.iter().map(|dir| format!("{dir}{name}")).chain(by_name.then(|| name.to_owned()));
        for called in words {
            let program: Arc<dyn Builtin> =
                Arc::new(Ours { name, called: called.clone(), run, needs_file: true });
            registry.insert(called, program);
        }
    };
    for (name, run) in COMMANDS.iter().filter(|(name, _)| !STREAMED.contains(name)) {
        add_ours(name, *run, true);
    }
    for name in busybox::applets().filter(|name| by_path(name).is_some() || !engine::is_kept(name)) {
        let applet: Arc<dyn Builtin> = match by_path(name) {
            Some(run) => Arc::new(Ours { name, called: name.to_owned(), run, needs_file: false }),
            None => Arc::new(Unemulated { name, needs_file: false, by_path: false }),
        };
        registry.insert(format!("{}{name}", busybox::DOOR), applet);
    }
    for name in installed.filter(|name| find(name).is_none() || STREAMED.contains(name)) {
        if let Some(run) = by_path(name) {
            add_ours(name, run, false);
        } else if engine::is_kept(name) || matches!(name, "bash" | "sh" | "dash" | "rbash" | "mawk" | "gawk")
        {
            let name_of_library = match name {
                "dash" | "rbash" => "sh",
                "mawk" | "gawk" => "awk",
                other => other,
            };
            let words = FOLDERS.iter().map(|dir| format!("{dir}{name}"));
            for called in words.chain((name != name_of_library).then(|| name.to_owned())) {
                let program: Arc<dyn Builtin> =
                    Arc::new(ByPath { name: name_of_library, called: called.clone() });
                registry.insert(called, program);
            }
        } else {
            registry.insert(name, Arc::new(Unemulated { name, needs_file: true, by_path: false }));
            let program: Arc<dyn Builtin> = Arc::new(Unemulated { name, needs_file: true, by_path: true });
            for dir in FOLDERS {
                registry.insert(format!("{dir}{name}"), Arc::clone(&program));
            }
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

impl Ours {
    /// The program of another folder that the shell finds first, when the visitor has changed its `PATH`.
    fn shadow(&self, context: &BuiltinContext<'_>) -> Option<String> {
        const USUAL: [&str; 6] =
            ["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];
        let path = context.variables.get("PATH").or_else(|| context.env.get("PATH"))?;
        if self.called.contains('/') || !self.needs_file || path.split(':').all(|dir| USUAL.contains(&dir)) {
            return None;
        }
        let session = session_of(context)?;
        let cwd = session.cwd.lock().clone();
        let is_program = |path: &String| {
            let path = session.files().resolve(&cwd, path);
            session.files().stat(&path).is_ok_and(|node| node.kind == Kind::File && node.mode & 0o111 != 0)
        };
        let mut found = path.split(':').take(64).map(|dir| format!("{dir}/{}", self.name));
        let first = found.find(is_program)?;
        let dir = first.rsplit_once('/').map_or("", |(dir, _)| dir);
        (!USUAL.contains(&dir)).then_some(first)
    }
}

pub(in crate::shell) fn session_of(context: &BuiltinContext<'_>) -> Option<Arc<Session>> {
    context.execution_extension::<Handle>()?.try_with(|handle| Arc::clone(&handle.0)).ok()
}

/// Whether a program is where it is looked for.
fn is_there(session: &Session, name: &str, by_path: bool, context: &BuiltinContext<'_>) -> bool {
    if by_path {
        return is_installed(session, name);
    }
    let path = context.variables.get("PATH").or_else(|| context.env.get("PATH"));
    is_reachable(session, name, path.map(String::as_str))
}

/// What is piped in, as bytes.
fn piped<'a>(context: &'a BuiltinContext<'_>) -> Option<Cow<'a, [u8]>> {
    context.stdin_bytes().map(bytes::to_bytes)
}

fn call<'a>(
    context: &'a BuiltinContext<'_>,
    session: &'a Session,
    name: &'a str,
    stdin: &'a Option<Cow<'a, [u8]>>,
) -> Call<'a> {
    Call {
        session,
        name,
        args: context.args,
        cwd: context.cwd.to_str().unwrap_or("/"),
        vars: Some(context.variables),
        stdin: stdin.as_deref(),
        to_terminal: session.launch.tty.is_some() && !session.is_piped(),
        applet: false,
    }
}

pub(super) fn result(said: Said) -> ExecResult {
    ExecResult {
        stdout: bytes::to_text(&said.out).into_owned().into(),
        stderr: bytes::to_text(&said.err).into_owned().into(),
        exit_code: said.status,
        ..ExecResult::default()
    }
}

#[async_trait]
impl Builtin for Ours {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        if self.needs_file && !is_there(&session, self.name, self.called.contains('/'), &context) {
            return Ok(not_found(&session, self.name));
        }
        let stdin = piped(&context);
        let call = Call { applet: !self.needs_file, ..call(&context, &session, self.name, &stdin) };
        let said = match (help(&call), self.run) {
            (Some(said), _) => said,
            (None, Run::Now(run)) => {
                learn(&call).await;
                run(&call)
            }
            (None, Run::Waits(run) | Run::Either(_, run)) => run(&call).await,
            (None, Run::Passes(run)) => run(&call).err().unwrap_or_default(),
        };
        Ok(result(as_called(busybox::shortened(&call, said), self.name, &self.called)))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let run = |call: &Call<'_>| match self.run {
            Run::Passes(run) => run(call).ok(),
            Run::Either(run, _) => run(call),
            Run::Now(_) | Run::Waits(_) => None,
        };
        if let Some(path) = self.shadow(context) {
            let words = std::iter::once(path).chain(context.args.iter().cloned()).collect();
            return Ok(plan(words, context.stdin.cloned()));
        }
        if matches!(self.run, Run::Now(_) | Run::Waits(_)) {
            return Ok(None);
        }
        let Some(session) = session_of(context) else { return Ok(None) };
        session.check_depth()?;
        let stdin = piped(context);
        let words = run(&call(context, &session, self.name, &stdin));
        Ok(words.and_then(|words| plan(words, context.stdin.cloned())))
    }
}

fn plan(words: Vec<String>, stdin: Option<bashkit::StreamData>) -> Option<ExecutionPlan> {
    let mut words = words.into_iter();
    let command = SubCommand { name: words.next()?, args: words.collect(), stdin, assignments: Vec::new() };
    Some(ExecutionPlan::Batch { commands: vec![command] })
}

/// A program of the library, called by its path.
struct ByPath {
    name: &'static str,
    /// The word that calls it.
    called: String,
}

#[async_trait]
impl Builtin for ByPath {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::ok(""))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        if let Some(session) = session_of(context) {
            session.check_depth()?;
        }
        let mut words: Vec<String> =
            std::iter::once(self.name.to_owned()).chain(context.args.iter().cloned()).collect();
        // A shell tells of itself by the word it was called by.
        if self.name == "sh"
            && let Some(session) = session_of(context)
        {
            *session.called.lock() = Some(self.called.clone());
        }
        if self.name == "sh"
            && let Invocation::Command(at) = invocation(context.args)
            && at + 1 == context.args.len()
        {
            words.push(self.called.clone());
        }
        Ok(plan(words, context.stdin.cloned()))
    }
}

/// A program that is installed and that nobody emulates: the oracle may know what it says.
struct Unemulated {
    name: &'static str,
    needs_file: bool,
    by_path: bool,
}

#[async_trait]
impl Builtin for Unemulated {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        if self.needs_file && !is_there(&session, self.name, self.by_path, &context) {
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
    let stdin = piped(context);
    let call = call(context, session, name, &stdin);
    let asked = asking::Asked {
        name,
        args: call.args,
        cwd: call.cwd,
        vars: call.vars,
        stdin: call.stdin,
        to_terminal: call.to_terminal,
    };
    // A script that is piped in is one that `-c` is given.
    let piped_script = asked.stdin.and_then(|script| interpreters::piped(name, call.args, script));
    if let Some(args) = &piped_script {
        let asked = asking::Asked { args, stdin: None, ..asked };
        return Ok(result(context.run_budgeted(asking::ask(session, &asked)).await?));
    }
    if let Some(said) = interpreters::sit(session, &asked).await {
        return Ok(result(said));
    }
    if let Some(said) = outward::play(&Call { applet, ..call }).await {
        return Ok(result(said));
    }
    if let Some(said) = usage::of(name, context.args, applet).filter(|_| asked.stdin.is_none()) {
        return Ok(result(said));
    }
    // Scripts for the shell reach every program; an option that it does not know is refused as always.
    if let Some(said) =
        usage::exactly(name, &context.args.join(" ")).filter(|_| !applet && !context.args.is_empty())
    {
        return Ok(result(said));
    }
    if let Some(said) = usage::refusal(name, context.args).filter(|_| !applet) {
        return Ok(result(said));
    }
    let said = context.run_budgeted(asking::ask(session, &asked)).await?;
    Ok(result(said))
}

/// What the operator named beyond the image, by name and by path.
pub(in crate::shell) fn beyond_the_image(
    identity: &Identity,
) -> impl Iterator<Item = (String, Box<dyn Builtin>)> {
    identity.programs.iter().flat_map(|name| {
        [name.clone(), format!("/usr/bin/{name}")].map(|called| {
            let program: Box<dyn Builtin> = Box::new(Beyond(name.clone()));
            (called, program)
        })
    })
}

/// The program that a package from the archive brought; its name comes before its arguments.
pub(in crate::shell) const PACKAGED: &str = "\u{2}packaged";

struct Packaged;

#[async_trait]
impl Builtin for Packaged {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        let Some((name, args)) = context.args.split_first() else { return Ok(ExecResult::ok("")) };
        let (name, args) = (name.clone(), args.to_vec());
        let stdin = piped(&context);
        let called = call(&context, &session, &name, &stdin);
        let asked = asking::Asked {
            name: &name,
            args: &args,
            cwd: called.cwd,
            vars: called.vars,
            stdin: called.stdin,
            to_terminal: called.to_terminal,
        };
        Ok(result(context.run_budgeted(asking::ask(&session, &asked)).await?))
    }
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
