//! Who is logged in as a visitor, and what the machine's records say of it.

mod connections;
mod logins;

use std::{
    fmt::Write as _,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use super::{Identity, processes, sockets};
pub(super) use connections::{net_tcp, net_tcp6, net_unix};
pub(super) use logins::{lastlog, utmp, wtmp};

/// How many logins of one visitor are remembered.
pub(super) const MOST_GUESTS: usize = 24;

/// One login of the visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Login name.
    pub user: String,
    /// User id.
    pub uid: u32,
    /// Terminal without `/dev/`; `None` without one.
    pub tty: Option<String>,
    /// From where.
    pub peer: SocketAddr,
    /// Port that was knocked at.
    pub port: u16,
    /// When.
    pub since: SystemTime,
}

/// A program of the visitor's that looks at itself in `/proc/self`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    /// Its number.
    pub(crate) pid: u32,
    /// The words that started it.
    pub(crate) words: Vec<String>,
    /// Its file.
    pub(crate) program: String,
    /// Where it was started.
    pub(crate) cwd: String,
}

/// What a file that is written at each read may look at.
pub(super) struct Scene<'a> {
    pub(super) identity: &'a Identity,
    pub(super) now: SystemTime,
    /// The visitor's logins, the latest last.
    pub(super) guests: &'a [Guest],
    /// The program that looks, if it is not the shell.
    pub(super) reader: Option<&'a Reader>,
    /// Ports whose daemon was stopped.
    pub(super) deaf: &'a [u16],
    /// What was mounted and unmounted.
    pub(super) mounts: &'a [super::mounts::Change],
}

impl Scene<'_> {
    /// Number of the visitor's shell; of the daemon that serves them, when they have none.
    pub(super) fn own_pid(&self) -> u32 {
        let since = self.guests.last().map_or(self.identity.boot_time, |guest| guest.since);
        processes::shell_pid(self.identity, since)
    }
}

/// Adds to a text of `/var/log/auth.log` what the visitor's own logins make of it: sshd's and logind's words.
pub(super) fn add_to_auth_log(scene: &Scene<'_>, text: &mut String) {
    for (number, guest) in scene.guests.iter().enumerate() {
        let pid = processes::shell_pid(scene.identity, guest.since) - processes::DOOR;
        let stamp = |later: u64| {
            let at: DateTime<Utc> = (guest.since + Duration::from_micros(later)).into();
            at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
        };
        let (host, user, uid) = (&scene.identity.hostname, &guest.user, guest.uid);
        let ip = guest.peer.ip().to_canonical();
        // Writing to a string cannot fail.
        let _ = if guest.port == 23 {
            writeln!(
                text,
                "{} {host} login[{pid}]: pam_unix(login:session): session opened for user {user}(uid={uid}) by {user}(uid=0)",
                stamp(11_211)
            )
        } else {
            writeln!(
                text,
                "{} {host} sshd[{pid}]: Accepted password for {user} from {ip} port {} ssh2\n\
                 {} {host} sshd[{pid}]: pam_unix(sshd:session): session opened for user {user}(uid={uid}) by (uid=0)",
                stamp(0),
                guest.peer.port(),
                stamp(2_318)
            )
        };
        let _ = writeln!(
            text,
            "{} {host} systemd-logind[{}]: New session {} of user {user}.",
            stamp(14_804),
            logind(scene.identity),
            sessions_before(scene.identity, guest.since) + number as u64
        );
    }
}

fn logind(identity: &Identity) -> u32 {
    let list = processes::list(identity);
    list.iter().find(|process| process.command.contains("logind")).map_or(612, |process| process.pid)
}

/// Sessions are counted from boot on; cron has one each hour.
fn sessions_before(identity: &Identity, at: SystemTime) -> u64 {
    identity.uptime(at).as_secs() / 3600 + 2
}

