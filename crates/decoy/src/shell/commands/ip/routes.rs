//! `ip route`, `ip rule`: the tables of routes, and which of them is asked.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    Json, Manner, devices::wrong_prefix, help_of, incomplete, is, permitted, shown, unknown, way::get,
};
use crate::shell::commands::{Call, Said};

/// One row of a table of routes.
#[derive(Default)]
struct Route {
    kind: &'static str,
    to: String,
    via: Option<Ipv4Addr>,
    device: String,
    table: &'static str,
    protocol: &'static str,
    scope: &'static str,
    source: Option<String>,
    onlink: bool,
    metric: Option<u32>,
    v6: bool,
}

fn routes(call: &Call<'_>) -> Vec<Route> {
    let identity = call.identity();
    let [a, b, c, _] = identity.address.octets();
    let device = identity.interface.to_owned();
    let own = identity.address.to_string();
    let local = |kind, to: &str, device: &str, scope, source: &str| Route {
        kind,
        to: to.to_owned(),
        device: device.to_owned(),
        table: "local",
        protocol: "kernel",
        scope,
        source: Some(source.to_owned()),
        ..Route::default()
    };
    let six = |kind, to: &str, device: &str, table, metric| Route {
        kind,
        to: to.to_owned(),
        device: device.to_owned(),
        table,
        protocol: "kernel",
        metric: Some(metric),
        v6: true,
        ..Route::default()
    };
    vec![
        Route {
            to: "default".to_owned(),
            via: Some(identity.gateway),
            device: device.clone(),
            table: "main",
            onlink: true,
            ..Route::default()
        },
        Route {
            table: "main",
            ..local("", &format!("{a}.{b}.{c}.0/{}", identity.prefix), &device, "link", &own)
        },
        local("local", &own, &device, "host", &own),
        local("broadcast", &format!("{a}.{b}.{c}.255"), &device, "link", &own),
        local("local", "127.0.0.0/8", "lo", "host", "127.0.0.1"),
        local("local", "127.0.0.1", "lo", "host", "127.0.0.1"),
        local("broadcast", "127.255.255.255", "lo", "link", "127.0.0.1"),
        six("", "::1", "lo", "main", 256),
        six("", "fe80::/64", &device, "main", 256),
        six("local", "::1", "lo", "local", 0),
        six("local", &identity.link_local, &device, "local", 0),
        six("multicast", "ff00::/8", &device, "local", 256),
    ]
}

/// What of the routes is asked for.
#[derive(Default)]
struct Choice {
    /// `None`: the main one.
    table: Option<String>,
    device: Option<String>,
    protocol: Option<String>,
    scope: Option<String>,
    to: Option<String>,
    within: Option<IpAddr>,
    cache: bool,
}

fn choose(words: &[&str]) -> Result<Choice, Said> {
    let mut choice = Choice::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().map(|value| (*value).to_owned()).ok_or_else(incomplete);
        match *word {
            "table" => {
                let name = value()?;
                let known = match name.as_str() {
                    "254" => "main".to_owned(),
                    "255" => "local".to_owned(),
                    "253" => "default".to_owned(),
                    "0" | "unspec" => "all".to_owned(),
                    "cache" => {
                        choice.cache = true;
                        "main".to_owned()
                    }
                    "main" | "local" | "default" | "all" => name,
                    _ if name.parse::<u32>().is_ok() => name,
                    _ => {
                        let text =
                            format!("Error: argument \"{name}\" is wrong: table id value is invalid\n\n");
                        return Err(Said::err(text, 255));
                    }
                };
                choice.table = Some(known);
            }
            "dev" | "oif" | "iif" => choice.device = Some(value()?),
            "proto" | "protocol" => choice.protocol = Some(value()?),
            "scope" => choice.scope = Some(value()?),
            "cache" => choice.cache = true,
            "via" | "src" | "type" | "vrf" | "metric" | "from" | "tos" | "mark" => drop(value()?),
            "match" => choice.within = value()?.split('/').next().unwrap_or_default().parse().ok(),
            "to" | "exact" | "root" => {
                let mut text = value()?;
                if matches!(text.as_str(), "exact" | "root") {
                    text = value()?;
                }
                choice.to = Some(text);
            }
            text => choice.to = Some(text.to_owned()),
        }
    }
    if let Some(to) = choice.to.take() {
        let is_prefix = to.split('/').next().is_some_and(|address| address.parse::<IpAddr>().is_ok());
        choice.to = Some(match to.as_str() {
            "default" | "any" | "all" | "0.0.0.0/0" | "::/0" | "0/0" => "default".to_owned(),
            _ if is_prefix => to,
            _ => return Err(wrong_prefix(&to)),
        });
    }
    Ok(choice)
}

