//! scp's two pipes: lines, bytes and acknowledgements.

use std::io;

use bytes::{Bytes, BytesMut};

use super::super::channel::ChannelLine;
use crate::handler::Line as _;

/// The longest line of the protocol (scp.c: a buffer of 2048).
const LONGEST: usize = 2048;

/// The line to the other end.
pub struct Pipe {
    /// Where it goes.
    pub line: ChannelLine,
    /// Whether something was refused: the exit status says so.
    pub complained: bool,
    heard: BytesMut,
}

impl Pipe {
    /// Nothing heard yet.
    pub fn new(line: ChannelLine) -> Self {
        Self { line, complained: false, heard: BytesMut::new() }
    }

    /// Hears more; `false` at the end.
    async fn more(&mut self) -> io::Result<bool> {
        Ok(self.line.hear(&mut self.heard).await? > 0)
    }

    /// The next line without its end; nothing at the end.
    pub async fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = memchr(&self.heard) {
                let line = self.heard.split_to(end + 1);
                return Ok(Some(line.get(..end).unwrap_or_default().to_vec()));
            }
            if self.heard.len() > LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Up to `most` bytes of a file; nothing at the end.
    pub async fn piece(&mut self, most: usize) -> io::Result<Option<Bytes>> {
        while self.heard.is_empty() {
            if !self.more().await? {
                return Ok(None);
            }
        }
        let length = self.heard.len().min(most);
        Ok(Some(self.heard.split_to(length).freeze()))
    }

    /// What the other end says of the last step; `false` when it did not go well there.
    pub async fn answer(&mut self) -> io::Result<bool> {
        let Some(byte) = self.piece(1).await? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        match byte.first() {
            Some(0) => Ok(true),
            Some(1) => {
                self.next_line().await?;
                self.complained = true;
                Ok(false)
            }
            _ => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the other end gave up")),
        }
    }

    /// Says bytes.
    pub async fn say(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        self.line.say(bytes.into()).await
    }

    /// All well so far.
    pub async fn well(&mut self) -> io::Result<()> {
        self.say(&b"\0"[..]).await
    }

    /// Something is not well; the rest goes on.
    pub async fn complain(&mut self, words: &str) -> io::Result<()> {
        self.complained = true;
        self.say(format!("\x01scp: {words}\n")).await
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'\n')
}
