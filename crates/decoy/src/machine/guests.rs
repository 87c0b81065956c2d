//! Who is logged in as a visitor, and what the machine's records say of it.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use super::{Identity, processes, sockets};

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

/// Types of utmp(5).
const BOOT_TIME: u16 = 2;
const USER_PROCESS: u16 = 7;

/// One record of utmp(5).
struct Record<'a> {
    kind: u16,
    pid: u32,
    line: &'a str,
    id: &'a str,
    user: &'a str,
    host: &'a str,
    from: Option<IpAddr>,
    at: SystemTime,
}

/// As it lies on an x86-64: 384 bytes.
fn encode(record: &Record<'_>) -> Vec<u8> {
    let &Record { kind, pid, line, id, user, host, from, at } = record;
    let mut bytes = Vec::with_capacity(384);
    let field = |bytes: &mut Vec<u8>, text: &str, size: usize| {
        let end = bytes.len() + size;
        bytes.extend(text.bytes().take(size));
        bytes.resize(end, 0);
    };
    bytes.extend_from_slice(&u32::from(kind).to_le_bytes());
    bytes.extend_from_slice(&pid.to_le_bytes());
    field(&mut bytes, line, 32);
    field(&mut bytes, id, 4);
    field(&mut bytes, user, 32);
    field(&mut bytes, host, 256);
    bytes.extend_from_slice(&[0; 8]); // exit status, session
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    bytes.extend_from_slice(&(since.as_secs() as u32).to_le_bytes());
    bytes.extend_from_slice(&since.subsec_micros().to_le_bytes());
    let address = match from.map(|from| from.to_canonical()) {
        Some(IpAddr::V4(address)) => [&address.octets()[..], &[0; 12]].concat(),
        Some(IpAddr::V6(address)) => address.octets().to_vec(),
        None => vec![0; 16],
    };
    bytes.extend(address);
    bytes.resize(384, 0);
    bytes
}

fn login(scene: &Scene<'_>, guest: &Guest) -> Option<Vec<u8>> {
    let tty = guest.tty.as_deref()?;
    let pid = processes::shell_pid(scene.identity, guest.since) - processes::DOOR;
    let from = guest.peer.ip().to_canonical();
    let id = tty.strip_prefix("pts/").map_or(tty.to_owned(), |number| format!("ts/{number}"));
    Some(encode(&Record {
        kind: USER_PROCESS,
        pid,
        line: tty,
        id: &id,
        user: &guest.user,
        host: &from.to_string(),
        from: Some(from),
        at: guest.since,
    }))
}

fn boot(scene: &Scene<'_>) -> Vec<u8> {
    let Identity { kernel_release, boot_time, .. } = scene.identity;
    encode(&Record {
        kind: BOOT_TIME,
        pid: 0,
        line: "~",
        id: "~~",
        user: "reboot",
        host: kernel_release,
        from: None,
        at: *boot_time,
    })
}

/// `/run/utmp`: the boot, the console's getty, and who is here.
pub(super) fn utmp(scene: &Scene<'_>) -> Vec<u8> {
    let at = scene.identity.boot_time + Duration::from_secs(9);
    let getty = encode(&Record {
        kind: 6,
        pid: 620,
        line: "tty1",
        id: "tty1",
        user: "LOGIN",
        host: "",
        from: None,
        at,
    });
    let here = scene.guests.last().and_then(|guest| login(scene, guest)).unwrap_or_default();
    [boot(scene), getty, here].concat()
}

/// `/var/log/wtmp`: the boot and every login.
pub(super) fn wtmp(scene: &Scene<'_>) -> Vec<u8> {
    let logins = scene.guests.iter().filter_map(|guest| login(scene, guest));
    [boot(scene)].into_iter().chain(logins).flatten().collect()
}

/// `/var/log/lastlog`: a record of 292 bytes for each uid.
pub(super) fn lastlog(scene: &Scene<'_>) -> Vec<u8> {
    const RECORD: usize = 292;
    let mut bytes = Vec::new();
    for guest in scene.guests.iter().filter(|guest| guest.uid < 2000) {
        let Some(tty) = &guest.tty else { continue };
        let start = guest.uid as usize * RECORD;
        let mut one = Vec::with_capacity(RECORD);
        let since = guest.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        one.extend_from_slice(&(since.as_secs() as u32).to_le_bytes());
        one.extend(tty.bytes().take(32));
        one.resize(36, 0);
        one.extend(guest.peer.ip().to_canonical().to_string().bytes());
        one.resize(RECORD, 0);
        if bytes.len() < start + RECORD {
            bytes.resize(start + RECORD, 0);
        }
        if let Some(place) = bytes.get_mut(start..start + RECORD) {
            place.copy_from_slice(&one);
        }
    }
    bytes
}

/// Ports that the machine's daemons listen on.
pub(super) const PORTS: [u16; 5] = [21, 22, 23, 25, 80];

/// `/proc/net/tcp6`: the daemons that listen on IPv6, too, and a visitor who came over it.
pub(super) fn net_tcp6(scene: &Scene<'_>) -> Vec<u8> {
    let head = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    (head.to_owned() + &connections(scene, true).concat()).into()
}

