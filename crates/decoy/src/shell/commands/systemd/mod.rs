//! `systemctl` (252) and `service`: units are the machine's files, and what a visitor does to them stays done.

mod journal;
mod lists;
mod power;
mod small;
mod status;
mod units;

use super::{Call, Said};
use crate::machine::{
    Owner,
    services::{Services, State},
};
pub(super) use journal::journalctl;
#[cfg(test)]
mod tests;

pub(super) use power::{reboot, shutdown};
pub(super) use small::{analyze, detect_virt, localectl, loginctl, properties};
use units::{Start, Unit, full_name};

pub(super) fn systemctl(call: &Call<'_>) -> Said {
    let options = call.options("tnpHMosP");
    let (verb, names) = match options.operands.as_slice() {
        [verb, names @ ..] => (verb.as_str(), names),
        [] => ("list-units", &[][..]),
    };
    if options.has_long("version") {
        return Said::out(
            "systemd 252 (252.39-1~deb12u1)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified\n",
        );
    }
    let services = call.session.contact.visitor.services();
    let quiet = options.has('q') || options.has_long("quiet");
    let said = match verb {
        "list-units" | "list-unit-files" | "list-timers" | "list-sockets" | "list-dependencies" => {
            lists::list(call, verb, &options, &services)
        }
        "is-system-running" => Said::out("running\n"),
        "is-active" | "is-failed" | "is-enabled" => asked(call, verb, names, &services),
        "status" => status::status(call, names, &services, options.has_long("no-legend")),
        "show" => status::show(call, names, &options, &services),
        "cat" => status::cat(call, names),
        "get-default" => Said::out("graphical.target\n"),
        "reboot" | "poweroff" | "halt" | "kexec" | "soft-reboot" | "rescue" | "emergency" | "suspend" => {
            return power::by_systemctl(call, verb);
        }
        "daemon-reload" | "daemon-reexec" | "reset-failed" | "set-default" | "set-property" | "isolate"
        | "start" | "stop" | "restart" | "try-restart" | "reload" | "reload-or-restart" | "force-reload"
        | "kill" | "enable" | "disable" | "reenable" | "mask" | "unmask" | "preset" | "edit" | "revert" => {
            change(call, verb, names, options.has_long("now"), &services)
        }
        verb => Said::err(format!("Unknown command verb {verb}.\n"), 1),
    };
    if quiet && matches!(verb, "is-active" | "is-failed" | "is-enabled") {
        return Said::nothing(said.status);
    }
    said
}

/// `is-active`, `is-failed`, `is-enabled`: a word for each unit.
fn asked(call: &Call<'_>, verb: &str, names: &[String], services: &Services) -> Said {
    if names.is_empty() {
        return Said::err("Too few arguments.\n", 1);
    }
    let (mut said, mut found) = (Said::default(), false);
    for name in names {
        let unit = Unit::find(call, name);
        let (word, holds) = match (verb, &unit) {
            ("is-enabled", None) => {
                let text = format!(
                    "Failed to get unit file state for {}: No such file or directory\n",
                    full_name(name)
                );
                said.err.extend(text.bytes());
                continue;
            }
            ("is-enabled", Some(unit)) => {
                let word = unit.enablement(call);
                (word, !matches!(word, "disabled" | "masked"))
            }
            (verb, unit) => {
                let word = unit.as_ref().map_or("inactive", |unit| unit.condition(call, services).active);
                (word, word == if verb == "is-failed" { "failed" } else { "active" })
            }
        };
        found |= holds;
        said.out.extend(format!("{word}\n").bytes());
    }
    said.status = match (verb, found) {
        (_, true) => 0,
        ("is-active", false) => 3,
        (_, false) => 1,
    };
    said
}

