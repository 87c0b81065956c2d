//! Where a session channel waits until something runs on it: somebody reads it from its first moment.
//!
//! The library hands a channel's messages over one by one and waits for a place in its queue, with the whole
//! connection standing still: a channel that nobody reads stops everything, the end of the connection too.

use bytes::BytesMut;
use russh::{Channel, ChannelMsg, server::Msg};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The most bytes kept of what is sent before a program runs; sshd keeps none.
const EARLY_LIMIT: usize = 64 * 1024;

/// A channel that waits. Dropping it lets the channel go.
pub struct WaitingRoom {
    call: oneshot::Sender<()>,
    inside: JoinHandle<Option<Called>>,
}

/// A channel that was called out of its waiting room.
pub struct Called {
    /// The channel.
    pub channel: Channel<Msg>,
    /// What the client sent while it waited.
    pub early: BytesMut,
    /// Whether the client will send no more.
    pub ended: bool,
}

impl WaitingRoom {
    /// Seats a channel until it is called, closed, or `gone`.
    pub fn seat(channel: Channel<Msg>, tasks: &TaskTracker, gone: CancellationToken) -> Self {
        let (call, called) = oneshot::channel();
        Self { call, inside: tasks.spawn(wait(channel, called, gone)) }
    }

    /// Calls the channel out; nothing when it is closed already.
    pub async fn call(self) -> Option<Called> {
        // Who does not hear the call has left, which the result says.
        let _left = self.call.send(());
        self.inside.await.ok().flatten()
    }
}

async fn wait(
    mut channel: Channel<Msg>,
    mut called: oneshot::Receiver<()>,
    gone: CancellationToken,
) -> Option<Called> {
    let (mut early, mut ended) = (BytesMut::new(), false);
    loop {
        tokio::select! {
            call = &mut called => return call.ok().map(|()| Called { channel, early, ended }),
            () = gone.cancelled() => return None,
            message = channel.wait() => match message {
                Some(ChannelMsg::Data { data }) => {
                    let room = EARLY_LIMIT.saturating_sub(early.len()).min(data.len());
                    early.extend_from_slice(data.get(..room).unwrap_or_default());
                }
                Some(ChannelMsg::Eof) => ended = true,
                Some(ChannelMsg::Close) | None => return None,
                Some(_) => {}
            },
        }
    }
}
