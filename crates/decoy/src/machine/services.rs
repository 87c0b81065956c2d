//! What a visitor has done to the machine's services, and which processes run because of it.
//!
//! Everything is kept as lines among the visitor's [`Doings`](super::doings::Doings), so that it outlives a restart.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    Identity, Visitor,
    processes::{self, Process},
};

/// The family of lines among a visitor's doings: `MILLISECONDS start|stop|kill UNIT REST`.
const FAMILY: &str = "services";
/// The family of the one line that says when the visitor had the machine booted last.
const BOOT: &str = "boot";

/// What comes back when its main process is killed (systemd.service(5): `Restart=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restart {
    No,
    OnFailure,
    Always,
}

/// After this long whoever looks after the machine has noticed that a daemon is away, and started it again. Nobody locks
/// themselves out for good.
const NOTICED: Duration = Duration::from_secs(5 * 3600);

/// Daemons of every machine: unit, how the command lines of its processes begin (the main one first), what happens
/// when that one dies.
const DAEMONS: &[(&str, &[&str], Restart)] = &[
    ("cron", &["/usr/sbin/cron"], Restart::OnFailure),
    ("dbus", &["/usr/bin/dbus-daemon"], Restart::No),
    ("getty@tty1", &["/sbin/agetty"], Restart::Always),
    ("inetutils-inetd", &["/usr/sbin/inetutils-inetd"], Restart::No),
    ("nginx", &["nginx:"], Restart::No),
    ("postfix@-", &["/usr/lib/postfix/sbin/master", "qmgr", "pickup"], Restart::No),
    ("rsyslog", &["/usr/sbin/rsyslogd"], Restart::OnFailure),
    ("ssh", &["sshd: /usr/sbin/sshd"], Restart::OnFailure),
    ("systemd-journald", &["/lib/systemd/systemd-journald"], Restart::Always),
    ("systemd-logind", &["/lib/systemd/systemd-logind"], Restart::Always),
    ("systemd-timesyncd", &["/lib/systemd/systemd-timesyncd"], Restart::Always),
    ("systemd-udevd", &["/lib/systemd/systemd-udevd"], Restart::Always),
    ("vsftpd", &["/usr/sbin/vsftpd"], Restart::No),
];

/// Names of daemons that run after boot, without `.service`.
pub(crate) fn daemons() -> impl Iterator<Item = &'static str> {
    DAEMONS.iter().map(|(name, ..)| *name)
}

/// The unit that a command line of a daemon belongs to.
pub(super) fn unit_of_command(command: &str) -> &'static str {
    let belongs = |heads: &[&str]| heads.iter().any(|head| command.starts_with(head));
    DAEMONS.iter().find(|(_, heads, _)| belongs(heads)).map_or("init", |(unit, ..)| unit)
}

/// The unit behind a port of the machine.
pub(crate) fn behind_port(port: u16) -> Option<&'static str> {
    Some(match port {
        21 => "vsftpd",
        22 => "ssh",
        23 => "inetutils-inetd",
        25 => "postfix@-",
        80 => "nginx",
        _ => return None,
    })
}

/// How a service came to be as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs; a command line for what did not run at boot.
    Started(String),
    /// It was stopped, or ended by itself.
    Stopped,
    /// Its main process was killed by this signal.
    Killed(u8),
}

/// The latest change of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Without `.service`.
    pub(crate) unit: String,
    pub(crate) at: SystemTime,
    pub(crate) state: State,
}

/// All that was changed since the machine was booted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Services {
    /// When the visitor had it booted last.
    pub(crate) booted: Option<SystemTime>,
    pub(crate) changes: Vec<Change>,
}

impl Services {
    fn of(boot: &[String], lines: &[String]) -> Self {
        let moment = |word: &str| Some(UNIX_EPOCH + Duration::from_millis(word.parse().ok()?));
        let booted = boot.last().and_then(|line| moment(line));
        let mut changes: Vec<Change> = Vec::new();
        for line in lines {
            let mut words = line.splitn(4, ' ');
            let at = words.next().and_then(moment).filter(|at| booted.is_none_or(|booted| *at >= booted));
            let (Some(at), Some(verb), Some(unit)) = (at, words.next(), words.next()) else { continue };
            let rest = words.next().unwrap_or_default();
            let state = match verb {
                "start" => State::Started(rest.to_owned()),
                "stop" => State::Stopped,
                _ => State::Killed(rest.parse().unwrap_or(9)),
            };
            changes.retain(|change| change.unit != unit);
            changes.push(Change { unit: unit.to_owned(), at, state });
        }
        Self { booted, changes }
    }

