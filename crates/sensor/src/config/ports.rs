//! `[ports]`: the five daemons and any number of plain ports, no number given twice.

use std::{collections::BTreeMap, fs, net::IpAddr};

use chat::Secret;
use settings::{Found, Origin, Section};
use wire::Protocol;

use super::{General, Listener, Management, PortTls};

/// The five daemons, their default ports in the order of CONTRACT.
const DAEMONS: [(&str, Protocol, u16); 5] = [
    ("ssh", Protocol::Ssh, 22),
    ("telnet", Protocol::Telnet, 23),
    ("ftp", Protocol::Ftp, 21),
    ("smtp", Protocol::Smtp, 25),
    ("http", Protocol::Http, 80),
];

/// Every port that is switched on.
pub(super) fn read(mut section: Section<'_>, general: &General, management: &Management) -> Vec<Listener> {
    let mut listeners = Vec::new();
    let mut taken: BTreeMap<u16, (String, IpAddr)> = BTreeMap::new();
    taken.insert(management.port, ("management.port".to_owned(), management.address));
    for (name, protocol, port) in DAEMONS {
        let entry = read_port(section.section(name), name, Some((protocol, port)), general);
        keep_port(&mut section, entry, &mut taken, &mut listeners);
    }
    for name in section.keys() {
        let entry = read_port(section.section(&name), &name, None, general);
        keep_port(&mut section, entry, &mut taken, &mut listeners);
    }
    listeners
}

type Entry = Option<(Listener, Option<Origin>)>;

fn read_port(
    mut section: Section<'_>,
    name: &str,
    daemon: Option<(Protocol, u16)>,
    general: &General,
) -> Entry {
    let enabled = section.flag("enabled").unwrap_or(true);
    let written = section.found_number("port", 0..=65535_u16);
    let origin = written.as_ref().and_then(|port| port.origin.clone()).or_else(|| section.origin.clone());
    // A daemon's own entry may be made a plain port, which keeps its number.
    let protocol = section
        .parsed("protocol", "\"plain\", \"ssh\", \"telnet\", \"ftp\", \"smtp\" or \"http\"", |text| {
            [Protocol::Plain].into_iter().chain(DAEMONS.map(|(_, p, _)| p)).find(|p| p.as_str() == text)
        })
        .or(daemon.map(|(protocol, _)| protocol));
    let missing = daemon.is_none() && written.is_none();
    if missing {
        section.fault("port", section.origin.clone(), "is missing: every port of one's own needs a number");
    }
    let port = written.map(|port| port.value).or(daemon.map(|(_, port)| port)).unwrap_or_default();
    let protocol = protocol.unwrap_or(Protocol::Plain);
    let listener = Listener {
        name: name.to_owned(),
        protocol,
        tls: read_tls(&mut section, protocol),
        address: section.parse("listen_address", "an IP address").unwrap_or(general.listen_address),
        port,
        banner: section.text("banner"),
    };
    (enabled && !missing).then_some((listener, origin))
}

/// `tls = true`, and perhaps `certificate` and `key`.
fn read_tls(section: &mut Section<'_>, protocol: Protocol) -> Option<PortTls> {
    let origin = section.origin.clone();
    let wanted = section.flag("tls").unwrap_or(false);
    let (certificate, key) = (section.found_text("certificate"), section.found_text("key"));
    if wanted && protocol != Protocol::Http {
        section.fault("tls", origin, "works on ports of the protocol \"http\" only");
        return None;
    }
    let given = match (certificate, key) {
        (None, None) => return wanted.then_some(PortTls { given: None }),
        _ if !wanted => {
            section.fault("tls", origin, "must be true for `certificate` and `key` to be used");
            return None;
        }
        (Some(certificate), Some(key)) => {
            (read_pem(section, "certificate", certificate), read_pem(section, "key", key))
        }
        _ => {
            section.fault("tls", origin, "needs both `certificate` and `key`, or neither");
            return None;
        }
    };
    let (certificate, key) = (given.0?, given.1?);
    Some(PortTls { given: Some((certificate, Secret::new(key))) })
}

/// The text of a PEM file.
fn read_pem(section: &mut Section<'_>, key: &str, file: Found<String>) -> Option<String> {
    match fs::read_to_string(&file.value) {
        Ok(text) if text.contains("-----BEGIN ") => Some(text),
        Ok(_) => {
            section.fault(key, file.origin, format!("{} is not a PEM file", file.value));
            None
        }
        Err(error) => {
            section.fault(key, file.origin, format!("{} cannot be read: {error}", file.value));
            None
        }
    }
}

fn keep_port(
    section: &mut Section<'_>,
    entry: Entry,
    taken: &mut BTreeMap<u16, (String, IpAddr)>,
    listeners: &mut Vec<Listener>,
) {
    let Some((listener, origin)) = entry else {
        return;
    };
    if listener.port != 0 {
        match taken.get(&listener.port) {
            Some((other, address))
                if *address == listener.address
                    || address.is_unspecified()
                    || listener.address.is_unspecified() =>
            {
                let what = format!("port {} is named twice: `{other}` has it too", listener.port);
                section.fault(&listener.name, origin, what);
                return;
            }
            _ => {
                let name = format!("ports.{}", listener.name);
                taken.insert(listener.port, (name, listener.address));
            }
        }
    }
    listeners.push(listener);
}
