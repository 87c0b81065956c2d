//! The network as net-tools 2.10 shows it: `ifconfig`, `arp`, `route`.

use super::{Call, Said, usage};
use crate::machine::files::traffic;

/// net-tools 2.10.
pub(super) fn ifconfig(call: &Call<'_>) -> Said {
    let identity = call.identity();
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
    let operand = call.args.iter().find(|arg| !arg.starts_with('-')).map(String::as_str);
    let brief = call.args.iter().any(|arg| arg == "-s");
    let short = |name: &str, mtu: u64, rx: u64, tx: u64, flags: &str| {
        format!("{name:<15} {mtu:>5} {rx:>8}      0      0 0      {tx:>8}      0      0      0 {flags}\n")
    };
    let (first, lo) = if brief {
        (short(identity.interface, 1500, rxp, txp, "BMRU"), short("lo", 65_536, 9120, 9120, "LRU"))
    } else {
        (first, lo.to_owned())
    };
    let head = if brief {
        "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n"
    } else {
        ""
    };
    let changes = call.args.iter().skip_while(|arg| arg.starts_with('-')).nth(1).is_some();
    match operand {
        Some(name) if name != "lo" && name != identity.interface => {
            let what = if changes {
                "ERROR while getting interface flags"
            } else {
                "error fetching interface information"
            };
            let err =
                format!("{name}: {what}: {}\n", if changes { "No such device" } else { "Device not found" });
            Said::err(err, if changes { 255 } else { 1 })
        }
        Some(name) if changes && !call.is_root() => {
            let _ = name;
            Said::err("SIOCSIFFLAGS: Operation not permitted\n", 255)
        }
        Some(_) if changes => Said::nothing(0),
        Some("lo") => Said::out(format!("{head}{lo}")),
        Some(_) => Said::out(format!("{head}{first}")),
        None => Said::out(format!("{head}{first}{lo}")),
    }
}

/// `arp`, and of whom: what `/proc/net/arp` has.
pub(super) fn arp(call: &Call<'_>) -> Said {
    let options = call.options("iHtAp");
    let identity = call.identity();
    let (gateway, mac, interface) = (identity.gateway, &identity.gateway_mac, identity.interface);
    if let Some(letter) = options.unknown("aensdvDNSVhf") {
        let help = usage::of("arp", &["--help".to_owned()], false).unwrap_or_default();
        let what = format!("arp: invalid option -- '{letter}'\n");
        return Said::err([what.into_bytes(), help.out, help.err].concat(), 4);
    }
    let other = options.value('i').filter(|name| *name != interface);
    if options.has('d') || options.has('s') || options.has('S') {
        return match options.operands.first() {
            None => Said::err("arp: need host name\n", 255),
            Some(_) if !call.is_root() => Said::err("SIOCSARP: Operation not permitted\n", 255),
            Some(_) => Said::nothing(0),
        };
    }
    if let Some(host) =
        options.operands.iter().find(|host| **host != gateway.to_string() && *host != "_gateway")
    {
        return Said::out(format!("{host} ({host}) -- no entry\n"));
    }
    let seen = u8::from(other.is_none());
    let end = if options.has('v') {
        format!("Entries: 1\tSkipped: {}\tFound: {seen}\n", 1 - seen)
    } else {
        String::new()
    };
    if let Some(name) = other {
        let text = if options.has('a') { format!("arp: in 1 entries no match found.\n{end}") } else { end };
        let _ = name;
        return Said::out(text);
    }
    if options.has('a') && !options.has('e') {
        return Said::out(format!("? ({gateway}) at {mac} [ether] on {interface}\n{end}"));
    }
    let head = "Address                  HWtype  HWaddress           Flags Mask            Iface\n";
    Said::out(format!(
        "{head}{:<23}  {:<8}{mac:<20}{:<6}{:<16}{interface}\n{end}",
        gateway.to_string(),
        "ether",
        "C",
        ""
    ))
}

