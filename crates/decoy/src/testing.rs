//! A machine for this crate's tests.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use wire::EventKind;

use crate::{
    dialogue::{Contact, Dialogue, Limits, Stage, Turn},
    machine::{Bounds, Clock, Identity, LoginPolicy, Machine},
    oracle::NoOracle,
};

/// A visitor of `web01.lindqvist.example`, where `deploy` and `root` have the password `Summer2024`.
pub(crate) fn contact() -> Contact {
    contact_with(Bounds::default())
}

/// The same on a machine with these bounds.
pub(crate) fn contact_with(bounds: Bounds) -> Contact {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let (name, users) = ("web01.lindqvist.example".to_owned(), vec!["deploy".to_owned()]);
    let identity = Identity::draw(b"dialogue tests", now, Some(name), Some(users));
    let always = ["deploy", "root"].map(|user| (user.to_owned(), "Summer2024".to_owned())).to_vec();
    let policy = LoginPolicy { always, fewest_tries: 99, most_tries: 99, secret: 1 };
    let machine = Machine::new(identity, policy, Clock::fixed(now), bounds);
    let peer: SocketAddr = "198.51.100.7:40000".parse().unwrap();
    Contact {
        visitor: machine.visit(peer.ip()),
        oracle: Arc::new(NoOracle),
        local: "203.0.113.5:21".parse().unwrap(),
        peer,
        limits: Limits::default(),
    }
}

/// Everything a dialogue did, in order.
#[derive(Default)]
pub(crate) struct Done {
    pub said: Vec<u8>,
    pub noted: Vec<EventKind>,
    pub kept: Vec<(String, Vec<u8>)>,
    pub pauses: Duration,
    pub tls: u32,
    pub hung_up: Option<u32>,
}

impl Done {
    /// Empties the stage.
    pub fn take(stage: &Stage) -> Self {
        let mut done = Self::default();
        while let Some(turn) = stage.next_turn() {
            match turn {
                Turn::Say(bytes) | Turn::SayError(bytes) => done.said.extend_from_slice(&bytes),
                Turn::Note(kind) => done.noted.push(kind),
                Turn::Keep { sha256, bytes } => done.kept.push((sha256, bytes.to_vec())),
                Turn::Pause(time) => done.pauses += time,
                Turn::StartTls => done.tls += 1,
                Turn::HangUp(status) => done.hung_up = Some(status),
            }
        }
        done
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }
}

/// Opens a dialogue, says these pieces and ends it.
pub(crate) async fn visit(dialogue: &mut dyn Dialogue, pieces: &[&[u8]]) -> Done {
    let stage = Stage::new();
    dialogue.open(&stage).await;
    for piece in pieces {
        dialogue.hear(piece, &stage).await;
    }
    dialogue.end(&stage).await;
    Done::take(&stage)
}

/// The lines that were noted as typed.
pub(crate) fn inputs(noted: &[EventKind]) -> Vec<&str> {
    noted
        .iter()
        .filter_map(|kind| match kind {
            EventKind::CommandInput { input, .. } => Some(input.as_str()),
            _ => None,
        })
        .collect()
}

/// A machine whose visitors together may be sending no more than one small upload.
pub(crate) fn crowded() -> Contact {
    contact_with(Bounds { uploads: 16 * 1024, ..Bounds::default() })
}

/// How often the common memory was told to be used up.
pub(crate) fn starvations(noted: &[EventKind]) -> usize {
    noted.iter().filter(|kind| matches!(kind, EventKind::LimitHit { limit, .. } if limit == "memory")).count()
}
