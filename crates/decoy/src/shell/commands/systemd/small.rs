//! Small programs of systemd 252: `systemd-detect-virt`, `localectl`, `loginctl`, `systemd-analyze`.

use chrono::{DateTime, Utc};

use crate::{
    machine::processes::{DOOR, shell_pid},
    shell::commands::{Call, Said},
};

/// The hypervisor, and no container.
pub(in crate::shell::commands) fn detect_virt(call: &Call<'_>) -> Said {
    let kind = call.identity().hypervisor.to_lowercase();
    let has = |short: &str, long: &str| call.args.iter().any(|arg| arg == short || arg == long);
    let quiet = has("-q", "--quiet");
    if has("", "--list") {
        return Said::out(
            "none\nkvm\namazon\nqemu\nbochs\nxen\numl\nvmware\noracle\nmicrosoft\nzvm\nparallels\nbhyve\nqnx\nacrn\npowervm\napple\nsre\nvm-other\nsystemd-nspawn\nlxc-libvirt\nlxc\nopenvz\ndocker\npodman\nrkt\nwsl\nproot\npouch\ncontainer-other\n",
        );
    }
    let found = !has("-c", "--container") && !has("-r", "--chroot") && !has("", "--private-users");
    let text = if found { kind } else { "none".to_owned() };
    let silent = quiet || has("-r", "--chroot") || has("", "--private-users");
    Said { status: i32::from(!found), ..Said::out(if silent { String::new() } else { format!("{text}\n") }) }
}

fn verb<'a>(call: &'a Call<'_>) -> (&'a str, Vec<&'a str>) {
    let mut words = call.args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-'));
    (words.next().unwrap_or(""), words.collect())
}

fn unknown(verb: &str) -> Said {
    Said::err(format!("Unknown command verb {verb}.\n"), 1)
}

pub(in crate::shell::commands) fn localectl(call: &Call<'_>) -> Said {
    match verb(call).0 {
        "" | "status" => {
            let text = call.files().read("/etc/default/locale").unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let lang = text
                .lines()
                .find(|line| line.starts_with("LANG="))
                .unwrap_or("LANG=C.UTF-8")
                .replace('"', "");
            Said::out(format!(
                "   System Locale: {lang}\n       VC Keymap: (unset)      \n      X11 Layout: us\n       X11 Model: pc105\n"
            ))
        }
        "list-locales" => Said::out("C.UTF-8\nen_US.UTF-8\n"),
        "list-keymaps" => Said::err("Couldn't find any console keymaps.\n", 1),
        "set-locale" | "set-keymap" | "set-x11-keymap" if call.is_root() => Said::nothing(0),
        "set-locale" | "set-keymap" | "set-x11-keymap" => {
            Said::err("Failed to issue method call: Interactive authentication required.\n", 1)
        }
        other => unknown(other),
    }
}

/// The visitor's own session; nobody else is here.
struct Own {
    id: u64,
    uid: u32,
    user: String,
    tty: String,
    remote: String,
    leader: u32,
    since: DateTime<Utc>,
    service: &'static str,
}

fn own(call: &Call<'_>) -> Own {
    let session = call.session;
    let account = &session.launch.account;
    Own {
        id: call.identity().uptime(session.started).as_secs() / 3600 + 2,
        uid: account.uid,
        user: account.name.clone(),
        tty: if session.launch.tty.is_some() { "pts/0".to_owned() } else { String::new() },
        remote: session.contact.peer.ip().to_canonical().to_string(),
        leader: shell_pid(call.identity(), session.started) - DOOR,
        since: session.started.into(),
        service: if session.contact.local.port() == 23 { "login" } else { "sshd" },
    }
}

