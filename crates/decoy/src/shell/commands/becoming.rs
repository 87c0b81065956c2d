//! Running something as somebody else: `sudo` (1.9.13), `su` and `runuser` (util-linux 2.38).

mod su;
mod sudo;

use std::sync::Arc;

use bashkit::{Builtin, BuiltinContext, BuiltinRegistry, ExecResult, async_trait};

use super::{Call, registry::session_of, users::User};
use crate::{machine::Owner, shell::personas::Wanted};
pub(super) use su::{runuser, su, su_command};
pub(super) use sudo::sudo;

/// Names that nobody types: somebody else from here on, and back with the status that is given.
const AS: &str = "\u{2}as";
const BACK: &str = "\u{2}back";

pub(super) fn register(registry: &BuiltinRegistry) {
    registry.insert(AS, Arc::new(Switch));
    registry.insert(BACK, Arc::new(Switch));
}

/// Makes the session somebody else's: words are the user's and the group's number, and the status to end with.
struct Switch;

#[async_trait]
impl Builtin for Switch {
    async fn execute(&self, context: BuiltinContext<'_>) -> bashkit::Result<ExecResult> {
        let Some(session) = session_of(&context) else { return Ok(ExecResult::err("", 1)) };
        let number = |at: usize| context.args.get(at).and_then(|word| word.parse().ok());
        if let (Some(uid), Some(gid)) = (number(0), number(1)) {
            session.become_user(uid, gid);
        }
        let status = context.args.get(2).and_then(|word| word.parse().ok()).unwrap_or(0);
        Ok(ExecResult { exit_code: status, ..ExecResult::ok("") })
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Gives the shell to somebody.
fn enter(call: &Call<'_>, user: &User, shell: Option<&str>, login: bool) {
    let shell = shell.unwrap_or(if user.shell.is_empty() { "/bin/sh" } else { &user.shell });
    let owner = Owner { uid: user.uid, gid: user.gid };
    call.session.enter(&Wanted { name: &user.name, owner, home: &user.home, shell, login });
}

/// The words that run a line of the shell as this user and come back.
fn as_user(call: &Call<'_>, uid: u32, gid: u32, line: &str) -> Vec<String> {
    let own = call.session.who();
    let line = format!("{AS} {uid} {gid}; {line}; {BACK} {} {} $?", own.uid, own.gid);
    vec!["eval".to_owned(), line]
}

/// What stands before a command so that its variables are those of another user.
fn variables(user: &User, more: &[(&str, String)]) -> String {
    let mut text = String::new();
    let own = [("HOME", &user.home), ("USER", &user.name), ("LOGNAME", &user.name), ("SHELL", &user.shell)];
    for (name, value) in own.into_iter().chain(more.iter().map(|(name, value)| (*name, value))) {
        text.push_str(&format!("{name}={} ", quoted(value)));
    }
    text
}
