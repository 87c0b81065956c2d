//! The sockets of `/proc/net`: the daemons', and the visitor's own.

use std::{fmt::Write as _, net::IpAddr};

use super::{Scene, sockets};

/// `/proc/net/tcp6`: the daemons that listen on IPv6, too, and a visitor who came over it.
pub(in crate::machine) fn net_tcp6(scene: &Scene<'_>) -> Vec<u8> {
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
pub(in crate::machine) fn net_unix(scene: &Scene<'_>) -> Vec<u8> {
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
pub(in crate::machine) fn net_tcp(scene: &Scene<'_>) -> Vec<u8> {
    let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    let rows = std::iter::once(head.to_owned()).chain(connections(scene, false));
    // Each row is filled up to 149 characters (net/ipv4/tcp_ipv4.c).
    rows.map(|line| format!("{:<149}\n", line.trim_end_matches('\n'))).collect::<String>().into()
}
