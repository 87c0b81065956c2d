//! The interfaces, which of them are asked for, and `ip link`.

use std::{fmt::Write as _, net::IpAddr};

use super::{Json, Manner, help_of, incomplete, is, permitted, shown, unknown};
use crate::{
    machine::files::traffic,
    shell::commands::{Call, Said},
};

/// An interface, as the kernel knows it.
pub(super) struct Device {
    pub(super) index: u64,
    pub(super) name: String,
    pub(super) flags: &'static [&'static str],
    pub(super) mtu: u64,
    pub(super) qdisc: &'static str,
    pub(super) state: &'static str,
    pub(super) kind: &'static str,
    pub(super) mac: String,
    pub(super) broadcast: &'static str,
    pub(super) addresses: Vec<Address>,
    /// Bytes and packets received, bytes and packets sent.
    pub(super) counters: [u64; 4],
}

pub(super) struct Address {
    pub(super) local: IpAddr,
    pub(super) prefix: u64,
    pub(super) broadcast: Option<String>,
    pub(super) scope: &'static str,
    pub(super) no_route: bool,
}

impl Address {
    pub(super) fn family(&self) -> u8 {
        if self.local.is_ipv4() { 4 } else { 6 }
    }
}

pub(super) fn devices(call: &Call<'_>) -> Vec<Device> {
    let identity = call.identity();
    let address =
        |local: IpAddr, prefix, scope| Address { local, prefix, broadcast: None, scope, no_route: false };
    let [a, b, c, _] = identity.address.octets();
    let mut own = vec![Address {
        broadcast: Some(format!("{a}.{b}.{c}.255")),
        ..address(identity.address.into(), identity.prefix.into(), "global")
    }];
    own.extend(identity.link_local.parse().ok().map(|local| address(local, 64, "link")));
    let [rx, rx_packets, tx, tx_packets] = traffic(identity, call.now());
    vec![
        Device {
            index: 1,
            name: "lo".to_owned(),
            flags: &["LOOPBACK", "UP", "LOWER_UP"],
            mtu: 65_536,
            qdisc: "noqueue",
            state: "UNKNOWN",
            kind: "loopback",
            mac: "00:00:00:00:00:00".to_owned(),
            broadcast: "00:00:00:00:00:00",
            addresses: vec![
                address(IpAddr::from([127, 0, 0, 1]), 8, "host"),
                Address { no_route: true, ..address(std::net::Ipv6Addr::LOCALHOST.into(), 128, "host") },
            ],
            counters: [1_210_402, 9_120, 1_210_402, 9_120],
        },
        Device {
            index: 2,
            name: identity.interface.to_owned(),
            flags: &["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
            mtu: 1500,
            qdisc: "fq_codel",
            state: "UP",
            kind: "ether",
            mac: identity.mac.clone(),
            broadcast: "ff:ff:ff:ff:ff:ff",
            addresses: own,
            counters: [rx, rx_packets, tx, tx_packets],
        },
    ]
}

/// What of the interfaces is asked for.
#[derive(Default)]
pub(super) struct Choice {
    pub(super) device: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) to: Option<IpAddr>,
    pub(super) nobody: bool,
}

fn choose(words: &[&str]) -> Result<Choice, Said> {
    let mut choice = Choice::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "dev" => choice.device = Some((*words.next().ok_or_else(incomplete)?).to_owned()),
            "scope" => choice.scope = Some((*words.next().ok_or_else(incomplete)?).to_owned()),
            "up" | "primary" | "permanent" | "nomaster" => {}
            "secondary" | "temporary" | "deprecated" | "dynamic" | "tentative" | "dadfailed" => {
                choice.nobody = true
            }
            "to" => {
                let text = words.next().ok_or_else(incomplete)?;
                let address =
                    text.split('/').next().unwrap_or_default().parse().map_err(|_| wrong_prefix(text))?;
                choice.to = Some(address);
            }
            "type" | "master" | "vrf" | "group" | "label" => {
                let value = words.next().ok_or_else(incomplete)?;
                choice.nobody |= !(*word == "group" && *value == "default" || *word == "label");
            }
            "help" => return Err(help_of("address")),
            name => choice.device = Some(name.to_owned()),
        }
    }
    Ok(choice)
}

