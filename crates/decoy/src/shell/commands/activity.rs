//! Who is on the machine and since when: `w`, `who`, `uptime`, `last`.

use chrono::{DateTime, Utc};

use super::{Call, Said};
use crate::machine::files::load;

/// ` 12:34:56 up 3 days,  4:05,  1 user,  load average: 0.00, 0.01, 0.00` (procps 4.0.2).
fn headline(call: &Call<'_>) -> String {
    let now: DateTime<Utc> = call.now().into();
    let up = call.identity().uptime(call.now()).as_secs();
    let (days, hours, minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    let time = if hours > 0 { format!("{hours:>2}:{minutes:02}") } else { format!("{minutes} min") };
    let users = u32::from(call.session.launch.tty.is_some());
    let [one, five, fifteen] = load(call.identity(), call.now());
    format!(
        " {} up {days}{time}, {users:>2} user,  load average: 0.{one:02}, 0.{five:02}, 0.{fifteen:02}\n",
        now.format("%H:%M:%S"),
    )
}

pub(super) fn top_line(call: &Call<'_>) -> String {
    headline(call)
}

pub(super) fn uptime(call: &Call<'_>) -> Said {
    if let Some(said) = super::reports::refused(call, "pshV", "", false).filter(|_| !call.applet) {
        return said;
    }
    let options = call.options("");
    if options.has('s') {
        let booted: DateTime<Utc> = call.identity().boot_time.into();
        return Said::out(booted.format("%Y-%m-%d %H:%M:%S\n").to_string());
    }
    if options.has('p') {
        let up = call.identity().uptime(call.now()).as_secs();
        let part = |count: u64, name: &str| {
            (count > 0).then(|| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
        };
        let parts = [
            part(up / 604_800, "week"),
            part(up / 86_400 % 7, "day"),
            part(up / 3600 % 24, "hour"),
            part(up / 60 % 60, "minute"),
        ];
        return Said::out(format!("up {}\n", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    }
    Said::out(headline(call))
}

pub(super) fn w(call: &Call<'_>) -> Said {
    if let Some(said) = super::reports::refused(call, "husfoipV", "", true) {
        return said;
    }
    let mut text = String::new();
    if !call.args.iter().any(|arg| arg == "-h" || arg == "--no-header") {
        text = headline(call);
        text += "USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n";
    }
    if let Some(tty) = &call.session.launch.tty {
        let since: DateTime<Utc> = call.session.started.into();
        let from = call.session.contact.peer.ip().to_string();
        let user = &call.session.launch.account.name;
        text += &format!(
            "{:<8.8} {:<8.8} {:<16.16} {}    0.00s  0.02s  0.00s w\n",
            user,
            tty,
            from,
            since.format("%H:%M")
        );
    }
    Said::out(text)
}

pub(super) fn who(call: &Call<'_>) -> Said {
    let options = call.options("");
    if let Some(letter) = options.unknown("abdHilmpqrstTuw").filter(|_| !call.applet) {
        let text = format!("who: invalid option -- '{letter}'\nTry 'who --help' for more information.\n");
        return Said::err(text, 1);
    }
    if let Some(extra) = options.operands.get(2) {
        let text =
            format!("who: extra operand \u{2018}{extra}\u{2019}\nTry 'who --help' for more information.\n");
        return Said::err(text, 1);
    }
    if options.has('q') {
        let names = call.session.launch.tty.as_ref().map(|_| call.session.launch.account.name.clone());
        let count = usize::from(names.is_some());
        return Said::out(format!("{}\n# users={count}\n", names.unwrap_or_default()));
    }
    if options.has('b') || options.has('r') {
        let booted: DateTime<Utc> = call.identity().boot_time.into();
        let what = if options.has('b') { "system boot" } else { "run-level 5" };
        return Said::out(format!("{:<8} {what:<12} {}\n", "", booted.format("%Y-%m-%d %H:%M")));
    }
    let Some(tty) = &call.session.launch.tty else { return Said::nothing(0) };
    let since: DateTime<Utc> = call.session.started.into();
    let user = &call.session.launch.account.name;
    Said::out(format!(
        "{user:<8} {tty:<12} {} ({})\n",
        since.format("%Y-%m-%d %H:%M"),
        call.session.contact.peer.ip()
    ))
}

pub(super) fn last(call: &Call<'_>) -> Said {
    let mut text = String::new();
    if let Some(tty) = &call.session.launch.tty {
        let since: DateTime<Utc> = call.session.started.into();
        let user = &call.session.launch.account.name;
        text += &format!(
            "{user:<8.8} {tty:<12} {:<16} {}   still logged in\n",
            call.session.contact.peer.ip(),
            since.format("%a %b %e %H:%M")
        );
    }
    let booted: DateTime<Utc> = call.identity().boot_time.into();
    text += &format!(
        "reboot   system boot  {:<16.16} {}   still running\n",
        call.identity().kernel_release,
        booted.format("%a %b %e %H:%M")
    );
    text += &format!("\nwtmp begins {}\n", booted.format("%a %b %e %H:%M:%S %Y"));
    Said::out(text)
}
