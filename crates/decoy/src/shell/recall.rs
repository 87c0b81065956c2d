//! The latest commands of a session with the beginning of what they said, for questions that have to agree with them.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use super::io::Output;
use crate::oracle::Exchange;

/// How many commands are remembered.
const MOST: usize = 8;
/// How much of one command's output is remembered, in bytes.
const OUTPUT: usize = 500;
/// How much of one command is remembered, in characters.
const LINE: usize = 300;

/// The latest commands, oldest first.
#[derive(Default)]
pub(super) struct Recall(Mutex<VecDeque<Exchange>>);

/// Keeps the beginning of what a running command says.
pub(super) type Heard = Arc<Mutex<Vec<u8>>>;

/// The same output, listened to.
pub(super) fn listen(output: &Output) -> (Output, Heard) {
    let heard = Heard::default();
    let (output, ear) = (Arc::clone(output), Arc::clone(&heard));
    let both: Output = Arc::new(move |out, bytes| {
        let mut heard = ear.lock();
        let room = OUTPUT.saturating_sub(heard.len()).min(bytes.len());
        heard.extend_from_slice(bytes.get(..room).unwrap_or_default());
        drop(heard);
        output(out, bytes);
    });
    (both, heard)
}

impl Recall {
    /// Remembers a command that has run.
    pub(super) fn keep(&self, line: &str, heard: &Heard) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let mut latest = self.0.lock();
        if latest.len() >= MOST {
            latest.pop_front();
        }
        let answered = String::from_utf8_lossy(&std::mem::take(&mut *heard.lock())).into_owned();
        latest.push_back(Exchange { said: line.chars().take(LINE).collect(), answered });
    }

    /// What is remembered, oldest first.
    pub(super) fn latest(&self) -> Vec<Exchange> {
        self.0.lock().iter().cloned().collect()
    }
}
