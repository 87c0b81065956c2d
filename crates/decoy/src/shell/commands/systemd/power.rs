//! `reboot`, `shutdown` and their kind: the machine goes down for whoever said so, and comes back booted anew.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    super::{Call, Said},
    units,
};

/// How long it takes to go down and to the start of the next kernel, at least, in seconds; up to half as much again.
const REBOOT: u64 = 12;
/// How long a machine that was switched off stays off: its host switches it on again.
const OFF: u64 = 240;

/// `reboot`, `poweroff`, `halt`, `init N`, `telinit N`.
pub(in crate::shell::commands) fn reboot(call: &Call<'_>) -> Said {
    let options = call.options("");
    if options.has_long("help") {
        return Said::out(format!("{} [OPTIONS...]\n\n{} the system.\n", call.name, verb_of(call.name)));
    }
    let verb = match (call.name, options.operands.first().map(String::as_str)) {
        ("init" | "telinit", Some("6")) => "reboot",
        ("init" | "telinit", Some("0")) => "poweroff",
        ("init" | "telinit", Some("1" | "2" | "3" | "4" | "5" | "s" | "S" | "q" | "Q" | "u" | "U")) => {
            return if call.is_root() { Said::nothing(0) } else { refused("isolate") };
        }
        ("init" | "telinit", None) => {
            return Said::err(format!("{}: required argument missing.\n", call.name), 1);
        }
        ("init" | "telinit", Some(_)) => return Said::err(format!("{}: invalid argument.\n", call.name), 1),
        _ if options.has('w') || options.has_long("wtmp-only") => return Said::nothing(0),
        (name, _) if options.has('p') || options.has_long("poweroff") => {
            if name == "reboot" {
                "reboot"
            } else {
                "poweroff"
            }
        }
        (name, _) => name,
    };
    go_down(call, verb, options.has('f') || options.has_long("force") || options.has_long("no-wall"))
}

pub(super) fn by_systemctl(call: &Call<'_>, verb: &str) -> Said {
    match verb {
        "suspend" => {
            Said::err("Failed to suspend system via logind: Sleep verb \"suspend\" not supported\n", 1)
        }
        "rescue" | "emergency" if call.is_root() => Said::nothing(0),
        "rescue" | "emergency" => refused("isolate"),
        verb => go_down(call, verb, call.options("").has('f')),
    }
}

/// `shutdown [-rhPHkc] [TIME] [WALL...]` (systemd 252).
pub(in crate::shell::commands) fn shutdown(call: &Call<'_>) -> Said {
    let options = call.options("t");
    if options.has_long("help") {
        return Said::out("shutdown [OPTIONS...] [TIME] [WALL...]\n\nShut down the system.\n");
    }
    if options.has('c') {
        return if call.is_root() { Said::nothing(0) } else { refused("cancel shutdown") };
    }
    let verb = if options.has('r') || options.has_long("reboot") {
        "reboot"
    } else if options.has('H') || options.has_long("halt") {
        "halt"
    } else {
        "poweroff"
    };
    let when = options.operands.first().map_or("+1", String::as_str);
    let now = call.now();
    let today = DateTime::<Utc>::from(now);
    let at = match when {
        "now" | "+0" => None,
        text => {
            let minutes = text.strip_prefix('+').unwrap_or(text).parse::<u64>().ok();
            let clock = text.split_once(':').and_then(|(hour, minute)| {
                let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
                let at = today.date_naive().and_hms_opt(hour, minute, 0)?.and_utc();
                Some(if at > today { at } else { at + chrono::Days::new(1) })
            });
            let soon = minutes.filter(|minutes| *minutes < 1_000_000);
            match soon.map(|minutes| today + chrono::Duration::seconds(minutes.cast_signed() * 60)).or(clock)
            {
                Some(at) => Some(at),
                None => return Said::err(format!("Failed to parse time specification: {when}\n"), 1),
            }
        }
    };
    if options.has('k') {
        return if call.is_root() { Said::nothing(0) } else { refused(verb) };
    }
    match at {
        None => go_down(call, verb, false),
        _ if !call.is_root() => refused(verb),
        Some(at) => {
            let what = if verb == "reboot" { "Reboot" } else { "Shutdown" };
            Said::err(
                format!(
                    "{what} scheduled for {}, use 'shutdown -c' to cancel.\n",
                    at.format("%a %Y-%m-%d %H:%M:%S UTC")
                ),
                0,
            )
        }
    }
}

fn verb_of(name: &str) -> &'static str {
    match name {
        "reboot" => "Reboot",
        "halt" => "Halt",
        _ => "Power off",
    }
}

fn refused(verb: &str) -> Said {
    let method = match verb {
        "reboot" => "Reboot",
        "halt" => "Halt",
        "poweroff" => "PowerOff",
        other => return Said::err(format!("Failed to {other}: Interactive authentication required.\n"), 1),
    };
    Said::err(
        format!(
            "Failed to set wall message, ignoring: Interactive authentication required.\nCall to {method} failed: Interactive authentication required.\n"
        ),
        1,
    )
}

fn go_down(call: &Call<'_>, verb: &str, silent: bool) -> Said {
    if !call.is_root() {
        return refused(verb);
    }
    let visitor = &call.session.contact.visitor;
    if visitor.is_going_down() {
        return Said::nothing(0);
    }
    let now = call.now();
    let least = if verb == "reboot" { REBOOT } else { OFF };
    let seconds = least + call.identity().seed.rotate_left(9) % (least / 2);
    visitor.machine().reboot(
        call.session.contact.peer.ip(),
        now + Duration::from_secs(seconds),
        &units::at_boot(call),
    );
    let Some(tty) = call.session.launch.tty.as_deref().filter(|_| !silent) else { return Said::nothing(0) };
    let what = match verb {
        "reboot" => "reboot",
        "halt" => "halt",
        _ => "power off",
    };
    let at: DateTime<Utc> = now.into();
    Said::out(format!(
        "\nBroadcast message from {}@{} on {tty} ({}):\n\nThe system will {what} now!\n\n",
        call.session.user_name(),
        call.identity().hostname.split('.').next().unwrap_or_default(),
        at.format("%a %Y-%m-%d %H:%M:%S UTC")
    ))
}