pub(in crate::shell::commands) fn loginctl(call: &Call<'_>) -> Said {
    let own = own(call);
    let (verb, words) = verb(call);
    let headings = !call.args.iter().any(|arg| arg == "--no-legend");
    let at = own.since.format("%a %Y-%m-%d %H:%M:%S UTC");
    match verb {
        "" | "list-sessions" => {
            let width = own.id.to_string().len().max(7);
            let user = own.user.len().max(4);
            let row = format!("{:>width$} {:>4} {:<user$}      {:<5}\n", own.id, own.uid, own.user, own.tty);
            let head = format!("{:>width$} {:>4} {:<user$} SEAT TTY  \n", "SESSION", "UID", "USER");
            Said::out(if headings { format!("{head}{row}\n1 sessions listed.\n") } else { row })
        }
        "list-users" => {
            let row = format!("{:>4} {:<4} no     active\n", own.uid, own.user);
            let head = "UID  USER LINGER STATE \n";
            Said::out(if headings { format!("{}{row}\n1 users listed.\n", head) } else { row })
        }
        "list-seats" => Said::out(if headings { "SEAT \nseat0\n\n1 seats listed.\n" } else { "seat0\n" }),
        "show-session" => {
            let id = words.first().copied().unwrap_or("self");
            if id != own.id.to_string() && !matches!(id, "self" | "auto") {
                return Said::err(format!("Failed to get session path: No session '{id}' known\n"), 1);
            }
            let stamp = own.since.timestamp_micros();
            let text = format!(
                "Id={}\nUser={}\nName={}\nTimestamp={at}\nTimestampMonotonic={}\nVTNr=0\nTTY={}\nRemote=yes\nRemoteHost={}\nService={}\nScope=session-{}.scope\nLeader={}\nAudit={}\nType={}\nClass=user\nActive=yes\nState=active\nIdleHint=no\nIdleSinceHint=0\nIdleSinceHintMonotonic=0\nLockedHint=no\n",
                own.id,
                own.uid,
                own.user,
                stamp.rem_euclid(1_000_000_000_000),
                own.tty,
                own.remote,
                own.service,
                own.id,
                own.leader,
                own.id,
                if own.tty.is_empty() { "unspecified" } else { "tty" }
            );
            properties(call, &text)
        }
        "show-user" => {
            let text = format!(
                "UID={0}\nGID={0}\nName={1}\nTimestamp={at}\nRuntimePath=/run/user/{0}\nService=user@{0}.service\nSlice=user-{0}.slice\nDisplay={2}\nState=active\nSessions={2}\nIdleHint=no\nLinger=no\n",
                own.uid, own.user, own.id
            );
            properties(call, &text)
        }
        "session-status" | "user-status" => {
            let mut text = format!("{} - {} ({})\n", own.id, own.user, own.uid);
            if verb == "user-status" {
                text = format!("{} ({})\n", own.user, own.uid);
            }
            text += &format!("           Since: {at}; 0 ago\n");
            if verb == "user-status" {
                text += &format!(
                    "           State: active\n        Sessions: *{}\n          Linger: no\n            Unit: user-{}.slice\n",
                    own.id, own.uid
                );
            } else {
                text += &format!(
                    "          Leader: {} ({})\n          Remote: {}\n         Service: {}; type {}; class user\n           State: active\n            Unit: session-{}.scope\n",
                    own.leader,
                    own.service,
                    own.remote,
                    own.service,
                    if own.tty.is_empty() { "unspecified" } else { "tty" },
                    own.id
                );
            }
            Said::out(text)
        }
        "enable-linger" | "disable-linger" | "lock-session" | "unlock-session" | "activate" => {
            Said::nothing(0)
        }
        "terminate-session" | "kill-session" | "terminate-user" | "kill-user" if words.is_empty() => {
            Said::err("Too few arguments.\n", 1)
        }
        "terminate-session" | "kill-session" => {
            let id = words.first().copied().unwrap_or_default();
            Said::err(format!("Could not kill session: No session '{id}' known\n"), 1)
        }
        other => unknown(other),
    }
}

