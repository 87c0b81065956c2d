//! `nc` of netcat-openbsd 1.219.

use std::time::Duration;

use super::{Place, Reach, Talk, port, service};
use crate::shell::{
    commands::{Call, Options, Said, usage},
    io::{Input, Out},
};

/// Letters that take a value.
const VALUED: &str = "IiMmOPpqsTVWwXx";
const LETTERS: &str = "46bCDdFhklNnrStUuvZz";
/// The most ports of one call.
const MOST_PORTS: usize = 1000;
/// Longer than any daemon lets a silent client wait.
const PATIENCE: Duration = Duration::from_secs(300);

/// One call.
struct Nc<'a> {
    call: &'a Call<'a>,
    options: Options,
    /// `-w`.
    limit: Option<Duration>,
    said: Said,
}

pub(in crate::shell::commands) async fn nc(call: &Call<'_>) -> Said {
    let options = call.options(VALUED);
    let help = || usage::exactly("nc", "").unwrap_or_default();
    if let Some(letter) = options.unknown(LETTERS) {
        let text = format!("nc: invalid option -- '{letter}'\n");
        return Said::err([text.as_bytes(), &help().err].concat(), 1);
    }
    if let Some(long) = options.long.first() {
        // There are no long options: the second hyphen is one that is not known.
        let text = format!("nc: invalid option -- '{}'\n", if long.is_empty() { "" } else { "-" });
        return Said::err([text.as_bytes(), &help().err].concat(), 1);
    }
    if options.has('h') {
        return usage::exactly("nc", "-h").unwrap_or_else(help);
    }
    let limit = match options.value('w').map(str::parse::<u64>) {
        None => None,
        Some(Ok(seconds)) if seconds < 2_147_483 => Some(Duration::from_secs(seconds)),
        Some(_) => {
            return Said::err(
                format!("nc: timeout invalid: {}\n", options.value('w').unwrap_or_default()),
                1,
            );
        }
    };
    let mut nc = Nc { call, options, limit, said: Said::default() };
    if nc.options.has('l') {
        nc.listen().await;
        return nc.said;
    }
    let (Some(host), Some(ports)) =
        (nc.options.operands.first().cloned(), nc.options.operands.get(1).cloned())
    else {
        return Said { status: 1, ..help() };
    };
    nc.connect(&host, &ports).await;
    nc.said
}

