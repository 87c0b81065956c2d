//! `systemctl status`, `show` and `cat`: one unit, described.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::{
    super::{Call, Options, Said},
    units::{Condition, Unit, full_name},
};
use crate::machine::{processes::Process, services::Services};

/// Two colours of a terminal, or none.
struct Paint {
    on: &'static str,
    off: &'static str,
}

pub(super) fn status(call: &Call<'_>, names: &[String], services: &Services, bare: bool) -> Said {
    if names.is_empty() {
        return machine(call, services);
    }
    let mut said = Said::default();
    for (number, name) in names.iter().enumerate() {
        // The process that is asked for stands for its unit.
        let unit = match name.parse::<u32>() {
            Ok(pid) => by_pid(call, pid, services),
            Err(_) => Unit::find(call, name),
        };
        let Some(unit) = unit else {
            let text = match name.parse::<u32>() {
                Ok(pid) => format!(
                    "Failed to get unit for PID {pid}: PID {pid} does not belong to any loaded unit.\n"
                ),
                Err(_) => format!("Unit {} could not be found.\n", full_name(name)),
            };
            said.err.extend(text.bytes());
            said.status = 4;
            continue;
        };
        if number > 0 {
            said.out.push(b'\n');
        }
        let condition = unit.condition(call, services);
        said.out.extend(described(call, &unit, &condition, bare).bytes());
        if condition.active != "active" && said.status == 0 {
            said.status = 3;
        }
    }
    said
}

fn by_pid(call: &Call<'_>, pid: u32, services: &Services) -> Option<Unit> {
    super::units::loaded(call, services)
        .into_iter()
        .find(|unit| processes(call, unit).iter().any(|process| process.pid == pid))
}

/// The processes of a unit, the main one first.
fn processes(call: &Call<'_>, unit: &Unit) -> Vec<Process> {
    let list = call.session.contact.visitor.processes();
    let main = list.iter().find(|process| {
        let command = unit.command();
        let program = command.split(' ').next().unwrap_or_default();
        let named = match unit.short() {
            "nginx" => process.command.starts_with("nginx: master"),
            "ssh" => process.command.starts_with("sshd: /usr/sbin/sshd"),
            "postfix@-" => process.command.starts_with("/usr/lib/postfix/sbin/master"),
            "dbus" => process.command.starts_with("/usr/bin/dbus-daemon"),
            "inetutils-inetd" => process.command.starts_with("/usr/sbin/inetutils-inetd"),
            "getty@tty1" => process.command.starts_with("/sbin/agetty"),
            _ => false,
        };
        named || !program.is_empty() && process.parent == 1 && process.command.starts_with(program)
    });
    let Some(main) = main else { return Vec::new() };
    let children = list.iter().filter(|process| process.parent == main.pid);
    // Visitors' sessions have scopes of their own.
    let children = children.filter(|process| !process.command.starts_with("sshd: "));
    std::iter::once(main).chain(children).cloned().collect()
}

