//! `ss` of iproute2 6.1.

mod asked;
mod columns;

use std::net::IpAddr;

use super::{Local, Socket, filter::Filter, local_sockets, service, tcp};
use crate::shell::commands::{Call, Said, usage};
use asked::{Asked, read};
use columns::{Row, table};

pub(in crate::shell::commands) fn ss(call: &Call<'_>) -> Said {
    match shown(call) {
        Ok(said) | Err(said) => said,
    }
}

fn shown(call: &Call<'_>) -> Result<Said, Said> {
    let asked = read(call)?;
    if asked.has('h') {
        return Ok(usage::of("ss", &["--help".to_owned()], false).unwrap_or_default());
    }
    if asked.has('V') {
        return Ok(Said::out("ss utility, iproute2-6.1.0\n"));
    }
    if asked.has('Z') || asked.has('z') {
        return Err(Said::err("ss: SELinux is not enabled.\n", 1));
    }
    if asked.has('s') {
        return Ok(summary(call));
    }
    let port_of = |name: &str| port_of(call, name);
    let filter = Filter::read(&asked.words, &port_of).map_err(|text| Said::err(text, 255))?;
    let is_inet = asked.has('4') || asked.has('6');
    let everything = asked.kinds.is_empty();
    let wants = |kind: char| asked.kinds.contains(kind) || everything && (kind != 'x' || !is_inet);
    let (listening, established, one_state) = match filter.states {
        Some(states) => (states.listening, states.established, !states.several),
        None => (asked.has('l') || asked.has('a'), !asked.has('l') || asked.has('a'), false),
    };
    let one_kind = asked.kinds.chars().count() == 1;
    let mut rows: Vec<Row> = Vec::new();
    if wants('x') && asked.words.iter().all(|word| !word.contains("port")) {
        let sockets = local_sockets(call);
        let shown = sockets.iter().filter(|one| {
            let unconnected = one.waits || !one.connected;
            unconnected && listening || one.connected && established
        });
        rows.extend(shown.map(|one| local_row(call, &asked, one)));
    }
    if wants('t') {
        let of_family = |socket: &&Socket| {
            !is_inet || asked.has('4') && !socket.is_v6() || asked.has('6') && socket.is_v6()
        };
        let sockets = tcp(call);
        let shown = sockets.iter().filter(of_family).filter(|socket| {
            (socket.waits() && listening || !socket.waits() && established) && filter.takes(socket)
        });
        rows.extend(shown.map(|socket| row(call, &asked, socket)));
    }
    // Raw sockets and packets alone have no states to tell apart unless those that wait are asked for.
    let no_state = one_state || one_kind && asked.has('w') && !listening;
    Ok(Said::out(table(call, &asked, &rows, one_kind, no_state)))
}

fn port_of(call: &Call<'_>, name: &str) -> Option<u16> {
    let text = call.files().read("/etc/services").ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == name).then(|| words.next()?.split('/').next()?.parse().ok()).flatten()
    })
}