    /// The latest change of a unit, named without `.service`.
    pub(crate) fn change(&self, unit: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.unit == unit)
    }

    /// Whether a unit runs; units that are no daemons of ours run if they were started.
    pub(crate) fn runs(&self, unit: &str) -> bool {
        match self.change(unit) {
            Some(change) => matches!(change.state, State::Started(_)),
            None => daemons().any(|name| name == unit),
        }
    }
}

impl Visitor {
    /// What was done to services.
    pub(crate) fn services(&self) -> Services {
        let mut services = Services::of(&self.doings().of(BOOT), &self.doings().of(FAMILY));
        let now = self.now();
        for change in &mut services.changes {
            let noticed = change.at + NOTICED;
            if change.state != State::Started(String::new())
                && noticed < now
                && daemons().any(|name| name == change.unit)
            {
                (change.state, change.at) = (State::Started(String::new()), noticed);
            }
        }
        services
    }

    /// Remembers a change of a service, from now on.
    pub(crate) fn change_service(&self, unit: &str, state: &State) {
        let mut services = self.services();
        services.changes.retain(|change| change.unit != unit);
        services.changes.push(Change { unit: unit.to_owned(), at: self.now(), state: state.clone() });
        self.remember(&services.changes);
    }

    /// Remembers that the machine is booted at this time, with these services in another state than Debian's.
    pub(super) fn note_boot(&self, at: SystemTime, services: &[(String, State)]) {
        self.doings().replace(BOOT, &[millis(at).to_string()]);
        // The kernel's rules are in memory.
        ["iptables", "ip6tables"].iter().for_each(|family| self.doings().replace(family, &[]));
        self.forget_mounts();
        let change =
            |(unit, state): &(String, State)| Change { unit: unit.clone(), at, state: state.clone() };
        self.remember(&services.iter().map(change).collect::<Vec<_>>());
    }

    fn remember(&self, changes: &[Change]) {
        let line = |Change { unit, at, state }: &Change| {
            let at = millis(*at);
            match state {
                State::Started(command) => format!("{at} start {unit} {command}"),
                State::Stopped => format!("{at} stop {unit}"),
                State::Killed(signal) => format!("{at} kill {unit} {signal}"),
            }
        };
        self.doings().replace(FAMILY, &changes.iter().map(line).collect::<Vec<_>>());
        self.tell_ports();
    }

    /// Lets the machine's files know which ports nobody listens on any more.
    pub(crate) fn tell_ports(&self) {
        let services = self.services();
        let deaf = |port: &u16| behind_port(*port).is_some_and(|unit| !services.runs(unit));
        self.files().close_ports(super::guests::PORTS.into_iter().filter(deaf).collect());
    }

    /// The processes of the machine as the visitor has left it, but for their own, by number.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mut list = processes::list(self.identity());
        for change in self.services().changes {
            apply(&mut list, &change, self.identity());
        }
        list.sort_by_key(|process| process.pid);
        list
    }

    /// Sends a signal to processes that run since boot. What systemd looks after comes back as its unit says.
    pub(crate) fn signal(&self, pids: &[u32], signal: u8) {
        // signal(7): of those that end a process a daemon outlives its wish to reload.
        if !matches!(signal, 2 | 3 | 6 | 9 | 11 | 15) {
            return;
        }
        let list = self.processes();
        for process in list.iter().filter(|process| pids.contains(&process.pid) && process.parent == 1) {
            let belongs =
                |heads: &[&str]| heads.first().is_some_and(|head| process.command.starts_with(head));
            let daemon = DAEMONS.iter().find(|(_, heads, _)| belongs(heads));
            let own = || process.since.is_some().then(|| self.unit_of(process)).flatten();
            let (unit, restart) = match daemon {
                Some((unit, _, restart)) => ((*unit).to_owned(), *restart),
                None => match own() {
                    Some(unit) => (unit, Restart::No),
                    None => continue,
                },
            };
            let failed = matches!(signal, 6 | 9 | 11);
            let state = match restart {
                Restart::Always => State::Started(String::new()),
                Restart::OnFailure if failed => State::Started(String::new()),
                _ if failed => State::Killed(signal),
                _ => State::Stopped,
            };
            self.change_service(&unit, &state);
        }
    }

    /// The unit that a process was started for.
    fn unit_of(&self, process: &Process) -> Option<String> {
        let fits = |change: &&Change| change.state == State::Started(process.command.clone());
        self.services().changes.iter().find(fits).map(|change| change.unit.clone())
    }
}

