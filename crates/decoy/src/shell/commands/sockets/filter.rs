//! What `ss` is told to show: `state ESTABLISHED`, `sport = :22 and dst 192.0.2.0/24`.

use std::net::IpAddr;

use super::Socket;

/// Words of a filter.
pub(super) struct Filter {
    /// `None`: as the options say.
    pub(super) states: Option<States>,
    test: Test,
}

/// States that are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct States {
    pub(super) listening: bool,
    pub(super) established: bool,
    /// How many were named: a column for one alone is left out.
    pub(super) several: bool,
}

enum Test {
    Any,
    Port { remote: bool, compare: String, port: u16 },
    Address { remote: bool, address: Option<(IpAddr, u8)>, port: Option<u16> },
    Not(Box<Test>),
    Both(Box<Test>, Box<Test>),
    Either(Box<Test>, Box<Test>),
}

/// What cannot be read: ss's own words.
pub(super) fn complaint() -> String {
    "ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n".to_owned()
}

impl Filter {
    /// Reads the words after the options.
    pub(super) fn read(words: &[String], port_of: &dyn Fn(&str) -> Option<u16>) -> Result<Self, String> {
        let mut words: Vec<String> = words
            .iter()
            .flat_map(|word| word.split_whitespace())
            .flat_map(|word| {
                let inner = word.replace('(', " ( ").replace(')', " ) ");
                inner.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            })
            .take(64)
            .collect();
        let mut states: Option<States> = None;
        while let [word, rest @ ..] = words.as_slice()
            && matches!(word.as_str(), "state" | "exclude" | "excl")
        {
            let excluded = word != "state";
            let name = rest.first().cloned().unwrap_or_default();
            let known = state(&name).ok_or_else(|| format!("ss: wrong state name: {name}\n"))?;
            let one = if excluded {
                States { listening: !known.listening, established: !known.established, several: true }
            } else {
                known
            };
            states = Some(match states {
                None => one,
                Some(before) => States {
                    listening: before.listening || one.listening,
                    established: before.established || one.established,
                    several: true,
                },
            });
            words = rest.get(1..).unwrap_or_default().to_vec();
        }
        let mut rest = words.as_slice();
        let test = if rest.is_empty() { Test::Any } else { either(&mut rest, port_of, 0)? };
        if !rest.is_empty() {
            return Err(complaint());
        }
        Ok(Self { states, test })
    }

    pub(super) fn takes(&self, socket: &Socket) -> bool {
        takes(&self.test, socket)
    }
}

fn state(name: &str) -> Option<States> {
    let of = |listening, established, several| Some(States { listening, established, several });
    match name {
        "established" | "estab" => of(false, true, false),
        "listening" | "listen" => of(true, false, false),
        "all" => of(true, true, true),
        "connected" | "synchronized" => of(false, true, true),
        "big" => of(true, true, true),
        "bucket" => of(false, false, true),
        "syn-sent" | "syn-recv" | "fin-wait-1" | "fin-wait-2" | "time-wait" | "closed" | "close-wait"
        | "last-ack" | "closing" | "unconnected" => of(false, false, false),
        _ => None,
    }
}

type Words<'a> = &'a [String];

fn either(words: &mut Words<'_>, port_of: &dyn Fn(&str) -> Option<u16>, depth: u8) -> Result<Test, String> {
    let mut left = both(words, port_of, depth)?;
    while let [word, rest @ ..] = *words
        && matches!(word.as_str(), "or" | "||" | "|")
    {
        *words = rest;
        left = Test::Either(Box::new(left), Box::new(both(words, port_of, depth)?));
    }
    Ok(left)
}

fn both(words: &mut Words<'_>, port_of: &dyn Fn(&str) -> Option<u16>, depth: u8) -> Result<Test, String> {
    let mut left = one(words, port_of, depth)?;
    while let [word, rest @ ..] = *words {
        match word.as_str() {
            "and" | "&&" | "&" => *words = rest,
            "or" | "||" | "|" | ")" => break,
            _ => {}
        }
        left = Test::Both(Box::new(left), Box::new(one(words, port_of, depth)?));
    }
    Ok(left)
}

