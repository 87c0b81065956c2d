//! One complete visit of each protocol that speaks in lines: what is sent, and what ends each answer.

use std::io;

use acceptance::{
    bucket::PASSWORD,
    clients::{Lines, at_prompt},
};

/// What ends an answer.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// This text.
    Text(&'static str),
    /// A shell's prompt.
    Prompt,
    /// A last line as in FTP and SMTP.
    Reply,
    /// The end of the stream.
    Close,
}

/// One exchange: sent bytes (none at the start) and the end of the answer.
#[derive(Clone, Debug)]
pub struct Step {
    /// What the visitor sends.
    pub send: String,
    /// What the visitor waits for.
    pub end: End,
}

/// The protocols that speak in lines, by their name in the figures.
pub const NAMES: [&str; 4] = ["telnet", "ftp", "smtp", "http"];

/// The visit of a protocol.
pub fn of(protocol: &str) -> Vec<Step> {
    let step = |send: &str, end| Step { send: send.to_owned(), end };
    let pass = format!("PASS {PASSWORD}\r\n");
    match protocol {
        "telnet" => vec![
            step("", End::Text("login: ")),
            step("root\r\n", End::Text("assword: ")),
            step(&format!("{PASSWORD}\r\n"), End::Prompt),
            step("uname -a\r\n", End::Prompt),
            step("exit\r\n", End::Close),
        ],
        "ftp" => vec![
            step("", End::Reply),
            step("USER root\r\n", End::Reply),
            step(&pass, End::Reply),
            step("SYST\r\n", End::Reply),
            step("PWD\r\n", End::Reply),
            step("QUIT\r\n", End::Close),
        ],
        "smtp" => vec![
            step("", End::Reply),
            step("EHLO visitor.example\r\n", End::Reply),
            step("MAIL FROM:<a@example.net>\r\n", End::Reply),
            step("RCPT TO:<root>\r\n", End::Reply),
            step("DATA\r\n", End::Reply),
            step("Subject: hello\r\n\r\nhello\r\n.\r\n", End::Reply),
            step("QUIT\r\n", End::Close),
        ],
        "http" => vec![step("GET / HTTP/1.1\r\nHost: example.net\r\nConnection: close\r\n\r\n", End::Close)],
        other => panic!("no script for {other}"),
    }
}

/// Connects as the protocol wants it.
pub async fn connect(protocol: &str, port: u16) -> io::Result<Lines> {
    if protocol == "telnet" { Lines::telnet(port).await } else { Lines::connect(port).await }
}

/// Waits for the end of an answer.
pub async fn finish(visitor: &mut Lines, end: End) -> io::Result<()> {
    match end {
        End::Text(text) => visitor.until(text).await.map(drop),
        End::Prompt => visitor.read_until(at_prompt).await.map(drop),
        End::Reply => visitor.reply().await.map(drop),
        End::Close => {
            visitor.rest(acceptance::clients::lines::PATIENCE).await?;
            if visitor.is_closed() { Ok(()) } else { Err(io::Error::other("the server does not close")) }
        }
    }
}

/// One complete visit.
pub async fn visit(protocol: &str, steps: &[Step], port: u16) -> io::Result<()> {
    let mut visitor = connect(protocol, port).await?;
    for step in steps {
        if !step.send.is_empty() {
            visitor.send(&step.send).await?;
        }
        finish(&mut visitor, step.end).await?;
    }
    Ok(())
}

/// One visit with every answer kept as it came, for the bare server to repeat.
pub async fn record(protocol: &str, port: u16) -> io::Result<Vec<(usize, Vec<u8>)>> {
    let mut visitor = connect(protocol, port).await?;
    visitor.take_raw();
    let mut answers = Vec::new();
    for step in of(protocol) {
        if !step.send.is_empty() {
            visitor.send(&step.send).await?;
        }
        finish(&mut visitor, step.end)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("{protocol}, {step:?}: {error}")))?;
        answers.push((step.send.matches('\n').count(), visitor.take_raw()));
    }
    Ok(answers)
}
