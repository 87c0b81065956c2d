//! The TCP line: plain, or TLS once a dialogue asked for it.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Poll, ready},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use openssl::ssl::Ssl;
use tokio::{
    io::{AsyncRead, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    sync::Semaphore,
};
use tokio_openssl::SslStream;

use crate::{handler::Line, tls::Speaker};

/// How much is read at once.
const READ: usize = 4096;

/// Whose handshake is computed, one at a time: a group of 8192 bits takes a processor a while, and visitors of other ports
/// shall not notice.
static TURN: Semaphore = Semaphore::const_new(1);

/// A TCP connection.
pub struct TcpLine {
    channel: Channel,
    tls: Speaker,
    /// The visitor has closed their half.
    closed: bool,
}

enum Channel {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
    /// A handshake failed: nothing more can be said or heard.
    Gone,
}

impl TcpLine {
    /// A plain line that can speak TLS with this certificate.
    pub fn new(stream: TcpStream, tls: Speaker) -> Self {
        Self { channel: Channel::Plain(stream), tls, closed: false }
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

/// Adds what arrives to `buffer`, which grows by no more than that: an idle visitor costs none. A read that was not full
/// says that there is no more, so nothing is asked of the kernel twice.
async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> io::Result<usize> {
    poll_fn(|context| {
        let mut room = [MaybeUninit::uninit(); READ];
        let mut arrived = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut arrived))?;
        buffer.extend_from_slice(arrived.filled());
        Poll::Ready(Ok(arrived.filled().len()))
    })
    .await
}

/// The handshake. Each step of it waits for its turn, and not for the visitor while it has it.
async fn accept(stream: &mut SslStream<TcpStream>) -> io::Result<()> {
    loop {
        let turn = TURN.acquire().await.map_err(io::Error::other)?;
        let step = poll_fn(|context| Poll::Ready(Pin::new(&mut *stream).poll_accept(context))).await;
        drop(turn);
        if let Poll::Ready(done) = step {
            return done.map_err(|error| error.into_io_error().unwrap_or_else(io::Error::other));
        }
        // The step asked to be woken when there is more.
        let mut woken = false;
        poll_fn(|_| if std::mem::replace(&mut woken, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

#[async_trait]
impl Line for TcpLine {
    async fn hear(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        let heard = match &mut self.channel {
            Channel::Plain(stream) => read(stream, buffer).await,
            Channel::Tls(stream) => read(stream.as_mut(), buffer).await,
            Channel::Gone => Ok(0),
        }?;
        self.closed |= heard == 0;
        Ok(heard)
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
                let mut stream = Box::new(SslStream::new(Ssl::new(&self.tls.context)?, stream)?);
                accept(stream.as_mut()).await?;
                self.channel = Channel::Tls(stream);
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
            Channel::Tls(_) if self.closed && !self.tls.answers_goodbye => {
                self.channel = Channel::Gone;
                Ok(())
            }
            Channel::Tls(stream) => stream.shutdown().await,
            Channel::Gone => Ok(()),
        }
    }
}
