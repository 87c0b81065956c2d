//! A chain as `iptables -L` shows it.

use super::{Chain, rule::Rule};

/// How a chain is listed.
pub(super) struct Look {
    pub(super) numeric: bool,
    pub(super) verbose: bool,
    pub(super) numbered: bool,
}

pub(super) fn listed(chain: &Chain, look: &Look) -> String {
    let counters = if look.verbose { " 0 packets, 0 bytes" } else { "" };
    let head = match &chain.policy {
        Some(policy) => format!("policy {policy}{counters}"),
        None => "0 references".to_owned(),
    };
    let mut text = format!("Chain {} ({head})\n", chain.name);
    if look.numbered {
        text += "num  ";
    }
    text += if look.verbose {
        " pkts bytes target     prot opt in     out     source               destination         \n"
    } else {
        "target     prot opt source               destination         \n"
    };
    for (number, rule) in (1..).zip(&chain.rules) {
        if look.numbered {
            text += &format!("{number:<4} ");
        }
        let anywhere = if look.numeric { "0.0.0.0/0" } else { "anywhere" };
        let place = |place: &str| match place {
            "" => anywhere.to_owned(),
            place => place.trim_end_matches("/32").replace("! ", "!"),
        };
        let protocol = match (rule.protocol.as_str(), look.numeric) {
            ("" | "all", true) => "0",
            ("" | "all", false) => "all",
            ("icmp", true) => "1",
            ("tcp", true) => "6",
            ("udp", true) => "17",
            (other, _) => other,
        };
        let target = rule.target.get(1).map_or("", String::as_str);
        if look.verbose {
            let interface =
                |name: &String| if name.is_empty() { "*".to_owned() } else { name.replace("! ", "!") };
            text += &format!(
                "    0     0 {target:<10} {protocol:<4} --  {:<6} {:<6}  {:<20} {:<20}",
                interface(&rule.input),
                interface(&rule.output),
                place(&rule.source),
                place(&rule.destination)
            );
        } else {
            text += &format!(
                "{target:<10} {protocol:<4} --  {:<20} {:<20}",
                place(&rule.source),
                place(&rule.destination)
            );
        }
        text += &further(rule, look.numeric);
        text.push('\n');
    }
    text
}

/// What stands behind the columns.
fn further(rule: &Rule, numeric: bool) -> String {
    let mut text = String::new();
    let port = |port: &str| {
        let name = match port {
            "21" => "ftp",
            "22" => "ssh",
            "23" => "telnet",
            "25" => "smtp",
            "53" => "domain",
            "80" => "http",
            "443" => "https",
            other => return other.to_owned(),
        };
        if numeric { port.to_owned() } else { name.to_owned() }
    };
    let mut words = rule.matches.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        text += &match word {
            "-m" => match value() {
                name @ ("tcp" | "udp") => format!(" {name}"),
                "multiport" => " multiport".to_owned(),
                _ => continue,
            },
            "--dport" => format!(" dpt:{}", port(value())).replace("dpt:! ", "dpt:!"),
            "--sport" => format!(" spt:{}", port(value())).replace("spt:! ", "spt:!"),
            "--dports" => format!(" dports {}", value()),
            "--sports" => format!(" sports {}", value()),
            "--state" => format!(" state {}", value()),
            "--ctstate" => format!(" ctstate {}", value()),
            "--comment" => format!(" /* {} */", value()),
            "--limit" => format!(" limit: avg {} burst 5", value()),
            other => format!(" {} {}", other.trim_start_matches('-'), value()),
        };
    }
    let mut words = rule.target.iter().skip(2).map(String::as_str);
    while let Some(word) = words.next() {
        text += &match word {
            "--to-destination" | "--to-source" => format!(" to:{}", words.next().unwrap_or_default()),
            "--to-ports" | "--to-port" => format!(" redir ports {}", words.next().unwrap_or_default()),
            "--reject-with" => format!(" reject-with {}", words.next().unwrap_or_default()),
            other => format!(" {}", other.trim_start_matches('-')),
        };
    }
    if rule.target.get(1).is_some_and(|target| target == "REJECT") && rule.target.len() == 2 {
        text += " reject-with icmp-port-unreachable";
    }
    text
}
