//! Units as they lie in the machine's files (systemd.unit(5)), and what state they are in.

use std::time::SystemTime;

use super::super::Call;
use crate::machine::{
    Kind,
    services::{self, Change, Services, State},
};

/// Where units are looked for, first things first.
const FOLDERS: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"];
/// Where `enable` leaves its links.
const ENABLED: &str = "/etc/systemd/system";
/// Kinds of units.
const KINDS: [&str; 9] =
    [".service", ".socket", ".target", ".timer", ".mount", ".path", ".slice", ".scope", ".device"];
/// The most folders of wishes that are looked through.
const MOST_WISHES: usize = 64;
/// Started once at boot, and done.
const DONE_AT_BOOT: [&str; 13] = [
    "apparmor",
    "console-setup",
    "ifupdown-pre",
    "keyboard-setup",
    "kmod-static-nodes",
    "networking",
    "postfix",
    "systemd-journal-flush",
    "systemd-random-seed",
    "systemd-remount-fs",
    "systemd-sysctl",
    "systemd-tmpfiles-setup",
    "systemd-user-sessions",
];

/// One unit.
pub(super) struct Unit {
    /// With its kind, as `nginx.service`.
    pub(super) name: String,
    /// The file it is read from; of SysV scripts the script.
    pub(super) path: String,
    /// What the file says; nothing for scripts.
    text: String,
    /// The file leads to `/dev/null`.
    pub(super) is_masked: bool,
}

/// How a unit is, in systemd's words.
pub(super) struct Condition {
    /// `active`, `inactive`, `failed`
    pub(super) active: &'static str,
    /// `running`, `exited`, `dead`, …
    pub(super) sub: &'static str,
    pub(super) since: Option<SystemTime>,
    /// The signal that ended it.
    pub(super) signal: Option<u8>,
}

impl Unit {
    /// The unit of this name, with or without its kind; `None` if the machine has none.
    pub(super) fn find(call: &Call<'_>, name: &str) -> Option<Self> {
        let name = full_name(name);
        if name.contains('/') {
            return None;
        }
        let files = call.files();
        for folder in FOLDERS {
            let (template, _) = instance(&name);
            for file in [Some(name.clone()), template].into_iter().flatten() {
                let path = format!("{folder}/{file}");
                let Ok(node) = files.lstat(&path) else { continue };
                if node.kind == Kind::Symlink {
                    let target = files.read_link(&path).unwrap_or_default();
                    if target == "/dev/null" {
                        return Some(Self { name, path, text: String::new(), is_masked: true });
                    }
                    // Another name for a unit.
                    let real = target.rsplit('/').next().unwrap_or_default();
                    if real != file && real != name && !real.is_empty() {
                        return Self::read(call, real, &format!("/lib/systemd/system/{real}"));
                    }
                }
                return Self::read(call, &name, &path);
            }
        }
        let script = format!("/etc/init.d/{}", name.strip_suffix(".service")?);
        let is_script = files.stat(&script).is_ok_and(|node| node.kind == Kind::File);
        is_script.then(|| Self { name, path: script, text: String::new(), is_masked: false })
    }

    fn read(call: &Call<'_>, name: &str, path: &str) -> Option<Self> {
        let text = call.files().read(path).ok()?;
        let (_, instance) = instance(name);
        let text = String::from_utf8_lossy(&text).replace("%i", &instance).replace("%I", &instance);
        Some(Self { name: name.to_owned(), path: path.to_owned(), text, is_masked: false })
    }

    /// The name without `.service`.
    pub(super) fn short(&self) -> &str {
        self.name.strip_suffix(".service").unwrap_or(&self.name)
    }

    /// A script of SysV that systemd made a unit of.
    pub(super) fn is_script(&self) -> bool {
        self.path.starts_with("/etc/init.d/")
    }

    /// The first value of a key.
    pub(super) fn field(&self, key: &str) -> Option<&str> {
        self.text
            .lines()
            .find_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='))
            .map(str::trim)
    }

    pub(super) fn description(&self) -> String {
        match self.field("Description") {
            Some(text) => text.to_owned(),
            None if self.is_script() => format!("LSB: {}", self.short()),
            None => self.name.clone(),
        }
    }

    /// The command line that it runs, without systemd's signs before it.
    pub(super) fn command(&self) -> String {
        let line = self.field("ExecStart").unwrap_or_default();
        let line = line.trim_start_matches(['-', '@', ':', '+', '!']);
        let words = line.split_whitespace().filter(|word| !word.starts_with('$'));
        words.collect::<Vec<_>>().join(" ").replace(['\'', '"'], "")
    }

    /// The links that `enable` makes, and what they lead to.
    pub(super) fn links(&self) -> Vec<String> {
        let mut links: Vec<String> = Vec::new();
        for (key, ending) in [("WantedBy", "wants"), ("RequiredBy", "requires")] {
            let targets = self.field(key).unwrap_or_default().split_whitespace();
            links.extend(targets.map(|target| format!("{ENABLED}/{target}.{ending}/{}", self.name)));
        }
        let names = self.field("Alias").unwrap_or_default().split_whitespace();
        links.extend(names.map(|name| format!("{ENABLED}/{name}")));
        links
    }

