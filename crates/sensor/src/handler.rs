//! The life of one conversation: hears the visitor, lets the dialogue answer, performs its turns in order.

mod keeping;

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use decoy::{Dialogue, Stage, Turn};
use futures::poll;
use tokio::time::{Instant, error::Elapsed, timeout, timeout_at};
use wire::EventKind;

use crate::{artifacts::Artifacts, recording::Recording, session::Session};

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

/// How much is read ahead of a busy dialogue beyond its own type-ahead.
const READ_AHEAD: usize = 4096;
/// How much output is gathered before it is sent.
const GATHER: usize = 64 * 1024;

/// How long a TLS handshake may take (nginx: `client_header_timeout`).
const HANDSHAKE: Duration = Duration::from_secs(60);
/// How long a goodbye may take on its way to a visitor who does not read.
const GOODBYE: Duration = Duration::from_secs(5);
/// The longest that pauses may keep a visitor waiting who sends nothing new.
const PAUSES: Duration = Duration::from_secs(60);
/// How long a dialogue may take to note what a visitor sent before it was cut off.
const LAST_WORDS: Duration = Duration::from_secs(1);

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
        paused: Duration::ZERO,
        recording: None,
    };
    let Err(end) = conversation.hold(dialogue).await;
    if let End::Broken(error) = &end {
        tracing::debug!(%error, peer = %session.peer(), "connection broke");
    }
    conversation.note_rest(dialogue, end).await;
    conversation.finish_recording().await;
}

/// Why a conversation ended.
enum End {
    /// The dialogue hung up, or the visitor left in order.
    HungUp,
    /// A bound was reached.
    Limit,
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
    /// Read from the line, not yet heard by the dialogue.
    heard: BytesMut,
    /// Pauses since the visitor last sent something.
    paused: Duration,
    /// From `cowrie.log.open` on.
    recording: Option<Recording>,
}