fn one(words: &mut Words<'_>, port_of: &dyn Fn(&str) -> Option<u16>, depth: u8) -> Result<Test, String> {
    let [word, rest @ ..] = *words else { return Err(complaint()) };
    *words = rest;
    if depth > 16 {
        return Err(complaint());
    }
    match word.as_str() {
        "not" | "!" => Ok(Test::Not(Box::new(one(words, port_of, depth + 1)?))),
        "(" => {
            let inner = either(words, port_of, depth + 1)?;
            match *words {
                [close, rest @ ..] if close == ")" => *words = rest,
                _ => return Err(complaint()),
            }
            Ok(inner)
        }
        "sport" | "dport" | "src" | "dst" => {
            let mut compare = "=".to_owned();
            if let [sign, rest @ ..] = *words
                && matches!(
                    sign.as_str(),
                    "=" | "=="
                        | "eq"
                        | "!="
                        | "ne"
                        | "neq"
                        | ">"
                        | "gt"
                        | "<"
                        | "lt"
                        | ">="
                        | "ge"
                        | "<="
                        | "le"
                )
            {
                compare.clone_from(sign);
                *words = rest;
            }
            let [value, rest @ ..] = *words else { return Err(complaint()) };
            *words = rest;
            let remote = word.starts_with('d');
            if word.ends_with("port") {
                let name = value.rsplit(':').next().unwrap_or_default();
                let port = name.parse().ok().or_else(|| port_of(name));
                let port = port.ok_or_else(|| {
                    format!("Error: an inet prefix is expected rather than \"{value}\".\nCannot parse dst/src address.\n")
                })?;
                return Ok(Test::Port { remote, compare, port });
            }
            address(value, remote, port_of).map(|test| {
                if matches!(compare.as_str(), "!=" | "ne" | "neq") { Test::Not(Box::new(test)) } else { test }
            })
        }
        _ => Err(complaint()),
    }
}

/// `192.0.2.1`, `192.0.2.0/24:22`, `[::1]:80`, `:22`.
fn address(value: &str, remote: bool, port_of: &dyn Fn(&str) -> Option<u16>) -> Result<Test, String> {
    let wrong = || {
        format!("Error: an inet prefix is expected rather than \"{value}\".\nCannot parse dst/src address.\n")
    };
    let (host, port) = match value.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None if value.matches(':').count() == 1 => {
            value.split_once(':').map_or((value, None), |(host, port)| (host, Some(port)))
        }
        None => (value, None),
    };
    let port = match port.filter(|port| !matches!(*port, "" | "*")) {
        None => None,
        Some(port) => Some(port.parse().ok().or_else(|| port_of(port)).ok_or_else(wrong)?),
    };
    if matches!(host, "" | "*") {
        return Ok(Test::Address { remote, address: None, port });
    }
    let (host, length) = host.split_once('/').map_or((host, None), |(host, length)| (host, Some(length)));
    let address: IpAddr = host.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(most), |length| length.parse().ok()).filter(|length| *length <= most);
    Ok(Test::Address { remote, address: Some((address, length.ok_or_else(wrong)?)), port })
}

fn takes(test: &Test, socket: &Socket) -> bool {
    let end = |remote: bool| if remote { socket.remote.unwrap_or((socket.local.0, 0)) } else { socket.local };
    match test {
        Test::Any => true,
        Test::Port { remote, compare, port } => {
            let own = end(*remote).1;
            match compare.as_str() {
                "!=" | "ne" | "neq" => own != *port,
                ">" | "gt" => own > *port,
                "<" | "lt" => own < *port,
                ">=" | "ge" => own >= *port,
                "<=" | "le" => own <= *port,
                _ => own == *port,
            }
        }
        Test::Address { remote, address, port } => {
            let (own, own_port) = end(*remote);
            port.is_none_or(|port| port == own_port)
                && address.is_none_or(|(address, length)| is_within(own, address, length))
        }
        Test::Not(inner) => !takes(inner, socket),
        Test::Both(left, right) => takes(left, socket) && takes(right, socket),
        Test::Either(left, right) => takes(left, socket) || takes(right, socket),
    }
}

fn is_within(own: IpAddr, address: IpAddr, length: u8) -> bool {
    let same = |own: u128, address: u128, bits: u32| {
        let rest = bits.saturating_sub(u32::from(length));
        rest >= 128 || own >> rest == address >> rest
    };
    match (own, address) {
        (IpAddr::V4(own), IpAddr::V4(address)) => same(u32::from(own).into(), u32::from(address).into(), 32),
        (IpAddr::V6(own), IpAddr::V6(address)) => same(own.into(), address.into(), 128),
        _ => false,
    }
}
