//! The life of one conversation: hears the visitor, lets the dialogue answer, performs its turns in order.

use std::{io, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use decoy::{Dialogue, Stage, Turn};
use tokio::time::{Instant, timeout_at};
use wire::EventKind;

use crate::{artifacts::Artifacts, session::Session};

/// A line to the visitor: a TCP connection, or one channel of an SSH connection.
#[async_trait]
pub trait Line: Send {
    /// Adds what arrives to `buffer`; 0 when the visitor will send no more. Must be cancel-safe.
    async fn hear(&mut self, buffer: &mut BytesMut) -> io::Result<usize>;
    /// Sends bytes.
    async fn say(&mut self, bytes: Bytes) -> io::Result<()>;
    /// Sends bytes on the error channel, where there is one.
    async fn say_error(&mut self, bytes: Bytes) -> io::Result<()> {
        self.say(bytes).await
    }
    /// Speaks TLS from here on.
    async fn start_tls(&mut self) -> io::Result<()>;
    /// Ends the line; SSH reports the status.
    async fn hang_up(&mut self, status: u32) -> io::Result<()>;
}

/// Bounds of one conversation.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a visitor may be silent.
    pub idle: Duration,
    /// How long a visit may last.
    pub session: Duration,
    /// How many bytes a visit may move, in both directions.
    pub bytes: u64,
}

/// How much output is gathered before it is sent.
const GATHER: usize = 64 * 1024;

/// Holds one conversation to its end.
pub async fn handle_client(
    line: &mut dyn Line,
    dialogue: &mut dyn Dialogue,
    session: &Session,
    bounds: Bounds,
    artifacts: &Arc<Artifacts>,
) {
    let mut conversation = Conversation {
        line,
        stage: Stage::new(),
        session,
        bounds,
        artifacts,
        ends_at: Instant::from_std(session.began()) + bounds.session,
        gathered: BytesMut::new(),
        heard: BytesMut::new(),
    };
    // Every way out of a conversation is its end; the close is noted by the session's owner.
    if let Err(End::Broken(error)) = conversation.hold(dialogue).await {
        tracing::debug!(%error, peer = %session.peer(), "connection broke");
    }
}

/// Why a conversation ended.
enum End {
    /// The dialogue hung up, the visitor left, or a bound was reached.
    Done,
    /// The transport failed.
    Broken(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

struct Conversation<'a> {
    line: &'a mut dyn Line,
    stage: Stage,
    session: &'a Session,
    bounds: Bounds,
    artifacts: &'a Arc<Artifacts>,
    ends_at: Instant,
    gathered: BytesMut,
    heard: BytesMut,
}

impl Conversation<'_> {
    async fn hold(&mut self, dialogue: &mut dyn Dialogue) -> Result<(), End> {
        let stage = self.stage.clone();
        self.attend(dialogue.open(&stage)).await?;
        loop {
            let typed = self.stage.take_typed();
            if !typed.is_empty() {
                self.attend(dialogue.hear(&typed, &stage)).await?;
                continue;
            }
            if self.stage.typing_ended() {
                self.attend(dialogue.end(&stage)).await?;
                return self.leave(0).await;
            }
            // Asked again after every call: a daemon waits differently in different states.
            let own = dialogue.idle_limit().filter(|own| *own < self.bounds.idle);
            let until = (Instant::now() + own.unwrap_or(self.bounds.idle)).min(self.ends_at);
            match timeout_at(until, self.line.hear(&mut self.heard)).await {
                Err(_elapsed) if own.is_some() && Instant::now() < self.ends_at => {
                    // The daemon's own patience; it may go on.
                    self.attend(dialogue.timed_out(&stage)).await?;
                }
                Err(_elapsed) => {
                    let limit =
                        if Instant::now() >= self.ends_at { "session_timeout" } else { "idle_timeout" };
                    self.note_limit(limit);
                    self.attend(dialogue.timed_out(&stage)).await?;
                    return self.leave(0).await;
                }
                Ok(heard) => {
                    if heard? == 0 {
                        self.stage.type_end();
                        continue;
                    }
                    let bytes = self.heard.split();
                    self.count(bytes.len())?;
                    self.attend(dialogue.hear(&bytes, &stage)).await?;
                    // A visitor who is idle should cost no buffer.
                    self.heard = BytesMut::new();
                }
            }
        }
    }

