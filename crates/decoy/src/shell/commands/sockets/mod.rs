//! Sockets as programs show them: `ss` and `netstat`.

mod filter;
mod netstat;
mod ss;

use std::net::IpAddr;

pub(super) use netstat::netstat;
pub(super) use ss::ss;

use super::Call;
use crate::machine::{
    processes::{DOOR, shell_pid},
    sockets::{self, Holder},
};

/// An open socket of TCP: who waits, or the visitor's own connection.
struct Socket {
    local: (IpAddr, u16),
    /// `None`: it waits for somebody.
    remote: Option<(IpAddr, u16)>,
    both: bool,
    backlog: u32,
    inode: u64,
    holders: Vec<Holder>,
}

impl Socket {
    fn is_v6(&self) -> bool {
        self.local.0.is_ipv6()
    }

    fn waits(&self) -> bool {
        self.remote.is_none()
    }
}

/// Every socket of TCP, as the visitor has left the daemons: IPv4 first, those who wait first.
fn tcp(call: &Call<'_>) -> Vec<Socket> {
    let visitor = &call.session.contact.visitor;
    let waiting = sockets::listening(call.identity(), &visitor.processes(), |port| !visitor.serves(port));
    let mut all: Vec<Socket> = waiting
        .into_iter()
        .map(|one| Socket {
            local: (one.address, one.port),
            remote: None,
            both: one.both,
            backlog: one.backlog,
            inode: one.inode,
            holders: one.holders,
        })
        .collect();
    all.push(own(call));
    // Stable: of each family those who wait come first.
    all.sort_by_key(Socket::is_v6);
    all
}

/// The connection that the visitor came by.
fn own(call: &Call<'_>) -> Socket {
    let contact = &call.session.contact;
    let peer = contact.peer.ip().to_canonical();
    let address = call.identity().address.into();
    let local = if peer.is_ipv6() { call.identity().link_local.parse().unwrap_or(address) } else { address };
    let port = contact.local.port().clamp(22, 23);
    let door = shell_pid(call.identity(), call.session.started) - DOOR;
    let user = &call.session.launch.account;
    let tty = call.session.launch.tty.is_some();
    let mut holders = Vec::new();
    if port == 23 {
        holders.push(Holder::new("telnetd", door, 0, "/usr/sbin/telnetd"));
    } else {
        let end = if tty { "pts/0" } else { "notty" };
        let title = format!("sshd: {}@{end}", user.name);
        holders.push(Holder::new("sshd", door, 4, &title));
    }
    Socket {
        local: (local, port),
        remote: Some((peer, contact.peer.port())),
        both: false,
        backlog: 0,
        inode: sockets::own_inode(call.identity()),
        holders,
    }
}

/// One row of `/proc/net/unix`.
struct Local {
    references: u64,
    waits: bool,
    connected: bool,
    /// 1 stream, 2 datagrams, 5 packets in sequence.
    kind: u8,
    inode: String,
    path: String,
}

fn local_sockets(call: &Call<'_>) -> Vec<Local> {
    let text = call.files().read("/proc/net/unix").unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let read = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let references = u64::from_str_radix(words.next()?, 16).ok()?;
        let _protocol = words.next()?;
        let waits = words.next()? == "00010000";
        let kind = words.next()?.trim_start_matches('0').parse().ok()?;
        let connected = words.next()? == "03";
        let inode = words.next()?.to_owned();
        Some(Local {
            references,
            waits,
            connected,
            kind,
            inode,
            path: words.next().unwrap_or_default().to_owned(),
        })
    };
    text.lines().skip(1).filter_map(read).collect()
}

/// The name of a port in `/etc/services`.
fn service(call: &Call<'_>, port: u16, protocol: &str) -> Option<String> {
    let text = call.files().read("/etc/services").ok()?;
    let wanted = format!("{port}/{protocol}");
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| {
        let name = words.next()?;
        (!name.starts_with('#') && words.next()? == wanted).then(|| name.to_owned())
    })
}