/// An address and a port in their two columns.
fn ends(call: &Call<'_>, asked: &Asked, address: IpAddr, port: u16, both: bool) -> (String, String) {
    let host = match address {
        _ if both => "*".to_owned(),
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let port = match port {
        0 => "*".to_owned(),
        port if asked.has('n') => port.to_string(),
        port => service(call, port, "tcp").unwrap_or_else(|| port.to_string()),
    };
    (host + ":", port)
}

fn row(call: &Call<'_>, asked: &Asked, socket: &Socket) -> Row {
    let local = ends(call, asked, socket.local.0, socket.local.1, socket.both);
    let remote = socket.remote.unwrap_or((socket.local.0, 0));
    let remote = ends(call, asked, remote.0, remote.1, socket.both);
    let mut process = String::new();
    if asked.has('o') && !socket.waits() {
        process += " timer:(keepalive,109min,0)";
    }
    if asked.has('p') && !socket.holders.is_empty() && (call.is_root() || socket.remote.is_some()) {
        let holders: Vec<String> = socket
            .holders
            .iter()
            .map(|holder| format!("(\"{}\",pid={},fd={})", holder.name, holder.pid, holder.descriptor))
            .collect();
        process += &format!(" users:({})", holders.join(","));
    }
    if asked.has('e') {
        process += &format!(" ino:{} sk:{:x}", socket.inode, socket.inode % 4093 + 1);
        let unit = match socket.local.1 {
            21 => "vsftpd.service",
            22 => "ssh.service",
            23 => "inetutils-inetd.service",
            25 => "system-postfix.slice/postfix@-.service",
            _ => "nginx.service",
        };
        process += &format!(" cgroup:/system.slice/{unit}");
        if socket.is_v6() {
            process += &format!(" v6only:{}", u8::from(!socket.both));
        }
        process += " <->";
    }
    if asked.has('m') {
        process += "\n\t skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0)";
    }
    if asked.has('i') {
        let separator = if asked.has('m') { " " } else { "\n\t " };
        process += separator;
        process += if socket.waits() {
            "cubic cwnd:10"
        } else {
            "cubic wscale:7,7 rto:236 rtt:35.102/9.418 ato:40 mss:1448 pmtu:1500 rcvmss:1392 advmss:1448 cwnd:10 \
             bytes_sent:5233 bytes_acked:5197 bytes_received:4621 segs_out:38 segs_in:49 data_segs_out:31 data_segs_in:24 \
             send 3300096bps lastsnd:4 lastrcv:8 lastack:4 pacing_rate 6600184bps delivery_rate 1312400bps delivered:31 \
             app_limited busy:784ms unacked:1 rcv_space:14480 rcv_ssthresh:64088 minrtt:31.804 snd_wnd:64128"
        };
    }
    if asked.has('O') {
        process = process.replace("\n\t", "");
    }
    [
        "tcp".to_owned(),
        if socket.waits() { "LISTEN" } else { "ESTAB" }.to_owned(),
        "0".to_owned(),
        socket.backlog.to_string(),
        local.0,
        local.1,
        remote.0,
        remote.1,
        process,
    ]
}

fn local_row(call: &Call<'_>, asked: &Asked, socket: &Local) -> Row {
    let kind = match socket.kind {
        1 => "u_str",
        2 => "u_dgr",
        _ => "u_seq",
    };
    let state = match (socket.waits, socket.connected) {
        (true, _) => "LISTEN",
        (false, true) => "ESTAB",
        (false, false) => "UNCONN",
    };
    let path = if socket.path.is_empty() { "*" } else { &socket.path };
    let peer = if socket.connected {
        socket.inode.parse::<u64>().map_or_else(|_| "0".to_owned(), |inode| (inode + 1).to_string())
    } else {
        "0".to_owned()
    };
    let mut process = String::new();
    if asked.has('p')
        && call.is_root()
        && let Some((name, pid, descriptor)) = holder(call, &socket.path)
    {
        process = format!(" users:((\"{name}\",pid={pid},fd={descriptor}))");
    }
    let backlog = match (socket.waits, socket.path.starts_with('/')) {
        (true, true) => "4096",
        (true, false) => "100",
        _ => "0",
    };
    [
        kind.to_owned(),
        state.to_owned(),
        "0".to_owned(),
        backlog.to_owned(),
        format!("{path} "),
        socket.inode.clone(),
        "* ".to_owned(),
        peer,
        process,
    ]
}

/// Who holds a socket with a name.
fn holder(call: &Call<'_>, path: &str) -> Option<(String, u32, u32)> {
    let head = match path {
        "" => return None,
        path if !path.starts_with('/') => "/usr/lib/postfix/sbin/master",
        path if path.contains("journal") => "/lib/systemd/systemd-journald",
        path if path.contains("dbus") => "/usr/bin/dbus-daemon",
        path if path.contains("udev") => "/lib/systemd/systemd-udevd",
        _ => "/sbin/init",
    };
    let list = call.session.contact.visitor.processes();
    let process = list.into_iter().find(|process| process.command.starts_with(head))?;
    let descriptor = 3 + path.bytes().map(u32::from).sum::<u32>() % 90;
    Some((process.name(), process.pid, descriptor))
}

/// `-s`.
fn summary(call: &Call<'_>) -> Said {
    let sockets = tcp(call);
    let v6 = sockets.iter().filter(|socket| socket.is_v6()).count();
    let (all, established) = (sockets.len(), sockets.iter().filter(|socket| !socket.waits()).count());
    let total = local_sockets(call).len() + all + 17;
    let mut text = format!(
        "Total: {total}\nTCP:   {all} (estab {established}, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\n"
    );
    for (name, ip, ip6) in
        [("RAW", 0, 0), ("UDP", 0, 0), ("TCP", all - v6, v6), ("INET", all - v6, v6), ("FRAG", 0, 0)]
    {
        text += &format!("{name}\t  {:<9} {ip:<9} {ip6:<9}\n", ip + ip6);
    }
    Said::out(text + "\n")
}
