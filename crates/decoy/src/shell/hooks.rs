//! What is looked at before and after each program of the library: what would nest without end, what dash runs, what a
//! program should have said.

mod shells;
mod signals;

use std::sync::atomic::Ordering;

use bashkit::hooks::{HookAction, ToolEvent, ToolResult};

use crate::machine::Access;

use super::{
    builtins, bytes, commands, engine::is_kept, guard, lasting, listings, operators, pids, runners, scripts,
    session::Session,
};
use shells::{as_dash, as_the_real_one, is_command_option, say_instead};
use signals::{as_process_one, note_traps, signal_processes};

/// Looks at each program before it starts: what would nest without end is given nothing to nest.
pub(super) fn before_tool(session: &Session, mut event: ToolEvent) -> HookAction<ToolEvent> {
    let nests = runs_others(&event.name);
    session.in_tool.store(!nests, Ordering::Relaxed);
    if session.is_too_deep() || session.is_too_long() {
        session.cancel.lock().store(true, Ordering::Relaxed);
        event.args.clear();
        return HookAction::Continue(event);
    }
    // What the shell has built in looks with the shell's own eyes.
    if !nests
        && !matches!(event.name.as_str(), "echo" | "printf" | "test" | "[" | "read" | "cd" | "case" | "eval")
    {
        session.begin_reading(&event.name, &event.args);
    }
    if !matches!(event.name.as_str(), "eval" | "printf" | "case") && !event.name.starts_with('\u{2}') {
        let mut latest = session.arguments.lock();
        latest.truncate(7);
        latest.insert(0, (event.name.clone(), event.args.clone()));
        // What cannot be found is no program: the words are those of whoever wanted to start it.
        if is_kept(&event.name) || commands::find(&event.name).is_some() || event.name == "sh" {
            *session.runner.lock() = runners::absent(session, &event.name, &event.args);
        }
    }
    let interactive = session.launch.is_interactive();
    if event.name == "trap" {
        note_traps(session, &event.args);
        if interactive && session.is_typed_trap() {
            event.args = lasting::keep_exit_trap(session, &event.args);
        }
    }
    operators::prepare(&event.name, &mut event.args);
    if event.name == "kill"
        && let Some(signal) = pids::ends_the_shell(&event.args, session.shell_pid(), interactive)
    {
        if signal != 9 && session.traps.lock().contains(&signal) {
            as_process_one(session, &mut event.args);
            return HookAction::Continue(event);
        }
        session.killed.store(signal, Ordering::Relaxed);
        session.cancel.lock().store(true, Ordering::Relaxed);
        return HookAction::Continue(event);
    }
    if event.name == "kill" && event.args.first().is_some_and(|arg| arg == "-0") && !interactive {
        as_process_one(session, &mut event.args);
    }
    if event.name == "kill" && !interactive {
        signal_processes(session, &mut event.args);
    }
    if event.name == "awk"
        && let Some(program) = commands::awk_refusal(&event.args, &|name| {
            session.files().exists(&session.files().resolve(&session.cwd.lock(), name))
        })
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
    if event.name == "cd" {
        // The library tells of a change only when the line is over.
        let to = event.args.iter().find(|arg| !arg.starts_with('-'));
        let to = to.map_or(session.launch.account.home.as_str(), String::as_str);
        let heading = session.files().resolve(&session.cwd.lock(), to);
        // The library takes whatever keeps it out for a folder that is not there.
        let who = session.who();
        let denied = session.files().is_dir(&heading)
            && session.files().may(who.uid, who.gid, &heading, Access::Execute).is_err();
        *session.denied.lock() = denied.then(|| to.to_owned());
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
    if event.name == "bash"
        && let Some(named) = &script
        && let Ok(bytes) = session.files().read(&session.files().resolve(&session.cwd.lock(), named))
        && scripts::is_binary(&bytes)
    {
        say_instead(&mut event.args, &format!("{named}: {named}: cannot execute binary file"), 126);
        return HookAction::Continue(event);
    }
    let script_is_harmless = script.is_none_or(|path| {
        let path = session.files().resolve(&session.cwd.lock(), &path);
        *session.given_to_shell.lock() = Some(path.clone());
        session.files().read(&path).is_ok_and(|text| {
            let text = String::from_utf8_lossy(&text);
            session.note_script(&text);
            guard::is_harmless(&text, guard::LONGEST_SCRIPT)
        }) || !session.files().exists(&path)
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

/// The variable that the mark of `as_the_real_one` sets.
pub(super) const DASH_MARK: &str = "SHOPT_posix";

pub(super) fn after_tool(session: &Session, mut result: ToolResult) -> HookAction<ToolResult> {
    session.end_reading();
    session.in_tool.store(false, Ordering::Relaxed);
    // dash gives up with another status than bash.
    if result.name == "sh" && result.exit_code == 1 && session.dash_failed.swap(false, Ordering::Relaxed) {
        result.exit_code = 2;
    }
    // The library refuses an option with a status of its own.
    if result.name == "cat" && result.exit_code == 2 {
        result.exit_code = 1;
    }
    if result.name == "shopt" && result.stdout.starts_with("login_shell") && session.launch.is_interactive() {
        result.exit_code = 0;
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
    if result.name == "printenv"
        && session
            .arguments
            .lock()
            .first()
            .is_some_and(|(_, args)| args.iter().any(|arg| operators::is_null(arg)))
    {
        result.stdout = result.stdout.replace('\n', "\0");
    }
    if result.name == "compgen"
        && session
            .arguments
            .lock()
            .first()
            .is_some_and(|(_, args)| args.iter().any(|arg| arg == "-b" || arg == "builtin"))
    {
        let is_own = |line: &&str| {
            let name = line.trim_end_matches('\n');
            builtins::is_one(name)
        };
        result.stdout = result.stdout.split_inclusive('\n').filter(is_own).collect();
    }
    if let Some(text) = about_itself(session, &result) {
        result.stdout = text;
    }
    if let Some(text) = listings::corrected(&result.name, &result.stdout, session.launch.is_interactive()) {
        result.stdout = text;
    }
    HookAction::Continue(result)
}

/// What a program of the library should have said about itself: its `--help` and `--version` are Debian's.
fn about_itself(session: &Session, result: &ToolResult) -> Option<String> {
    let name = result.name.as_str();
    // What bash's own say to options that they do not have goes to standard error.
    if name == "printf" && result.stdout.ends_with("(bashkit) 0.1\n") {
        return Some(String::new());
    }
    let latest = session.arguments.lock();
    let (_, args) = latest.iter().find(|(called, _)| called == name)?;
    let wanted = |word: &str| args.iter().take_while(|arg| *arg != "--").any(|arg| arg == word);
    let asked = match name {
        "grep" | "egrep" | "fgrep" if wanted("-V") => "--version",
        _ if wanted("--version") => "--version",
        _ if wanted("--help") => "--help",
        _ => return None,
    };
    if builtins::is_one(name) || matches!(name, "bash" | "sh") {
        // To bash's own, both are words like any other.
        return match name {
            _ if !result.stdout.contains("(bashkit)") && name != "echo" => None,
            "echo" if result.stdout.contains("(bashkit)") || result.stdout.starts_with("Usage") => {
                Some(format!("{}\n", args.join(" ")))
            }
            "echo" => None,
            _ => Some(String::new()),
        };
    }
    if !is_kept(name) || commands::find(name).is_some() && name != "tr" || result.stdout.is_empty() {
        return None;
    }
    let said = commands::about(name, asked)?;
    Some(String::from_utf8_lossy(&said).into_owned())
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
            | "\u{2}find-run"
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
