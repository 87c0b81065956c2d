//! `netstat` of net-tools 2.10.

use std::net::IpAddr;

use super::{local_sockets, service, tcp};
use crate::{
    machine::files::traffic,
    shell::commands::{Call, Said, network, usage},
};

const LONG: &[(&str, char)] = &[
    ("all", 'a'),
    ("continuous", 'c'),
    ("extend", 'e'),
    ("fib", 'F'),
    ("groups", 'g'),
    ("help", 'h'),
    ("inet", '4'),
    ("inet6", '6'),
    ("interfaces", 'i'),
    ("listening", 'l'),
    ("masquerade", 'M'),
    ("numeric", 'n'),
    ("numeric-hosts", 'n'),
    ("numeric-ports", 'n'),
    ("numeric-users", 'n'),
    ("program", 'p'),
    ("programs", 'p'),
    ("protocol", 'A'),
    ("raw", 'w'),
    ("route", 'r'),
    ("sctp", 'S'),
    ("statistics", 's'),
    ("symbolic", 'N'),
    ("tcp", 't'),
    ("timers", 'o'),
    ("udp", 'u'),
    ("udplite", 'U'),
    ("unix", 'x'),
    ("verbose", 'v'),
    ("version", 'V'),
    ("wide", 'W'),
];

fn read(call: &Call<'_>) -> Result<String, Said> {
    let help = || usage::of("netstat", &["--help".to_owned()], false).unwrap_or_default();
    let mut letters = String::new();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--").filter(|long| !long.is_empty()) {
            let name = long.split('=').next().unwrap_or_default();
            match LONG.iter().find(|(known, _)| *known == name) {
                Some((_, letter)) => letters.push(*letter),
                None => {
                    let what = format!("netstat: unrecognized option '{arg}'\n");
                    return Err(Said::err([what.into_bytes(), help().out, help().err].concat(), 3));
                }
            }
        } else if let Some(short) = arg.strip_prefix('-') {
            for letter in short.chars() {
                if !"rigsMvWneoplaFCtuUSwxfA46NchVd".contains(letter) {
                    let what = format!("netstat: invalid option -- '{letter}'\n");
                    return Err(Said::err([what.into_bytes(), help().out, help().err].concat(), 3));
                }
                letters.push(letter);
                if letter == 'A' {
                    match args.next().map(String::as_str) {
                        Some("inet") => letters.push('4'),
                        Some("inet6") => letters.push('6'),
                        Some("unix") => letters.push('x'),
                        _ => {}
                    }
                }
            }
        }
    }
    Ok(letters)
}

pub(in crate::shell::commands) fn netstat(call: &Call<'_>) -> Said {
    let letters = match read(call) {
        Ok(letters) => letters,
        Err(said) => return said,
    };
    let has = |letter: char| letters.contains(letter);
    if has('V') {
        return usage::of("netstat", &["--version".to_owned()], false).unwrap_or_default();
    }
    if has('h') {
        return usage::of("netstat", &["--help".to_owned()], false).unwrap_or_default();
    }
    if has('r') {
        return Said::out(network::routes(call, has('n'), false));
    }
    if has('i') {
        return interfaces(call, has('e'));
    }
    if has('s') {
        return Said::out(statistics(call, has('t'), has('u')));
    }
    if has('g') {
        return Said::out(groups(call));
    }
    if has('M') {
        return Said::err("netstat: no support for `ip_masquerade' on this system.\n", 1);
    }
    connections(call, &letters)
}

