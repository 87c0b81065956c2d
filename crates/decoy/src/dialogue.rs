//! One conversation: bytes come in, turns go out. The sensor's `handler.rs` performs the turns.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use wire::EventKind;

use crate::{
    machine::{Visitor, files::parse_listing},
    oracle::{Ask, Oracle, Question},
};

/// One thing to do for the visitor, in order.
#[derive(Clone, Debug)]
pub enum Turn {
    /// Send these bytes.
    Say(Bytes),
    /// Send these bytes on the error channel, where the transport has one (SSH); elsewhere as [`Turn::Say`].
    SayError(Bytes),
    /// Write an event.
    Note(EventKind),
    /// Keep a captured file under its SHA-256 (lower-case hex) before the event that names it.
    Keep {
        /// SHA-256 of `bytes`, lower-case hex.
        sha256: String,
        /// The file.
        bytes: Bytes,
    },
    /// Wait as the real daemon does.
    Pause(Duration),
    /// Speak TLS from here on; the sensor holds the certificate.
    StartTls,
    /// End the conversation with an exit status, or with [`Turn::KILLED`] and the number of the signal that ended the
    /// program (SSH reports either; elsewhere it only closes).
    HangUp(u32),
}

impl Turn {
    /// Above every exit status: what is more is the number of a signal.
    pub const KILLED: u32 = 256;

    /// Bytes of memory that wait with it.
    fn weight(&self) -> usize {
        match self {
            Self::Say(bytes) | Self::SayError(bytes) | Self::Keep { bytes, .. } => bytes.len(),
            Self::Note(_) | Self::Pause(_) | Self::StartTls | Self::HangUp(_) => 256,
        }
    }
}

/// What one side of a conversation is built from.
#[derive(Clone)]
pub struct Contact {
    /// The machine as this source address sees it.
    pub visitor: Arc<Visitor>,
    /// Answers what the machine does not know.
    pub oracle: Arc<dyn Oracle>,
    /// Our end.
    pub local: SocketAddr,
    /// The visitor's end.
    pub peer: SocketAddr,
    /// Bounds.
    pub limits: Limits,
}

impl Contact {
    /// Learns what is in a file that is only listed, before somebody reads it. What was read once stays as it was: without
    /// a model the file keeps what the machine made up.
    pub async fn know(&self, path: &str) {
        self.approach(path).await;
        let Some(unknown) = self.visitor.files().unknown(path) else { return };
        let name = unknown.path.clone();
        let what = Ask::File { path: unknown.path, size: unknown.size, head: unknown.head };
        let answer = self.oracle.ask(Question::new(what, Bytes::new())).await;
        if self.visitor.machine().learn(&name, &answer.text).is_none() {
            // A file that the machine does not have is the visitor's, as they were told of it. Where there is no room for
            // more it goes on being made up, the same each time.
            let _filled = self.visitor.files().fill(&name, &answer.text);
        }
    }

    /// Learns what is in the directories on the way to this absolute path, itself included, where that is still to be
    /// said, before somebody looks. One that nobody speaks for is empty from then on.
    pub async fn approach(&self, path: &str) {
        while let Some(directory) = self.visitor.files().unlisted(path) {
            let what = Ask::Directory { path: directory.clone() };
            let answer = self.oracle.ask(Question::new(what, Bytes::new())).await;
            let text = String::from_utf8_lossy(&answer.text);
            let machine = self.visitor.machine();
            let names = parse_listing(&text, &machine.identity, machine.now()).unwrap_or_default();
            if let Err(error) = self.visitor.files().tell(&directory, &names) {
                tracing::debug!(%directory, %error, "what is in a directory finds no room");
                return;
            }
        }
    }

    /// Hands something to a script of the machine; what it writes, or nothing when nobody speaks for it.
    pub async fn hand_over(&self, daemon: &str, script: &str, given: &str) -> Option<String> {
        let what =
            Ask::Verb { daemon: daemon.to_owned(), script: script.to_owned(), given: given.to_owned() };
        let answer = self.oracle.ask(Question::new(what, Bytes::new())).await;
        answer.invented.then(|| String::from_utf8_lossy(&answer.text).into_owned())
    }
}

/// Bounds that a dialogue keeps itself; connections, time and session bytes are the sensor's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest line, in bytes.
    pub line_bytes: usize,
    /// The largest upload, mail or request body kept, in bytes.
    pub upload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 8 * 1024, upload_bytes: 8 * 1024 * 1024 }
    }
}

/// One protocol as the visitor sees it. Returns no `Result`: any bytes give turns.
///
/// The sensor calls [`open`](Dialogue::open) once, then [`hear`](Dialogue::hear) for whatever arrives, never two at
/// once. Turns go to the [`Stage`] and are performed while the call is still running, so a slow program streams.
#[async_trait]
pub trait Dialogue: Send {
    /// The visitor is connected and has said nothing.
    async fn open(&mut self, stage: &Stage);

    /// Bytes arrived, cut wherever the network cut them.
    async fn hear(&mut self, bytes: &[u8], stage: &Stage);

    /// The visitor will send no more (half-closed).
    async fn end(&mut self, stage: &Stage) {
        stage.hang_up();
    }

    /// Nothing was heard for as long as the real daemon waits (see [`idle_limit`](Dialogue::idle_limit)).
    async fn timed_out(&mut self, stage: &Stage) {
        stage.hang_up();
    }

