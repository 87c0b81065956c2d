//! `journalctl` (systemd 252): what the kernel, the service manager and the daemons have said, out of the logs there are.

use std::time::{Duration, SystemTime};

use chrono::DateTime;
use futures::{FutureExt as _, future::BoxFuture};

mod asked;
mod written;

use self::asked::{Asked, asked};
use super::units;
use crate::{
    machine::files::kernel_log,
    shell::{
        commands::{Call, Said, dates, users},
        screens,
    },
};

/// The most entries that are looked at.
const MOST: usize = 20_000;
/// How long `-f` waits for what does not come; nobody stays that long.
const FOLLOWED: Duration = Duration::from_secs(3600);

/// One entry.
struct Entry {
    at: SystemTime,
    /// `sshd[516]`, `kernel`
    from: String,
    message: String,
}

impl Entry {
    fn identifier(&self) -> &str {
        self.from.split('[').next().unwrap_or_default()
    }

    /// Whether it belongs to a unit, named with its ending.
    fn is_of(&self, unit: &str) -> bool {
        let short = unit.trim_end_matches(".service");
        let own = match self.identifier() {
            "sshd" => "ssh",
            "CRON" | "cron" => "cron",
            other => other,
        };
        own == short || self.from == "systemd[1]" && self.message.split([' ', ':']).any(|word| word == unit)
    }
}

pub(in crate::shell::commands) fn journalctl<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let asked = match asked(call) {
            Ok(asked) => asked,
            Err(said) => return said,
        };
        let may_see = call.is_root() || {
            let name = call.session.user_name();
            let groups = users::groups(call);
            groups.iter().any(|(group, _, members)| {
                matches!(group.as_str(), "adm" | "systemd-journal") && members.contains(&name)
            })
        };
        if !may_see {
            let hint = "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n";
            let hint = if asked.quiet { "" } else { hint };
            return Said::err(format!("{hint}No journal files were opened due to insufficient permissions.\n"), 1);
        }
        if let Some(verb) = asked.verb {
            return told(call, verb);
        }
        let all = chosen(call, &asked);
        if all.is_empty() {
            let text = if asked.quiet { "" } else { "-- No entries --\n" };
            return Said { status: i32::from(asked.grep.is_some()), ..Said::out(text) };
        }
        let text: String = all.iter().map(|entry| written::written(call, &asked, entry)).collect();
        if asked.follow {
            return follow(call, text).await;
        }
        let rows = call.session.window().1 as usize;
        if call.to_terminal && !asked.no_pager && text.lines().count() >= rows.max(2) {
            let pager = Call { name: "less", args: &[], stdin: Some(text.as_bytes()), ..*call };
            return screens::less(&pager).await;
        }
        Said::out(text)
    }
    .boxed()
}

/// Shows what there is and waits for more, where somebody may end the waiting.
async fn follow(call: &Call<'_>, text: String) -> Said {
    let channels = call.session.channels.lock().clone();
    let Some((output, _)) = channels.filter(|_| call.to_terminal) else { return Said::out(text) };
    output(crate::shell::io::Out::Stdout, text.as_bytes());
    call.session.contact.visitor.clock().pass(FOLLOWED).await;
    Said::nothing(0)
}

/// What is said without looking at entries.
fn told(call: &Call<'_>, verb: &str) -> Said {
    match verb {
        "list-boots" => {
            let identity = call.identity();
            let shown = |at: SystemTime| dates::written("%a %Y-%m-%d %H:%M:%S UTC", at.into());
            Said::out(format!(
                "IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY                 \n  0 {} {} {}\n",
                identity.boot_id.replace('-', ""),
                shown(identity.boot_time),
                shown(call.now())
            ))
        }
        "disk-usage" => Said::out("Archived and active journals take up 16.0M in the file system.\n"),
        "vacuum" => {
            let folder = format!("/var/log/journal/{}", machine_id(call));
            let freed =
                |folder: &str| format!("Vacuuming done, freed 0B of archived journals from {folder}.\n");
            Said::err(["/var/log/journal", &folder, "/run/log/journal"].map(freed).concat(), 0)
        }
        _ => Said::nothing(0),
    }
}

fn machine_id(call: &Call<'_>) -> String {
    let bytes = call.files().read("/etc/machine-id").unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// The entries that are asked for, in their order.
fn chosen(call: &Call<'_>, asked: &Asked) -> Vec<Entry> {
    let boot = call.identity().boot_time;
    let fits = |entry: &Entry| {
        (!asked.kernel || entry.from == "kernel")
            && (!asked.boot || entry.at >= boot)
            && (asked.units.is_empty() || asked.units.iter().any(|unit| entry.is_of(unit)))
            && (asked.identifiers.is_empty()
                || asked.identifiers.iter().any(|name| name == entry.identifier()))
            && asked.since.is_none_or(|since| entry.at >= since)
            && asked.until.is_none_or(|until| entry.at <= until)
            && asked.grep.as_ref().is_none_or(|pattern| pattern.is_match(&entry.message))
            && !asked.grave
    };
    let mut all: Vec<Entry> = entries(call).into_iter().filter(fits).collect();
    if let Some(count) = asked.lines {
        all.drain(..all.len().saturating_sub(count));
    }
    if asked.reverse {
        all.reverse();
    }
    all
}

/// Everything that was said since the boot and stands in the logs.
fn entries(call: &Call<'_>) -> Vec<Entry> {
    let identity = call.identity();
    let mut all: Vec<Entry> = Vec::new();
    for line in kernel_log(identity).lines() {
        let Some((at, message)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) else {
            continue;
        };
        let seconds = at.trim().parse::<f64>().unwrap_or_default().clamp(0.0, 1e9);
        let at = identity.boot_time + Duration::from_secs_f64(seconds);
        let (from, message) = match message.strip_prefix("systemd[1]: ") {
            Some(message) => ("systemd[1]", message),
            None => ("kernel", message),
        };
        all.push(Entry { at, from: from.to_owned(), message: message.to_owned() });
    }
    let services = call.session.contact.visitor.services();
    for unit in units::loaded(call, &services) {
        let condition = unit.condition(call, &services);
        let Some(at) = condition.since.filter(|_| condition.active != "inactive") else { continue };
        let (name, description) = (&unit.name, unit.description());
        let mut say = |message: String| all.push(Entry { at, from: "systemd[1]".to_owned(), message });
        match (condition.active, unit.field("Type")) {
            ("failed", _) => say(format!("{name}: Failed with result 'signal'.")),
            (_, None | Some("simple")) => say(format!("Started {name} - {description}.")),
            _ => {
                say(format!("Starting {name} - {description}..."));
                say(format!("Started {name} - {description}."));
            }
        }
    }
    for log in ["/var/log/syslog", "/var/log/auth.log"] {
        let bytes = call.files().read(log).unwrap_or_default();
        for line in String::from_utf8_lossy(&bytes).lines().take(MOST) {
            let mut words = line.splitn(3, ' ');
            let at = words.next().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
            let (Some(at), Some(_), Some(rest)) = (at, words.next(), words.next()) else { continue };
            let Some((from, message)) = rest.split_once(": ") else { continue };
            all.push(Entry { at: at.into(), from: from.to_owned(), message: message.to_owned() });
        }
    }
    all.sort_by_key(|entry| entry.at);
    all
}