/// Everything that changes something.
fn change(call: &Call<'_>, verb: &str, names: &[String], now: bool, services: &Services) -> Said {
    let alone = matches!(verb, "daemon-reload" | "daemon-reexec" | "reset-failed");
    if names.is_empty() && !alone {
        return Said::err("Too few arguments.\n", 1);
    }
    if !call.is_root() {
        let files = matches!(
            verb,
            "enable" | "disable" | "reenable" | "mask" | "unmask" | "preset" | "edit" | "revert"
        );
        return match names.first() {
            Some(_) if files => {
                Said::err(format!("Failed to {verb} unit: Interactive authentication required.\n"), 1)
            }
            Some(name) => Said::err(
                format!(
                    "Failed to {verb} {0}: Interactive authentication required.\nSee system logs and 'systemctl status {0}' for details.\n",
                    full_name(name)
                ),
                1,
            ),
            None => Said::err("Failed to reload daemon: Interactive authentication required.\n", 1),
        };
    }
    let mut said = Said::default();
    for name in names {
        let done = match verb {
            "enable" | "disable" | "reenable" | "mask" | "unmask" | "preset" => link(call, verb, name),
            _ => Said::default(),
        };
        said.err.extend(done.err);
        said.status = said.status.max(done.status);
        if done.status != 0 {
            continue;
        }
        let run = match (verb, now) {
            ("enable" | "reenable", true) => "start",
            ("disable" | "mask", true) => "stop",
            ("enable" | "disable" | "reenable" | "mask" | "unmask" | "preset", false) => continue,
            (verb, _) => verb,
        };
        let done = run_unit(call, run, name, services);
        said.err.extend(done.err);
        said.status = if said.status == 0 { done.status } else { said.status };
    }
    said
}

/// Starts, stops or reloads one unit.
fn run_unit(call: &Call<'_>, verb: &str, name: &str, services: &Services) -> Said {
    let full = full_name(name);
    let Some(unit) = Unit::find(call, name) else {
        return match verb {
            "stop" | "kill" => Said::err(format!("Failed to {verb} {full}: Unit {full} not loaded.\n"), 5),
            "try-restart" | "reset-failed" | "set-property" | "set-default" | "edit" | "revert" => {
                Said::err(format!("Unit {full} not found.\n"), 1)
            }
            "reload-or-restart" | "force-reload" => {
                Said::err(format!("Failed to reload-or-restart {full}: Unit {full} not found.\n"), 5)
            }
            verb => Said::err(format!("Failed to {verb} {full}: Unit {full} not found.\n"), 5),
        };
    };
    if unit.is_masked && matches!(verb, "start" | "restart") {
        return Said::err(format!("Failed to {verb} {full}: Unit {full} is masked.\n"), 1);
    }
    let visitor = &call.session.contact.visitor;
    let active = unit.condition(call, services).active == "active";
    // Postfix's own unit stands for the instances.
    let of = if unit.short() == "postfix" { "postfix@-" } else { unit.short() };
    match verb {
        "start" if active => {}
        "try-restart" if !active => {}
        "start" | "restart" | "try-restart" | "reload-or-restart" | "force-reload" => {
            if unit.field("ExecStart").is_none() && !unit.is_script() && unit.name.ends_with(".service") {
                let why = format!("Unit {full} has a bad unit file setting.");
                return Said::err(
                    format!(
                        "Failed to {verb} {full}: {why}\nSee system logs and 'systemctl status {full}' for details.\n"
                    ),
                    1,
                );
            }
            match unit.starts(call) {
                Start::Runs => {
                    let daemon = crate::machine::services::daemons().any(|known| known == of);
                    let command = if daemon || unit.is_script() { String::new() } else { unit.command() };
                    visitor.change_service(of, &State::Started(command));
                }
                Start::Done => visitor.change_service(of, &State::Stopped),
                Start::Fails => {
                    visitor.change_service(of, &State::Killed(0));
                    // Of a simple service systemd does not wait to hear whether its program is there.
                    if matches!(unit.field("Type"), Some("forking" | "notify" | "oneshot" | "exec")) {
                        return Said::err(
                            format!(
                                "Job for {full} failed because the control process exited with error code.\nSee \"systemctl status {full}\" and \"journalctl -xeu {full}\" for details.\n"
                            ),
                            1,
                        );
                    }
                }
            }
        }
        "reload" if !active => {
            return Said::err(format!("{full} is not active, cannot reload.\n"), 1);
        }
        "reload" if unit.field("ExecReload").is_none() && !unit.is_script() => {
            return Said::err(
                format!("Failed to reload {full}: Job type reload is not applicable for unit {full}.\n"),
                1,
            );
        }
        "stop" | "kill" if active => visitor.change_service(of, &State::Stopped),
        _ => {}
    }
    Said::nothing(0)
}

