//! The TCP line: plain, or TLS once a dialogue asked for it.

use std::{io, sync::Arc};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::handler::Line;

/// How much is read at once.
const READ: usize = 4096;

/// A TCP connection.
pub struct TcpLine {
    channel: Channel,
    tls: Arc<rustls::ServerConfig>,
}

enum Channel {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed: nothing more can be said or heard.
    Gone,
}

impl TcpLine {
    /// A plain line that can speak TLS with this certificate.
    pub fn new(stream: TcpStream, tls: Arc<rustls::ServerConfig>) -> Self {
        Self { channel: Channel::Plain(stream), tls }
    }

    /// Whether the visitor's first byte begins a TLS handshake (nginx: ngx_http_ssl_handshake); the byte stays where it is.
    pub async fn begins_tls(&self) -> io::Result<bool> {
        let Channel::Plain(stream) = &self.channel else { return Ok(true) };
        let mut first = [0];
        match stream.peek(&mut first).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            // A handshake, or one of SSL 2.
            _ => Ok(first == [0x16] || first[0] & 0x80 != 0),
        }
    }
}

/// Adds what is there to `buffer`, which grows by no more than that: an idle visitor costs none.
fn read(stream: &TcpStream, buffer: &mut BytesMut) -> io::Result<usize> {
    let mut arrived = [0; READ];
    let size = stream.try_read(&mut arrived)?;
    buffer.extend_from_slice(arrived.get(..size).unwrap_or_default());
    Ok(size)
}

#[async_trait]
impl Line for TcpLine {
    async fn hear(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        match &mut self.channel {
            Channel::Plain(stream) => loop {
                stream.readable().await?;
                match read(stream, buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    other => return other,
                }
            },
            Channel::Tls(stream) => {
                buffer.reserve(READ);
                stream.read_buf(buffer).await
            }
            Channel::Gone => Ok(0),
        }
    }

    async fn say(&mut self, bytes: Bytes) -> io::Result<()> {
        match &mut self.channel {
            Channel::Plain(stream) => stream.write_all(&bytes).await,
            Channel::Tls(stream) => {
                stream.write_all(&bytes).await?;
                stream.flush().await
            }
            Channel::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.channel, Channel::Gone) {
            Channel::Plain(stream) => {
                let stream = TlsAcceptor::from(Arc::clone(&self.tls)).accept(stream).await?;
                self.channel = Channel::Tls(Box::new(stream));
                Ok(())
            }
            other => {
                self.channel = other;
                Ok(())
            }
        }
    }

    async fn hang_up(&mut self, _status: u32) -> io::Result<()> {
        match &mut self.channel {
            // Closing says it, as when a daemon ends.
            Channel::Plain(_) => {
                self.channel = Channel::Gone;
                Ok(())
            }
            Channel::Tls(stream) => stream.shutdown().await,
            Channel::Gone => Ok(()),
        }
    }
}
