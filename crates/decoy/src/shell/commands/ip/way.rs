//! `ip route get`: the way to one address.

use std::net::IpAddr;

use super::{Json, Manner, devices::wrong_prefix, routes::parsed, shown};
use crate::shell::commands::{Call, Said};

pub(super) fn get(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Result<Said, Said> {
    let mut target = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "to" | "fibmatch" => {}
            "from" | "dev" | "oif" | "iif" | "mark" | "tos" | "vrf" | "uid" | "ipproto" | "sport"
            | "dport" => {
                words.next();
            }
            text => target = Some(text),
        }
    }
    let Some(text) = target else {
        return Err(Said::err("need at least a destination address\n", 255));
    };
    let address = parsed(text.split('/').next().unwrap_or_default()).ok_or_else(|| wrong_prefix(text))?;
    let identity = call.identity();
    let [a, b, c, _] = identity.address.octets();
    let uid = call.session.who().uid;
    let (kind, via, device, source, flags) = match address {
        IpAddr::V4(address) if address.is_loopback() => ("local", None, "lo", address.to_string(), "<local>"),
        IpAddr::V4(address) if address == identity.address => {
            ("local", None, "lo", address.to_string(), "<local>")
        }
        IpAddr::V4(address) if address.octets().starts_with(&[a, b, c]) => {
            let broadcast = address.octets() == [a, b, c, 255];
            let (kind, flags) = if broadcast { ("broadcast", "<local,brd>") } else { ("", "") };
            (kind, None, identity.interface, identity.address.to_string(), flags)
        }
        IpAddr::V4(address) if address.is_multicast() => {
            ("multicast", None, identity.interface, identity.address.to_string(), "<mc>")
        }
        IpAddr::V4(_) => ("", Some(identity.gateway), identity.interface, identity.address.to_string(), ""),
        IpAddr::V6(address) if address.is_loopback() => {
            let text = "local ::1 dev lo table local proto kernel src ::1 metric 0 pref medium\n";
            return Ok(Said::out(text));
        }
        IpAddr::V6(address) if address.segments().first() == Some(&0xfe80) => {
            let text = format!(
                "{address} dev {} proto kernel src {} metric 256 pref medium\n",
                identity.interface, identity.link_local
            );
            return Ok(Said::out(text));
        }
        IpAddr::V6(_) => return Err(Said::err("RTNETLINK answers: Network is unreachable\n", 2)),
    };
    if manner.json {
        let mut fields = Vec::new();
        if !kind.is_empty() {
            fields.push(("type", kind.into()));
        }
        fields.push(("dst", address.to_string().into()));
        fields.extend(via.map(|via| ("gateway", Json::from(via.to_string()))));
        fields.extend([
            ("dev", device.into()),
            ("prefsrc", source.into()),
            ("flags", Json::List(Vec::new())),
            ("uid", Json::Number(uid.into())),
            (
                "cache",
                Json::List(
                    flags
                        .trim_matches(['<', '>'])
                        .split(',')
                        .filter(|flag| !flag.is_empty())
                        .map(Json::from)
                        .collect(),
                ),
            ),
        ]);
        return Ok(shown(manner, vec![Json::Object(fields)]));
    }
    let mut text = if kind.is_empty() { String::new() } else { format!("{kind} ") };
    text += &format!("{address} ");
    if let Some(via) = via {
        text += &format!("via {via} ");
    }
    text += &format!("dev {device} src {source} uid {uid} ");
    text += if manner.one_line { "\\" } else { "\n" };
    text += "    cache ";
    if !flags.is_empty() {
        text += &format!("{flags} ");
    }
    Ok(Said::out(text + "\n"))
}
