//! The shell's side of a search that runs commands: it asks for the next one, runs it, and ends.

use std::{path::PathBuf, sync::Arc};

use bashkit::{Builtin, BuiltinContext, BuiltinRegistry, ExecResult, ExecutionPlan, SubCommand, async_trait};

use super::super::registry::{result, session_of};

/// Names that nobody types: go on to the next command, run it, end.
pub(super) const NEXT: &str = "\u{2}find";
pub(super) const RUN: &str = "\u{2}find-run";
pub(super) const END: &str = "\u{2}find-end";

pub(in crate::shell::commands) fn register(registry: &BuiltinRegistry) {
    registry.insert(NEXT, Arc::new(Next));
    registry.insert(RUN, Arc::new(Run));
    registry.insert(END, Arc::new(End));
}

fn number(context: &BuiltinContext<'_>, at: usize) -> Option<u32> {
    context.args.get(at)?.parse().ok()
}

/// Goes on until a command has to run; its status is 1 when none has.
struct Next;

#[async_trait]
impl Builtin for Next {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        let (Some(id), last) = (number(&context, 0), number(&context, 1)) else {
            return Ok(ExecResult::err("", 1));
        };
        let mut found = {
            let mut searches = session.searches.lock();
            let Some(at) = searches.iter().position(|(known, _)| *known == id) else {
                return Ok(ExecResult::err("", 1));
            };
            searches.remove(at)
        };
        found.1.command = found.1.resume(&session, last.map(|status| status == 0)).await;
        let mut said = found.1.said();
        said.status = i32::from(found.1.command.is_none());
        session.searches.lock().push(found);
        Ok(result(said))
    }
}

/// The command itself.
struct Run;

#[async_trait]
impl Builtin for Run {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::ok(""))
    }

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        let (Some(session), Some(id)) = (session_of(context), number(context, 0)) else { return Ok(None) };
        session.check_depth()?;
        let mut searches = session.searches.lock();
        let found = searches.iter_mut().find(|(known, _)| *known == id);
        let Some(command) = found.and_then(|(_, search)| search.command.take()) else { return Ok(None) };
        drop(searches);
        let mut words = command.words.into_iter();
        let Some(name) = words.next() else { return Ok(None) };
        let run = SubCommand { name, args: words.collect(), stdin: None, assignments: Vec::new() };
        Ok(Some(match command.folder {
            None => ExecutionPlan::Batch { commands: vec![run] },
            Some(folder) => ExecutionPlan::Env {
                command: run,
                clear: false,
                unset: Vec::new(),
                set: Vec::new(),
                chdir: Some(PathBuf::from(folder).to_string_lossy().into_owned()),
            },
        }))
    }
}

/// The status of the search.
struct End;

#[async_trait]
impl Builtin for End {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let (Some(session), Some(id)) = (session_of(&context), number(&context, 0)) else {
            return Ok(ExecResult::err("", 1));
        };
        let mut searches = session.searches.lock();
        let found = searches.iter().position(|(known, _)| *known == id).map(|at| searches.remove(at));
        Ok(ExecResult::err("", i32::from(found.is_none_or(|(_, search)| search.failed))))
    }
}
