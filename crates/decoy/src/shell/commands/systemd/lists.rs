//! `systemctl list-units` and its kind, and `service --status-all`.

use super::{
    super::{Call, Options, Said, patterns::is_like},
    status::{ago, stamp},
    units::{self, Unit},
};
use crate::machine::services::Services;

pub(super) fn list(call: &Call<'_>, verb: &str, options: &Options, services: &Services) -> Said {
    let option = |letter: char, name: &str| {
        let long = options.long.iter().find_map(|long| long.strip_prefix(name)?.strip_prefix('='));
        options.value(letter).or(long).map(str::to_owned)
    };
    let kind = option('t', "type").or_else(|| {
        // `--type service`: the value was taken for an operand.
        let word = options.has_long("type").then(|| options.operands.last())??;
        Some(word.clone())
    });
    let state = option('\0', "state").or_else(|| options.has_long("failed").then(|| "failed".to_owned()));
    let fits = |name: &str| {
        let of_kind = kind
            .as_deref()
            .is_none_or(|kinds| kinds.split(',').any(|kind| name.ends_with(&format!(".{kind}"))));
        let patterns = options.operands.get(1..).unwrap_or_default();
        let named = patterns.is_empty()
            || options.has_long("type")
            || patterns
                .iter()
                .any(|pattern| is_like(name, &units::full_name(pattern)) || is_like(name, pattern));
        of_kind && named
    };
    let bare = options.has_long("no-legend");
    match verb {
        "list-unit-files" => unit_files(call, fits, state.as_deref(), bare),
        "list-timers" => timers(call, bare),
        "list-sockets" => Said::out(
            "LISTEN                          UNIT                            ACTIVATES\n/run/dbus/system_bus_socket     dbus.socket                     dbus.service\n/run/systemd/journal/dev-log    systemd-journald-dev-log.socket systemd-journald.service\n/run/systemd/journal/socket     systemd-journald.socket         systemd-journald.service\n/run/systemd/journal/stdout     systemd-journald.socket         systemd-journald.service\n/run/udev/control               systemd-udevd-control.socket    systemd-udevd.service\n\n5 sockets listed.\nPass --all to see loaded but inactive sockets, too.\n",
        ),
        "list-dependencies" => dependencies(call, options.operands.get(1), services),
        _ => units_listed(
            call,
            services,
            fits,
            state.as_deref(),
            bare,
            options.has('a') || options.has_long("all"),
        ),
    }
}

fn units_listed(
    call: &Call<'_>,
    services: &Services,
    fits: impl Fn(&str) -> bool,
    state: Option<&str>,
    bare: bool,
    all: bool,
) -> Said {
    let mut rows = Vec::new();
    for unit in units::loaded(call, services).iter().filter(|unit| fits(&unit.name)) {
        let condition = unit.condition(call, services);
        let shown = match state {
            Some(states) => {
                states.split(',').any(|state| state == condition.active || state == condition.sub)
            }
            None => all || condition.active != "inactive",
        };
        if shown {
            rows.push((unit.name.clone(), condition.active, condition.sub, unit.description()));
        }
    }
    let width = |of: fn(&(String, &str, &str, String)) -> usize, least: usize| {
        rows.iter().map(of).max().unwrap_or(0).max(least)
    };
    let (names, actives, subs) =
        (width(|row| row.0.len(), 4), width(|row| row.1.len(), 6), width(|row| row.2.len(), 3));
    let mut text = String::new();
    if !bare && !rows.is_empty() {
        text += &format!("  {:<names$} LOAD   {:<actives$} {:<subs$} DESCRIPTION\n", "UNIT", "ACTIVE", "SUB");
    }
    for (name, active, sub, description) in &rows {
        let sign = if *active == "failed" { "\u{25cf} " } else { "  " };
        text += &format!("{sign}{name:<names$} loaded {active:<actives$} {sub:<subs$} {description}\n");
    }
    if !bare {
        if !rows.is_empty() {
            text += "\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n";
        }
        text += &match state {
            Some(_) => format!("{} loaded units listed.\n", rows.len()),
            None => format!(
                "{} loaded units listed. Pass --all to see loaded but inactive units, too.\nTo show all installed unit files use 'systemctl list-unit-files'.\n",
                rows.len()
            ),
        };
    }
    Said::out(text)
}

