//! What public tools look at to call a server a honeypot (`shared/corpora/honeypot_signatures.md`), one check for each row.
//!
//! A check gives why it would fire. Rows of one kind share a check; the id says which rows it stands for.

mod http;
mod mail_and_files;
mod shell;
mod ssh;
mod telnet;

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::bucket::Ports;

/// A login that the server accepts.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The user.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

/// A row that fired.
#[derive(Debug)]
pub struct Fired {
    /// Its id, such as `SSH-05`.
    pub id: &'static str,
    /// What was seen.
    pub why: String,
}

/// The rows that were looked at, and those that fired.
#[derive(Debug, Default)]
pub struct Findings {
    /// Every id.
    pub looked: Vec<&'static str>,
    /// Those that fired.
    pub fired: Vec<Fired>,
}

impl Findings {
    /// Looks at a row; `why` is what fires it.
    pub fn look(&mut self, id: &'static str, why: Option<String>) {
        if !self.looked.contains(&id) {
            self.looked.push(id);
        }
        self.fired.extend(why.map(|why| Fired { id, why }));
    }

    /// Fires when a condition holds.
    pub fn fires_if(&mut self, id: &'static str, condition: bool, why: impl Into<String>) {
        self.look(id, condition.then(|| why.into()));
    }

    /// Fires when one of these texts is in an answer.
    pub fn fires_on(&mut self, id: &'static str, answer: &str, texts: &[&str]) {
        let found = texts.iter().find(|text| answer.contains(**text));
        self.look(id, found.map(|text| format!("{text:?} in {answer:?}")));
    }
}

/// Every row on one bucket.
pub async fn look(ports: &Ports, login: Login<'_>) -> Findings {
    let mut findings = look_at_daemons(ports, login).await;
    shell::look(ports.ssh, login, &mut findings).await;
    findings
}

/// Every row about the daemons themselves, real ones among them: they are run on whatever machine this is.
pub async fn look_at_daemons(ports: &Ports, login: Login<'_>) -> Findings {
    let mut findings = Findings::default();
    ssh::look(ports.ssh, &mut findings).await;
    telnet::look(ports.telnet, &mut findings).await;
    mail_and_files::look_at_ftp(ports.ftp, login, &mut findings).await;
    mail_and_files::look_at_smtp(ports.smtp, &mut findings).await;
    http::look(ports.http, &mut findings).await;
    host(ports, &mut findings).await;
    findings
}

/// Rows about the machine as a whole.
async fn host(ports: &Ports, findings: &mut Findings) {
    let banners = [ports.ssh, ports.ftp, ports.smtp].map(|port| ask(port, &[]));
    let [ssh, ftp, smtp] = futures::future::join_all(banners).await.try_into().unwrap();
    let http = ask(ports.http, &[b"HEAD / HTTP/1.0\r\n\r\n"]).await;
    let all = [ssh, ftp, smtp, http];
    let word = |word: &str| all.iter().any(|text| text.to_lowercase().contains(word));
    findings.fires_if("HOST-02", word("microsoft") || word("windows"), "a Windows service beside OpenSSH");
    findings.fires_if("HOST-03", word("honeypot"), "it says so itself");
    let foreign = word("ubuntu") || word("centos") || word("freebsd");
    findings.fires_if("HOST-05", foreign || !word("debian"), format!("builds of several systems: {all:?}"));
}

/// What a server says at first and to each piece, until it is silent for a moment or closes.
pub async fn ask(port: u16, pieces: &[&[u8]]) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return String::new() };
    let mut heard = Vec::new();
    if pieces.is_empty() || port_speaks_first(&mut stream, &mut heard).await {
        hear(&mut stream, &mut heard).await;
    }
    for piece in pieces {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        hear(&mut stream, &mut heard).await;
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// Whether something comes without being asked for.
async fn port_speaks_first(stream: &mut TcpStream, heard: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    match timeout(Duration::from_millis(300), stream.read(&mut buffer)).await {
        Ok(Ok(length)) => {
            heard.extend_from_slice(&buffer[..length]);
            true
        }
        _ => false,
    }
}

/// Until nothing comes for a moment; an answer may take as long as a wrong password does.
async fn hear(stream: &mut TcpStream, heard: &mut Vec<u8>) {
    let (mut buffer, mut patience) = ([0; 16 * 1024], Duration::from_secs(5));
    if !heard.is_empty() {
        patience = Duration::from_millis(700);
    }
    while let Ok(Ok(length @ 1..)) = timeout(patience, stream.read(&mut buffer)).await {
        heard.extend_from_slice(&buffer[..length]);
        patience = Duration::from_millis(300);
    }
}

/// The time until the first byte.
pub async fn first_byte(port: u16) -> Duration {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _read = timeout(Duration::from_secs(10), stream.read(&mut [0; 1])).await;
    began.elapsed()
}
