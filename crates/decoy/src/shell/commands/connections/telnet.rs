//! `telnet` of inetutils 2.4, `ssh-keyscan` and `whois`.

use std::time::Duration;

use super::{Place, Reach, Talk, port};
use crate::{
    pam,
    shell::{
        commands::{Call, Options, Said, accounts::Lines},
        io::Out,
    },
};

/// How often login(1) asks.
const TRIES: usize = 5;

pub(in crate::shell::commands) async fn telnet(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "beklnSX");
    let Some(name) = options.operands.first() else { return Said::nothing(1) };
    let word = options.operands.get(1).map_or("23", String::as_str);
    let Some(number) = port(word) else {
        return Said::err(format!("telnet: bad port {}\n", crate::shell::commands::quoting::quoted(word)), 1);
    };
    let Some(place) = Place::of(call.session, name, number) else {
        let shown = if word == "23" { "telnet" } else { word };
        return Said::err(
            format!("telnet: could not resolve {name}/{shown}: Name or service not known\n"),
            1,
        );
    };
    place.record(call.session, "telnet");
    let tell = |text: &[u8]| {
        if let Some((output, _)) = call.session.channels.lock().clone() {
            output(Out::Stdout, text);
        }
    };
    tell(format!("Trying {}...\n", place.address).as_bytes());
    place.wait(call.session, None).await;
    match place.reach {
        Reach::Refused => {
            return Said::err("telnet: Unable to connect to remote host: Connection refused\n", 1);
        }
        Reach::NoRoute => {
            return Said::err("telnet: Unable to connect to remote host: No route to host\n", 1);
        }
        Reach::Silent => {
            return Said::err("telnet: Unable to connect to remote host: Connection timed out\n", 1);
        }
        Reach::Own | Reach::Accepted => {}
    }
    tell(format!("Connected to {name}.\nEscape character is '^]'.\n").as_bytes());
    let lost = Said::err("Connection closed by foreign host.\n", 1);
    let Some((_, input)) = call.session.channels.lock().clone() else { return lost };
    match place.reach {
        Reach::Own if number == 23 => login(call, &tell).await,
        Reach::Own => {
            let (mut talk, said) = Talk::open(&call.session.contact, number).await;
            tell(&plain(&said));
            while !talk.over
                && let Some(bytes) = input.read().await
            {
                let bytes = String::from_utf8_lossy(&bytes).replace('\n', "\r\n");
                tell(&plain(&talk.hear(bytes.as_bytes()).await));
            }
        }
        _ => while input.read().await.is_some() {},
    }
    lost
}

/// A terminal shows CR LF as the line end that it is.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut plain = bytes.to_vec();
    plain.retain(|byte| *byte != b'\r');
    plain
}

/// The machine's own login, which refuses whoever is in already.
async fn login(call: &Call<'_>, tell: &(dyn Fn(&[u8]) + Send + Sync)) {
    let identity = call.identity();
    tell(format!("\nLinux {} ({}) (pts/1)\n\n", identity.kernel_release, identity.hostname).as_bytes());
    let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
    let mut lines = Lines::of(call, &text);
    let mut said = Said::default();
    for _ in 0..TRIES {
        tell(format!("{} login: ", identity.hostname).as_bytes());
        let Some((_, input)) = call.session.channels.lock().clone() else { return };
        if input.read_line().await.is_empty() {
            return;
        }
        if lines.answer("Password: ", &mut said).await.is_none() {
            return;
        }
        call.session.contact.visitor.clock().pass(pam::delay(pam::LOGIN)).await;
        tell(b"\nLogin incorrect\n");
    }
    tell(format!("Maximum number of tries exceeded ({TRIES})\n").as_bytes());
}

/// `ssh-keyscan`: the machine's own keys; other hosts have none to show.
pub(in crate::shell::commands) async fn keyscan(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "fpTt");
    let number = options.value('p').and_then(port).unwrap_or(22);
    let wanted = options.value('t').unwrap_or("rsa,ecdsa,ed25519");
    let limit = options.value('T').and_then(|text| text.parse().ok()).unwrap_or(5);
    let mut said = Said::nothing(1);
    for name in options.operands.iter().flat_map(|word| word.split(',')).take(20) {
        let Some(place) = Place::of(call.session, name, number) else {
            said.err.extend(format!("getaddrinfo {name}: Name or service not known\n").bytes());
            continue;
        };
        place.record(call.session, "ssh");
        place.wait(call.session, Some(Duration::from_secs(limit))).await;
        if place.reach != Reach::Own || number != 22 {
            if place.reach == Reach::Refused {
                said.err.extend(format!("{name}: Connection refused\n").bytes());
            }
            continue;
        }
        let shown = if number == 22 { name.to_owned() } else { format!("[{name}]:{number}") };
        for kind in ["rsa", "ecdsa", "ed25519"] {
            if !wanted.split(',').any(|word| word == kind) {
                continue;
            }
            let file = format!("/etc/ssh/ssh_host_{kind}_key.pub");
            let text = call.files().read(&file).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let key: Vec<&str> = text.split_whitespace().take(2).collect();
            let banner = format!("# {name}:{number} SSH-2.0-OpenSSH_{}\n", call.identity().openssh);
            said.err.extend(banner.bytes());
            said.out.extend(format!("{shown} {}\n", key.join(" ")).bytes());
            said.status = 0;
        }
    }
    said
}

/// `whois` 5.5.17: nobody answers on port 43.
pub(in crate::shell::commands) async fn whois(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "hpgiTsvtq");
    let Some(object) = options.operands.last() else { return Said::nothing(1) };
    let server = match options.value('h') {
        Some(server) => server,
        None if object.parse::<std::net::IpAddr>().is_ok() => "whois.arin.net",
        None => "whois.iana.org",
    };
    let number = options.value('p').and_then(port).unwrap_or(43);
    let Some(place) = Place::of(call.session, server, number) else {
        return Said::err(format!("getaddrinfo({server}): Name or service not known\n"), 2);
    };
    place.record(call.session, "whois");
    place.wait(call.session, None).await;
    let why = match place.reach {
        Reach::Own | Reach::Accepted => return Said::nothing(0),
        Reach::Refused => "Connection refused",
        Reach::NoRoute => "No route to host",
        Reach::Silent => "Connection timed out",
    };
    Said::err(format!("connect: {why}\n"), 2)
}
