//! What is kept of a conversation: the terminal's recording, and files.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use wire::EventKind;

use super::Conversation;
use crate::artifacts;

/// Recordings up to this size stand in their event: making a file for every short visit would cost more than the
/// visit itself.
const SHORT_RECORDING: usize = 16 * 1024;

impl Conversation<'_> {
    /// Says what the terminal showed: in the event when it is short, as most visits are, else as an artifact.
    pub(super) async fn finish_recording(&mut self) {
        let Some(recording) = self.recording.take() else {
            return;
        };
        let duration = (recording.seconds() * 1e6).round() / 1e6;
        let file = recording.into_asciicast();
        let size = file.len() as u64;
        let shasum = hex::encode(Sha256::digest(file.as_bytes()));
        if file.len() <= SHORT_RECORDING {
            let ttylog = format!("tty/{}", self.session.id());
            let duplicate = false;
            self.session.note(EventKind::LogClosed {
                ttylog,
                size,
                shasum,
                duplicate,
                duration,
                recording: file,
            });
            return;
        }
        let (artifacts, name) = (Arc::clone(self.artifacts), shasum.clone());
        let keeping = tokio::task::spawn_blocking(move || artifacts.keep_loosely(&name, file.as_bytes()));
        match keeping.await {
            Ok(Ok(kept)) => self.session.note(EventKind::LogClosed {
                ttylog: format!("artifacts/{shasum}"),
                size,
                shasum,
                duplicate: kept.duplicate,
                duration,
                recording: String::new(),
            }),
            Ok(Err(error)) => tracing::error!(%error, "a terminal recording could not be kept"),
            Err(error) => tracing::error!(%error, "a terminal recording could not be kept"),
        }
    }

    pub(super) async fn keep(&mut self, sha256: String, bytes: Bytes) {
        if !self.session.may_keep(bytes.len()) {
            return;
        }
        if bytes.len() <= artifacts::SMALL {
            if let Err(error) = self.artifacts.keep(&sha256, &bytes) {
                tracing::error!(%error, "a captured file could not be kept");
            }
            return;
        }
        let artifacts = Arc::clone(self.artifacts);
        match tokio::task::spawn_blocking(move || artifacts.keep(&sha256, &bytes)).await {
            Ok(Ok(_kept)) => {}
            Ok(Err(error)) => tracing::error!(%error, "a captured file could not be kept"),
            Err(error) => {
                tracing::error!(%error, "a captured file could not be kept: the writing task failed")
            }
        }
    }
}
