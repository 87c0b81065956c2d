//! `dig`, `host` and `nslookup` of BIND 9.18: the names that `wget` and `ping` know, at the same addresses.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::shell::commands::{
    Call, Said, packages,
    transfer::{self, Url},
    usage,
};

/// As long as a resolver nearby takes for a name that it has to ask others about.
const ASKED: Duration = Duration::from_millis(24);
/// The most names of one call.
const MOST: usize = 20;

/// What a resolver says.
enum Answer {
    /// Addresses; for other types of records there are none.
    Has(Vec<String>),
    NoName,
}

fn resolved(call: &Call<'_>, name: &str, kind: &str) -> Answer {
    let name = name.trim_end_matches('.');
    let own = call.identity();
    let address = match name {
        "localhost" => Some("127.0.0.1".to_owned()),
        _ if name == own.full_name() && name.contains('.') => Some(own.address.to_string()),
        _ => Url::cut(&format!("dns://{name}/")).resolved().filter(|_| name.contains('.')),
    };
    match address {
        None => Answer::NoName,
        Some(address) if kind == "A" => Answer::Has(vec![address]),
        Some(_) => Answer::Has(Vec::new()),
    }
}

fn server(call: &Call<'_>, asked: Option<&str>) -> String {
    asked.map_or_else(|| call.identity().gateway.to_string(), str::to_owned)
}

fn is_kind(word: &str) -> bool {
    matches!(
        word.to_ascii_uppercase().as_str(),
        "A" | "AAAA" | "ANY" | "CNAME" | "MX" | "NS" | "PTR" | "SOA" | "SRV" | "TXT" | "CAA" | "AXFR"
    )
}

/// Life of an answer in seconds.
fn life(name: &str) -> u32 {
    60 + u32::from(Sha256::digest(name).first().copied().unwrap_or(7))
}

pub(in crate::shell::commands) async fn dig(call: &Call<'_>) -> Said {
    if let [only] = call.args
        && let Some(said) = usage::exactly("dig", only)
    {
        return said;
    }
    let (mut names, mut kind, mut asked, mut short, mut flags) =
        (Vec::new(), "A".to_owned(), None, false, Vec::new());
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            arg if arg.starts_with('@') => asked = arg.get(1..),
            "+short" => short = true,
            arg if arg.starts_with('+') => flags.push(arg.trim_start_matches('+').to_owned()),
            "-t" => kind = args.next().map_or_else(|| "A".to_owned(), |kind| kind.to_ascii_uppercase()),
            "-x" => {
                names.extend(args.next().map(|name| reversed(name)));
                kind = "PTR".to_owned();
            }
            "-p" | "-c" | "-b" | "-k" | "-f" | "-y" => drop(args.next()),
            "-4" | "-6" | "-r" | "-u" => {}
            "-v" => {
                return Said::err(format!("DiG {}\n", version(call)), 0);
            }
            arg if is_kind(arg) && !names.is_empty() => kind = arg.to_ascii_uppercase(),
            arg if is_kind(arg) && names.is_empty() && call.args.len() > 1 => kind = arg.to_ascii_uppercase(),
            name => names.push(name.to_owned()),
        }
    }
    if names.is_empty() {
        names.push(".".to_owned());
        kind = "NS".to_owned();
    }
    let mut text = String::new();
    if !short {
        text += &format!(
            "\n; <<>> DiG {} <<>> {}\n;; global options: +cmd\n",
            version(call),
            call.args.join(" ")
        );
    }
    for name in names.iter().take(MOST) {
        transfer::wait(call.session, ASKED).await;
        let answer = resolved(call, name, &kind);
        let (status, addresses) = match &answer {
            Answer::Has(addresses) => ("NOERROR", &addresses[..]),
            Answer::NoName => ("NXDOMAIN", &[][..]),
        };
        if short || flags.iter().any(|flag| flag == "noall") {
            text.extend(addresses.iter().map(|address| format!("{address}\n")));
            continue;
        }
        let full = format!("{}.", name.trim_end_matches('.'));
        let digest = Sha256::digest(format!("{name}{:?}", call.now()));
        let id = digest.iter().take(2).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        text += &format!(
            ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {status}, id: {id}\n;; flags: qr rd ra; QUERY: 1, ANSWER: {}, AUTHORITY: 0, ADDITIONAL: 1\n\n;; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n;; QUESTION SECTION:\n;{:<31}IN\t{kind}\n\n",
            addresses.len(),
            tabbed(&full, 31)
        );
        if !addresses.is_empty() {
            text += ";; ANSWER SECTION:\n";
            for address in addresses {
                text += &format!("{}{}\tIN\t{kind}\t{address}\n", tabbed(&full, 24), life(name));
            }
            text.push('\n');
        }
        let now: DateTime<Utc> = call.now().into();
        let server = server(call, asked);
        text += &format!(
            ";; Query time: {} msec\n;; SERVER: {server}#53({server}) (UDP)\n;; WHEN: {}\n;; MSG SIZE  rcvd: {}\n\n",
            ASKED.as_millis(),
            now.format("%a %b %d %H:%M:%S UTC %Y"),
            29 + full.len() + 16 * addresses.len()
        );
    }
    Said::out(text)
}

