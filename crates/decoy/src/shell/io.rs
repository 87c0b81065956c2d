//! What a shell reads and writes: a queue of keys in, two channels of bytes out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The most that one program reads at once.
const LONGEST: usize = 8 * 1024 * 1024;

/// Which channel a program writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Out {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

/// Takes what programs write, as they write it. Line ends are bare LF; a terminal turns them into CR LF.
pub type Output = Arc<dyn Fn(Out, &[u8]) + Send + Sync>;

/// What the visitor sends to a running program. Every clone is the same queue.
#[derive(Clone, Default)]
pub struct Input(Arc<Queue>);

#[derive(Default)]
struct Queue {
    bytes: Mutex<Waiting>,
    added: Notify,
    echo_off: AtomicBool,
    raw: AtomicBool,
    reading: AtomicBool,
}

/// What was sent and not yet read.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// ^D: the next reader that finds nothing is told that this is the end; the one after it waits again.
    paused: bool,
    /// No more will ever come.
    ended: bool,
}

/// Says that a program reads for as long as it does, also when the program is interrupted.
struct Reading<'a>(&'a AtomicBool);

impl<'a> Reading<'a> {
    fn new(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Relaxed);
        Self(flag)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Input {
    /// Adds bytes; gives how many found room (at most `limit` wait at once).
    pub fn push(&self, bytes: &[u8], limit: usize) -> usize {
        let mut queue = self.0.bytes.lock();
        let room = limit.saturating_sub(queue.bytes.len()).min(bytes.len());
        queue.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        drop(queue);
        self.0.added.notify_one();
        room
    }

    /// How many bytes wait to be read.
    pub fn waiting(&self) -> usize {
        self.0.bytes.lock().bytes.len()
    }

    /// No more will come.
    pub fn end(&self) {
        self.0.bytes.lock().ended = true;
        self.0.added.notify_one();
    }

    /// ^D on a terminal: whoever reads now finds the end, whoever reads later does not.
    pub fn end_of_file(&self) {
        self.0.bytes.lock().paused = true;
        self.0.added.notify_one();
    }

    /// Waits for bytes; `None` when no more will come.
    pub async fn read(&self) -> Option<Vec<u8>> {
        let _reading = Reading::new(&self.0.reading);
        loop {
            {
                let mut queue = self.0.bytes.lock();
                if !queue.bytes.is_empty() {
                    return Some(std::mem::take(&mut queue.bytes));
                }
                if queue.ended || std::mem::take(&mut queue.paused) {
                    return None;
                }
            }
            self.0.added.notified().await;
        }
    }

    /// Takes what is there without waiting: what a program left unread belongs to the shell.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.bytes.lock().bytes)
    }

    /// Reads one line with its end; less when nothing more comes.
    pub async fn read_line(&self) -> Vec<u8> {
        let mut line = Vec::new();
        while line.len() < LONGEST {
            let Some(mut bytes) = self.read().await else { break };
            let Some(at) = memchr::memchr(b'\n', &bytes) else {
                line.append(&mut bytes);
                continue;
            };
            let rest = bytes.split_off(at + 1);
            line.append(&mut bytes);
            self.put_back(rest);
            break;
        }
        line
    }

    /// Reads everything up to the end.
    pub async fn read_all(&self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(mut bytes) = self.read().await {
            bytes.truncate(LONGEST.saturating_sub(all.len()));
            all.append(&mut bytes);
        }
        all
    }

    /// What was read and not used is read again.
    fn put_back(&self, mut bytes: Vec<u8>) {
        let mut queue = self.0.bytes.lock();
        bytes.append(&mut queue.bytes);
        queue.bytes = bytes;
    }

    /// A program asks for a secret (`passwd`, `su`): the terminal stops echoing.
    pub fn set_echo(&self, echo: bool) {
        self.0.echo_off.store(!echo, Ordering::Relaxed);
    }

    /// A program that fills the screen takes each key as it comes (termios(3), ICANON and ISIG off).
    pub fn set_raw(&self, raw: bool) {
        self.0.raw.store(raw, Ordering::Relaxed);
    }

    /// Whether keys go to the program as they are.
    pub fn is_raw(&self) -> bool {
        self.0.raw.load(Ordering::Relaxed)
    }

    /// Whether the terminal shows what is typed.
    pub fn echo(&self) -> bool {
        !self.0.echo_off.load(Ordering::Relaxed)
    }

    /// Whether a program is waiting for input right now.
    pub fn is_awaited(&self) -> bool {
        self.0.reading.load(Ordering::Relaxed)
    }
}
