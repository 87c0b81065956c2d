//! A visitor on SSH, over the client half of `russh`.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use russh::{
    Channel, ChannelMsg, ChannelStream, Disconnect, Preferred,
    client::{self, Handle, Msg},
    kex,
    keys::PublicKeyOrCertificate,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

use super::{
    at_prompt,
    lines::{PATIENCE, stream_from},
};

/// Takes any host key: the bucket's is new in every test.
struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// What a person tries to leave a program: Ctrl-C, nano's way (to vi it means nothing), vi's way.
pub const LEAVING: [&[u8]; 3] = [b"\x03", b"\x18", b"\x1b:q!\r"];

/// A connection that is logged in.
pub struct Ssh {
    handle: Handle<Trusting>,
}

/// What one command gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit status, when the server told it.
    pub status: Option<u32>,
}

impl Ssh {
    /// Connects and logs in; `None` when the password is refused.
    pub async fn log_in(port: u16, user: &str, password: &str) -> Result<Option<Self>, russh::Error> {
        Self::log_in_from(Ipv4Addr::LOCALHOST, port, user, password).await
    }

    /// The same from an address of its own in 127.0.0.0/8: the bucket takes it for another visitor.
    pub async fn log_in_from(
        source: Ipv4Addr,
        port: u16,
        user: &str,
        password: &str,
    ) -> Result<Option<Self>, russh::Error> {
        let stream = stream_from(source, port).await?;
        Self::log_in_over(stream, user, password).await
    }

    /// The same over a stream that is there already.
    pub async fn log_in_over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        user: &str,
        password: &str,
    ) -> Result<Option<Self>, russh::Error> {
        // The key exchange that OpenSSH 9.2 and most of its visitors agree on; a server that offers more is not asked for more.
        let preferred = Preferred { kex: vec![kex::CURVE25519].into(), ..Preferred::default() };
        let config = client::Config { nodelay: true, preferred, ..client::Config::default() };
        let mut handle = client::connect_stream(Arc::new(config), stream, Trusting).await?;
        let answer = handle.authenticate_password(user, password).await?;
        Ok(answer.success().then_some(Self { handle }))
    }

    /// One command without a terminal.
    pub async fn exec(&mut self, command: &str) -> Result<Output, russh::Error> {
        self.exec_within(command, PATIENCE).await
    }

    /// One command without a terminal, waited for so long.
    pub async fn exec_within(&mut self, command: &str, patience: Duration) -> Result<Output, russh::Error> {
        let mut channel = self.handle.channel_open_session().await?;
        channel.exec(true, command).await?;
        channel.eof().await?;
        let mut output = Output::default();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let read = async {
            while let Some(message) = channel.wait().await {
                match message {
                    ChannelMsg::Data { data } => out.extend_from_slice(&data),
                    ChannelMsg::ExtendedData { data, .. } => err.extend_from_slice(&data),
                    ChannelMsg::ExitStatus { exit_status } => output.status = Some(exit_status),
                    ChannelMsg::Failure => {
                        return Err(russh::Error::RequestDenied);
                    }
                    _ => {}
                }
            }
            Ok(())
        };
        timeout(patience, read).await.map_err(|_| russh::Error::ConnectionTimeout)??;
        output.out = String::from_utf8_lossy(&out).into_owned();
        output.err = String::from_utf8_lossy(&err).into_owned();
        Ok(output)
    }

    /// A subsystem, as a stream of its bytes.
    pub async fn subsystem(&mut self, name: &str) -> Result<ChannelStream<Msg>, russh::Error> {
        let channel = self.handle.channel_open_session().await?;
        channel.request_subsystem(true, name).await?;
        Ok(channel.into_stream())
    }

    /// A shell on a terminal, at its first prompt.
    pub async fn shell(&mut self) -> Result<Shell, russh::Error> {
        self.shell_of(80, 24).await
    }

    /// A shell on a terminal of so many columns and rows, at its first prompt.
    pub async fn shell_of(&mut self, columns: u32, rows: u32) -> Result<Shell, russh::Error> {
        let channel = self.handle.channel_open_session().await?;
        channel.request_pty(false, "xterm", columns, rows, 0, 0, &[]).await?;
        channel.request_shell(true).await?;
        let mut shell = Shell { channel, shown: Vec::new(), ended: false };
        if !shell.wait_for_prompt(PATIENCE).await {
            return Err(russh::Error::ConnectionTimeout);
        }
        Ok(shell)
    }

    /// Says goodbye.
    pub async fn leave(self) {
        // The server may have closed first.
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
    }
}

/// A shell on a terminal.
pub struct Shell {
    channel: Channel<Msg>,
    shown: Vec<u8>,
    ended: bool,
}

/// How long a program takes at most to be there.
const STARTING: Duration = Duration::from_millis(400);

impl Shell {
    /// Types one line (keys behind a CR in it are for the program that it starts) and waits for the next prompt;
    /// gives what was shown. A program that keeps the terminal is
    /// interrupted after `patience`. `None` when the shell has ended or does not come back.
    pub async fn line(&mut self, line: &str, patience: Duration) -> Option<String> {
        self.shown.clear();
        let end = if line.ends_with(char::is_control) { "" } else { "\r" };
        for keys in format!("{line}{end}").split_inclusive('\r') {
            self.type_bytes(keys.as_bytes().to_vec()).await?;
            if line.contains('\r') {
                tokio::time::sleep(STARTING).await;
            }
        }
        if !self.wait_for_prompt(patience).await {
            if self.ended {
                return None;
            }
            for keys in LEAVING {
                self.type_bytes(keys.to_vec()).await?;
                if self.wait_for_prompt(patience).await {
                    return Some(self.take_shown());
                }
            }
            return None;
        }
        Some(self.take_shown())
    }

    /// Types bytes, whatever happens.
    pub async fn type_bytes(&mut self, bytes: Vec<u8>) -> Option<()> {
        self.channel.data_bytes(bytes).await.ok()
    }

    /// Whether the shell has ended.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// What was shown since the last call.
    pub fn take_shown(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.shown)).into_owned()
    }

    async fn wait_for_prompt(&mut self, patience: Duration) -> bool {
        let read = async {
            while !at_prompt(&self.shown) {
                match self.channel.wait().await {
                    Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                        self.shown.extend_from_slice(&data);
                    }
                    Some(ChannelMsg::Eof | ChannelMsg::Close) | None => {
                        self.ended = true;
                        return false;
                    }
                    Some(_) => {}
                }
            }
            true
        };
        timeout(patience, read).await.unwrap_or(false)
    }
}
