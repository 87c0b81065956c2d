//! What answers for names that nothing else answers for, and in whose words.

use std::sync::Arc;

use bashkit::{Builtin, BuiltinContext, CommandResolver, ExecResult, ExecutionPlan, SubCommand, async_trait};

use super::{super::suggestions, session_of};
use crate::shell::{hooks, runners, session::Session};

/// Answers for every name that nothing else answers for.
pub(in crate::shell) struct Unknown(pub(in crate::shell) Arc<Session>);

impl CommandResolver for Unknown {
    fn resolve(&self, name: &str) -> Option<Arc<dyn Builtin>> {
        // The library says it best itself, line number and all; but to some names it adds advice that bash never gives,
        // which is taken off only on the way to the visitor.
        if self.0.dash_line().is_none()
            && self.0.runner.lock().is_none()
            && (self.0.shows_errors() || !suggestions::has_advice(name))
        {
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

    async fn execution_plan(&self, context: &BuiltinContext<'_>) -> bashkit::Result<Option<ExecutionPlan>> {
        Ok(not_found_plan(&self.0, context))
    }
}

/// Only the shell itself knows which script and line it is in: it is asked to say the words.
fn not_found_plan(name: &str, context: &BuiltinContext<'_>) -> Option<ExecutionPlan> {
    let traced = ["SHOPT_x", "SHOPT_v"].iter().any(|name| is_on(context, name));
    let session = session_of(context).filter(|_| !traced)?;
    session.note_unknown(name);
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let run = |name: &str, args: Vec<String>| SubCommand {
        name: name.to_owned(),
        args,
        stdin: None,
        assignments: Vec::new(),
    };
    if let Some((said, status)) =
        session.runner.lock().as_deref().and_then(|runner| runners::words(runner, name))
    {
        let script = format!("printf '%s\\n' {} >&2; (exit {status})", quoted(&said));
        return Some(ExecutionPlan::Batch { commands: vec![run("eval", vec![script])] });
    }
    let shown = quoted(&name.chars().take(4096).collect::<String>());
    let said = if is_on(context, hooks::DASH_MARK) {
        format!("printf '%s: %s: %s: not found\\n' \"$0\" \"$LINENO\" {shown}")
    } else {
        format!("printf '%s: line %s: %s: command not found\\n' \"${{BASH_SOURCE:-$0}}\" \"$LINENO\" {shown}")
    };
    let script = if session.launch.tty.is_some() {
        let (top, text) = (quoted(&session.shell_name()), quoted(&session.unknown_command(name)));
        format!("case \"$0\" in {top}) printf %s {text};; *) {said};; esac >&2")
    } else {
        format!("{said} >&2")
    };
    let commands = vec![run("eval", vec![script]), run(NOT_FOUND, Vec::new())];
    Some(ExecutionPlan::Batch { commands })
}

/// The status of a command that was not found.
pub(super) struct Status127;

#[async_trait]
impl Builtin for Status127 {
    async fn execute(&self, _: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        Ok(ExecResult::err("", 127))
    }
}

/// A name that nobody types.
pub(super) const NOT_FOUND: &str = "\u{2}127";

fn is_on(context: &BuiltinContext<'_>, name: &str) -> bool {
    context.variables.get(name).is_some_and(|value| value == "1")
}

pub(super) fn not_found(session: &Session, name: &str) -> ExecResult {
    session.note_unknown(name);
    ExecResult::err(session.unknown_command(name), 127)
}