fn millis(at: SystemTime) -> u128 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// Lets one change show among the processes.
fn apply(list: &mut Vec<Process>, change: &Change, identity: &Identity) {
    let heads = DAEMONS.iter().find(|(name, ..)| *name == change.unit).map(|(_, heads, _)| *heads);
    let belongs = |process: &Process| {
        heads.is_some_and(|heads| heads.iter().any(|head| process.command.starts_with(head)))
    };
    let State::Started(command) = &change.state else {
        list.retain(|process| !belongs(process));
        return;
    };
    let first = processes::newest_pid(identity, change.at) + 1;
    if heads.is_none() {
        if let Some(process) = Process::of_service(first, command, change.at) {
            list.push(process);
        }
        return;
    }
    // It has other numbers than before, its children the new parent.
    let (mut number, mut parents) = (first, Vec::new());
    for process in list.iter_mut().filter(|process| belongs(process)) {
        parents.push((process.pid, number));
        process.pid = number;
        if let Some((_, new)) = parents.iter().find(|(old, _)| *old == process.parent) {
            process.parent = *new;
        }
        process.since = Some(change.at);
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Bounds, Clock, LoginPolicy, Machine};

    fn visitor() -> std::sync::Arc<Visitor> {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let identity = Identity::draw(b"services", now, None, None);
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        Machine::new(identity, policy, Clock::fixed(now), Bounds::default()).visit([192, 0, 2, 1].into())
    }

    fn find<'l>(list: &'l [Process], head: &str) -> Vec<&'l Process> {
        list.iter().filter(|process| process.command.starts_with(head)).collect()
    }

    #[test]
    fn every_daemon_has_a_process() {
        let list = visitor().processes();
        for (name, heads, _) in DAEMONS {
            assert!(heads.iter().all(|head| !find(&list, head).is_empty()), "{name}");
        }
    }

    #[test]
    fn a_stopped_service_has_no_process_and_a_restarted_one_has_new_numbers() {
        let visitor = visitor();
        let before: Vec<u32> = find(&visitor.processes(), "nginx:").iter().map(|one| one.pid).collect();
        visitor.change_service("nginx", &State::Stopped);
        assert!(find(&visitor.processes(), "nginx:").is_empty());
        assert!(!visitor.services().runs("nginx"));
        visitor.change_service("nginx", &State::Started(String::new()));
        let list = visitor.processes();
        let after = find(&list, "nginx:");
        assert_eq!(after.len(), before.len());
        assert!(after.iter().all(|one| !before.contains(&one.pid) && one.since.is_some()));
        assert!(after.iter().skip(1).all(|worker| worker.parent == after[0].pid));
    }

    #[test]
    fn what_is_killed_comes_back_as_its_unit_says() {
        let visitor = visitor();
        let pid = |head: &str| find(&visitor.processes(), head).first().map(|process| process.pid);
        let (ssh, nginx) = (pid("sshd: /usr").unwrap(), pid("nginx:").unwrap());
        visitor.signal(&[ssh, nginx], 1);
        assert_eq!((pid("sshd: /usr"), pid("nginx:")), (Some(ssh), Some(nginx)), "a wish to reload");
        visitor.signal(&[ssh, nginx], 9);
        assert!(pid("sshd: /usr").is_some_and(|new| new != ssh));
        assert_eq!(pid("nginx:"), None);
        assert_eq!(visitor.services().change("nginx").unwrap().state, State::Killed(9));
    }

    #[test]
    fn who_stops_a_daemon_has_it_back_some_hours_later() {
        let visitor = visitor();
        visitor.change_service("ssh", &State::Stopped);
        assert!(!visitor.serves(22) && visitor.serves(80));
        let services = Services::of(&[], &visitor.doings().of(FAMILY));
        assert_eq!(services.change("ssh").unwrap().state, State::Stopped);
        let long_ago = millis(visitor.now() - NOTICED - Duration::from_secs(1));
        visitor.doings().replace(FAMILY, &[format!("{long_ago} stop ssh"), format!("{long_ago} stop own")]);
        assert!(visitor.serves(22));
        assert!(!visitor.services().runs("own"), "nobody looks after a visitor's own");
    }

    #[test]
    fn a_boot_starts_everything_anew() {
        let visitor = visitor();
        visitor.change_service("nginx", &State::Stopped);
        visitor.change_service("miner", &State::Started("/opt/m -o x".to_owned()));
        assert_eq!(find(&visitor.processes(), "/opt/m -o x").len(), 1);
        let at = visitor.now() + Duration::from_secs(30);
        visitor.note_boot(at, &[("cron".to_owned(), State::Stopped)]);
        let services = visitor.services();
        assert_eq!(services.booted, Some(at));
        assert!(services.runs("nginx") && !services.runs("cron") && !services.runs("miner"));
    }
}