/// Those that `-p` names, or all; `--value`: without their names.
pub(in crate::shell::commands) fn properties(call: &Call<'_>, text: &str) -> Said {
    let mut wanted: Vec<&str> = Vec::new();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if arg == "-p" {
            wanted.extend(args.next().map(String::as_str).unwrap_or_default().split(','));
        } else if let Some(names) = arg.strip_prefix("--property=").or_else(|| arg.strip_prefix("-p")) {
            wanted.extend(names.split(','));
        }
    }
    let value_only = call.args.iter().any(|arg| arg == "--value");
    let lines = text.lines().filter(|line| {
        wanted.is_empty() || line.split_once('=').is_some_and(|(name, _)| wanted.contains(&name))
    });
    let shown = |line: &str| match line.split_once('=') {
        Some((_, value)) if value_only => format!("{value}\n"),
        _ => format!("{line}\n"),
    };
    Said::out(lines.map(shown).collect::<String>())
}

/// How long the units took, in milliseconds; the slowest first.
const BLAME: &[(u64, &str)] = &[
    (2_311, "networking.service"),
    (1_204, "dev-DISK.device"),
    (913, "postfix@-.service"),
    (611, "apparmor.service"),
    (402, "systemd-journal-flush.service"),
    (318, "ssh.service"),
    (291, "nginx.service"),
    (244, "systemd-udev-trigger.service"),
    (219, "systemd-udevd.service"),
    (187, "systemd-timesyncd.service"),
    (166, "user@0.service"),
    (151, "keyboard-setup.service"),
    (139, "systemd-logind.service"),
    (121, "rsyslog.service"),
    (104, "inetutils-inetd.service"),
    (96, "vsftpd.service"),
    (88, "systemd-tmpfiles-setup.service"),
    (71, "systemd-sysctl.service"),
    (64, "systemd-modules-load.service"),
    (52, "systemd-remount-fs.service"),
    (41, "console-setup.service"),
    (33, "systemd-random-seed.service"),
    (27, "systemd-user-sessions.service"),
    (19, "postfix.service"),
];

pub(in crate::shell::commands) fn analyze(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let kernel = 2_100 + identity.seed % 900;
    let user = 4_900 + identity.seed % 1_700;
    let seconds = |millis: u64| format!("{}.{:03}s", millis / 1000, millis % 1000);
    match verb(call).0 {
        "" | "time" => Said::out(format!(
            "Startup finished in {} (kernel) + {} (userspace) = {} \ngraphical.target reached after {} in userspace.\n",
            seconds(kernel),
            seconds(user),
            seconds(kernel + user),
            seconds(user - 14)
        )),
        "blame" => {
            let row = |(millis, name): &(u64, &str)| {
                let millis = millis + identity.seed % 37;
                let time = if millis < 1000 { format!("{millis}ms") } else { seconds(millis) };
                format!("{time:>6} {}\n", name.replace("DISK", identity.disk))
            };
            Said::out(BLAME.iter().map(row).collect::<String>())
        }
        "critical-chain" => Said::out(format!(
            "The time when unit became active or started is printed after the \"@\" character.\nThe time the unit took to start is printed after the \"+\" character.\n\ngraphical.target @{}\n└─multi-user.target @{0}\n  └─postfix.service @{} +19ms\n    └─postfix@-.service @3.911s +913ms\n      └─network-online.target @3.904s\n        └─network.target @3.902s\n          └─networking.service @1.590s +2.311s\n            └─apparmor.service @974ms +611ms\n              └─local-fs.target @958ms\n",
            seconds(user - 14),
            seconds(user - 40),
        )),
        "verify" | "dump" | "plot" | "dot" | "security" | "unit-paths" | "calendar" | "timespan"
        | "timestamp" | "cat-config" | "log-level" | "log-target" | "condition" | "syscall-filter"
        | "exit-status" => Said::nothing(0),
        other => Said::err(format!("Unknown command verb {other}.\n"), 1),
    }
}