/// Rows of `/proc/net/tcp` or `tcp6`: who listens, and the visitor's own connection.
fn connections(scene: &Scene<'_>, v6: bool) -> Vec<String> {
    // What the kernel shows of where a socket lies: nothing that means anything (printk's hash of an address).
    let place = |inode: u64| (scene.identity.seed ^ inode).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let mut rows = Vec::new();
    let mut row = |local: (IpAddr, u16), remote: (IpAddr, u16), rest: &str, inode: u64, end: &str| {
        let number = rows.len();
        rows.push(format!(
            "{number:>4}: {}:{:04X} {}:{:04X} {rest} {inode} {} {:016x} {end}\n",
            sockets::hex(local.0),
            local.1,
            sockets::hex(remote.0),
            remote.1,
            if rest.starts_with("01") { 4 } else { 1 },
            place(inode)
        ));
    };
    for socket in sockets::listening(scene.identity, &[], |port| scene.deaf.contains(&port)) {
        if socket.address.is_ipv6() == v6 {
            let waits = "0A 00000000:00000000 00:00000000 00000000     0        0";
            row((socket.address, socket.port), (socket.address, 0), waits, socket.inode, "100 0 0 10 0");
        }
    }
    if let Some(guest) = scene.guests.last() {
        let peer = guest.peer.ip().to_canonical();
        let local: Option<IpAddr> = if peer.is_ipv6() {
            scene.identity.link_local.parse().ok()
        } else {
            Some(scene.identity.address.into())
        };
        if let Some(local) = local.filter(|_| peer.is_ipv6() == v6) {
            let works = "01 00000000:00000000 02:000A4F1C 00000000     0        0";
            let inode = sockets::own_inode(scene.identity);
            row((local, guest.port), (peer, guest.peer.port()), works, inode, "20 4 31 10 -1");
        }
    }
    rows
}

/// `/proc/net/unix`: sockets of systemd, of the log and of the bus.
pub(super) fn net_unix(scene: &Scene<'_>) -> Vec<u8> {
    let mut text = "Num       RefCount Protocol Flags    Type St Inode Path\n".to_owned();
    let first = 10_400 + scene.identity.seed % 900;
    let rows: &[(&str, &str, &str, &str)] = &[
        ("00000002", "00010000", "0001 01", "/run/systemd/private"),
        ("00000002", "00010000", "0001 01", "/run/systemd/io.system.ManagedOOM"),
        ("00000002", "00010000", "0001 01", "/run/systemd/fsck.progress"),
        ("00000002", "00010000", "0001 01", "/run/systemd/journal/stdout"),
        ("00000003", "00000000", "0002 01", "/run/systemd/notify"),
        ("00000009", "00000000", "0002 01", "/run/systemd/journal/dev-log"),
        ("00000007", "00000000", "0002 01", "/run/systemd/journal/socket"),
        ("00000002", "00010000", "0005 01", "/run/udev/control"),
        ("00000002", "00010000", "0001 01", "/run/dbus/system_bus_socket"),
        ("00000002", "00010000", "0001 01", "public/pickup"),
        ("00000002", "00010000", "0001 01", "public/cleanup"),
        ("00000002", "00010000", "0001 01", "public/qmgr"),
        ("00000002", "00010000", "0001 01", "private/tlsmgr"),
        ("00000002", "00010000", "0001 01", "private/rewrite"),
        ("00000002", "00010000", "0001 01", "private/bounce"),
        ("00000002", "00010000", "0001 01", "private/defer"),
        ("00000002", "00010000", "0001 01", "private/trace"),
        ("00000002", "00010000", "0001 01", "private/verify"),
        ("00000002", "00010000", "0001 01", "public/flush"),
        ("00000002", "00010000", "0001 01", "private/proxymap"),
        ("00000002", "00010000", "0001 01", "private/smtp"),
        ("00000002", "00010000", "0001 01", "private/relay"),
        ("00000002", "00010000", "0001 01", "public/showq"),
        ("00000002", "00010000", "0001 01", "private/error"),
        ("00000002", "00010000", "0001 01", "private/retry"),
        ("00000002", "00010000", "0001 01", "private/discard"),
        ("00000002", "00010000", "0001 01", "private/local"),
        ("00000002", "00010000", "0001 01", "private/virtual"),
        ("00000002", "00010000", "0001 01", "private/lmtp"),
        ("00000002", "00010000", "0001 01", "private/anvil"),
        ("00000002", "00010000", "0001 01", "private/scache"),
        ("00000002", "00000000", "0002 01", "public/postlog"),
        ("00000003", "00000000", "0001 03", ""),
        ("00000003", "00000000", "0001 03", "/run/systemd/journal/stdout"),
        ("00000003", "00000000", "0001 03", "/run/dbus/system_bus_socket"),
        ("00000002", "00000000", "0002 01", ""),
    ];
    for (number, (count, flags, kind, path)) in rows.iter().enumerate() {
        let inode = first + number as u64 * 13;
        let end = if path.is_empty() { String::new() } else { format!(" {path}") };
        let _ = writeln!(text, "0000000000000000: {count} 00000000 {flags} {kind} {inode:>5}{end}");
    }
    text.into()
}

/// `/proc/net/tcp`: the daemons that listen, and the visitor's own connection.
pub(super) fn net_tcp(scene: &Scene<'_>) -> Vec<u8> {
    let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    let rows = std::iter::once(head.to_owned()).chain(connections(scene, false));
    // Each row is filled up to 149 characters (net/ipv4/tcp_ipv4.c).
    rows.map(|line| format!("{:<149}\n", line.trim_end_matches('\n'))).collect::<String>().into()
}

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
