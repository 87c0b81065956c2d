//! What a shell reads and writes: a queue of keys in, two channels of bytes out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

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
    bytes: Mutex<(Vec<u8>, bool)>,
    added: Notify,
    echo_off: AtomicBool,
    reading: AtomicBool,
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
        let room = limit.saturating_sub(queue.0.len()).min(bytes.len());
        queue.0.extend_from_slice(bytes.get(..room).unwrap_or_default());
        drop(queue);
        self.0.added.notify_one();
        room
    }

    /// How many bytes wait to be read.
    pub fn waiting(&self) -> usize {
        self.0.bytes.lock().0.len()
    }

    /// No more will come.
    pub fn end(&self) {
        self.0.bytes.lock().1 = true;
        self.0.added.notify_one();
    }

    /// Waits for bytes; `None` when no more will come.
    pub async fn read(&self) -> Option<Vec<u8>> {
        let _reading = Reading::new(&self.0.reading);
        loop {
            {
                let mut queue = self.0.bytes.lock();
                if !queue.0.is_empty() {
                    return Some(std::mem::take(&mut queue.0));
                }
                if queue.1 {
                    return None;
                }
            }
            self.0.added.notified().await;
        }
    }

    /// Takes what is there without waiting: what a program left unread belongs to the shell.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.bytes.lock().0)
    }

    /// A program asks for a secret (`passwd`, `su`): the terminal stops echoing.
    pub fn set_echo(&self, echo: bool) {
        self.0.echo_off.store(!echo, Ordering::Relaxed);
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
