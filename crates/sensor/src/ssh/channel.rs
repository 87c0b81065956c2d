//! One SSH session channel as a line to the visitor.

use std::{io, pin::pin};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use decoy::Turn;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig, server::Msg};
use tokio_util::sync::CancellationToken;

use super::waiting_room::Called;
use crate::handler::Line;

/// How much is taken from the client while it does not take what is said.
const EARLY: usize = 64 * 1024;

/// A session channel.
pub struct ChannelLine {
    reader: ChannelReadHalf,
    writer: ChannelWriteHalf<Msg>,
    early: BytesMut,
    ended: bool,
    gone: CancellationToken,
}

impl ChannelLine {
    /// A line over a channel that was called; it breaks when `gone` says that the channel is closed, which a writer
    /// who waits for the client's window would never learn from the library.
    pub fn new(called: Called, gone: CancellationToken) -> Self {
        let (reader, writer) = called.channel.split();
        Self { reader, writer, early: called.early, ended: called.ended, gone }
    }

    /// Waits for a step of the writer, but not beyond the channel's end.
    async fn done(&self, step: impl Future<Output = Result<(), russh::Error>> + Send) -> io::Result<()> {
        tokio::select! {
            biased;
            done = step => done.map_err(|error| io::Error::new(io::ErrorKind::BrokenPipe, error)),
            () = self.gone.cancelled() => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

#[async_trait]
impl Line for ChannelLine {
    async fn hear(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        if !self.early.is_empty() {
            let early = std::mem::take(&mut self.early);
            buffer.extend_from_slice(&early);
            return Ok(early.len());
        }
        if std::mem::take(&mut self.ended) {
            return Ok(0);
        }
        loop {
            // What arrived before the end is heard first.
            let message = tokio::select! {
                biased;
                message = self.reader.wait() => message,
                () = self.gone.cancelled() => None,
            };
            match message {
                Some(ChannelMsg::Data { data }) if data.is_empty() => {}
                Some(ChannelMsg::Data { data }) => {
                    buffer.extend_from_slice(&data);
                    return Ok(data.len());
                }
                Some(ChannelMsg::Eof) => return Ok(0),
                Some(ChannelMsg::Close) | None => return Err(io::ErrorKind::ConnectionReset.into()),
                // Requests (pty, env, window) are the connection's business.
                Some(_) => {}
            }
        }
    }

    /// Listens while the client's window is full: the message that opens it may lie behind data which the library
    /// hands on only as long as somebody takes it.
    async fn say(&mut self, bytes: Bytes) -> io::Result<()> {
        let Self { reader, writer, early, ended, gone } = self;
        let mut step = pin!(writer.data_bytes(bytes));
        loop {
            tokio::select! {
                biased;
                done = &mut step => return done.map_err(|error| io::Error::new(io::ErrorKind::BrokenPipe, error)),
                () = gone.cancelled() => return Err(io::ErrorKind::BrokenPipe.into()),
                message = reader.wait(), if early.len() < EARLY && !*ended => match message {
                    Some(ChannelMsg::Data { data }) => early.extend_from_slice(&data),
                    Some(ChannelMsg::Eof) => *ended = true,
                    Some(ChannelMsg::Close) | None => return Err(io::ErrorKind::ConnectionReset.into()),
                    Some(_) => {}
                },
            }
        }
    }

    async fn say_error(&mut self, bytes: Bytes) -> io::Result<()> {
        // 1 is SSH_EXTENDED_DATA_STDERR (RFC 4254, 5.2).
        self.done(self.writer.extended_data_bytes(1, bytes)).await
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "an SSH channel does not speak TLS"))
    }

    async fn hang_up(&mut self, status: u32) -> io::Result<()> {
        self.done(async {
            self.writer.eof().await?;
            match status.checked_sub(Turn::KILLED) {
                None => self.writer.exit_status(status).await?,
                Some(signal) => self.writer.exit_signal(signal_name(signal)).await?,
            }
            self.writer.close().await
        })
        .await
    }
}

/// The name of a signal, as sshd reports it (session.c: sig2name).
fn signal_name(signal: u32) -> Sig {
    match signal {
        1 => Sig::HUP,
        2 => Sig::INT,
        3 => Sig::QUIT,
        6 => Sig::ABRT,
        9 => Sig::KILL,
        10 => Sig::USR1,
        11 => Sig::SEGV,
        13 => Sig::PIPE,
        14 => Sig::ALRM,
        15 => Sig::TERM,
        12 => Sig::Custom("USR2".to_owned()),
        _ => Sig::Custom("SIG@openssh.com".to_owned()),
    }
}
