//! `apt`, `apt-get` and `apt-cache` (2.6): what is asked for seems to come from Debian's archive. Nothing is fetched.

use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;

use super::{
    super::{Call, Options, Said, transfer, usage},
    archives::{self, Source},
    asked::{cache, list},
    catalogue::{self, Offer},
    count_of_files,
    database::{self, Package},
};
use crate::{machine::Owner, shell::io::Out};

const WARNING: &str = "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n";
const LOCK: &str = "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n";
const LISTS_LOCK: &str = "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\nE: Unable to lock directory /var/lib/apt/lists/\n";

pub(in crate::shell::commands) fn apt<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let options = Options::of(call.args, "oct");
        if options.has_long("version") || options.has('v') {
            return usage::of(call.name, &["--version".to_owned()], false).unwrap_or_default();
        }
        let [verb, packages @ ..] = options.operands.as_slice() else {
            return usage::of(call.name, &[], false).unwrap_or_else(|| Said::nothing(1));
        };
        let quiet = options.letters.iter().filter(|letter| **letter == 'q').count();
        let quiet =
            quiet + 2 * usize::from(options.has_long("quiet=2")) + usize::from(options.has_long("quiet"));
        let work = Work {
            call,
            quiet,
            yes: options.has('y') || options.has_long("yes") || options.has_long("assume-yes") || quiet > 1,
            kept: Mutex::default(),
            dry: options.has('s') || options.has_long("dry-run") || options.has_long("simulate"),
        };
        if call.name == "apt" && !call.to_terminal {
            work.say(Out::Stderr, WARNING);
        }
        let reads = matches!(verb.as_str(), "list" | "search" | "show" | "policy");
        if !call.is_root() && !reads && !work.dry {
            return Said::err(if verb == "update" { LISTS_LOCK } else { LOCK }, 100);
        }
        let said = match verb.as_str() {
            "update" => work.update().await,
            "install" | "reinstall" => work.install(packages).await,
            "remove" | "purge" | "autoremove" | "autopurge" => {
                work.remove(packages, verb.contains("purge")).await
            }
            "upgrade" | "dist-upgrade" | "full-upgrade" => {
                work.head();
                work.tell(&format!("Calculating upgrade...{}", work.done()));
                Said::out("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
            }
            "check" => {
                work.head();
                Said::default()
            }
            "clean" | "autoclean" | "auto-clean" => Said::nothing(0),
            "list" => list(call, packages, options.has_long("installed")),
            "search" | "show" | "policy" => cache(call, verb, packages),
            verb => Said::err(format!("E: Invalid operation {verb}\n"), 100),
        };
        let kept = work.kept.into_inner();
        Said { out: [kept.out, said.out].concat(), err: [kept.err, said.err].concat(), status: said.status }
    }
    .boxed()
}

pub(in crate::shell::commands) fn apt_cache(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "oc");
    match options.operands.as_slice() {
        [verb, names @ ..] if matches!(verb.as_str(), "search" | "show" | "policy") => {
            cache(call, verb, names)
        }
        [verb, ..] => Said::err(format!("E: Invalid operation {verb}\n"), 100),
        [] => usage::of("apt-cache", &[], false).unwrap_or_default(),
    }
}

/// One call that does something.
struct Work<'a> {
    call: &'a Call<'a>,
    quiet: usize,
    yes: bool,
    dry: bool,
    /// What is said when it may go elsewhere than to the visitor.
    kept: Mutex<Said>,
}