pub(super) fn route(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Said {
    let (verb, rest) = words.split_first().map_or(("show", &[][..]), |(verb, rest)| (*verb, rest));
    let result = match verb {
        verb if is(verb, "list") || is(verb, "show") || verb == "lst" || verb == "ls" => {
            list(call, manner, rest)
        }
        verb if is(verb, "get") => get(call, manner, rest),
        verb if is(verb, "add") || is(verb, "append") || is(verb, "replace") || is(verb, "change") => {
            add(call, verb, rest)
        }
        verb if is(verb, "delete") => delete(call, rest),
        verb if is(verb, "flush") => {
            if rest.is_empty() {
                return Said::err("\"ip route flush\" requires arguments.\n", 255);
            }
            return permitted(call).unwrap_or_default();
        }
        "help" => return help_of("route"),
        verb => return unknown(verb, "route"),
    };
    result.unwrap_or_else(|said| said)
}

fn list(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Result<Said, Said> {
    let choice = choose(words)?;
    if choice.cache {
        return Ok(Said::nothing(0));
    }
    let table = choice.table.as_deref().unwrap_or("main");
    if !matches!(table, "main" | "local" | "all") {
        let family = if manner.family == Some(6) { "ipv6" } else { "ipv4" };
        return Err(Said::err(format!("Error: {family}: FIB table does not exist.\nDump terminated\n"), 2));
    }
    let takes = |route: &Route| {
        let family = if table == "all" && manner.family.is_none() {
            true
        } else {
            route.v6 == (manner.family == Some(6))
        };
        let within = choice.within.is_none_or(|address| {
            route.to == "default"
                || match (address, route.to.rsplit_once(".0/")) {
                    (IpAddr::V4(address), Some((net, _))) => {
                        address.to_string().starts_with(&format!("{net}."))
                    }
                    _ => route.to == address.to_string(),
                }
        });
        // `ip -6 route` shows of the loopback only what is not its own address's.
        let is_own = route.v6 && route.to == "::1" && route.table == "main";
        family
            && within
            && (!is_own || table == "all")
            && (table == "all" || route.table == table)
            && choice.device.as_ref().is_none_or(|name| *name == route.device)
            && choice
                .protocol
                .as_ref()
                .is_none_or(|name| *name == if route.protocol.is_empty() { "boot" } else { route.protocol })
            && choice
                .scope
                .as_ref()
                .is_none_or(|name| *name == if route.scope.is_empty() { "global" } else { route.scope })
            && choice.to.as_ref().is_none_or(|to| *to == route.to)
    };
    if let Some(name) = &choice.device
        && name != "lo"
        && name != call.identity().interface
    {
        return Err(Said::err(format!("Cannot find device \"{name}\"\n"), 1));
    }
    let found: Vec<Route> = routes(call).into_iter().filter(takes).collect();
    if manner.json {
        return Ok(shown(manner, found.iter().map(|route| object(route, table)).collect()));
    }
    Ok(Said::out(found.iter().map(|route| line(route, manner, &choice, table)).collect::<String>()))
}

fn line(route: &Route, manner: &Manner, choice: &Choice, table: &str) -> String {
    let mut text = String::new();
    let mut add = |words: String| {
        text.push_str(&words);
        text.push(' ');
    };
    if !route.kind.is_empty() {
        add(route.kind.to_owned());
    }
    add(route.to.clone());
    if let Some(via) = route.via {
        add(format!("via {via}"));
    }
    if choice.device.is_none() {
        add(format!("dev {}", route.device));
    }
    if table == "all" && route.table != "main" {
        add(format!("table {}", route.table));
    }
    if !route.protocol.is_empty() && choice.protocol.is_none() {
        add(format!("proto {}", if manner.numeric { "2" } else { route.protocol }));
    }
    if !route.scope.is_empty() && choice.scope.is_none() {
        let number = if route.scope == "link" { "253" } else { "254" };
        add(format!("scope {}", if manner.numeric { number } else { route.scope }));
    }
    if let Some(source) = &route.source {
        add(format!("src {source}"));
    }
    if let Some(metric) = route.metric {
        add(format!("metric {metric}"));
        add("pref medium".to_owned());
    }
    if route.onlink {
        add("onlink".to_owned());
    }
    if route.v6 {
        text.pop();
    }
    text + "\n"
}

fn object(route: &Route, table: &str) -> Json {
    let mut fields = Vec::new();
    if !route.kind.is_empty() {
        fields.push(("type", route.kind.into()));
    }
    fields.push(("dst", route.to.as_str().into()));
    fields.extend(route.via.map(|via| ("gateway", via.to_string().into())));
    fields.push(("dev", route.device.as_str().into()));
    if table == "all" && route.table != "main" {
        fields.push(("table", route.table.into()));
    }
    for (name, value) in [("protocol", route.protocol), ("scope", route.scope)] {
        if !value.is_empty() {
            fields.push((name, value.into()));
        }
    }
    fields.extend(route.source.clone().map(|source| ("prefsrc", source.into())));
    fields.extend(route.metric.map(|metric| ("metric", Json::Number(metric.into()))));
    fields.push(("flags", Json::List(if route.onlink { vec!["onlink".into()] } else { Vec::new() })));
    if route.v6 {
        fields.push(("pref", "medium".into()));
    }
    Json::Object(fields)
}

/// An address as inet_aton(3) reads it within iproute2: `1` is 1.0.0.0.
pub(super) fn parsed(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let parts: Option<Vec<u8>> = text.split('.').map(|part| part.parse().ok()).collect();
    let mut parts = parts.filter(|parts| parts.len() < 4)?;
    parts.resize(4, 0);
    <[u8; 4]>::try_from(parts).ok().map(IpAddr::from)
}

fn add(call: &Call<'_>, verb: &str, words: &[&str]) -> Result<Said, Said> {
    let value = |name: &str| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1));
    let to = words.iter().find(|word| **word != "to").ok_or_else(incomplete)?;
    let is_default = matches!(*to, "default" | "any" | "0.0.0.0/0");
    let kinds =
        ["unicast", "local", "broadcast", "blackhole", "unreachable", "prohibit", "throw", "multicast"];
    if !is_default && !kinds.contains(to) && parsed(to.split('/').next().unwrap_or_default()).is_none() {
        return Err(wrong_prefix(to));
    }
    if let Some(device) = value("dev")
        && **device != *call.identity().interface
        && **device != *"lo"
    {
        return Err(Said::err(format!("Cannot find device \"{device}\"\n"), 1));
    }
    if let Some(said) = permitted(call) {
        return Err(said);
    }
    if let Some(via) = value("via").and_then(|via| via.parse::<Ipv4Addr>().ok()) {
        let [a, b, c, _] = call.identity().address.octets();
        if !via.octets().starts_with(&[a, b, c]) && !words.contains(&"onlink") {
            return Err(Said::err("Error: Nexthop has invalid gateway.\n", 2));
        }
    }
    if is_default && is(verb, "add") && value("metric").is_none() && value("table").is_none() {
        return Err(Said::err("RTNETLINK answers: File exists\n", 2));
    }
    Ok(Said::nothing(0))
}

