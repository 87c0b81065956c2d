//! What `kill` and `trap` are given, for a library that knows no process but its own.

use super::super::{commands, listings, session::Session};

/// The machine's processes, which the library does not know: they get their signal here, and it hears of the others.
pub(super) fn signal_processes(session: &Session, args: &mut Vec<String>) {
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
pub(super) fn as_process_one(session: &Session, args: &mut [String]) {
    let own = session.shell_pid().to_string();
    for arg in args.iter_mut().filter(|arg| **arg == own) {
        *arg = "1".to_owned();
    }
}

/// Remembers which signals no longer end the shell.
pub(super) fn note_traps(session: &Session, args: &[String]) {
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