/// Ports that the machine's daemons listen on.
pub(super) const PORTS: [u16; 5] = [21, 22, 23, 25, 80];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Bounds, Clock, LoginPolicy, Machine, Owner};

    #[test]
    fn the_machine_shows_its_visitor_to_themselves() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let identity = Identity::draw(b"guests", now, Some("srv1".into()), Some(vec!["anna".into()]));
        let pid = processes::shell_pid(&identity, now);
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        let machine = Machine::new(identity.clone(), policy, Clock::fixed(now), Bounds::default());
        let visitor = machine.visit("203.0.113.9".parse().unwrap());
        let files = visitor.files();
        let before = files.read("/var/log/wtmp").unwrap();
        assert_eq!(before.len(), 384, "the boot alone");
        files.welcome(Guest {
            user: "anna".into(),
            uid: 1000,
            tty: Some("pts/0".into()),
            peer: "203.0.113.9:40022".parse().unwrap(),
            port: 22,
            since: now,
        });
        let text = |path: &str| String::from_utf8_lossy(&files.read(path).unwrap()).into_owned();
        let log = text("/var/log/auth.log");
        assert!(log.contains(&format!(
            " srv1 sshd[{}]: Accepted password for anna from 203.0.113.9 port 40022 ssh2\n",
            pid - 7
        )));
        assert!(log.contains("New session") && log.lines().all(|line| line.len() > 40));
        assert_eq!(files.stat("/var/log/auth.log").unwrap().size, log.len() as u64);
        let wtmp = files.read("/var/log/wtmp").unwrap();
        assert_eq!(wtmp.len(), 2 * 384);
        assert_eq!(&wtmp[384..388], &7_u32.to_le_bytes());
        assert_eq!(&wtmp[384 + 44..384 + 48], b"anna");
        assert_eq!(&wtmp[384 + 348..384 + 352], &[203, 0, 113, 9]);
        assert_eq!(files.read("/run/utmp").unwrap().len(), 3 * 384);
        assert_eq!(files.read("/var/log/lastlog").unwrap().len(), 1001 * 292);
        assert_eq!(files.read_link("/proc/self").unwrap(), pid.to_string());
        assert_eq!(files.real_path("/proc/self/fd").unwrap(), format!("/proc/{pid}/fd"));
        assert!(text("/proc/self/status").contains(&format!("Pid:\t{pid}\n")));
        assert!(text(&format!("/proc/{pid}/cmdline")).starts_with("-bash"));
        assert!(files.list("/proc").unwrap().iter().any(|entry| entry.name == pid.to_string()));
        assert!(text("/proc/net/tcp").contains("097100CB:9C56 01 "), "{}", text("/proc/net/tcp"));
        assert!(text("/proc/net/tcp").lines().all(|line| line.len() == 149));
        assert!(text("/proc/net/arp").contains(&identity.gateway_mac));
        // Another visitor sees nothing of it, and whoever wipes a log has wiped it.
        let other = machine.visit("203.0.113.10".parse().unwrap());
        assert!(!String::from_utf8_lossy(&other.files().read("/var/log/auth.log").unwrap()).contains("anna"));
        assert!(!other.files().exists(&format!("/proc/{pid}")));
        files.write("/var/log/auth.log", b"", &Owner::ROOT, 0o640).unwrap();
        files.remove("/var/log/wtmp").unwrap();
        assert_eq!(text("/var/log/auth.log"), "");
        assert!(!files.exists("/var/log/wtmp"));
    }

    #[test]
    fn what_moves_moves() {
        let at = |milliseconds: u64| {
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000 + milliseconds)
        };
        let identity = Identity::draw(b"moves", at(0), None, None);
        let clock = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let hand = std::sync::Arc::clone(&clock);
        let policy = LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
        let time = Clock::new(move || at(hand.load(std::sync::atomic::Ordering::Relaxed)));
        let machine = Machine::new(identity, policy, time, Bounds::default());
        let visitor = machine.visit("203.0.113.9".parse().unwrap());
        let mut seen = std::collections::BTreeSet::new();
        for step in 0..50 {
            clock.store(step * 1500, std::sync::atomic::Ordering::Relaxed);
            let text = visitor.files().read("/proc/meminfo").unwrap();
            let text = String::from_utf8_lossy(&text).into_owned();
            let row = |name: &str| -> u64 {
                let line = text.lines().find(|line| line.starts_with(name)).unwrap();
                line.split_whitespace().nth(1).unwrap().parse().unwrap()
            };
            let (total, free, available) = (row("MemTotal:"), row("MemFree:"), row("MemAvailable:"));
            assert!(
                free < available && available < total && row("Cached:") + row("Buffers:") + free < total,
                "{text}"
            );
            seen.insert(free);
        }
        assert!(seen.len() > 45, "{}", seen.len());
        for path in ["/proc/uptime", "/proc/stat", "/proc/net/dev", "/proc/sys/kernel/random/uuid"] {
            let before = visitor.files().read(path).unwrap();
            clock.fetch_add(60_000, std::sync::atomic::Ordering::Relaxed);
            assert_ne!(visitor.files().read(path).unwrap(), before, "{path}");
        }
    }
}
