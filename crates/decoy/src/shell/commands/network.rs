//! The network as seen from inside: `ifconfig`, `ip`, `ss`, `netstat`.

use super::{Call, Said};
use crate::machine::files::traffic;

/// net-tools 2.10.
pub(super) fn ifconfig(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let options = call.options("");
    let [rx, rxp, tx, txp] = traffic(identity, call.now());
    let size = |bytes: u64| match bytes {
        0..1000 => format!("{bytes}.0 B"),
        1000..1_000_000 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_000_000..1_000_000_000 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    };
    let [a, b, c, _] = identity.address.octets();
    let first = format!(
        "{}: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n        inet {}  netmask 255.255.255.0  broadcast {a}.{b}.{c}.255\n        inet6 {}  prefixlen 64  scopeid 0x20<link>\n        ether {}  txqueuelen 1000  (Ethernet)\n        RX packets {rxp}  bytes {rx} ({})\n        RX errors 0  dropped 0  overruns 0  frame 0\n        TX packets {txp}  bytes {tx} ({})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n",
        identity.interface,
        identity.address,
        identity.link_local,
        identity.mac,
        size(rx),
        size(tx)
    );
    let lo = "lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n        inet 127.0.0.1  netmask 255.0.0.0\n        inet6 ::1  prefixlen 128  scopeid 0x10<host>\n        loop  txqueuelen 1000  (Local Loopback)\n        RX packets 9120  bytes 1210402 (1.1 MiB)\n        RX errors 0  dropped 0  overruns 0  frame 0\n        TX packets 9120  bytes 1210402 (1.1 MiB)\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n";
    match options.operands.first().map(String::as_str) {
        Some("lo") => Said::out(lo),
        Some(name) if name == identity.interface => Said::out(first),
        Some(name) => {
            Said::err(format!("{name}: error fetching interface information: Device not found\n"), 1)
        }
        None => Said::out(first + lo),
    }
}

/// iproute2 6.1.0: the questions that are asked.
pub(super) fn ip(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let words: Vec<&str> = call.args.iter().map(String::as_str).filter(|arg| !arg.starts_with('-')).collect();
    let [a, b, c, _] = identity.address.octets();
    let (name, mac) = (identity.interface, identity.mac.as_str());
    match words.first().copied() {
        Some(word) if !word.is_empty() && "address".starts_with(word) => Said::out(format!(
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n    inet6 ::1/128 scope host noprefixroute \n       valid_lft forever preferred_lft forever\n2: {name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n    link/ether {mac} brd ff:ff:ff:ff:ff:ff\n    inet {}/{} brd {a}.{b}.{c}.255 scope global {name}\n       valid_lft forever preferred_lft forever\n    inet6 {}/64 scope link \n       valid_lft forever preferred_lft forever\n",
            identity.address, identity.prefix, identity.link_local
        )),
        Some(word) if !word.is_empty() && "link".starts_with(word) => Said::out(format!(
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n2: {name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default qlen 1000\n    link/ether {mac} brd ff:ff:ff:ff:ff:ff\n"
        )),
        Some(word) if !word.is_empty() && "route".starts_with(word) => Said::out(format!(
            "default via {} dev {name} onlink \n{a}.{b}.{c}.0/{} dev {name} proto kernel scope link src {} \n",
            identity.gateway, identity.prefix, identity.address
        )),
        Some("neigh" | "n" | "neighbour") => {
            Said::out(format!("{} dev {name} lladdr {} REACHABLE\n", identity.gateway, identity.gateway_mac))
        }
        Some(word) => Said::err(format!("Object \"{word}\" is unknown, try \"ip help\".\n"), 1),
        None => Said::err(
            "Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename\nwhere  OBJECT := { address | addrlabel | amt | fou | help | ila | ioam | l2tp |\n                   link | macsec | maddress | monitor | mptcp | mroute | mrule |\n                   neighbor | neighbour | netconf | netns | nexthop | ntable |\n                   ntbl | route | rule | sr | tap | tcpmetrics |\n                   token | tunnel | tuntap | vrf | xfrm }\n",
            255,
        ),
    }
}

const LISTENING: [(u16, &str); 5] =
    [(21, "vsftpd"), (22, "sshd"), (23, "inetutils-inetd"), (25, "master"), (80, "nginx")];

/// What listens, as the visitor has left it.
pub(super) fn daemons(call: &Call<'_>) -> impl Iterator<Item = (u16, &'static str)> {
    LISTENING.into_iter().filter(|(port, _)| call.session.contact.visitor.serves(*port))
}

pub(super) fn netstat(call: &Call<'_>) -> Said {
    let options = call.options("");
    let programs = options.has('p');
    let listening = options.has('l');
    let all = options.has('a') || listening;
    if options.has('r') {
        let identity = call.identity();
        let [a, b, c, _] = identity.address.octets();
        return Said::out(format!(
            "Kernel IP routing table\nDestination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n0.0.0.0         {:<15} 0.0.0.0         UG        0 0          0 {i}\n{:<15} 0.0.0.0         255.255.255.0   U         0 0          0 {i}\n",
            identity.gateway.to_string(),
            format!("{a}.{b}.{c}.0"),
            i = identity.interface
        ));
    }
    let head = if listening {
        "(only servers)"
    } else if all {
        "(servers and established)"
    } else {
        "(w/o servers)"
    };
    let mut text = format!(
        "Active Internet connections {head}\nProto Recv-Q Send-Q Local Address           Foreign Address         State      {}\n",
        if programs { " PID/Program name    " } else { "" }
    );
    let mut row = |local: String, foreign: String, state: &str, program: String| {
        let program = if programs { format!(" {program:<20}") } else { String::new() };
        text += &format!("tcp        0      0 {local:<23} {foreign:<23} {state:<11}{program}\n");
    };
    let list = call.session.contact.visitor.processes();
    if all {
        for (port, name) in daemons(call) {
            let pid =
                list.iter().find(|process| process.command.contains(name)).map_or(612, |process| process.pid);
            row(format!("0.0.0.0:{port}"), "0.0.0.0:*".to_owned(), "LISTEN", format!("{pid}/{name}"));
        }
    }
    if !listening {
        let local =
            format!("{}:{}", call.identity().address, call.session.contact.local.port().clamp(22, 23));
        row(
            local,
            call.session.contact.peer.to_string(),
            "ESTABLISHED",
            format!(
                "{}/sshd: {}",
                crate::machine::processes::shell_pid(call.identity(), call.session.started)
                    - crate::machine::processes::DOOR,
                call.session.launch.account.name
            ),
        );
    }
    Said::out(text)
}

pub(super) fn ss(call: &Call<'_>) -> Said {
    let options = call.options("");
    let mut text =
        "State    Recv-Q   Send-Q     Local Address:Port       Peer Address:Port   Process   \n".to_owned();
    if options.has('l') || options.has('a') {
        for (port, _) in daemons(call) {
            text += &format!(
                "LISTEN   0        128              0.0.0.0:{port:<5}           0.0.0.0:*                \n"
            );
        }
    }
    if !options.has('l') {
        text += &format!(
            "ESTAB    0        0        {:>15}:{:<5} {:>17}:{:<5}            \n",
            call.identity().address.to_string(),
            22,
            call.session.contact.peer.ip().to_string(),
            call.session.contact.peer.port()
        );
    }
    Said::out(text)
}