pub(super) fn wrong_prefix(text: &str) -> Said {
    Said::err(format!("Error: any valid prefix is expected rather than \"{text}\".\n"), 1)
}

pub(super) fn chosen(call: &Call<'_>, words: &[&str]) -> Result<(Vec<Device>, Choice), Said> {
    let choice = choose(words)?;
    let mut list = devices(call);
    if let Some(name) = &choice.device {
        list.retain(|device| device.name == *name);
        if list.is_empty() {
            return Err(Said::err(format!("Device \"{name}\" does not exist.\n"), 1));
        }
    }
    if choice.nobody {
        list.clear();
    }
    Ok((list, choice))
}

pub(super) fn link(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Said {
    let (verb, rest) = words.split_first().map_or(("show", &[][..]), |(verb, rest)| (*verb, rest));
    match verb {
        verb if is(verb, "set") || is(verb, "change") => set(call, rest),
        verb if is(verb, "add") || is(verb, "replace") => {
            if !rest.contains(&"type") {
                return Said::err("Not enough information: \"type\" argument is required\n", 255);
            }
            permitted(call).unwrap_or_else(|| Said::err("Error: Unknown device type.\n", 2))
        }
        verb if is(verb, "delete") => match rest.iter().rfind(|word| **word != "dev") {
            None => Said::err("Not enough information: \"dev\" argument is required.\n", 255),
            Some(name) if !devices(call).iter().any(|device| device.name == **name) => {
                Said::err(format!("Cannot find device \"{name}\"\n"), 1)
            }
            Some(_) => permitted(call)
                .unwrap_or_else(|| Said::err("RTNETLINK answers: Operation not supported\n", 2)),
        },
        verb if is(verb, "show") || is(verb, "list") || verb == "lst" || verb == "ls" => {
            match chosen(call, rest) {
                Ok((list, _)) => links(manner, &list),
                Err(said) => said,
            }
        }
        "help" => help_of("link"),
        verb if is(verb, "property") || is(verb, "xstats") || is(verb, "afstats") => Said::nothing(0),
        verb => unknown(verb, "link"),
    }
}

fn set(call: &Call<'_>, words: &[&str]) -> Said {
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "dev").collect();
    let Some(name) = words.first() else {
        return Said::err("Not enough information: \"dev\" argument is required.\n", 255);
    };
    if !devices(call).iter().any(|device| device.name == *name) {
        return Said::err(format!("Cannot find device \"{name}\"\n"), 1);
    }
    if words.len() == 1 {
        return Said::nothing(0);
    }
    permitted(call).unwrap_or_default()
}

fn links(manner: &Manner, list: &[Device]) -> Said {
    if manner.json {
        return shown(
            manner,
            list.iter().map(|device| Json::Object(fields(device, Some(manner), !manner.brief))).collect(),
        );
    }
    let mut text = String::new();
    for device in list {
        if manner.brief {
            let _ = writeln!(
                text,
                "{:<16} {:<14} {} <{}> ",
                device.name,
                device.state,
                device.mac,
                device.flags.join(",")
            );
            continue;
        }
        let _ = writeln!(text, "{}", joined(manner, &hardware(device, manner, true)));
    }
    Said::out(text)
}

/// The lines of a device, in one with `-o`.
pub(super) fn joined(manner: &Manner, lines: &[String]) -> String {
    lines.join(if manner.one_line { "\\" } else { "\n" })
}

pub(super) fn hardware(device: &Device, manner: &Manner, is_link: bool) -> Vec<String> {
    let mode = if is_link { " mode DEFAULT" } else { "" };
    let mut lines = vec![format!(
        "{}: {}: <{}> mtu {} qdisc {} state {}{mode} group default qlen 1000",
        device.index,
        device.name,
        device.flags.join(","),
        device.mtu,
        device.qdisc,
        device.state
    )];
    let mut second = format!("    link/{} {} brd {}", device.kind, device.mac, device.broadcast);
    if manner.details {
        let (least, most) = if device.kind == "ether" { (68, 65_535) } else { (0, 0) };
        let gen_mode = if is_link { "addrgenmode eui64 " } else { "" };
        let _ = write!(
            second,
            " promiscuity 0  allmulti 0 minmtu {least} maxmtu {most} {gen_mode}numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536 "
        );
        if device.kind == "ether" {
            second.push_str("parentbus virtio parentdev virtio0 ");
        }
    }
    lines.push(second);
    if manner.statistics > 0 {
        lines.extend(statistics(device, manner));
    }
    lines
}