fn delete(call: &Call<'_>, words: &[&str]) -> Result<Said, Said> {
    let to = words.iter().find(|word| **word != "to").ok_or_else(incomplete)?;
    let is_default = matches!(*to, "default" | "any" | "0.0.0.0/0");
    if !is_default && parsed(to.split('/').next().unwrap_or_default()).is_none() {
        return Err(wrong_prefix(to));
    }
    if let Some(said) = permitted(call) {
        return Err(said);
    }
    if is_default || routes(call).iter().any(|route| route.to == **to && route.table == "main") {
        return Ok(Said::nothing(0));
    }
    Err(Said::err("RTNETLINK answers: No such process\n", 2))
}

pub(super) fn rule(call: &Call<'_>, manner: &Manner, words: &[&str]) -> Said {
    let verb = words.first().copied().unwrap_or("show");
    if is(verb, "list") || is(verb, "show") || verb == "lst" || verb == "ls" {
        let rules: &[(u64, &str)] = &[(0, "local"), (32_766, "main"), (32_767, "default")];
        let count = if manner.family == Some(6) { 2 } else { 3 };
        let rules = rules.iter().take(count);
        if manner.json {
            let object = |(priority, table): &(u64, &'static str)| {
                Json::Object(vec![
                    ("priority", (*priority).into()),
                    ("src", "all".into()),
                    ("table", (*table).into()),
                ])
            };
            return shown(manner, rules.map(object).collect());
        }
        return Said::out(
            rules.map(|(number, table)| format!("{number}:\tfrom all lookup {table}\n")).collect::<String>(),
        );
    }
    if verb == "help" {
        return help_of("rule");
    }
    if is(verb, "add") || is(verb, "delete") || is(verb, "flush") {
        return permitted(call).unwrap_or_default();
    }
    unknown(verb, "rule")
}
