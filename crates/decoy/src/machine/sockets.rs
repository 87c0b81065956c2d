//! Sockets of the machine: who listens where. `/proc/net`, `ss`, `netstat` and their likes tell of the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Identity, processes::Process};

/// A port that a daemon of Debian's listens on, as `ss -tlnp` of the real daemons shows it.
struct Port {
    number: u16,
    /// On IPv6, and whether on IPv4 through the same socket.
    v6: bool,
    both: bool,
    backlog: u32,
    /// How the command lines begin of those who hold it.
    heads: &'static [&'static str],
    /// Name of the program (`comm`).
    program: &'static str,
    descriptor: u32,
}

const fn port(number: u16, v6: bool, backlog: u32, heads: &'static [&'static str]) -> Port {
    Port { number, v6, both: false, backlog, heads, program: "", descriptor: 3 }
}

const NGINX: &[&str] = &["nginx:"];
const SSHD: &[&str] = &["sshd: /usr/sbin/sshd"];
const MASTER: &[&str] = &["/usr/lib/postfix/sbin/master"];

const PORTS: [Port; 8] = [
    Port { program: "nginx", descriptor: 5, ..port(80, false, 511, NGINX) },
    Port { program: "sshd", ..port(22, false, 128, SSHD) },
    Port { program: "inetutils-inetd", descriptor: 4, ..port(23, false, 10, &["/usr/sbin/inetutils-inetd"]) },
    Port { program: "master", descriptor: 12, ..port(25, false, 100, MASTER) },
    Port { program: "nginx", descriptor: 6, ..port(80, true, 511, NGINX) },
    Port { program: "sshd", descriptor: 4, ..port(22, true, 128, SSHD) },
    Port { program: "vsftpd", both: true, ..port(21, true, 32, &["/usr/sbin/vsftpd"]) },
    Port { program: "master", descriptor: 13, ..port(25, true, 100, MASTER) },
];

/// A process that has a socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Name (`comm`).
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) descriptor: u32,
    /// What `netstat` shows: the first word of its command line without folders.
    pub(crate) title: String,
}

impl Holder {
    /// A process with a command line.
    pub(crate) fn new(name: &str, pid: u32, descriptor: u32, command: &str) -> Self {
        // The whole line where the process wrote its own (`sshd: …`), its first word where it was started with it.
        let title = if command.split(' ').next().is_some_and(|word| word.ends_with(':')) {
            command.to_owned()
        } else {
            let word = command.split(' ').next().unwrap_or_default();
            word.rsplit('/').next().unwrap_or_default().to_owned()
        };
        Self { name: name.to_owned(), pid, descriptor, title }
    }
}

/// A socket that waits for connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// On IPv6: takes connections over IPv4, too.
    pub(crate) both: bool,
    pub(crate) backlog: u32,
    pub(crate) inode: u64,
    /// The latest process first.
    pub(crate) holders: Vec<Holder>,
}

/// What listens, IPv4 first; `is_deaf`: a port whose daemon was stopped.
pub(crate) fn listening(
    identity: &Identity,
    processes: &[Process],
    is_deaf: impl Fn(u16) -> bool,
) -> Vec<Listening> {
    let first = 13_021 + identity.seed % 4000;
    let sockets = PORTS.iter().zip(0_u64..).filter(|(port, _)| !is_deaf(port.number));
    sockets
        .map(|(port, number)| {
            let held = |process: &&Process| port.heads.iter().any(|head| process.command.starts_with(head));
            let holder =
                |process: &Process| Holder::new(port.program, process.pid, port.descriptor, &process.command);
            Listening {
                address: if port.v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() },
                port: port.number,
                both: port.both,
                backlog: port.backlog,
                inode: first + number * 311,
                holders: processes.iter().filter(held).map(holder).rev().collect(),
            }
        })
        .collect()
}

/// The number of the socket of the visitor's own connection.
pub(crate) fn own_inode(identity: &Identity) -> u64 {
    13_021 + identity.seed % 4000 + 77 * 311
}

/// An address as `/proc/net/tcp` and `tcp6` write it: words in the processor's order.
pub(super) fn hex(address: IpAddr) -> String {
    let words = |octets: &[u8]| -> String {
        octets
            .chunks(4)
            .map(|four| four.iter().rev().map(|byte| format!("{byte:02X}")).collect::<String>())
            .collect()
    };
    match address {
        IpAddr::V4(address) => words(&address.octets()),
        IpAddr::V6(address) => words(&address.octets()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::machine::processes;

    #[test]
    fn every_port_has_a_holder_of_its_own() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let identity = Identity::draw(b"sockets", now, None, None);
        let list = processes::list(&identity);
        let sockets = listening(&identity, &list, |port| port == 23);
        assert_eq!(sockets.len(), 7);
        for socket in &sockets {
            let expected = if socket.port == 80 { 1 + identity.cpu_count as usize } else { 1 };
            assert_eq!(socket.holders.len(), expected, "{socket:?}");
        }
        let titles: Vec<&str> =
            sockets.iter().map(|one| one.holders.last().unwrap().title.as_str()).collect();
        assert_eq!(titles[2], "master");
        assert!(titles[1].starts_with("sshd: /usr/sbin/sshd -D"), "{titles:?}");
        assert!(titles[0].starts_with("nginx: master process"), "{titles:?}");
    }

    #[test]
    fn addresses_are_written_as_the_kernel_does() {
        assert_eq!(hex("127.0.0.1".parse().unwrap()), "0100007F");
        assert_eq!(hex("::1".parse().unwrap()), "00000000000000000000000001000000");
    }
}
