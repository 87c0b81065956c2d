//! `ip address`, `ip maddress`: what the interfaces can be reached by.

use std::{fmt::Write as _, net::IpAddr};

use super::{
    Json, Manner,
    devices::{Address, Choice, Device, chosen, devices, fields, hardware, joined, statistics, wrong_prefix},
    help_of, incomplete, is, permitted, shown, unknown,
};
use crate::shell::commands::{Call, Said};

pub(super) fn address(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Said {
    let (verb, rest) = words.split_first().map_or(("show", &[][..]), |(verb, rest)| (*verb, rest));
    match verb {
        verb if is(verb, "add") || is(verb, "change") || is(verb, "replace") || is(verb, "delete") => {
            change(call, verb, rest)
        }
        verb if is(verb, "show") || is(verb, "list") || verb == "lst" || verb == "ls" => {
            match chosen(call, rest) {
                Ok((list, choice)) => addresses(manner, list, &choice),
                Err(said) => said,
            }
        }
        verb if is(verb, "flush") => {
            if rest.is_empty() {
                return Said::err("Flush requires arguments.\n", 255);
            }
            permitted(call).unwrap_or_default()
        }
        "help" => help_of("address"),
        verb => unknown(verb, "address"),
    }
}

fn change(call: &Call<'_>, verb: &str, words: &[&str]) -> Said {
    let device = words.iter().position(|word| *word == "dev").and_then(|at| words.get(at + 1));
    let Some(device) = device else {
        return Said::err("Not enough information: \"dev\" argument is required.\n", 255);
    };
    let Some(text) = words.iter().find(|word| !matches!(**word, "dev" | "local") && *word != device) else {
        return incomplete();
    };
    let Ok(address) = text.split('/').next().unwrap_or_default().parse::<IpAddr>() else {
        return wrong_prefix(text);
    };
    let list = devices(call);
    let Some(found) = list.iter().find(|known| known.name == **device) else {
        return Said::err(format!("Cannot find device \"{device}\"\n"), 1);
    };
    if let Some(said) = permitted(call) {
        return said;
    }
    let has = found.addresses.iter().any(|known| known.local == address);
    let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    match (is(verb, "delete"), has) {
        (true, false) if address.is_ipv4() => Said::err("Error: ipv4: Address not found.\n", 2),
        (true, false) => Said::err("Error: ipv6: address not found.\n", 2),
        (false, true) if is(verb, "add") => {
            let what = if address.is_ipv4() { "Address" } else { "address" };
            Said::err(format!("Error: {family}: {what} already assigned.\n"), 2)
        }
        _ => Said::nothing(0),
    }
}

fn addresses(manner: &Manner, list: Vec<Device>, choice: &Choice) -> Said {
    let narrows = choice.scope.is_some() || choice.to.is_some();
    let takes = |address: &Address| {
        manner.family.is_none_or(|family| family == address.family())
            && choice.scope.as_ref().is_none_or(|scope| scope == address.scope)
            && choice.to.is_none_or(|to| to == address.local)
    };
    let list = list.into_iter().filter_map(|mut device| {
        device.addresses.retain(takes);
        (!device.addresses.is_empty() || !narrows && manner.family.is_none()).then_some(device)
    });
    if manner.json {
        return shown(manner, list.map(|device| object(&device, manner)).collect());
    }
    let mut text = String::new();
    for device in list {
        if manner.brief {
            let mut line = format!("{:<16} {:<14} ", device.name, device.state);
            for address in &device.addresses {
                line += &format!("{}/{} ", address.local, address.prefix);
            }
            text += &format!("{line}\n");
            continue;
        }
        if !manner.one_line {
            text += &(head(&device, manner) + "\n");
        }
        for address in &device.addresses {
            let line = joined(manner, &told(&device, address));
            if manner.one_line {
                let _ = writeln!(text, "{}: {}{line}", device.index, device.name);
            } else {
                let _ = writeln!(text, "{line}");
            }
        }
        if !manner.one_line && manner.statistics > 0 && manner.family.is_none() {
            text += &(statistics(&device, manner).join("\n") + "\n");
        }
    }
    Said::out(text)
}

/// The lines above the addresses: what is asked of IPv6 alone tells less of the device.
fn head(device: &Device, manner: &Manner) -> String {
    if manner.family == Some(6) {
        return format!(
            "{}: {}: <{}> mtu {} state {} qlen 1000",
            device.index,
            device.name,
            device.flags.join(","),
            device.mtu,
            device.state
        );
    }
    let lines = hardware(device, &Manner { details: manner.details, ..Manner::default() }, false);
    let count = if manner.family.is_some() { 1 } else { lines.len() };
    lines.get(..count).unwrap_or_default().join("\n")
}

fn told(device: &Device, address: &Address) -> Vec<String> {
    let family = if address.family() == 4 { "inet" } else { "inet6" };
    let mut line = format!("    {family} {}/{}", address.local, address.prefix);
    if let Some(broadcast) = &address.broadcast {
        line += &format!(" brd {broadcast}");
    }
    line += &format!(" scope {} ", address.scope);
    if address.no_route {
        line += "noprefixroute ";
    }
    if address.family() == 4 {
        line += &device.name;
    }
    vec![line, "       valid_lft forever preferred_lft forever".to_owned()]
}

fn object(device: &Device, manner: &Manner) -> Json {
    let address = |one: &Address| {
        let mut fields = vec![
            ("family", if one.family() == 4 { "inet" } else { "inet6" }.into()),
            ("local", one.local.to_string().into()),
            ("prefixlen", one.prefix.into()),
        ];
        if manner.brief {
            fields.remove(0);
            return Json::Object(fields);
        }
        fields.extend(one.broadcast.clone().map(|broadcast| ("broadcast", broadcast.into())));
        fields.push(("scope", one.scope.into()));
        if one.no_route {
            fields.push(("noprefixroute", Json::True));
        }
        if one.family() == 4 {
            fields.push(("label", device.name.as_str().into()));
        }
        let forever = || Json::Number(u32::MAX.into());
        fields.extend([("valid_life_time", forever()), ("preferred_life_time", forever())]);
        Json::Object(fields)
    };
    let list = Json::List(device.addresses.iter().map(address).collect());
    let mut all = if manner.brief {
        vec![("ifname", device.name.as_str().into()), ("operstate", device.state.into())]
    } else {
        fields(device, None, true)
    };
    all.push(("addr_info", list));
    Json::Object(all)
}

/// `ip maddress`.
pub(super) fn groups(call: &Call<'_>, manner: &Manner) -> Said {
    let mut text = String::new();
    for device in devices(call) {
        let _ = writeln!(text, "{}:\t{}", device.index, device.name);
        let tail: Vec<&str> = device.mac.split(':').skip(3).collect();
        let is_ether = device.kind == "ether";
        if is_ether && manner.family.is_none() {
            let _ = write!(
                text,
                "\tlink  33:33:00:00:00:01\n\tlink  01:00:5e:00:00:01\n\tlink  33:33:ff:{}\n",
                tail.join(":")
            );
        }
        if manner.family != Some(6) {
            text.push_str("\tinet  224.0.0.1\n");
        }
        if manner.family != Some(4) {
            if let (true, [x, y, z]) = (is_ether, tail.as_slice()) {
                let word = u16::from_str_radix(&format!("{y}{z}"), 16).unwrap_or(0);
                let _ = writeln!(text, "\tinet6 ff02::1:ff{x}:{word:x}");
            }
            text.push_str("\tinet6 ff02::1\n\tinet6 ff01::1\n");
        }
    }
    Said::out(text)
}