impl Nc<'_> {
    fn complain(&mut self, text: &str) {
        match self.call.session.channels.lock().clone().filter(|_| self.call.to_terminal) {
            Some((output, _)) => output(Out::Stderr, text.as_bytes()),
            None => self.said.err.extend_from_slice(text.as_bytes()),
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        match self.call.session.channels.lock().clone().filter(|_| self.call.to_terminal) {
            Some((output, _)) => output(Out::Stdout, bytes),
            None => self.said.out.extend_from_slice(bytes),
        }
    }

    /// Nobody calls; the visitor waits until they have enough of it.
    async fn listen(&mut self) {
        let own = self.options.value('p').map(str::to_owned);
        let Some(word) = own.or_else(|| self.options.operands.last().cloned()) else {
            self.said = Said { status: 1, ..usage::exactly("nc", "").unwrap_or_default() };
            return;
        };
        let Some(number) = port(&word) else {
            self.complain(&format!("nc: port number invalid: {word}\n"));
            self.said.status = 1;
            return;
        };
        let taken = Talk::listens(&self.call.session.contact.visitor, number) && !self.options.has('u');
        if taken || number < 1024 && !self.call.is_root() {
            let why = if taken { "Address already in use" } else { "Permission denied" };
            self.complain(&format!("nc: {why}\n"));
            self.said.status = 1;
            return;
        }
        if self.options.has('v') {
            let how = if self.options.has('u') { "Bound" } else { "Listening" };
            self.complain(&format!("{how} on 0.0.0.0 {number}\n"));
        }
        self.call.session.contact.visitor.clock().pass(self.limit.unwrap_or(12 * PATIENCE)).await;
    }

    async fn connect(&mut self, host: &str, ports: &str) {
        let mut list = Vec::new();
        for part in ports.split(',') {
            let range = match part.split_once('-').filter(|(low, _)| low.parse::<u16>().is_ok()) {
                Some((low, high)) => port(low).zip(port(high)),
                None => port(part).map(|number| (number, number)),
            };
            let Some((low, high)) = range else {
                self.complain(&format!("nc: port number invalid: {part}\n"));
                self.said.status = 1;
                return;
            };
            list.extend((low.min(high)..=low.max(high)).take(MOST_PORTS));
        }
        self.said.status = 1;
        for number in list.into_iter().take(MOST_PORTS) {
            let Some(place) = Place::of(self.call.session, host, number) else {
                self.complain(&format!(
                    "nc: getaddrinfo for host \"{host}\" port {number}: Name or service not known\n"
                ));
                return;
            };
            place.record(self.call.session, if self.options.has('u') { "udp" } else { "tcp" });
            if self.reaches(&place).await {
                self.said.status = 0;
                if !self.options.has('z') {
                    self.talk(&place).await;
                    return;
                }
            }
        }
    }

    /// Whether there is a connection, and what `-v` tells of it.
    async fn reaches(&mut self, place: &Place) -> bool {
        let udp = self.options.has('u');
        if !udp {
            place.wait(self.call.session, self.limit).await;
        }
        let verbose = self.options.has('v');
        let kind = if udp { "udp" } else { "tcp" };
        let Place { name, address, port, reach } = place;
        let host = if place.is_address() || self.options.has('n') {
            name.clone()
        } else {
            format!("{name} ({address})")
        };
        let failed = match reach {
            _ if udp => None,
            Reach::Own | Reach::Accepted => None,
            Reach::Refused => Some("failed: Connection refused"),
            Reach::NoRoute => Some("failed: No route to host"),
            Reach::Silent if self.limit.is_some() => Some("timed out: Operation now in progress"),
            Reach::Silent => Some("failed: Connection timed out"),
        };
        match failed {
            None if verbose => {
                let service = service(*port).filter(|_| !self.options.has('n')).unwrap_or("*");
                self.complain(&format!("Connection to {host} {port} port [{kind}/{service}] succeeded!\n"));
            }
            None => {}
            Some(why) if verbose => {
                self.complain(&format!("nc: connect to {host} port {port} ({kind}) {why}\n"));
            }
            Some(_) => {}
        }
        failed.is_none()
    }

    /// Carries bytes until either side has enough.
    async fn talk(&mut self, place: &Place) {
        let input = self.call.session.channels.lock().clone().map(|(_, input)| input);
        if place.reach != Reach::Own || self.options.has('u') {
            self.shout(input).await;
            return;
        }
        let (mut talk, said) = Talk::open(&self.call.session.contact, place.port).await;
        self.show(&said);
        let crlf = self.options.has('C');
        let ends = |bytes: &[u8]| match crlf {
            true => String::from_utf8_lossy(bytes).replace('\n', "\r\n").into_bytes(),
            false => bytes.to_vec(),
        };
        if self.options.has('d') {
            // Reads nothing.
        } else if let Some(bytes) = self.call.stdin {
            let said = talk.hear(&ends(bytes)).await;
            self.show(&said);
        } else if let Some(input) = input {
            while !talk.over
                && let Some(bytes) = input.read().await
            {
                let said = talk.hear(&ends(&bytes)).await;
                self.show(&said);
            }
        }
        if self.options.has('N') {
            let said = talk.end().await;
            self.show(&said);
        } else if !talk.over {
            // The daemon waits for more, and so does nc.
            let patience = match self.options.value('q').map(str::parse::<u64>) {
                Some(Ok(seconds)) => Duration::from_secs(seconds),
                _ => self.limit.unwrap_or(PATIENCE),
            };
            self.call.session.contact.visitor.clock().pass(patience.min(PATIENCE)).await;
        }
    }

    /// Nothing comes from far away: what the visitor sends is lost, and they wait.
    async fn shout(&mut self, input: Option<Input>) {
        if self.call.stdin.is_none()
            && let Some(input) = input
        {
            while input.read().await.is_some() {}
        }
        if !self.options.has('N') {
            let patience = self.limit.unwrap_or(super::NO_ANSWER);
            self.call.session.contact.visitor.clock().pass(patience.min(super::NO_ANSWER)).await;
        }
    }
}
