//! `screen` and `tmux`, where nobody has a session open.

use super::{Call, Said};

/// GNU screen 4.09: nobody has one open.
pub(super) fn screen(call: &Call<'_>) -> Said {
    let user = call.session.user_name();
    let has = |wanted: &[&str]| call.args.iter().any(|arg| wanted.contains(&arg.as_str()));
    if has(&["-v", "--version"]) {
        return Said::out("Screen version 4.09.00 (GNU) 30-Jan-22\n");
    }
    if has(&["-ls", "-list"]) {
        return Said { status: 1, ..Said::out(format!("No Sockets found in /run/screen/S-{user}.\n\n")) };
    }
    if has(&["-r", "-R", "-RR", "-x", "-rd", "-dr"]) && !has(&["-R", "-RR"]) {
        let named = call.args.iter().find(|arg| !arg.starts_with('-'));
        let what = named.map_or_else(
            || "There is no screen to be resumed.\n".to_owned(),
            |name| format!("There is no screen to be resumed matching {name}.\n"),
        );
        return Said { status: 1, ..Said::out(what) };
    }
    if has(&["-wipe"]) {
        return Said { status: 1, ..Said::out(format!("No Sockets found in /run/screen/S-{user}.\n\n")) };
    }
    if has(&["-X"]) {
        return Said { status: 1, ..Said::out("No screen session found.\n") };
    }
    if call.session.launch.tty.is_none() && !has(&["-d", "-dm", "-dmS"]) {
        return Said { status: 1, ..Said::out("Must be connected to a terminal.\n") };
    }
    Said::nothing(0)
}

/// tmux 3.3a: nobody has started a server.
pub(super) fn tmux(call: &Call<'_>) -> Said {
    let uid = call.session.who().uid;
    let mut words =
        call.args.iter().map(String::as_str).skip_while(|arg| arg.starts_with('-') && *arg != "-V");
    match words.next().unwrap_or("new-session") {
        "-V" => Said::out("tmux 3.3a\n"),
        "ls" | "list-sessions" | "a" | "at" | "attach" | "attach-session" | "kill-server"
        | "kill-session" | "has" | "has-session" | "list-windows" | "lsw" | "list-panes" | "lsp"
        | "list-clients" | "lsc" | "send-keys" | "send" | "detach" | "info" | "show-options"
        | "capture-pane" | "capturep" | "display-message" => {
            let text = format!("error connecting to /tmp/tmux-{uid}/default (No such file or directory)\n");
            Said::err(text, 1)
        }
        "new-session" | "new" | "start-server" | "start" => {
            let apart = call.args.iter().any(|arg| arg == "-d");
            if apart || call.session.launch.tty.is_some() {
                Said::nothing(0)
            } else {
                Said::err("open terminal failed: not a terminal\n", 1)
            }
        }
        other => Said::err(format!("unknown command: {other}\n"), 1),
    }
}