fn unit_files(call: &Call<'_>, fits: impl Fn(&str) -> bool, state: Option<&str>, bare: bool) -> Said {
    let rows: Vec<(String, &str)> = units::installed(call)
        .into_iter()
        .filter(|name| fits(name))
        .filter_map(|name| {
            let unit = Unit::find(call, &name)?;
            let word = if unit.name == name || unit.is_masked { unit.enablement(call) } else { "alias" };
            state.is_none_or(|state| state == word).then_some((name, word))
        })
        .collect();
    let names = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(9);
    let mut text =
        if bare { String::new() } else { format!("{:<names$} STATE           PRESET\n", "UNIT FILE") };
    for (name, word) in &rows {
        let preset = if matches!(*word, "enabled" | "disabled" | "masked") { "enabled" } else { "-" };
        text += &format!("{name:<names$} {word:<15} {preset}\n");
    }
    if !bare {
        text += &format!("\n{} unit files listed.\n", rows.len());
    }
    Said::out(text)
}

fn timers(call: &Call<'_>, bare: bool) -> Said {
    use std::time::Duration;
    let now = call.now();
    let day = Duration::from_secs(86_400);
    let names: Vec<String> = units::installed(call)
        .into_iter()
        .filter(|name| name.ends_with(".timer"))
        .filter(|name| Unit::find(call, name).is_some_and(|unit| unit.enablement(call) == "enabled"))
        .collect();
    let mut rows: Vec<(Duration, Duration, &String)> = names
        .iter()
        .map(|name| {
            // Each at its own time of the day.
            let seed = name
                .bytes()
                .fold(call.identity().seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
            let at = Duration::from_secs(seed % 86_400);
            let since_midnight = Duration::from_secs(
                now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() % 86_400,
            );
            let left = if at > since_midnight { at - since_midnight } else { at + day - since_midnight };
            (left, day - left, name)
        })
        .collect();
    rows.sort();
    let span = |time: Duration| match time.as_secs() {
        seconds if seconds >= 18_000 => format!("{}h", seconds / 3600),
        seconds if seconds >= 3600 => format!("{}h {}min", seconds / 3600, seconds / 60 % 60),
        seconds => format!("{}min", seconds / 60),
    };
    let mut cells = vec![["NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES"].map(str::to_owned)];
    cells.extend(rows.iter().map(|(left, passed, name)| {
        let service = format!("{}.service", name.trim_end_matches(".timer"));
        let left_words = format!("{} left", span(*left));
        [
            stamp(now + *left),
            left_words,
            stamp(now - *passed),
            ago(now, now - *passed),
            (*name).clone(),
            service,
        ]
    }));
    let mut text = String::new();
    for row in cells.iter().skip(usize::from(bare)) {
        for (column, cell) in row.iter().enumerate() {
            let width =
                cells.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or_default();
            text += &if column == 5 { format!("{cell}\n") } else { format!("{cell:<width$} ") };
        }
    }
    if !bare {
        text +=
            &format!("\n{} timers listed.\nPass --all to see loaded but inactive timers, too.\n", rows.len());
    }
    Said::out(text)
}

fn dependencies(call: &Call<'_>, name: Option<&String>, services: &Services) -> Said {
    let name = name.map_or("default.target", String::as_str);
    let full = units::full_name(name);
    let folders =
        ["/etc/systemd/system", "/lib/systemd/system"].map(|folder| format!("{folder}/{full}.wants"));
    let mut names: Vec<String> = folders
        .iter()
        .flat_map(|folder| call.files().list(folder).unwrap_or_default())
        .map(|entry| entry.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut text = format!("{full}\n");
    for (number, name) in names.iter().enumerate() {
        let branch = if number + 1 == names.len() { "\u{2514}\u{2500}" } else { "\u{251c}\u{2500}" };
        let active =
            Unit::find(call, name).is_some_and(|unit| unit.condition(call, services).active == "active");
        text += &format!("{} {branch}{name}\n", if active { "\u{25cf}" } else { "\u{25cb}" });
    }
    Said::out(text)
}

/// Scripts of SysV with a sign for each.
pub(super) fn status_all(call: &Call<'_>) -> Said {
    let services = call.session.contact.visitor.services();
    let scripts = call.files().list("/etc/init.d").unwrap_or_default();
    let row = |name: &str| {
        let unit = Unit::find(call, name)?;
        let active = unit.condition(call, &services).active == "active";
        Some(format!(" [ {} ]  {name}\n", if active { "+" } else { "-" }))
    };
    let mut names: Vec<&str> =
        scripts.iter().map(|entry| entry.name.as_str()).filter(|name| *name != "README").collect();
    names.sort_unstable();
    Said::out(names.into_iter().filter_map(row).collect::<String>())
}