impl Work<'_> {
    fn say(&self, out: Out, text: &str) {
        if self.call.session.is_piped() {
            let mut kept = self.kept.lock();
            if out == Out::Stdout { &mut kept.out } else { &mut kept.err }.extend(text.bytes());
            return;
        }
        let channels = self.call.session.channels.lock().clone();
        if let Some((output, _)) = channels {
            output(out, text.as_bytes());
        }
    }

    fn tell(&self, text: &str) {
        if self.quiet < 2 {
            self.say(Out::Stdout, text);
        }
    }

    /// On a terminal every step says that it is done.
    fn done(&self) -> &'static str {
        if self.call.to_terminal { " Done\n" } else { "\n" }
    }

    fn head(&self) {
        let done = self.done();
        self.tell(&format!(
            "Reading package lists...{done}Building dependency tree...{done}Reading state information...{done}"
        ));
    }

    async fn wait(&self, millis: u64) {
        transfer::wait(self.call.session, Duration::from_millis(millis)).await;
    }

    async fn update(&self) -> Said {
        for (number, Source { address, suite, .. }) in (1..).zip(archives::all(self.call)) {
            self.wait(140).await;
            transfer::record(self.call.session, &format!("{address}/dists/{suite}/InRelease"), "", None);
            self.tell(&format!("Hit:{number} {address} {suite} InRelease\n"));
        }
        self.wait(600).await;
        let mut text = format!("Reading package lists...{}", self.done());
        if self.call.name == "apt" {
            let done = self.done();
            text += &format!(
                "Building dependency tree...{done}Reading state information...{done}All packages are up to date.\n"
            );
        }
        self.tell(&text);
        Said::default()
    }

    async fn install(&self, names: &[String]) -> Said {
        self.head();
        self.wait(350).await;
        let known = database::all(self.call);
        let archive = archives::all(self.call).into_iter().next();
        let is_there =
            |name: &str| known.iter().find(|package| package.name == name && package.is_installed());
        let (mut wanted, mut missing) = (Vec::new(), String::new());
        for name in names.iter().map(|name| name.split(['=', '/', ':']).next().unwrap_or(name)) {
            if let Some(package) = is_there(name) {
                self.tell(&format!("{name} is already the newest version ({}).\n", package.version));
            } else if let Some(bundle) = archive.as_ref().and_then(|_| catalogue::bundle(name)) {
                wanted.extend(bundle);
            } else {
                missing += &format!("E: Unable to locate package {name}\n");
            }
        }
        if !missing.is_empty() {
            return Said::err(missing, 100);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let offers: Vec<Offer> = wanted
            .iter()
            .filter(|name| is_there(name).is_none())
            .filter_map(|name| catalogue::offer(name))
            .collect();
        let (Some(archive), false) = (archive, offers.is_empty()) else {
            self.tell("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n");
            return Said::default();
        };
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let extra: Vec<&str> =
            offers.iter().map(|offer| offer.name).filter(|name| !asked.contains(name)).collect();
        if !extra.is_empty() {
            self.tell(&format!(
                "The following additional packages will be installed:\n{}",
                columns(self.call, &extra)
            ));
        }
        let all: Vec<&str> = offers.iter().map(|offer| offer.name).collect();
        self.tell(&format!("The following NEW packages will be installed:\n{}", columns(self.call, &all)));
        let count = offers.len();
        self.tell(&format!("0 upgraded, {count} newly installed, 0 to remove and 0 not upgraded.\n"));
        if self.dry {
            let line = |verb: &str, offer: &Offer| {
                format!(
                    "{verb} {} ({} Debian:12.12/stable [{}])\n",
                    offer.name, offer.version, offer.architecture
                )
            };
            let text: String = offers.iter().map(|offer| line("Inst", offer)).collect();
            return Said::out(text + &offers.iter().map(|offer| line("Conf", offer)).collect::<String>());
        }
        let (bytes, kib) =
            offers.iter().fold((0, 0), |(bytes, kib), offer| (bytes + offer.size, kib + offer.installed));
        self.tell(&format!(
            "Need to get {}B of archives.\nAfter this operation, {}B of additional disk space will be used.\n",
            size(bytes),
            size(kib * 1024)
        ));
        if count > asked.len() && !self.yes && !self.agrees().await {
            return Said::err("Abort.\n", 1);
        }
        self.fetch(&archive, &offers, bytes).await;
        self.unpack(&archive, &offers).await;
        Said::default()
    }

    /// `Do you want to continue? [Y/n]`
    async fn agrees(&self) -> bool {
        self.say(Out::Stdout, "Do you want to continue? [Y/n] ");
        if !self.call.to_terminal && self.call.stdin.is_some() {
            return self
                .call
                .stdin
                .is_some_and(|answer| answer.starts_with(b"y") || answer.starts_with(b"Y"));
        }
        let channels = self.call.session.channels.lock().clone();
        let Some((_, input)) = channels else { return false };
        let answer = input.read_line().await;
        let answer = String::from_utf8_lossy(&answer).trim().to_lowercase();
        (answer.is_empty() && self.call.to_terminal) || answer.starts_with('y')
    }

    async fn fetch(&self, archive: &Source, offers: &[Offer], bytes: u64) {
        let Source { address, suite, component } = archive;
        for (number, offer) in (1..).zip(offers) {
            self.wait(20 + offer.size / 40_000).await;
            transfer::record(self.call.session, &format!("{address}/{}", offer.path), "", None);
            self.tell(&format!(
                "Get:{number} {address} {suite}/{component} {arch} {name} {arch} {version} [{size}B]\n",
                arch = offer.architecture,
                name = offer.name,
                version = offer.version,
                size = size(offer.size)
            ));
        }
        let seconds = bytes / 30_000_000;
        self.tell(&format!("Fetched {}B in {seconds}s ({}B/s)\n", size(bytes), size(bytes / (seconds + 1))));
    }

    async fn unpack(&self, archive: &Source, offers: &[Offer]) {
        let call = self.call;
        for (number, offer) in offers.iter().enumerate() {
            self.wait(90 + offer.installed / 200).await;
            let (name, version) = (offer.name, offer.version);
            self.tell(&format!("Selecting previously unselected package {name}.\n"));
            if number == 0 {
                let files = count_of_files(call);
                self.tell(&format!(
                    "(Reading database ... {files} files and directories currently installed.)\n"
                ));
            }
            let file = offer.path.rsplit('/').next().unwrap_or_default();
            let file = if offers.len() > 1 { format!("{number:02}-{file}") } else { file.to_owned() };
            self.tell(&format!("Preparing to unpack .../{file} ...\nUnpacking {name} ({version}) ...\n"));
        }
        for offer in offers {
            self.wait(120).await;
            let (name, version) = (offer.name, offer.version);
            self.tell(&format!("Setting up {name} ({version}) ...\n"));
            let mut files = vec!["/.".to_owned(), "/usr".to_owned(), "/usr/bin".to_owned()];
            for program in catalogue::programs(name) {
                let path = format!("/usr/bin/{program}");
                let bytes = transfer::program(
                    &format!("{}/{}#{program}", archive.address, offer.path),
                    offer.installed,
                );
                if call.files().exists(&path) {
                    continue;
                }
                match call.files().write(&path, &bytes, &Owner::ROOT, 0o755) {
                    Ok(()) => files.push(path),
                    Err(error) => tracing::debug!(%path, ?error, "a program is not installed"),
                }
            }
            let stanza = format!(
                "Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: {}\nInstalled-Size: {}\nMaintainer: Debian Maintainers <debian-devel@lists.debian.org>\nArchitecture: {}\nVersion: {version}\nDescription: {}",
                offer.section, offer.installed, offer.architecture, offer.description
            );
            database::add(call, &stanza, name, &files);
        }
        if offers.iter().any(|offer| !catalogue::programs(offer.name).is_empty()) {
            self.tell("Processing triggers for man-db (2.11.2-2) ...\n");
        }
        if offers.iter().any(|offer| offer.name.starts_with("lib")) {
            self.tell("Processing triggers for libc-bin (2.36-9+deb12u13) ...\n");
        }
    }

    async fn remove(&self, names: &[String], purge: bool) -> Said {
        self.head();
        self.wait(300).await;
        let mut gone: Vec<Package> = Vec::new();
        for name in names {
            match database::installed(self.call, name) {
                Some(package) => gone.push(package),
                None if catalogue::offer(name).is_some() => {
                    self.tell(&format!("Package '{name}' is not installed, so not removed\n"));
                }
                None => return Said::err(format!("E: Unable to locate package {name}\n"), 100),
            }
        }
        if gone.is_empty() {
            self.tell("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n");
            return Said::default();
        }
        let mark = if purge { "*" } else { "" };
        let shown: Vec<String> = gone.iter().map(|package| format!("{}{mark}", package.name)).collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        self.tell(&format!("The following packages will be REMOVED:\n{}", columns(self.call, &shown)));
        self.tell(&format!("0 upgraded, 0 newly installed, {} to remove and 0 not upgraded.\n", gone.len()));
        let kib: u64 =
            gone.iter().filter_map(|package| package.field("Installed-Size")?.parse::<u64>().ok()).sum();
        self.tell(&format!("After this operation, {}B disk space will be freed.\n", size(kib * 1024)));
        if self.dry {
            return Said::default();
        }
        if !self.yes && !self.agrees().await {
            return Said::err("Abort.\n", 1);
        }
        let files = count_of_files(self.call);
        self.tell(&format!("(Reading database ... {files} files and directories currently installed.)\n"));
        for package in gone {
            self.wait(250).await;
            self.tell(&format!("Removing {} ({}) ...\n", package.shown(), package.version));
            database::remove(self.call, &package);
        }
        self.tell("Processing triggers for man-db (2.11.2-2) ...\n");
        Said::default()
    }
}

/// Names in lines of the terminal's width, two blanks in front.
fn columns(call: &Call<'_>, names: &[&str]) -> String {
    let width = if call.to_terminal { call.session.window().0 as usize } else { 80 };
    let (mut text, mut line) = (String::new(), String::from(" "));
    for name in names {
        if line.len() + 1 + name.len() >= width && line.len() > 1 {
            text += &(std::mem::replace(&mut line, String::from(" ")) + "\n");
        }
        line.push(' ');
        line += name;
    }
    text + &line + "\n"
}

/// As apt writes sizes: `148 k`, `6740 k`, `28.3 M`.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["", "k", "M", "G", "T"] {
        if value < 100.0 && !unit.is_empty() {
            return format!("{value:.1} {unit}");
        }
        if value < 10_000.0 {
            return format!("{value:.0} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.0} P")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_written_as_apt_does() {
        assert_eq!(size(148_592), "149 k");
        assert_eq!(size(6_740_000), "6740 k");
        assert_eq!(size(28_300_000), "28.3 M");
        assert_eq!(size(512), "512 ");
    }
}
