//! A shell without a terminal: commands are lines of a script that comes over the line.

use super::{LONGEST_CONSTRUCT, Terminal, TerminalMode};
use crate::dialogue::Stage;

impl Terminal {
    /// Whether the shell reads its commands without a terminal.
    pub(super) fn is_piped(&self) -> bool {
        matches!(self.mode, TerminalMode::Piped { .. })
    }

    /// Runs every line that is complete; what follows a line is its command's standard input first.
    pub(super) async fn hear_script(&mut self, bytes: &[u8], stage: &Stage) {
        self.keys.extend(bytes);
        while !self.over {
            let end = match self.keys.iter().position(|&key| key == b'\n') {
                Some(end) => end,
                // A line that never ends is run as far as it is kept.
                None if self.keys.len() > LONGEST_CONSTRUCT => LONGEST_CONSTRUCT,
                None => break,
            };
            let mut line: Vec<u8> = self.keys.drain(..=end).collect();
            while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
                line.pop();
            }
            stage.note(wire::EventKind::command_input(&line));
            self.enter(&line, stage).await;
            stage.room().await;
        }
        if self.over {
            self.note_rest(stage).await;
        }
    }

    /// The script is complete: its last line may have no end, and a construct may be unfinished.
    pub(super) async fn end_script(&mut self, stage: &Stage) {
        let line: Vec<u8> = self.keys.drain(..).collect();
        if !self.over && !line.is_empty() {
            stage.note(wire::EventKind::command_input(&line));
            self.enter(&line, stage).await;
        }
        if !self.over {
            self.run_typed(stage).await;
        }
    }
}