/// Counters in columns as wide as they need to be (`print_stats64` of ip/ipaddress.c).
pub(super) fn statistics(device: &Device, manner: &Manner) -> Vec<String> {
    let [rx, rx_packets, tx, tx_packets] = device.counters;
    let number = |value: u64| match value {
        value if !manner.human || value < 1000 => value.to_string(),
        value if value < 1_000_000 => format!("{:.1}k", value as f64 / 1e3),
        value if value < 1_000_000_000 => format!("{:.1}M", value as f64 / 1e6),
        value => format!("{:.1}G", value as f64 / 1e9),
    };
    let received = [rx, rx_packets, 0, 0, 0, 0].map(number);
    let sent = [tx, tx_packets, 0, 0, 0, 0].map(number);
    let mut widths = [10, 7, 6, 7, 7, 7];
    for cells in [&received, &sent] {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.len().max(*width);
        }
    }
    let [bytes, packets, errors, dropped, fifth, sixth] = widths;
    let mut lines = Vec::new();
    for (label, names, faults, cells) in [
        ("RX", ["missed", "mcast"], ["length", "crc", "frame", "fifo", "overrun"], &received),
        ("TX", ["carrier", "collsns"], ["aborted", "fifo", "window", "heartbt", "transns"], &sent),
    ] {
        let [five, six] = names;
        lines.push(format!(
            "    {label}: {:>w$} {:>packets$} {:>errors$} {:>dropped$} {five:>fifth$} {six:>sixth$} {:>10}",
            "bytes",
            "packets",
            "errors",
            "dropped",
            "",
            w = bytes - 4
        ));
        let row: String = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$} ")).collect();
        lines.push(format!("    {row}"));
        if manner.statistics > 1 {
            let [one, two, three, four, five] = faults;
            let rest = bytes - 10;
            lines.push(format!(
                "    {label} errors:{:>rest$} {one:>packets$} {two:>errors$} {three:>dropped$} {four:>fifth$} {five:>sixth$}",
                ""
            ));
            lines.push(format!(
                "    {:>bytes$} {:>packets$} {:>errors$} {:>dropped$} {:>fifth$} {:>sixth$} ",
                "", 0, 0, 0, 0, 0
            ));
        }
    }
    lines
}

/// The fields of `-j`.
pub(super) fn fields(device: &Device, link: Option<&Manner>, whole: bool) -> Vec<(&'static str, Json)> {
    let flags = Json::List(device.flags.iter().map(|flag| (*flag).into()).collect());
    if !whole {
        return vec![
            ("ifname", device.name.as_str().into()),
            ("operstate", device.state.into()),
            ("address", device.mac.as_str().into()),
            ("flags", flags),
        ];
    }
    let mut fields = vec![
        ("ifindex", device.index.into()),
        ("ifname", device.name.as_str().into()),
        ("flags", flags),
        ("mtu", device.mtu.into()),
        ("qdisc", device.qdisc.into()),
        ("operstate", device.state.into()),
    ];
    if link.is_some() {
        fields.push(("linkmode", "DEFAULT".into()));
    }
    fields.extend([
        ("group", "default".into()),
        ("txqlen", 1000.into()),
        ("link_type", device.kind.into()),
        ("address", device.mac.as_str().into()),
        ("broadcast", device.broadcast.into()),
    ]);
    if link.is_some_and(|manner| manner.statistics > 0) {
        let [rx, rx_packets, tx, tx_packets] = device.counters;
        let part = |bytes: u64, packets: u64, names: [&'static str; 2]| {
            let mut list = vec![("bytes", bytes.into()), ("packets", packets.into())];
            list.extend(["errors", "dropped"].into_iter().chain(names).map(|name| (name, Json::Number(0))));
            list
        };
        let stats = vec![
            ("rx", Json::Object(part(rx, rx_packets, ["over_errors", "multicast"]))),
            ("tx", Json::Object(part(tx, tx_packets, ["carrier_errors", "collisions"]))),
        ];
        fields.push(("stats64", Json::Object(stats)));
    }
    fields
}
