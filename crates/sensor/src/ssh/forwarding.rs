//! Forwardings to other hosts: recorded, never made.

use russh::{Channel, ChannelMsg, server::Msg};
use wire::{EventKind, event::Captured};

use crate::session::Session;

/// The most bytes that are recorded of what a visitor sends through a forwarding.
const FORWARDED_LIMIT: usize = 64 * 1024;

/// Listens to what a visitor sends to another host. Nobody is called and nothing is answered.
pub async fn record_forwarded(
    channel: Channel<Msg>,
    session: Session,
    target_host: String,
    target_port: u32,
) {
    let (mut reader, writer) = channel.split();
    let mut recorded = 0;
    while let Some(message) = reader.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                recorded += data.len();
                let Captured { text, b64, truncated } = Captured::new(&data, FORWARDED_LIMIT);
                session.note(EventKind::DirectTcpipData {
                    target_host: target_host.clone(),
                    target_port,
                    data: text,
                    data_b64: b64,
                    truncated,
                });
                if recorded >= FORWARDED_LIMIT {
                    break;
                }
            }
            ChannelMsg::Eof | ChannelMsg::Close => break,
            _ => {}
        }
    }
    if let Err(error) = writer.close().await {
        tracing::debug!(%error, "a forwarding was gone before it was closed");
    }
}
