//! A visitor on a plain TCP stream: Telnet, FTP, SMTP, HTTP and whatever else a probe sends.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// How long one answer may take before the server counts as hung.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Telnet's commands (RFC 854).
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// A stream from one address of 127.0.0.0/8 to a port of 127.0.0.1.
pub async fn stream_from(source: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    if source != Ipv4Addr::LOCALHOST {
        socket.bind((source, 0).into())?;
    }
    socket.connect((Ipv4Addr::LOCALHOST, port).into()).await
}

/// One connection.
pub struct Lines {
    stream: TcpStream,
    telnet: Option<Negotiation>,
    /// Received and not yet asked for.
    unread: Vec<u8>,
    /// Received as it came, when somebody wants it.
    raw: Option<Vec<u8>>,
    closed: bool,
}

impl Lines {
    /// Connects.
    pub async fn connect(port: u16) -> io::Result<Self> {
        Self::connect_from(Ipv4Addr::LOCALHOST, port).await
    }

    /// Connects from an address of its own in 127.0.0.0/8: the bucket takes it for another visitor.
    pub async fn connect_from(source: Ipv4Addr, port: u16) -> io::Result<Self> {
        let stream = stream_from(source, port).await?;
        Ok(Self { stream, telnet: None, unread: Vec::new(), raw: None, closed: false })
    }

    /// Connects and answers Telnet options as a simple client does: echo and go-ahead left to the server, nothing else.
    pub async fn telnet(port: u16) -> io::Result<Self> {
        Self::telnet_from(Ipv4Addr::LOCALHOST, port).await
    }

    /// The same from an address of its own.
    pub async fn telnet_from(source: Ipv4Addr, port: u16) -> io::Result<Self> {
        let mut lines = Self::connect_from(source, port).await?;
        lines.telnet = Some(Negotiation::default());
        Ok(lines)
    }

    /// Logs in on Telnet; gives what was shown up to the prompt.
    pub async fn log_in(&mut self, user: &str, password: &str) -> io::Result<String> {
        self.until("login: ").await?;
        self.send_line(user).await?;
        self.until("assword: ").await?;
        self.send_line(password).await?;
        let shown = self.read_until(super::at_prompt).await?;
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Sends one line, ended as the protocol does.
    pub async fn send_line(&mut self, line: &str) -> io::Result<()> {
        self.send(format!("{line}\r\n")).await
    }

    /// Closes our sending half.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Reads until `done` is content with what is unread; gives it. The end of the stream, and a server that hangs, are errors.
    pub async fn read_until(&mut self, done: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let read = async {
            while !done(&self.unread) {
                if self.closed {
                    let shown = String::from_utf8_lossy(&self.unread).into_owned();
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("closed after {shown:?}"),
                    ));
                }
                self.receive().await?;
            }
            Ok(())
        };
        let result = timeout(PATIENCE, read).await;
        match result {
            Ok(result) => result.map(|()| std::mem::take(&mut self.unread)),
            Err(_) => {
                let shown = String::from_utf8_lossy(&self.unread).into_owned();
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("hung after {shown:?}")))
            }
        }
    }

    /// Reads until a text appears.
    pub async fn until(&mut self, text: &str) -> io::Result<String> {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let bytes = self
            .read_until(has)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("no {text:?}: {error}")))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads one whole answer of FTP or SMTP: the line whose code is followed by a space (RFC 959, 4.2; RFC 5321, 4.2).
    pub async fn reply(&mut self) -> io::Result<String> {
        let complete = |bytes: &[u8]| {
            let whole = bytes.ends_with(b"\n");
            let last = bytes.split(|byte| *byte == b'\n').rev().nth(1).unwrap_or_default();
            whole && last.len() >= 4 && last[..3].iter().all(u8::is_ascii_digit) && last[3] == b' '
        };
        Ok(String::from_utf8_lossy(&self.read_until(complete).await?).into_owned())
    }

    /// Sends one line and reads its answer.
    pub async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send_line(line).await?;
        self.reply().await
    }

    /// Reads until the server closes, or says nothing for `quiet`; gives what came.
    pub async fn rest(&mut self, quiet: Duration) -> io::Result<Vec<u8>> {
        while !self.closed {
            match timeout(quiet, self.receive()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => break,
                Ok(Err(error)) => return Err(error),
                Err(_) => break,
            }
        }
        Ok(std::mem::take(&mut self.unread))
    }

    /// Takes what came since the last call, Telnet commands included; the first call begins to keep it.
    pub fn take_raw(&mut self) -> Vec<u8> {
        self.raw.replace(Vec::new()).unwrap_or_default()
    }

    /// Whether the server has closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    async fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).await?;
        self.closed = count == 0;
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(&buffer[..count]);
        }
        match &mut self.telnet {
            None => self.unread.extend_from_slice(&buffer[..count]),
            Some(negotiation) => {
                let answer = negotiation.read(&buffer[..count], &mut self.unread);
                if !answer.is_empty() {
                    self.stream.write_all(&answer).await?;
                }
            }
        }
        Ok(())
    }
}

/// Where a Telnet stream stands, and which options were answered.
#[derive(Default)]
struct Negotiation {
    pending: Vec<u8>,
    answered: Vec<(u8, u8)>,
}

impl Negotiation {
    /// Separates text from commands; gives the answer to the commands.
    fn read(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let mut answer = Vec::new();
        loop {
            let used = match *self.pending.as_slice() {
                [IAC, IAC, ..] => {
                    text.push(IAC);
                    2
                }
                [IAC, SB, ref rest @ ..] => match rest.windows(2).position(|pair| pair == [IAC, SE]) {
                    Some(end) => end + 4,
                    None => break,
                },
                [IAC, command @ (WILL | WONT | DO | DONT), option, ..] => {
                    let reply = match (command, option) {
                        (WILL, 1 | 3) => Some(DO), // echo, suppress go-ahead
                        (WILL, _) => Some(DONT),
                        (DO, 3) => Some(WILL),
                        (DO, _) => Some(WONT),
                        _ => None,
                    };
                    if let Some(reply) = reply
                        && !self.answered.contains(&(reply, option))
                    {
                        self.answered.push((reply, option));
                        answer.extend([IAC, reply, option]);
                    }
                    3
                }
                [IAC] | [IAC, WILL | WONT | DO | DONT] => break,
                [IAC, _, ..] => 2,
                [byte, ..] => {
                    if byte != 0 {
                        text.push(byte);
                    }
                    1
                }
                [] => break,
            };
            self.pending.drain(..used);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telnet_options_are_answered_and_taken_out() {
        let mut negotiation = Negotiation::default();
        let mut text = Vec::new();
        let mut answer = negotiation.read(&[IAC, DO, 24, IAC, WILL, 1, b'l', IAC], &mut text);
        answer.extend(negotiation.read(&[WILL, 1, b'o', IAC, SB, 24, 1, IAC, SE, b'g', IAC, IAC], &mut text));
        assert_eq!(text, [b'l', b'o', b'g', IAC]);
        assert_eq!(answer, [IAC, WONT, 24, IAC, DO, 1]);
    }
}
