//! Shells that a line starts: calls of bash and dash made into ones that the library's bash can run.

use std::sync::atomic::Ordering;

use bashkit::hooks::ToolEvent;

use super::super::{
    commands,
    dash::{self, Invocation},
    guard, pids, scripts,
    session::Session,
    wording,
};

/// Whether an option has `c` among its letters: a script follows.
pub(super) fn is_command_option(arg: &str) -> bool {
    arg.starts_with('-') && !arg.starts_with("--") && arg.contains('c')
}

/// Makes a call of a shell one that says this and ends.
pub(super) fn say_instead(args: &mut Vec<String>, said: &str, status: i32) {
    let said = said.replace('\'', "'\\''");
    *args = vec!["-c".to_owned(), format!("printf '%s\\n' '{said}' >&2; exit {status}")];
}

/// Makes a call of dash one that the library's bash can run; `false` when nothing else is to be looked at.
pub(super) fn as_dash(session: &Session, event: &mut ToolEvent) -> bool {
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
            let traced = event.args.iter().take(at).any(|arg| {
                arg.starts_with('-') && !arg.starts_with("--") && arg.contains('x') || arg == "xtrace"
            });
            if traced {
                session.dash_traces.store(true, Ordering::Relaxed);
            }
            if let Some(name) = event.args.get(at + 1) {
                session.add_dash(name);
            }
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
            if scripts::is_binary(&text) {
                // dash reads it as text; what most programs begin with has such a sign in it soon.
                say_instead(&mut event.args, &format!("{named}: 1: Syntax error: \"(\" unexpected"), 2);
                return false;
            }
            session.note_script(&String::from_utf8_lossy(&text));
            if !guard::is_harmless(&String::from_utf8_lossy(&text), guard::LONGEST_SCRIPT) {
                session.cancel.lock().store(true, Ordering::Relaxed);
                event.args.clear();
                return false;
            }
            true
        }
        Invocation::Piped(at) => {
            let name = session.called.lock().take().unwrap_or_else(|| "sh".to_owned());
            let mut given = vec![name];
            given.extend_from_slice(event.args.get(at..).unwrap_or_default());
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
pub(super) fn as_the_real_one(event: &mut ToolEvent, pid: u32) {
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