    /// As `is-enabled` says it.
    pub(super) fn enablement(&self, call: &Call<'_>) -> &'static str {
        if self.is_masked {
            return "masked";
        }
        if self.is_script() {
            return "generated";
        }
        let links = self.links();
        if links.is_empty() {
            return if self.field("Also").is_some() { "indirect" } else { "static" };
        }
        if links.iter().any(|link| call.files().lstat(link).is_ok()) { "enabled" } else { "disabled" }
    }

    /// What it is doing.
    pub(super) fn condition(&self, call: &Call<'_>, services: &Services) -> Condition {
        let booted = Some(call.identity().boot_time);
        let is = |active, sub, since| Condition { active, sub, since, signal: None };
        // Postfix's own unit stands for the instances.
        let of = if self.short() == "postfix" { "postfix@-" } else { self.short() };
        let once = self.field("Type") == Some("oneshot");
        if let Some(Change { at, state, .. }) = services.change(of) {
            let stays =
                self.field("RemainAfterExit").is_some_and(|value| matches!(value, "yes" | "true" | "1"));
            return match state {
                State::Started(_) if once && stays => is("active", "exited", Some(*at)),
                State::Started(_) => is("active", "running", Some(*at)),
                State::Stopped => is("inactive", "dead", Some(*at)),
                State::Killed(signal) => {
                    Condition { active: "failed", sub: "failed", since: Some(*at), signal: Some(*signal) }
                }
            };
        }
        match self.name.rsplit('.').next() {
            _ if DONE_AT_BOOT.contains(&self.short()) => is("active", "exited", booted),
            _ if services::daemons().any(|name| name == self.short()) => is("active", "running", booted),
            Some("timer") if self.enablement(call) == "enabled" => is("active", "waiting", booted),
            Some("target") if ACTIVE_TARGETS.contains(&self.short()) => is("active", "active", booted),
            Some("socket") => is("active", "running", booted),
            Some("slice") => is("active", "active", booted),
            Some("mount") => is("active", "mounted", booted),
            _ => is("inactive", "dead", None),
        }
    }
}

/// Targets that a server has reached.
const ACTIVE_TARGETS: [&str; 13] = [
    "basic.target",
    "cryptsetup.target",
    "getty.target",
    "graphical.target",
    "local-fs-pre.target",
    "local-fs.target",
    "multi-user.target",
    "network.target",
    "paths.target",
    "slices.target",
    "sockets.target",
    "sysinit.target",
    "timers.target",
];

/// With a kind; without one it is a service.
pub(super) fn full_name(name: &str) -> String {
    if KINDS.iter().any(|kind| name.ends_with(kind)) { name.to_owned() } else { format!("{name}.service") }
}

/// The template of an instance, and the instance.
fn instance(name: &str) -> (Option<String>, String) {
    match name.split_once('@') {
        Some((template, rest)) => {
            let (instance, kind) = rest.rsplit_once('.').unwrap_or((rest, "service"));
            (Some(format!("{template}@.{kind}")), instance.to_owned())
        }
        None => (None, String::new()),
    }
}

/// All units that run or have run, by name.
pub(super) fn loaded(call: &Call<'_>, services: &Services) -> Vec<Unit> {
    let mut names: Vec<String> = services::daemons().map(full_name).collect();
    names.extend(DONE_AT_BOOT.map(full_name));
    names.extend(ACTIVE_TARGETS.map(str::to_owned));
    names.extend(services.changes.iter().map(|change| full_name(&change.unit)));
    names.extend(installed(call).into_iter().filter(|name| name.ends_with(".timer")));
    names.sort_unstable();
    names.dedup();
    names.iter().filter_map(|name| Unit::find(call, name)).collect()
}

/// The names of all unit files.
pub(super) fn installed(call: &Call<'_>) -> Vec<String> {
    let mut names: Vec<String> = FOLDERS
        .iter()
        .flat_map(|folder| call.files().list(folder).unwrap_or_default())
        .map(|entry| entry.name)
        .filter(|name| KINDS.iter().any(|kind| name.ends_with(kind)))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What the next boot starts that Debian's does not, and the other way round.
pub(super) fn at_boot(call: &Call<'_>) -> Vec<(String, State)> {
    let mut found = Vec::new();
    for name in services::daemons() {
        let stays_away =
            Unit::find(call, name).is_none_or(|unit| unit.is_masked || unit.enablement(call) == "disabled");
        if stays_away && !name.contains('@') {
            found.push((name.to_owned(), State::Stopped));
        }
    }
    let folders = call.files().list(ENABLED).unwrap_or_default();
    for folder in folders.iter().filter(|entry| entry.name.ends_with(".wants")).take(MOST_WISHES) {
        for entry in call.files().list(&format!("{ENABLED}/{}", folder.name)).unwrap_or_default() {
            let Some(unit) = Unit::find(call, &entry.name).filter(|unit| unit.name.ends_with(".service"))
            else {
                continue;
            };
            let known =
                services::daemons().any(|name| name == unit.short()) || DONE_AT_BOOT.contains(&unit.short());
            let own = unit.path.starts_with(ENABLED) && !unit.is_masked;
            if own && !known && unit.starts(call) == Start::Runs {
                found.push((unit.short().to_owned(), State::Started(unit.command())));
            }
        }
    }
    found
}

/// What comes of starting a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A process goes on.
    Runs,
    /// It has done its work.
    Done,
    /// Its program is not there.
    Fails,
}

impl Unit {
    /// What comes of starting it.
    pub(super) fn starts(&self, call: &Call<'_>) -> Start {
        let command = self.command();
        if self.is_script() || services::daemons().any(|name| name == self.short()) {
            return Start::Runs;
        }
        let program = command.split(' ').next().unwrap_or_default();
        match call.files().stat(program) {
            Ok(node) if node.mode & 0o111 != 0 && node.kind == Kind::File => match self.field("Type") {
                Some("oneshot") => Start::Done,
                _ => Start::Runs,
            },
            _ => Start::Fails,
        }
    }
}
