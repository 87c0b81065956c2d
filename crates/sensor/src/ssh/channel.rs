//! One SSH session channel as a line to the visitor.

use std::io;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, server::Msg};

use crate::handler::Line;

/// A session channel.
pub struct ChannelLine {
    reader: ChannelReadHalf,
    writer: ChannelWriteHalf<Msg>,
}

impl ChannelLine {
    /// Takes over a channel that was accepted.
    pub fn new(channel: russh::Channel<Msg>) -> Self {
        let (reader, writer) = channel.split();
        Self { reader, writer }
    }
}

fn broken(error: russh::Error) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}

#[async_trait]
impl Line for ChannelLine {
    async fn hear(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        loop {
            match self.reader.wait().await {
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

    async fn say(&mut self, bytes: Bytes) -> io::Result<()> {
        self.writer.data_bytes(bytes).await.map_err(broken)
    }

    async fn say_error(&mut self, bytes: Bytes) -> io::Result<()> {
        // 1 is SSH_EXTENDED_DATA_STDERR (RFC 4254, 5.2).
        self.writer.extended_data_bytes(1, bytes).await.map_err(broken)
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "an SSH channel does not speak TLS"))
    }

    async fn hang_up(&mut self, status: u32) -> io::Result<()> {
        self.writer.eof().await.map_err(broken)?;
        self.writer.exit_status(status).await.map_err(broken)?;
        self.writer.close().await.map_err(broken)
    }
}
