//! An sftp channel as the library may see it: counted, ended in time, and never with a frame it would stumble over.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wire::EventKind;

use crate::{handler::Bounds, session::Session};

/// The largest packet (sftp-server's `SFTP_MAX_MSG_LENGTH`).
const PACKET_LIMIT: u32 = 256 * 1024;

/// A stream of packets, each after its length. Ends at a length that no packet has, at the visit's bound of bytes,
/// when a reader does not read for the visit's idle time, and with the channel.
pub struct Framed<S> {
    stream: S,
    /// What arrived before the subsystem was asked for.
    early: BytesMut,
    session: Session,
    bounds: Bounds,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
    frame: Frame,
    ended: bool,
    /// Runs while the visitor does not take what we write.
    patience: Option<Pin<Box<Sleep>>>,
}

/// Where in the stream of packets we are.
#[derive(Default)]
struct Frame {
    header: u32,
    header_bytes: u8,
    body: u32,
}

impl Frame {
    /// Walks over the next bytes; how many of them are good.
    fn walk(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.body > 0 {
                let step = u32::try_from(bytes.len() - at).unwrap_or(u32::MAX).min(self.body);
                self.body -= step;
                at += step as usize;
                continue;
            }
            self.header = self.header << 8 | u32::from(byte);
            self.header_bytes += 1;
            if self.header_bytes == 4 {
                if !(1..=PACKET_LIMIT).contains(&self.header) {
                    return at;
                }
                (self.body, self.header, self.header_bytes) = (self.header, 0, 0);
            }
            at += 1;
        }
        at
    }
}

impl<S> Framed<S> {
    /// Watches over `stream`, after `early`; `ended` when nothing follows it.
    pub fn new(
        stream: S,
        early: BytesMut,
        ended: bool,
        session: Session,
        bounds: Bounds,
        gone: CancellationToken,
    ) -> Self {
        Self {
            stream,
            session,
            bounds,
            gone: Box::pin(gone.cancelled_owned()),
            frame: Frame::default(),
            ended: ended && early.is_empty(),
            early,
            patience: None,
        }
    }

    /// Counts; `false` over the bound, which is told once.
    fn count(&mut self, bytes: usize) -> bool {
        let total = self.session.count_bytes(bytes);
        if total > self.bounds.bytes && !std::mem::replace(&mut self.ended, true) {
            self.session.note(EventKind::LimitHit { limit: "session_bytes".to_owned(), value: total });
        }
        !self.ended
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        if this.early.is_empty() {
            if Pin::new(&mut this.stream).poll_read(cx, buf)?.is_pending() {
                ready!(this.gone.as_mut().poll(cx));
                this.ended = true;
                return Poll::Ready(Ok(()));
            }
        } else {
            let step = this.early.len().min(buf.remaining());
            buf.put_slice(this.early.get(..step).unwrap_or_default());
            this.early.advance(step);
        }
        let new = buf.filled().get(before..).unwrap_or_default();
        let (length, good) = (new.len(), this.frame.walk(new));
        if good < length || length == 0 {
            this.ended = true;
        }
        buf.set_filled(if this.count(length) || good < length { before + good } else { before });
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Ready(Ok(written)) => {
                this.patience = None;
                this.count(written);
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => {
                this.ended = true;
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                let until = Instant::now() + this.bounds.idle;
                let patience = this.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
                let over = patience.as_mut().poll(cx).is_ready() || this.gone.as_mut().poll(cx).is_ready();
                if !over {
                    return Poll::Pending;
                }
                this.ended = true;
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_length_ends_the_stream_where_it_stands() {
        let mut frame = Frame::default();
        assert_eq!(frame.walk(&[0, 0, 0, 2, 7, 7, 0, 0]), 8);
        assert_eq!(frame.walk(&[0, 1, 9, 0, 0, 0, 0, 5, 5]), 6, "a packet of no bytes");
        assert_eq!(Frame::default().walk(&(PACKET_LIMIT + 1).to_be_bytes()), 3);
        assert_eq!(Frame::default().walk(&PACKET_LIMIT.to_be_bytes()), 4);
    }

    proptest::proptest! {
        #[test]
        fn cutting_does_not_matter(bytes in proptest::collection::vec(0..4u8, 0..64), cut in 0..64usize) {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let whole = Frame::default().walk(&bytes);
            let mut frame = Frame::default();
            let good = frame.walk(first);
            let good = if good < first.len() { good } else { good + frame.walk(second) };
            proptest::prop_assert_eq!(good, whole);
        }
    }
}