/// `route` without a verb shows the table; with one it needs to be root.
pub(super) fn route(call: &Call<'_>) -> Said {
    let options = call.options("A");
    if options.has('V') || options.has_long("version") {
        return usage::of("route", &["--version".to_owned()], false).unwrap_or_default();
    }
    if let Some(verb) = options.operands.first() {
        return match verb.as_str() {
            "add" | "del" | "flush" if !call.is_root() => {
                let name = if verb == "del" { "SIOCDELRT" } else { "SIOCADDRT" };
                Said::err(format!("{name}: Operation not permitted\n"), 7)
            }
            "add" if options.operands.iter().any(|word| word == "default") => {
                Said::err("SIOCADDRT: File exists\n", 7)
            }
            "add" | "del" | "flush" if options.operands.len() > 1 => Said::nothing(0),
            _ => {
                let help = usage::of("route", &["--help".to_owned()], false).unwrap_or_default();
                Said::err([help.out, help.err].concat(), 4)
            }
        };
    }
    if options.has('6') || options.value('A') == Some("inet6") || options.has_long("inet6") {
        return Said::out(routes_of_six(call));
    }
    let extended = options.letters.iter().filter(|letter| **letter == 'e').count();
    Said::out(match extended {
        0 => routes(call, options.has('n'), true),
        1 => routes(call, options.has('n'), false),
        _ => {
            let text = routes(call, options.has('n'), true);
            let add = |(number, line): (usize, &str)| match number {
                0 => format!("{line}\n"),
                1 => format!("{line}    MSS   Window irtt\n"),
                _ => format!("{line}     0     0      0\n"),
            };
            text.lines().enumerate().map(add).collect()
        }
    })
}

/// The kernel's table of routes, as `route` (with metrics) and `netstat -r` show it.
pub(super) fn routes(call: &Call<'_>, numeric: bool, metrics: bool) -> String {
    let identity = call.identity();
    let [a, b, c, _] = identity.address.octets();
    let head = if metrics { "Flags Metric Ref    Use Iface" } else { "Flags   MSS Window  irtt Iface" };
    let mut text =
        format!("Kernel IP routing table\nDestination     Gateway         Genmask         {head}\n");
    let any = if numeric { "0.0.0.0" } else { "default" };
    for (to, via, mask, flags) in [
        (any.to_owned(), identity.gateway.to_string(), "0.0.0.0", "UG"),
        (format!("{a}.{b}.{c}.0"), "0.0.0.0".to_owned(), "255.255.255.0", "U"),
    ] {
        let interface = identity.interface;
        text += &if metrics {
            format!("{to:<15} {via:<15} {mask:<15} {flags:<5} {:<6} {:<3} {:>6} {interface}\n", 0, 0, 0)
        } else {
            format!("{to:<15} {via:<15} {mask:<15} {flags:<5} {:>5} {:<5} {:>6} {interface}\n", 0, 0, 0)
        };
    }
    text
}

fn routes_of_six(call: &Call<'_>) -> String {
    let identity = call.identity();
    let mut text =
        "Kernel IPv6 routing table\nDestination                    Next Hop                   Flag Met Ref  Use If\n"
            .to_owned();
    let own = format!("{}/128", identity.link_local);
    for (to, flags, metric, uses, interface) in [
        ("::1/128", "U", 256, 2, "lo"),
        ("fe80::/64", "U", 256, 1, identity.interface),
        ("[::]/0", "!n", -1, 1, "lo"),
        ("::1/128", "Un", 0, 3, "lo"),
        (&own, "Un", 0, 3, identity.interface),
        ("ff00::/8", "U", 256, 2, identity.interface),
        ("[::]/0", "!n", -1, 1, "lo"),
    ] {
        text += &format!("{to:<30} {:<26} {flags:<4} {metric:<3} {uses:<1} {:>6} {interface}\n", "[::]", 0);
    }
    text
}
