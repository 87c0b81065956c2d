//! One costly key exchange at a time: Diffie-Hellman in a group of 8192 bits takes a processor most of a second, and
//! anybody may ask for it before saying who they are. The others wait for their turn, not for a processor.

use std::{
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::ReadBuf,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::sync::PollSemaphore;

/// SSH_MSG_NEWKEYS (RFC 4253, 12): what follows is encrypted, and nothing costly.
const SSH_MSG_NEWKEYS: u8 = 21;

/// The turns of one connection: while its key exchange lasts, each piece that it sends is handed over only with a
/// turn, which ends when the next piece is asked for. A visitor who dawdles holds up nobody.
pub struct Turns {
    queue: PollSemaphore,
    turn: Option<OwnedSemaphorePermit>,
    /// Packets since the key exchange began, while it lasts.
    exchange: Option<Vec<u8>>,
    /// What was read before its turn came.
    waiting: Vec<u8>,
}

impl Turns {
    /// No key exchange yet; `queue` has as many places as there may be turns at once.
    pub fn new(queue: Arc<Semaphore>) -> Self {
        Self { queue: PollSemaphore::new(queue), turn: None, exchange: None, waiting: Vec::new() }
    }

    /// A costly key exchange begins; these packets of it have come.
    pub fn begin(&mut self, packets: Vec<u8>) {
        self.exchange = Some(packets);
        self.look();
    }

    /// Whether pieces need a turn.
    pub fn needed(&self) -> bool {
        self.exchange.is_some()
    }

    /// The last piece has been dealt with.
    pub fn end(&mut self) {
        self.turn = None;
    }

    /// Waits for a turn.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.turn.is_none() {
            // Nobody closes the queue; were it closed, everybody would have a turn.
            self.turn = ready!(self.queue.poll_acquire(cx));
        }
        Poll::Ready(())
    }

    /// Keeps a piece until its turn.
    pub fn put_off(&mut self, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
    }

    /// Gives what was put off, when there is something.
    pub fn take_put_off(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let step = self.waiting.len().min(buf.remaining());
        buf.put_slice(self.waiting.get(..step).unwrap_or_default());
        self.waiting.drain(..step);
        step > 0
    }

    /// Whether something was put off.
    pub fn has_put_off(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Reads along for the end of the key exchange.
    pub fn overhear(&mut self, piece: &[u8]) {
        if let Some(packets) = &mut self.exchange {
            packets.extend_from_slice(piece);
            self.look();
        }
    }

    fn look(&mut self) {
        let Some(packets) = &mut self.exchange else { return };
        while let Some((length, rest)) = packets.split_first_chunk::<4>() {
            // A length that no packet has ends the connection; until then there is nothing to remember.
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > super::kexinit::PACKET_LIMIT as usize {
                packets.clear();
                return;
            }
            let Some(packet) = rest.get(..length) else { return };
            // The padding's length comes before the message.
            if packet.get(1) == Some(&SSH_MSG_NEWKEYS) {
                self.exchange = None;
                return;
            }
            packets.drain(..length + 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(message: u8, length: usize) -> Vec<u8> {
        let mut packet = (length as u32 + 2).to_be_bytes().to_vec();
        packet.extend([0, message]);
        packet.resize(length + 6, 0);
        packet
    }

    #[tokio::test]
    async fn one_waits_while_another_computes() {
        let queue = Arc::new(Semaphore::new(1));
        let (mut one, mut other) = (Turns::new(Arc::clone(&queue)), Turns::new(queue));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(one.poll(&mut cx).is_ready() && one.poll(&mut cx).is_ready());
        assert!(other.poll(&mut cx).is_pending());
        one.end();
        assert!(other.poll(&mut cx).is_ready());
        assert!(one.poll(&mut cx).is_pending());
        drop(other);
        assert!(one.poll(&mut cx).is_ready(), "who leaves gives the turn back");
    }

    #[test]
    fn the_exchange_ends_with_newkeys_however_it_is_cut() {
        let bytes = [packet(20, 300), packet(34, 12), packet(32, 256), packet(SSH_MSG_NEWKEYS, 10)].concat();
        for cut in 0..bytes.len() {
            let mut turns = Turns::new(Arc::new(Semaphore::new(1)));
            turns.begin(bytes[..cut].to_vec());
            assert!(turns.needed(), "cut at {cut}");
            turns.overhear(&bytes[cut..]);
            assert!(!turns.needed(), "cut at {cut}");
        }
    }

    #[test]
    fn garbage_is_not_kept() {
        let mut turns = Turns::new(Arc::new(Semaphore::new(1)));
        turns.begin(packet(20, 10));
        for _ in 0..100 {
            turns.overhear(&[0xff; 1000]);
        }
        assert!(turns.exchange.as_ref().unwrap().is_empty());
    }
}