impl Conversation<'_> {
    async fn hold(&mut self, dialogue: &mut dyn Dialogue) -> Result<Infallible, End> {
        let stage = self.stage.clone();
        self.attend(dialogue.open(&stage)).await?;
        loop {
            // What was typed while the dialogue was busy comes first, then what found no room there.
            let typed = self.stage.take_typed();
            if !typed.is_empty() {
                self.attend(dialogue.hear(&typed, &stage)).await?;
                continue;
            }
            if !self.heard.is_empty() {
                let bytes = self.heard.split();
                self.attend(dialogue.hear(&bytes, &stage)).await?;
                if self.heard.is_empty() {
                    // A visitor who is idle costs no buffer.
                    self.heard = BytesMut::new();
                }
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
                    self.note_time_limit();
                    self.attend(dialogue.timed_out(&stage)).await?;
                    return self.leave(0).await;
                }
                Ok(heard) => self.take_in(heard?)?,
            }
        }
    }

    /// Counts what was read; 0 bytes are the visitor's end.
    fn take_in(&mut self, heard: usize) -> Result<(), End> {
        if heard == 0 {
            self.stage.type_end();
        }
        self.paused = Duration::ZERO;
        let begin = self.heard.len().saturating_sub(heard);
        self.session.arrived(self.heard.get(begin..).unwrap_or_default());
        self.count(heard)
    }

    /// Runs one call of the dialogue; meanwhile performs its turns and collects what the visitor types ahead.
    async fn attend(&mut self, call: impl Future<Output = ()>) -> Result<(), End> {
        let mut call = pin!(call);
        // Most calls are over at once: no timer and no reading for them.
        if poll!(&mut call).is_ready() {
            return self.perform().await;
        }
        let stage = self.stage.clone();
        let mut quiet_since = Instant::now();
        loop {
            let until = (quiet_since + self.bounds.idle).min(self.ends_at);
            tokio::select! {
                biased;
                () = &mut call => return self.perform().await,
                () = stage.turns_added() => self.perform().await?,
                heard = self.line.hear(&mut self.heard), if self.heard.len() < READ_AHEAD && !stage.typing_ended() => {
                    self.take_in(heard?)?;
                }
                () = tokio::time::sleep_until(until) => {
                    self.note_time_limit();
                    self.leave(1).await?;
                }
            }
            quiet_since = Instant::now();
            // What finds no room waits in our buffer, and the rest in the visitor's socket.
            let taken = stage.type_ahead(&self.heard);
            let _taken = self.heard.split_to(taken);
        }
    }

    /// Performs the turns that are there. The one match over [`Turn`].
    async fn perform(&mut self) -> Result<(), End> {
        while let Some(turn) = self.stage.next_turn() {
            match turn {
                Turn::Say(bytes) => {
                    // A lone answer is sent as it is.
                    if self.gathered.is_empty() && (bytes.len() >= GATHER || self.stage.backlog() == 0) {
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
                    let until = self.until(self.bounds.idle);
                    let done = timeout_at(until, self.line.say_error(bytes)).await;
                    self.in_time(done)?;
                }
                Turn::Note(kind) => self.note(kind),
                Turn::Keep { sha256, bytes } => self.keep(sha256, bytes).await,
                Turn::Pause(time) => {
                    self.flush().await?;
                    let time = time.min(PAUSES.saturating_sub(self.paused));
                    self.paused += time;
                    tokio::time::sleep_until(self.until(time)).await;
                }
                Turn::StartTls => {
                    self.flush().await?;
                    let until = self.until(HANDSHAKE);
                    let done = timeout_at(until, self.line.start_tls()).await;
                    self.in_time(done)?;
                }
                Turn::HangUp(status) => return self.leave(status).await.map(|never| match never {}),
            }
        }
        self.flush().await
    }

    /// Ends the line. Always gives the end of the conversation.
    async fn leave(&mut self, status: u32) -> Result<Infallible, End> {
        self.flush().await?;
        // A visitor who does not take the goodbye goes without.
        match timeout(GOODBYE, self.line.hang_up(status)).await {
            Ok(said) => said?,
            Err(_elapsed) => tracing::debug!(peer = %self.session.peer(), "a goodbye was not taken"),
        }
        Err(End::HungUp)
    }

    /// Sends what was gathered.
    async fn flush(&mut self) -> Result<(), End> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let bytes = self.gathered.split().freeze();
        self.send(bytes).await
    }

    /// Notes an event; one of them begins the recording of a terminal.
    fn note(&mut self, kind: EventKind) {
        if let EventKind::LogOpen { .. } = kind {
            self.recording = Some(Recording::begin());
            // The file is named by its content, which is not known yet.
            self.session.note(EventKind::LogOpen { ttylog: format!("tty/{}", self.session.id()) });
            self.gathered.extend_from_slice(self.session.bait().unwrap_or_default().as_bytes());
        } else {
            self.session.note(kind);
        }
    }

    /// Sends, but waits no longer for a visitor who does not read than for one who does not speak.
    async fn send(&mut self, bytes: Bytes) -> Result<(), End> {
        self.count(bytes.len())?;
        if let Some(recording) = &mut self.recording {
            recording.show(&bytes);
        }
        let until = self.until(self.bounds.idle);
        let done = timeout_at(until, self.line.say(bytes)).await;
        self.in_time(done)
    }

    /// `time` from now, but not beyond the end of the visit.
    fn until(&self, time: Duration) -> Instant {
        (Instant::now() + time).min(self.ends_at)
    }

    fn in_time(&self, done: Result<io::Result<()>, Elapsed>) -> Result<(), End> {
        match done {
            Ok(done) => Ok(done?),
            Err(_elapsed) => {
                self.note_time_limit();
                Err(End::Limit)
            }
        }
    }

    /// A bound in time was reached; the event says after how many seconds of the visit.
    fn note_time_limit(&self) {
        let limit = if Instant::now() >= self.ends_at { "session_timeout" } else { "idle_timeout" };
        let value = self.session.began().elapsed().as_secs();
        self.session.note(EventKind::LimitHit { limit: limit.to_owned(), value });
    }

    /// Nobody listens any more; what the visitor did and sent is still noted.
    async fn note_rest(&mut self, dialogue: &mut dyn Dialogue, end: End) {
        self.perform_silently().await;
        let stage = self.stage.clone();
        let mut rest = stage.take_typed();
        rest.extend_from_slice(&self.heard);
        let last = async {
            match end {
                // The dialogue knows that it is over.
                End::HungUp => {}
                End::Limit => dialogue.end(&stage).await,
                End::Broken(_) => {
                    if !rest.is_empty() {
                        dialogue.hear(&rest, &stage).await;
                    }
                    dialogue.end(&stage).await;
                }
            }
        };
        let mut last = pin!(timeout(LAST_WORDS, last));
        loop {
            tokio::select! {
                biased;
                ended = &mut last => {
                    if ended.is_err() {
                        tracing::debug!(peer = %self.session.peer(), "a dialogue had no time for its last words");
                    }
                    break;
                }
                () = stage.turns_added() => self.perform_silently().await,
            }
        }
        self.perform_silently().await;
    }

    /// Events and captured files only.
    async fn perform_silently(&mut self) {
        while let Some(turn) = self.stage.next_turn() {
            match turn {
                Turn::Note(kind) => self.note(kind),
                Turn::Keep { sha256, bytes } => self.keep(sha256, bytes).await,
                Turn::Say(_) | Turn::SayError(_) | Turn::Pause(_) | Turn::StartTls | Turn::HangUp(_) => {}
            }
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), End> {
        let total = self.session.count_bytes(bytes);
        if total > self.bounds.bytes {
            self.session.note(EventKind::LimitHit { limit: "session_bytes".to_owned(), value: total });
            return Err(End::Limit);
        }
        if self.session.share().is_flooding() {
            let value = self.session.share().events_limit();
            self.session.note(EventKind::LimitHit { limit: "events_per_hour".to_owned(), value });
            return Err(End::Limit);
        }
        Ok(())
    }
}