    /// How long the real daemon waits for the visitor in the state it is in; `None` leaves it to the settings.
    fn idle_limit(&self) -> Option<Duration> {
        None
    }
}

/// Where a dialogue puts its turns, and where it finds what the visitor typed while it was busy.
///
/// Cheap to clone; every clone is the same stage.
#[derive(Clone, Default)]
pub struct Stage(Arc<Shared>);

#[derive(Default)]
struct Shared {
    turns: Mutex<VecDeque<Turn>>,
    turns_added: Notify,
    turns_taken: Notify,
    /// Bytes of all turns that were not performed yet.
    waiting: AtomicUsize,
    typed: Mutex<Typed>,
    typed_added: Notify,
}

#[derive(Default)]
struct Typed {
    bytes: Vec<u8>,
    ended: bool,
}

/// How many bytes may wait to be said before [`Stage::room`] waits.
pub const BACKLOG: usize = 256 * 1024;

/// The most bytes that are kept of what a visitor types ahead while a program runs; the rest waits in the socket.
pub const TYPE_AHEAD: usize = 64 * 1024;

impl Stage {
    /// An empty stage.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one turn.
    pub fn push(&self, turn: Turn) {
        self.0.waiting.fetch_add(turn.weight(), Ordering::Relaxed);
        self.0.turns.lock().push_back(turn);
        self.0.turns_added.notify_one();
    }

    /// Sends bytes.
    pub fn say(&self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        if !bytes.is_empty() {
            self.push(Turn::Say(bytes));
        }
    }

    /// Sends bytes on the error channel.
    pub fn say_error(&self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        if !bytes.is_empty() {
            self.push(Turn::SayError(bytes));
        }
    }

    /// Writes an event.
    pub fn note(&self, kind: EventKind) {
        self.push(Turn::Note(kind));
    }

    /// Waits as the real daemon does.
    pub fn pause(&self, time: Duration) {
        self.push(Turn::Pause(time));
    }

    /// Ends the conversation well.
    pub fn hang_up(&self) {
        self.push(Turn::HangUp(0));
    }

    /// Keeps a captured file; gives its SHA-256 in lower-case hex for the event that names it.
    pub fn keep(&self, bytes: impl Into<Bytes>) -> String {
        use sha2::{Digest as _, Sha256};
        let bytes = bytes.into();
        let sha256 = hex::encode(Sha256::digest(&bytes));
        self.push(Turn::Keep { sha256: sha256.clone(), bytes });
        sha256
    }

    /// Takes the next turn, if there is one. For the sensor and for tests.
    pub fn next_turn(&self) -> Option<Turn> {
        let turn = self.0.turns.lock().pop_front()?;
        self.0.waiting.fetch_sub(turn.weight(), Ordering::Relaxed);
        self.0.turns_taken.notify_one();
        Some(turn)
    }

    /// Waits until the visitor has taken what was said, but for [`BACKLOG`] bytes, and lets others run.
    ///
    /// A dialogue calls it between any two units of work of one [`Dialogue::hear`]: one packet may hold thousands of
    /// commands, and what they say would otherwise pile up in memory for a visitor who does not read.
    pub async fn room(&self) {
        tokio::task::consume_budget().await;
        while self.backlog() > BACKLOG {
            self.0.turns_taken.notified().await;
        }
    }

    /// How many bytes wait to be said or kept.
    pub fn backlog(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Waits until a turn may be there. For the sensor.
    pub async fn turns_added(&self) {
        self.0.turns_added.notified().await;
    }

    /// What the visitor sent while the dialogue was busy. For the sensor; gives how many bytes were taken, which is
    /// fewer than offered when [`TYPE_AHEAD`] is full.
    pub fn type_ahead(&self, bytes: &[u8]) -> usize {
        let mut typed = self.0.typed.lock();
        let room = TYPE_AHEAD.saturating_sub(typed.bytes.len()).min(bytes.len());
        typed.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        drop(typed);
        self.0.typed_added.notify_one();
        room
    }

    /// The visitor will type no more. For the sensor.
    pub fn type_end(&self) {
        self.0.typed.lock().ended = true;
        self.0.typed_added.notify_one();
    }

    /// Takes everything typed so far. The sensor feeds it to [`Dialogue::hear`] once the dialogue is free again.
    pub fn take_typed(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.typed.lock().bytes)
    }

    /// Whether the visitor has closed its sending side.
    pub fn typing_ended(&self) -> bool {
        self.0.typed.lock().ended
    }

    /// For a program that reads its terminal: waits for keys. `None` when the visitor will send no more.
    pub async fn typed(&self) -> Option<Vec<u8>> {
        loop {
            {
                let mut typed = self.0.typed.lock();
                if !typed.bytes.is_empty() {
                    return Some(std::mem::take(&mut typed.bytes));
                }
                if typed.ended {
                    return None;
                }
            }
            self.0.typed_added.notified().await;
        }
    }

    /// Everything said so far, in one piece, with the events; empties the stage. For tests.
    pub fn drain(&self) -> (Vec<u8>, Vec<EventKind>) {
        let (mut said, mut noted) = (Vec::new(), Vec::new());
        while let Some(turn) = self.next_turn() {
            match turn {
                Turn::Say(bytes) | Turn::SayError(bytes) => said.extend_from_slice(&bytes),
                Turn::Note(kind) => noted.push(kind),
                Turn::Keep { .. } | Turn::Pause(_) | Turn::StartTls | Turn::HangUp(_) => {}
            }
        }
        (said, noted)
    }
}
