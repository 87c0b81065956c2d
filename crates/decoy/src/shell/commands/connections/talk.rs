//! A conversation with one of the machine's own daemons, from the machine itself: the same dialogues that visitors have.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    dialogue::{Contact, Dialogue, Stage, Turn},
    ftp::{DataConnections, DataFault, Ftp, Received},
    http::Http,
    machine::{Visitor, services::behind_port},
    memory::Parcel,
    smtp::Smtp,
    telnet::Telnet,
};

/// The most that one conversation brings, in bytes.
const MOST: usize = 8 * 1024 * 1024;

/// One open conversation.
pub(in crate::shell::commands) struct Talk {
    dialogue: Box<dyn Dialogue>,
    stage: Stage,
    visitor: Arc<Visitor>,
    brought: usize,
    /// The daemon has hung up.
    pub(in crate::shell::commands) over: bool,
}

impl Talk {
    /// Whether a daemon of the machine listens on this port.
    pub(in crate::shell::commands) fn listens(visitor: &Visitor, port: u16) -> bool {
        behind_port(port).is_some_and(|unit| visitor.services().runs(unit))
    }

    /// Connects; also what the daemon says first.
    pub(in crate::shell::commands) async fn open(contact: &Contact, port: u16) -> (Self, Vec<u8>) {
        let end = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // The kernel takes ports of its own one after the other; the visitor's is as good a beginning as any.
        let own = 32_768 + contact.peer.port() % 28_000;
        let near = Contact { local: end(port), peer: end(own), ..contact.clone() };
        let ssh = near.visitor.identity().openssh.clone();
        let dialogue: Box<dyn Dialogue> = match port {
            21 => Box::new(Ftp::new(near, Box::new(NoTransfers))),
            23 => Box::new(Doorstep(Telnet::new(near))),
            25 => Box::new(Smtp::new(near)),
            80 => Box::new(Http::new(near)),
            _ => Box::new(Sshd(ssh)),
        };
        let visitor = Arc::clone(&contact.visitor);
        let mut talk = Self { dialogue, stage: Stage::new(), visitor, brought: 0, over: false };
        let said = talk.perform(Heard::Nothing).await;
        (talk, said)
    }

    /// Says something; what comes back.
    pub(in crate::shell::commands) async fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.over { Vec::new() } else { self.perform(Heard::Bytes(bytes)).await }
    }

    /// Says that no more comes; what comes back.
    pub(in crate::shell::commands) async fn end(&mut self) -> Vec<u8> {
        if self.over { Vec::new() } else { self.perform(Heard::End).await }
    }

    async fn perform(&mut self, heard: Heard<'_>) -> Vec<u8> {
        let Self { dialogue, stage, visitor, brought, over } = self;
        let mut said = Vec::new();
        let mut work = heard.by(&mut **dialogue, stage);
        loop {
            tokio::select! {
                biased;
                () = &mut work => break,
                () = stage.turns_added() => *over |= take(stage, visitor, &mut said).await,
            }
        }
        drop(work);
        *over |= take(stage, visitor, &mut said).await;
        *brought += said.len();
        *over |= *brought > MOST;
        said
    }
}

/// Takes what the daemon says; whether it has hung up.
async fn take(stage: &Stage, visitor: &Visitor, said: &mut Vec<u8>) -> bool {
    let mut over = false;
    while let Some(turn) = stage.next_turn() {
        match turn {
            Turn::Say(bytes) | Turn::SayError(bytes) => {
                let room = MOST.saturating_sub(said.len()).min(bytes.len());
                said.extend_from_slice(bytes.get(..room).unwrap_or_default());
            }
            Turn::Pause(time) => visitor.clock().pass(time).await,
            // Nothing on the machine speaks TLS with the machine.
            Turn::HangUp(_) | Turn::StartTls => over = true,
            // What the visitor does is in the events of their own session already.
            Turn::Note(_) | Turn::Keep { .. } => {}
        }
    }
    over
}

/// What a daemon is told.
enum Heard<'a> {
    Nothing,
    Bytes(&'a [u8]),
    End,
}

impl<'a> Heard<'a> {
    fn by(
        self,
        dialogue: &'a mut dyn Dialogue,
        stage: &'a Stage,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        match self {
            Self::Nothing => dialogue.open(stage),
            Self::Bytes(bytes) => dialogue.hear(bytes, stage),
            Self::End => dialogue.end(stage),
        }
    }
}

/// sshd up to where the keys would be exchanged, which nothing on the machine does with it.
struct Sshd(String);

#[async_trait]
impl Dialogue for Sshd {
    async fn open(&mut self, stage: &Stage) {
        stage.say(format!("SSH-2.0-OpenSSH_{}\r\n", self.0));
    }

    async fn hear(&mut self, bytes: &[u8], stage: &Stage) {
        if !bytes.starts_with(b"SSH-") {
            stage.say("Invalid SSH identification string.\r\n");
        }
        stage.hang_up();
    }
}

/// telnetd up to the login: a session within a session would have no end.
struct Doorstep(Telnet);

#[async_trait]
impl Dialogue for Doorstep {
    async fn open(&mut self, stage: &Stage) {
        self.0.open(stage).await;
    }

    async fn hear(&mut self, _: &[u8], _: &Stage) {}
}

/// Nothing on the machine opens a second connection for files.
struct NoTransfers;

#[async_trait]
impl DataConnections for NoTransfers {
    async fn listen(&mut self) -> Option<u16> {
        None
    }

    async fn send(&mut self, _: Bytes) -> Result<(), DataFault> {
        Err(DataFault::NotConnected)
    }

    async fn receive(&mut self, _: usize, _: Parcel) -> Result<Received, DataFault> {
        Err(DataFault::NotConnected)
    }

    fn close(&mut self) {}
}