/// `enable` and its kind: links are made and taken away.
fn link(call: &Call<'_>, verb: &str, name: &str) -> Said {
    let full = full_name(name);
    let files = call.files();
    let unit = Unit::find(call, name);
    let Some(unit) = unit else {
        return match verb {
            "mask" => {
                let path = format!("/etc/systemd/system/{full}");
                let text = format!("Unit {full} does not exist, proceeding anyway.\n");
                let made = make_link(call, "/dev/null", &path);
                Said::err(text + &made, 0)
            }
            "unmask" => Said::err(format!("Unit {full} does not exist, proceeding anyway.\n"), 0),
            verb => Said::err(format!("Failed to {verb} unit: Unit file {full} does not exist.\n"), 1),
        };
    };
    let mut text = String::new();
    let script = format!("/etc/init.d/{}", unit.short());
    if matches!(verb, "enable" | "disable") && files.exists(&script) && !unit.is_masked {
        text += &format!(
            "Synchronizing state of {full} with SysV service script with /lib/systemd/systemd-sysv-install.\nExecuting: /lib/systemd/systemd-sysv-install {verb} {}\n",
            unit.short()
        );
    }
    match verb {
        "enable" | "reenable" | "preset" => {
            if unit.is_masked {
                return Said::err(
                    format!("Failed to {verb} unit: Unit file /etc/systemd/system/{full} is masked.\n"),
                    1,
                );
            }
            let links = unit.links();
            if links.is_empty() && !unit.is_script() {
                text += "The unit files have no installation config (WantedBy=, RequiredBy=, Also=,\nAlias= settings in the [Install] section, and DefaultInstance= for template\nunits). This means they are not meant to be enabled using systemctl.\n \nPossible reasons for having this kind of units are:\n\u{2022} A unit may be statically enabled by being symlinked from another unit's\n  .wants/ or .requires/ directory.\n\u{2022} A unit's purpose may be to act as a helper for some other unit which has\n  a requirement dependency on it.\n\u{2022} A unit may be started when needed via activation (socket, path, timer,\n  D-Bus, udev, scripted systemctl call, ...).\n\u{2022} In case of template units, the unit is meant to be enabled with some\n  instance name specified.\n";
            }
            for link in links.iter().filter(|link| files.lstat(link).is_err()) {
                text += &make_link(call, &unit.path, link);
            }
        }
        "disable" => {
            for link in unit.links().iter().filter(|link| files.lstat(link).is_ok()) {
                text += &take_link(call, link);
            }
        }
        "mask" if !unit.is_masked => {
            let path = format!("/etc/systemd/system/{full}");
            if files.lstat(&path).is_ok_and(|node| node.kind != crate::machine::Kind::Symlink) {
                return Said::err(format!("Failed to mask unit: File {path} already exists.\n"), 1);
            }
            if files.lstat(&path).is_ok() {
                take_link(call, &path);
            }
            text += &make_link(call, "/dev/null", &path);
        }
        "unmask" if unit.is_masked => text += &take_link(call, &unit.path),
        _ => {}
    }
    Said::err(text, 0)
}

fn make_link(call: &Call<'_>, target: &str, link: &str) -> String {
    let folder = link.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let made = call
        .files()
        .make_dir_all(folder, &Owner::ROOT, 0o755)
        .and_then(|()| call.files().symlink(target, link, &Owner::ROOT));
    match made {
        Ok(()) => format!("Created symlink {link} \u{2192} {target}.\n"),
        Err(error) => format!("Failed to create symlink {link}: {}\n", error.errno_text()),
    }
}

fn take_link(call: &Call<'_>, link: &str) -> String {
    match call.files().remove(link) {
        Ok(()) => format!("Removed \"{link}\".\n"),
        Err(error) => format!("Failed to remove {link}: {}\n", error.errno_text()),
    }
}

/// Debian's `service` (init-system-helpers 1.65).
pub(super) fn service(call: &Call<'_>) -> Said {
    match call.args {
        [] => Said::err(
            "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n",
            1,
        ),
        [only] if only == "--status-all" => lists::status_all(call),
        [only] if matches!(only.as_str(), "-h" | "--help") => Said::out(
            "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n",
        ),
        [name, verb, ..] => {
            let Some(unit) = Unit::find(call, name) else {
                return match verb.as_str() {
                    "stop" => Said::err(
                        format!("Failed to stop {name}.service: Unit {name}.service not loaded.\n"),
                        5,
                    ),
                    "status" => Said::err(format!("Unit {name}.service could not be found.\n"), 4),
                    verb => Said::err(
                        format!("Failed to {verb} {name}.service: Unit {name}.service not found.\n"),
                        5,
                    ),
                };
            };
            let verb = if verb == "--full-restart" { "restart" } else { verb };
            let args = [verb.to_owned(), unit.name];
            systemctl(&Call { args: &args, ..*call })
        }
        [name] => match Unit::find(call, name) {
            Some(_) => Said::err(
                format!("Usage: /etc/init.d/{name} {{start|stop|reload|force-reload|restart|status}}\n"),
                1,
            ),
            None => Said::err(format!("{name}: unrecognized service\n"), 1),
        },
    }
}