fn described(call: &Call<'_>, unit: &Unit, condition: &Condition, bare: bool) -> String {
    let coloured = call.to_terminal;
    let paint =
        |on: &'static str| if coloured { Paint { on, off: "\x1b[0m" } } else { Paint { on: "", off: "" } };
    let (sign, colour) = match condition.active {
        "active" => ("\u{25cf}", paint("\x1b[0;1;32m")),
        "failed" => ("\u{d7}", paint("\x1b[0;1;31m")),
        _ => ("\u{25cb}", paint("")),
    };
    let mut text = format!("{}{sign}{} {}", colour.on, colour.off, unit.name);
    let description = unit.description();
    if description != unit.name {
        text += &format!(" - {description}");
    }
    let enablement = unit.enablement(call);
    let loaded = match enablement {
        "masked" => format!("masked (Reason: Unit {} is masked.)", unit.name),
        "generated" => format!("loaded ({}; generated)", unit.path),
        "static" => format!("loaded ({}; static)", unit.path),
        word => format!("loaded ({}; {word}; preset: enabled)", unit.path),
    };
    text += &format!("\n     Loaded: {loaded}\n");
    let word = match (condition.active, condition.signal) {
        ("failed", Some(0)) => "failed (Result: exit-code)".to_owned(),
        ("failed", _) => "failed (Result: signal)".to_owned(),
        (active, _) => format!("{active} ({})", condition.sub),
    };
    text += &format!("     Active: {}{word}{}", colour.on, colour.off);
    if let Some(since) = condition.since {
        text += &format!(" since {}; {}", stamp(since), ago(call.now(), since));
    }
    text.push('\n');
    if let Some(documents) = unit.field("Documentation") {
        text += &format!("       Docs: {}\n", documents.replace(' ', "\n             "));
    }
    let list = if condition.active == "active" { processes(call, unit) } else { Vec::new() };
    if condition.signal == Some(0) {
        let pid =
            crate::machine::processes::newest_pid(call.identity(), condition.since.unwrap_or(call.now())) + 1;
        text += &format!(
            "    Process: {pid} ExecStart={} (code=exited, status=203/EXEC)\n   Main PID: {pid} (code=exited, status=203/EXEC)\n        CPU: 2ms\n",
            unit.field("ExecStart").unwrap_or_default()
        );
    }
    if let Some(main) = list.first() {
        text += &format!("   Main PID: {} ({})\n", main.pid, main.name());
        let kib: u64 = list.iter().map(|process| process.resident_kib).sum();
        let limit = call.identity().memory_bytes / 1024 / 424;
        let days = call.identity().uptime(call.now()).as_secs() / 86_400;
        let milliseconds = 11
            + u64::from(main.pid % 60)
            + list.iter().map(|process| process.seconds_per_day * 1000).sum::<u64>() * days;
        text += &format!(
            "      Tasks: {} (limit: {limit})\n     Memory: {:.1}M\n",
            list.len(),
            kib as f64 / 2.7 / 1024.0
        );
        text += &match milliseconds {
            0..1000 => format!("        CPU: {milliseconds}ms\n"),
            _ => format!("        CPU: {:.3}s\n", milliseconds as f64 / 1000.0),
        };
        let slice = if unit.name.contains('@') {
            let template = unit.name.split('@').next().unwrap_or_default();
            format!("system.slice/system-{template}.slice/{}", unit.name)
        } else {
            format!("system.slice/{}", unit.name)
        };
        text += &format!("     CGroup: /{slice}\n");
        for (number, process) in list.iter().enumerate() {
            let branch = if number + 1 == list.len() { "\u{2514}\u{2500}" } else { "\u{251c}\u{2500}" };
            // Titles with blanks or signs in the first word are quoted.
            let shown = match process.command.split(' ').next().unwrap_or_default() {
                first if first.ends_with(':') => format!("\"{}\"", process.command),
                _ => process.command.clone(),
            };
            text += &format!("             {branch}{} {shown}\n", process.pid);
        }
    }
    if !bare
        && condition.active != "inactive"
        && let Some(since) = condition.since
    {
        let at: DateTime<Utc> = since.into();
        let host = call.identity().hostname.split('.').next().unwrap_or_default().to_owned();
        let line = |what: &str| {
            format!("{} {host} systemd[1]: {what} {} - {description}", at.format("%b %d %H:%M:%S"), unit.name)
        };
        text += &match condition.active {
            "failed" => format!(
                "\n{} {host} systemd[1]: {}: Failed with result '{}'.\n",
                at.format("%b %d %H:%M:%S"),
                unit.name,
                if condition.signal == Some(0) { "exit-code" } else { "signal" }
            ),
            _ => match unit.field("Type") {
                None | Some("simple") => format!("\n{}.\n", line("Started")),
                _ => format!("\n{}...\n{}.\n", line("Starting"), line("Started")),
            },
        };
    }
    text
}

/// Without a unit: the machine.
fn machine(call: &Call<'_>, services: &Services) -> Said {
    let identity = call.identity();
    let since = identity.boot_time;
    let loaded = super::units::loaded(call, services).len() * 3 + 61;
    Said::out(format!(
        "\u{25cf} {}\n    State: running\n    Units: {loaded} loaded (incl. loaded aliases)\n     Jobs: 0 queued\n   Failed: 0 units\n    Since: {}; {}\n  systemd: 252.39-1~deb12u1\n   CGroup: /\n           \u{251c}\u{2500}init.scope\n           \u{2502} \u{2514}\u{2500}1 /sbin/init\n           \u{2514}\u{2500}system.slice\n",
        identity.hostname.split('.').next().unwrap_or_default(),
        stamp(since),
        ago(call.now(), since)
    ))
}