fn connections(call: &Call<'_>, letters: &str) -> Said {
    let has = |letter: char| letters.contains(letter);
    let head = match (has('l'), has('a')) {
        (_, true) => "(servers and established)",
        (true, false) => "(only servers)",
        (false, false) => "(w/o servers)",
    };
    let some = "tuUSwx".chars().any(has);
    let inet = !some || "tuUSw".chars().any(has);
    let mut text = String::new();
    if has('p') && !call.is_root() {
        text.push_str("(Not all processes could be identified, non-owned process info\n will not be shown, you would have to be root to see it all.)\n");
    }
    let err = std::mem::take(&mut text);
    if inet {
        text += &format!(
            "Active Internet connections {head}\nProto Recv-Q Send-Q Local Address           Foreign Address         State      "
        );
        if has('e') {
            text += " User       Inode     ";
        }
        if has('p') {
            text += " PID/Program name    ";
        }
        if has('o') {
            text += " Timer";
        }
        text.push('\n');
    }
    if inet && (!some || has('t')) {
        let families = has('4') || has('6');
        for socket in tcp(call) {
            let of_family = !families || has(if socket.is_v6() { '6' } else { '4' });
            let asked = if socket.waits() { has('l') || has('a') } else { !has('l') || has('a') };
            if !of_family || !asked {
                continue;
            }
            let any = if socket.is_v6() { ":::*" } else { "0.0.0.0:*" };
            let remote = socket.remote.map_or_else(|| any.to_owned(), |end| shown(call, end, has('n')));
            let state = if socket.waits() { "LISTEN" } else { "ESTABLISHED" };
            text += &format!(
                "{:<4}  {:>6} {:>6} {:<23} {remote:<23} {state:<11}",
                if socket.is_v6() { "tcp6" } else { "tcp" },
                0,
                0,
                shown(call, socket.local, has('n')),
            );
            if has('e') {
                let user = if has('n') { "0" } else { "root" };
                text += &format!(" {user:<10} {:<10}", socket.inode);
            }
            if has('p') {
                // The process that had it first.
                let holder = socket.holders.last().filter(|_| call.is_root());
                let title = holder.map_or_else(|| "-".to_owned(), |one| format!("{}/{}", one.pid, one.title));
                text += &format!(" {:<20}", title.chars().take(19).collect::<String>());
            }
            if has('o') {
                text += if socket.waits() { " off (0.00/0/0)" } else { " keepalive (6574.61/0/0)" };
            }
            text.push('\n');
        }
    }
    if !some && !has('4') && !has('6') || has('x') {
        text += &format!(
            "Active UNIX domain sockets {head}\nProto RefCnt Flags       Type       State         I-Node   "
        );
        text += if has('p') { "PID/Program name     Path\n" } else { "Path\n" };
        for socket in local_sockets(call) {
            let asked = if socket.waits { has('l') || has('a') } else { !has('l') || has('a') };
            if !asked {
                continue;
            }
            let flags = if socket.waits { "[ ACC ]" } else { "[ ]" };
            let kind = match socket.kind {
                1 => "STREAM",
                2 => "DGRAM",
                _ => "SEQPACKET",
            };
            let state = match (socket.waits, socket.connected) {
                (true, _) => "LISTENING",
                (_, true) => "CONNECTED",
                _ => "",
            };
            text += &format!(
                "unix  {:<6} {flags:<11} {kind:<10} {state:<13} {:<8} ",
                socket.references, socket.inode
            );
            if has('p') {
                let holder = if call.is_root() { "1/init" } else { "-" };
                text += &format!("{holder:<20} ");
            }
            text += &format!("{}\n", socket.path);
        }
    }
    Said { err: err.into(), ..Said::out(text) }
}

fn shown(call: &Call<'_>, (address, port): (IpAddr, u16), numeric: bool) -> String {
    let port = if numeric { None } else { service(call, port, "tcp") }.unwrap_or_else(|| port.to_string());
    let text = format!("{address}:{port}");
    // Cut where the column ends, but for the port.
    if text.len() <= 23 {
        return text;
    }
    let room = 23_usize.saturating_sub(port.len() + 1);
    format!("{}:{port}", address.to_string().chars().take(room).collect::<String>())
}

/// `-i`.
fn interfaces(call: &Call<'_>, extended: bool) -> Said {
    let head = "Kernel Interface table\n";
    if extended {
        let said = network::ifconfig(&Call { args: &[], ..*call });
        return Said { out: [head.as_bytes(), &said.out].concat(), ..said };
    }
    let [_, rx, _, tx] = traffic(call.identity(), call.now());
    let mut text = format!(
        "{head}Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n"
    );
    for (name, mtu, rx, tx, flags) in
        [(call.identity().interface, 1500, rx, tx, "BMRU"), ("lo", 65_536, 9120, 9120, "LRU")]
    {
        text += &format!(
            "{name:<15} {mtu:>5} {rx:>8} {:>6} {:>6} {:<6} {tx:>8} {:>6} {:>6} {:>6} {flags}\n",
            0, 0, 0, 0, 0, 0
        );
    }
    Said::out(text)
}

