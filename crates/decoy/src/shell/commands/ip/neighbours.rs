//! `ip neighbour`: the gateway, which is all that the machine has heard of.

use super::{Json, Manner, help_of, is, permitted, shown, unknown};
use crate::shell::commands::{Call, Said};

pub(super) fn neighbour(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Said {
    let (verb, rest) = words.split_first().map_or(("show", &[][..]), |(verb, rest)| (*verb, rest));
    if verb == "help" {
        return help_of("neighbour");
    }
    if is(verb, "add") || is(verb, "delete") || is(verb, "change") || is(verb, "replace") || is(verb, "flush")
    {
        return permitted(call).unwrap_or_default();
    }
    if !(is(verb, "show") || is(verb, "list") || verb == "lst" || verb == "ls") {
        return unknown(verb, "neigh");
    }
    let identity = call.identity();
    let device = rest.iter().position(|word| *word == "dev").and_then(|at| rest.get(at + 1)).copied();
    if let Some(name) = device.filter(|name| *name != "lo" && *name != identity.interface) {
        return Said::err(format!("Cannot find device \"{name}\"\n"), 1);
    }
    let is_here = manner.family != Some(6) && device != Some("lo");
    let (gateway, mac) = (identity.gateway.to_string(), identity.gateway_mac.clone());
    if manner.json {
        let mut fields = vec![("dst", gateway.into())];
        if device.is_none() {
            fields.push(("dev", identity.interface.into()));
        }
        fields.push(("lladdr", mac.into()));
        fields.push(("state", Json::List(vec!["REACHABLE".into()])));
        return shown(manner, if is_here { vec![Json::Object(fields)] } else { Vec::new() });
    }
    if !is_here {
        return Said::nothing(0);
    }
    if manner.brief {
        return Said::out(format!("{gateway:<39} {:<16} {mac}\n", identity.interface));
    }
    let of_device = if device.is_some() { String::new() } else { format!(" dev {}", identity.interface) };
    let counts = if manner.statistics > 0 { "  ref 1 used 7/3/7probes 1" } else { "" };
    Said::out(format!("{gateway}{of_device} lladdr {mac}{counts} REACHABLE \n"))
}