/// `show`: properties, one a line.
pub(super) fn show(call: &Call<'_>, names: &[String], options: &Options, services: &Services) -> Said {
    let mut said = Said::default();
    let wanted = options.value('p').map(str::to_owned);
    let long = options.long.iter().find_map(|long| long.strip_prefix("property=").map(str::to_owned));
    let wanted: Option<Vec<String>> =
        wanted.or(long).map(|names| names.split(',').map(str::to_owned).collect());
    let only_value = options.has_long("value");
    for name in names {
        let unit = Unit::find(call, name);
        let condition = unit.as_ref().map(|unit| unit.condition(call, services));
        let main = unit
            .as_ref()
            .map(|unit| processes(call, unit))
            .and_then(|list| list.first().map(|process| process.pid));
        let condition = condition.as_ref();
        let active = condition.map_or("inactive", |condition| condition.active);
        let sub = condition.map_or("dead", |condition| condition.sub);
        let since = condition.and_then(|condition| condition.since).map(stamp).unwrap_or_default();
        let load = match &unit {
            None => "not-found",
            Some(unit) if unit.is_masked => "masked",
            Some(_) => "loaded",
        };
        let properties = [
            ("MainPID", if active == "active" { main.unwrap_or_default() } else { 0 }.to_string()),
            ("Id", unit.as_ref().map_or_else(|| full_name(name), |unit| unit.name.clone())),
            ("Description", unit.as_ref().map_or_else(|| full_name(name), Unit::description)),
            ("LoadState", load.to_owned()),
            ("ActiveState", active.to_owned()),
            ("SubState", sub.to_owned()),
            ("FragmentPath", unit.as_ref().map(|unit| unit.path.clone()).unwrap_or_default()),
            ("UnitFileState", unit.as_ref().map(|unit| unit.enablement(call).to_owned()).unwrap_or_default()),
            ("ActiveEnterTimestamp", since),
        ];
        for (key, value) in properties {
            if wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == key)) {
                let line = if only_value { format!("{value}\n") } else { format!("{key}={value}\n") };
                said.out.extend(line.bytes());
            }
        }
    }
    said
}

/// `cat`: the file, with its path before it.
pub(super) fn cat(call: &Call<'_>, names: &[String]) -> Said {
    let mut said = Said::default();
    for name in names {
        let Some(unit) = Unit::find(call, name).filter(|unit| !unit.is_script()) else {
            said.err.extend(format!("No files found for {}.\n", full_name(name)).bytes());
            said.status = 1;
            continue;
        };
        if !said.out.is_empty() {
            said.out.push(b'\n');
        }
        said.out.extend(format!("# {}\n", unit.path).bytes());
        said.out.extend(call.files().read(&unit.path).unwrap_or_default());
    }
    said
}

/// `Tue 2026-11-17 06:30:02 UTC`
pub(super) fn stamp(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).format("%a %Y-%m-%d %H:%M:%S UTC").to_string()
}

/// As systemd says how long ago something was (time-util.c: format_timestamp_relative).
pub(super) fn ago(now: SystemTime, at: SystemTime) -> String {
    let seconds = now.duration_since(at).unwrap_or(Duration::ZERO).as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let count = |number: u64, name: &str| format!("{number} {name}{}", if number == 1 { "" } else { "s" });
    match seconds {
        0 => "just now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..300 => format!("{minutes}min {}s ago", seconds % 60),
        300..3600 => format!("{minutes}min ago"),
        3600..18_000 => format!("{hours}h {}min ago", minutes % 60),
        18_000..86_400 => format!("{hours}h ago"),
        86_400..172_800 => format!("1 day {}h ago", hours % 24),
        172_800..604_800 => format!("{days} days ago"),
        604_800..2_592_000 => format!("{} {} ago", count(days / 7, "week"), count(days % 7, "day")),
        2_592_000..31_557_600 => format!("{} {} ago", count(days / 30, "month"), count(days % 30, "day")),
        _ => format!("{} {} ago", count(days / 365, "year"), count(days % 365 / 30, "month")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_in_systemds_words() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for (seconds, want) in [
            (0, "just now"),
            (7, "7s ago"),
            (65, "1min 5s ago"),
            (420, "7min ago"),
            (3_700, "1h 1min ago"),
            (20_000, "5h ago"),
            (100_000, "1 day 3h ago"),
            (300_000, "3 days ago"),
            (700_000, "1 week 1 day ago"),
            (3_000_000, "1 month 4 days ago"),
        ] {
            assert_eq!(ago(now, now - Duration::from_secs(seconds)), want);
        }
    }
}
