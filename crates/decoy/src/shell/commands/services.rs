//! `systemctl`, `service`, `crontab`.

use futures::{FutureExt as _, future::BoxFuture};

use super::{Call, Said};
use crate::machine::Owner;

const SERVICES: [&str; 14] = [
    "cron",
    "dbus",
    "inetutils-inetd",
    "networking",
    "nginx",
    "postfix",
    "procps",
    "rsyslog",
    "ssh",
    "sshd",
    "systemd-journald",
    "systemd-logind",
    "udev",
    "vsftpd",
];

pub(super) fn systemctl(call: &Call<'_>) -> Said {
    let options = call.options("tnpH");
    let (verb, units) = match options.operands.as_slice() {
        [verb, units @ ..] => (verb.as_str(), units),
        [] => ("list-units", &[][..]),
    };
    let name = |unit: &str| unit.trim_end_matches(".service").to_owned();
    let unknown = units.iter().find(|unit| !SERVICES.contains(&name(unit).as_str()));
    let file = |unit: &str| if unit.contains('.') { unit.to_owned() } else { format!("{unit}.service") };
    match (verb, unknown) {
        ("daemon-reload" | "daemon-reexec" | "reset-failed", _) => Said::nothing(0),
        ("list-units" | "list-unit-files", _) => {
            let rows: String = SERVICES
                .iter()
                .map(|name| format!("  {:<27} loaded active running {name}\n", format!("{name}.service")))
                .collect();
            Said::out(format!(
                "  UNIT                        LOAD   ACTIVE SUB     DESCRIPTION\n{rows}\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n{} loaded units listed.\n",
                SERVICES.len()
            ))
        }
        ("is-active", unknown) => Said {
            status: if unknown.is_some() { 3 } else { 0 },
            ..Said::out(if unknown.is_some() { "inactive\n" } else { "active\n" })
        },
        ("is-enabled", Some(unit)) => Said::err(
            format!("Failed to get unit file state for {}: No such file or directory\n", file(unit)),
            1,
        ),
        ("is-enabled", None) => Said::out("enabled\n"),
        ("status", Some(unit)) => Said::err(format!("Unit {} could not be found.\n", file(unit)), 4),
        ("status", None) => {
            let units = units.iter().map(|unit| format!("\u{25cf} {0} - {1}\n     Loaded: loaded (/lib/systemd/system/{0}; enabled; preset: enabled)\n     Active: active (running)\n", file(unit), name(unit)));
            Said::out(units.collect::<String>())
        }
        ("start" | "restart" | "reload" | "try-restart", Some(unit)) => {
            Said::err(format!("Failed to {verb} {0}: Unit {0} not found.\n", file(unit)), 5)
        }
        ("stop" | "kill", Some(unit)) => {
            Said::err(format!("Failed to stop {0}: Unit {0} not loaded.\n", file(unit)), 5)
        }
        ("enable", Some(unit)) => {
            Said::err(format!("Failed to enable unit: Unit file {} does not exist.\n", file(unit)), 1)
        }
        ("disable" | "mask", Some(unit)) => {
            Said::err(format!("Failed to {verb} unit: Unit file {} does not exist.\n", file(unit)), 1)
        }
        (_, None) if !call.is_root() && !matches!(verb, "show" | "cat") => Said::err(
            format!(
                "Failed to {verb} {}: Access denied\n",
                units.first().map(|unit| file(unit)).unwrap_or_default()
            ),
            4,
        ),
        (
            "start" | "stop" | "restart" | "reload" | "enable" | "disable" | "mask" | "unmask" | "kill"
            | "show" | "cat",
            _,
        ) => Said::nothing(0),
        (verb, _) => Said::err(format!("Unknown command verb {verb}.\n"), 1),
    }
}

pub(super) fn service(call: &Call<'_>) -> Said {
    match call.args {
        [] => Said::err(
            "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n",
            1,
        ),
        [only] if only == "--status-all" => {
            Said::out(SERVICES.iter().map(|name| format!(" [ + ]  {name}\n")).collect::<String>())
        }
        [name, ..] if !SERVICES.contains(&name.as_str()) => {
            let verb = call.args.get(1).map_or("", String::as_str);
            match verb {
                "" => Said::err(format!("{name}: unrecognized service\n"), 1),
                "stop" => {
                    Said::err(format!("Failed to stop {name}.service: Unit {name}.service not loaded.\n"), 5)
                }
                "status" => Said::err(format!("Unit {name}.service could not be found.\n"), 4),
                verb => {
                    Said::err(format!("Failed to {verb} {name}.service: Unit {name}.service not found.\n"), 5)
                }
            }
        }
        [name, verb, ..] => {
            let args = [verb.clone(), name.clone()];
            systemctl(&Call { args: &args, ..*call })
        }
        [name] => Said::err(
            format!("Usage: /etc/init.d/{name} {{start|stop|reload|force-reload|restart|status}}\n"),
            1,
        ),
    }
}

/// Debian's cron 3.0pl1: tables are files in the spool.
pub(super) fn crontab<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = call.options("u");
        let user = options.value('u').map_or_else(|| call.session.user_name(), str::to_owned);
        let Some(account) = super::users::named(call, &user) else {
            return Said::err(format!("crontab:  user `{user}' unknown\n"), 1);
        };
        let path = format!("/var/spool/cron/crontabs/{user}");
        let owner = Owner { uid: account.uid, gid: 105 };
        if options.has('l') {
            return call.files().read(&path).map_or_else(
                |_| Said::err(format!("no crontab for {user}\n"), 1),
                |text| Said::out(text.to_vec()),
            );
        }
        if options.has('r') {
            return call
                .files()
                .remove(&path)
                .map_or_else(|_| Said::err(format!("no crontab for {user}\n"), 1), |()| Said::nothing(0));
        }
        if options.has('e') {
            return Said::err(
                if call.files().exists(&path) {
                    String::new()
                } else {
                    format!("no crontab for {user} - using an empty one\n")
                },
                0,
            );
        }
        let text = match options.operands.first().map(String::as_str) {
            Some("-") | None => match call.stdin {
                Some(bytes) => bytes.to_vec(),
                None => {
                    let Some((_, input)) = call.session.channels.lock().clone() else {
                        return Said::nothing(0);
                    };
                    let mut text = Vec::new();
                    while let Some(bytes) = input.read().await {
                        text.extend_from_slice(&bytes);
                        if text.len() > 65_536 {
                            break;
                        }
                    }
                    text
                }
            },
            Some(file) => match call.files().read(&call.path(file)) {
                Ok(bytes) => bytes.to_vec(),
                Err(error) => return Said::err(format!("{file}: {}\n", error.errno_text()), 1),
            },
        };
        match call.files().write(&path, &text, &owner, 0o600) {
            Ok(()) => Said::nothing(0),
            Err(error) => Said::err(format!("crontab: {}\n", error.errno_text()), 1),
        }
    }
    .boxed()
}
