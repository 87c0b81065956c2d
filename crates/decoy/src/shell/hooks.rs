//! What is looked at before and after each program of the library: what would nest without end, what dash runs, what a
//! program should have said.

use std::sync::atomic::Ordering;

use bashkit::hooks::{HookAction, ToolEvent, ToolResult};

use crate::machine::Access;

use super::{
    builtins, bytes, commands,
    dash::{self, Invocation},
    engine::is_kept,
    guard, lasting, listings, operators, pids, runners, scripts,
    session::Session,
    wording,
};

/// The machine's processes, which the library does not know: they get their signal here, and it hears of the others.
fn signal_processes(session: &Session, args: &mut Vec<String>) {
    let named = match args.split_first() {
        Some((option, rest)) if matches!(option.as_str(), "-s" | "-n") => rest.first().map(String::as_str),
        Some((option, _)) => option.strip_prefix('-'),
        None => None,
    };
    let signal = named.map_or(Some(15), listings::signal_number);
    let Some(signal) = signal else { return };
    let before = args.len();
    let options = usize::from(named.is_some())
        + usize::from(args.first().is_some_and(|arg| arg == "-s" || arg == "-n"));
    let mut at = 0;
    args.retain(|arg| {
        at += 1;
        let pid = arg.parse::<u64>().ok().filter(|pid| *pid > 1 && at > options);
        pid.is_none_or(|pid| !commands::process_exists(session, pid, signal))
    });
    if args.len() < before && args.len() <= options {
        // All were reached: that is no fault.
        *args = ["-0", "1"].map(str::to_owned).to_vec();
    }
}

/// The library's shell is process 1 to itself.
fn as_process_one(session: &Session, args: &mut [String]) {
    let own = session.shell_pid().to_string();
    for arg in args.iter_mut().filter(|arg| **arg == own) {
        *arg = "1".to_owned();
    }
}

/// Remembers which signals no longer end the shell.
fn note_traps(session: &Session, args: &[String]) {
    let args = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    let (caught, names) = match args.split_first() {
        Some((action, _)) if action.starts_with('-') && action.len() > 1 => return,
        // One word alone, or `-`, brings back what a signal does by itself.
        Some((action, [])) => (false, std::slice::from_ref(action)),
        Some((action, names)) => (action != "-", names),
        None => return,
    };
    let mut traps = session.traps.lock();
    for signal in names.iter().filter_map(|name| listings::signal_number(name)) {
        if caught {
            traps.insert(signal);
        } else {
            traps.remove(&signal);
        }
    }
}

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