/// `-g`: groups that a machine with IPv4 and IPv6 is in.
fn groups(call: &Call<'_>) -> String {
    let name = call.identity().interface;
    let mut text =
        "IPv6/IPv4 Group Memberships\nInterface       RefCnt Group\n--------------- ------ ---------------------\n"
            .to_owned();
    let node = call.identity().link_local.rsplit(':').take(2).collect::<Vec<_>>();
    let last = node.first().copied().unwrap_or_default();
    let high = u16::from_str_radix(node.get(1).copied().unwrap_or_default(), 16).unwrap_or(0) & 0xff;
    let solicited = format!("ff02::1:ff{high:02x}:{last}");
    for (interface, group) in [
        ("lo", "224.0.0.1"),
        (name, "224.0.0.1"),
        ("lo", "ff02::1"),
        ("lo", "ff01::1"),
        (name, &solicited),
        (name, "ff02::1"),
        (name, "ff01::1"),
    ] {
        text += &format!("{interface:<15} {:<6} {group}\n", 1);
    }
    text
}

/// `-s`: counters that follow from the traffic on the interface.
fn statistics(call: &Call<'_>, tcp_only: bool, udp_only: bool) -> String {
    let [rx, packets, tx, sent] = traffic(call.identity(), call.now());
    let up = call.identity().uptime(call.now()).as_secs();
    let (segments, answers) = (packets - packets / 40, sent - sent / 40);
    let (opened, accepted) = (up / 900 + 41, up / 31 + 112);
    let mut text = String::new();
    if !tcp_only && !udp_only {
        text += &format!(
            "Ip:\n    Forwarding: 2\n    {packets} total packets received\n    0 forwarded\n    0 incoming packets discarded\n    {packets} incoming packets delivered\n    {sent} requests sent out\n    OutTransmits: {sent}\n\
             Icmp:\n    {} ICMP messages received\n    {} input ICMP message failed\n    ICMP input histogram:\n        destination unreachable: {}\n        echo requests: {}\n    {} ICMP messages sent\n    0 ICMP messages failed\n    ICMP output histogram:\n        destination unreachable: {}\n        echo replies: {}\n",
            up / 410 + up / 900,
            up / 80_000,
            up / 900,
            up / 410,
            up / 410 + up / 700,
            up / 700,
            up / 410,
        );
    }
    if !udp_only {
        text += &format!(
            "Tcp:\n    {opened} active connection openings\n    {accepted} passive connection openings\n    {} failed connection attempts\n    {} connection resets received\n    1 connections established\n    {segments} segments received\n    {answers} segments sent out\n    {} segments retransmitted\n    {} bad segments received\n    {} resets sent\n",
            up / 190,
            up / 230,
            up / 260,
            up / 9_000,
            up / 14
        );
    }
    if !tcp_only {
        text += &format!(
            "Udp:\n    {} packets received\n    {} packets to unknown port received\n    0 packet receive errors\n    {} packets sent\n    0 receive buffer errors\n    0 send buffer errors\n",
            up / 512 + 90,
            up / 700,
            up / 490 + 120
        );
    }
    text += "UdpLite:\n";
    if !udp_only {
        text += &format!(
            "TcpExt:\n    {} TCP sockets finished time wait in fast timer\n    {} delayed acks sent\n    {} packet headers predicted\n    {} acknowledgments not containing data payload received\n    TCPTimeouts: {}\n    TCPOrigDataSent: {}\n",
            up / 64,
            up / 22,
            segments / 9,
            segments / 5,
            up / 270,
            answers / 2
        );
    }
    text + &format!(
        "IpExt:\n    InOctets: {rx}\n    OutOctets: {tx}\n    InNoECTPkts: {packets}\nMPTcpExt:\n"
    )
}