    /// Runs one call of the dialogue; meanwhile performs its turns and collects what the visitor types ahead.
    async fn attend(&mut self, call: impl Future<Output = ()>) -> Result<(), End> {
        let mut call = pin!(call);
        let stage = self.stage.clone();
        let mut room = true;
        loop {
            tokio::select! {
                biased;
                () = &mut call => return self.perform().await,
                () = stage.turns_added() => self.perform().await?,
                heard = self.line.hear(&mut self.heard), if room && !stage.typing_ended() => {
                    let heard = heard?;
                    if heard == 0 {
                        stage.type_end();
                    }
                    self.count(heard)?;
                    let taken = stage.type_ahead(&self.heard);
                    // What finds no room waits in our buffer, and the rest in the visitor's socket.
                    let _taken = self.heard.split_to(taken);
                    room = self.heard.is_empty();
                }
                () = tokio::time::sleep_until(self.ends_at) => {
                    self.note_limit("session_timeout");
                    return self.leave(1).await;
                }
            }
            if !room {
                let taken = stage.type_ahead(&self.heard);
                let _taken = self.heard.split_to(taken);
                room = self.heard.is_empty();
            }
        }
    }

    /// Performs the turns that are there. The one match over [`Turn`].
    async fn perform(&mut self) -> Result<(), End> {
        while let Some(turn) = self.stage.next_turn() {
            match turn {
                Turn::Say(bytes) => {
                    if self.gathered.is_empty() && bytes.len() >= GATHER {
                        self.send(bytes).await?;
                    } else {
                        self.gathered.extend_from_slice(&bytes);
                        if self.gathered.len() >= GATHER {
                            self.flush().await?;
                        }
                    }
                }
                Turn::SayError(bytes) => {
                    self.flush().await?;
                    self.count(bytes.len())?;
                    self.line.say_error(bytes).await?;
                }
                Turn::Note(kind) => self.session.note(kind),
                Turn::Keep { sha256, bytes } => self.keep(sha256, bytes).await,
                Turn::Pause(time) => {
                    self.flush().await?;
                    tokio::time::sleep_until((Instant::now() + time).min(self.ends_at)).await;
                }
                Turn::StartTls => {
                    self.flush().await?;
                    self.line.start_tls().await?;
                }
                Turn::HangUp(status) => return self.leave(status).await,
            }
        }
        self.flush().await
    }

    /// Ends the line. Always gives the end of the conversation.
    async fn leave(&mut self, status: u32) -> Result<(), End> {
        self.flush().await?;
        self.line.hang_up(status).await?;
        Err(End::Done)
    }

    async fn flush(&mut self) -> Result<(), End> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let bytes = self.gathered.split().freeze();
        self.send(bytes).await
    }

    /// Sends, but waits no longer for a visitor who does not read than for one who does not speak.
    async fn send(&mut self, bytes: Bytes) -> Result<(), End> {
        self.count(bytes.len())?;
        let until = (Instant::now() + self.bounds.idle).min(self.ends_at);
        match timeout_at(until, self.line.say(bytes)).await {
            Ok(sent) => Ok(sent?),
            Err(_elapsed) => {
                self.note_limit("idle_timeout");
                Err(End::Done)
            }
        }
    }

    /// A bound in time was reached; the event says after how many seconds of the visit.
    fn note_limit(&self, limit: &str) {
        let value = self.session.began().elapsed().as_secs();
        self.session.note(EventKind::LimitHit { limit: limit.to_owned(), value });
    }

    fn count(&mut self, bytes: usize) -> Result<(), End> {
        let total = self.session.count_bytes(bytes);
        if total > self.bounds.bytes {
            self.session.note(EventKind::LimitHit { limit: "session_bytes".to_owned(), value: total });
            return Err(End::Done);
        }
        Ok(())
    }

    async fn keep(&mut self, sha256: String, bytes: Bytes) {
        let artifacts = Arc::clone(self.artifacts);
        // Keeping waits for the disk.
        match tokio::task::spawn_blocking(move || artifacts.keep(&sha256, &bytes)).await {
            Ok(Ok(_kept)) => {}
            Ok(Err(error)) => tracing::error!(%error, "a captured file could not be kept"),
            Err(error) => {
                tracing::error!(%error, "a captured file could not be kept: the writing task failed")
            }
        }
    }
}