/// A name, filled with tabs up to a column.
fn tabbed(name: &str, column: usize) -> String {
    let tabs = column.saturating_sub(name.len()).div_ceil(8).max(1);
    name.to_owned() + &"\t".repeat(tabs)
}

/// `8.8.8.8` as it is looked up.
fn reversed(address: &str) -> String {
    let parts: Vec<&str> = address.split('.').rev().collect();
    format!("{}.in-addr.arpa", parts.join("."))
}

fn version(call: &Call<'_>) -> String {
    let version = packages::version_of_package(call, "bind9-dnsutils").unwrap_or_default();
    format!("{}-Debian", version.rsplit(':').next().unwrap_or_default())
}

pub(in crate::shell::commands) async fn host(call: &Call<'_>) -> Said {
    let options = call.options("ctRWmpN");
    let Some(name) = options.operands.first() else {
        return usage::exactly("host", "").unwrap_or_else(|| Said::nothing(1));
    };
    let kind = options.value('t').map_or_else(|| "A".to_owned(), str::to_ascii_uppercase);
    transfer::wait(call.session, ASKED).await;
    let mut text = match options.operands.get(1) {
        Some(server) => format!("Using domain server:\nName: {server}\nAddress: {server}#53\nAliases: \n\n"),
        None => String::new(),
    };
    if name.parse::<std::net::IpAddr>().is_ok() {
        text += &format!("Host {}. not found: 3(NXDOMAIN)\n", reversed(name));
        return Said { status: 1, ..Said::out(text) };
    }
    match resolved(call, name, &kind) {
        Answer::NoName => {
            text += &format!("Host {name} not found: 3(NXDOMAIN)\n");
            Said { status: 1, ..Said::out(text) }
        }
        Answer::Has(addresses) if addresses.is_empty() => {
            text += &format!("{name} has no {kind} record\n");
            Said::out(text)
        }
        Answer::Has(addresses) => {
            text.extend(addresses.iter().map(|address| format!("{name} has address {address}\n")));
            Said::out(text)
        }
    }
}

pub(in crate::shell::commands) async fn nslookup(call: &Call<'_>) -> Said {
    let words: Vec<&String> = call.args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let Some(name) = words.first() else { return Said::nothing(0) };
    let server = server(call, words.get(1).map(|server| server.as_str()));
    transfer::wait(call.session, ASKED).await;
    let head = format!("Server:\t\t{server}\nAddress:\t{server}#53\n\n");
    if name.parse::<std::net::IpAddr>().is_ok() {
        let text = format!("** server can't find {}: NXDOMAIN\n\n", reversed(name));
        return Said { status: 1, ..Said::out(text) };
    }
    match resolved(call, name, "A") {
        Answer::NoName => {
            Said { status: 1, ..Said::out(format!("{head}** server can't find {name}: NXDOMAIN\n\n")) }
        }
        Answer::Has(addresses) => {
            let mut text = format!("{head}Non-authoritative answer:\n");
            text.extend(addresses.iter().map(|address| format!("Name:\t{name}\nAddress: {address}\n")));
            Said::out(text + "\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::tests::{said, shell};

    #[tokio::test]
    async fn everybody_finds_a_name_at_the_same_address() {
        let mut shell = shell("root");
        let dig = said(&mut shell, "dig +short files.example.org").await.0;
        assert_eq!(dig.trim().parse::<std::net::Ipv4Addr>().map(|ip| ip.is_private()), Ok(false), "{dig}");
        let others = said(
            &mut shell,
            "host files.example.org | awk '{print $NF}'; nslookup files.example.org | awk '/^Address: /{print $2}'; dig files.example.org | awk '$4==\"A\"{print $5}'; ping -c 1 files.example.org | head -1 | tr -d '()' | cut -d' ' -f3",
        )
        .await
        .0;
        assert_eq!(others, dig.repeat(4));
        let text = said(
            &mut shell,
            "host nosuch.invalid; echo $?; dig +short nosuch.invalid; nslookup nosuch.invalid | tail -2",
        )
        .await
        .0;
        assert_eq!(
            text,
            "Host nosuch.invalid not found: 3(NXDOMAIN)\n1\n** server can't find nosuch.invalid: NXDOMAIN\n\n"
        );
    }
}
