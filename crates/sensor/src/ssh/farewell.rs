//! A stream that says something before it is seen to end: the library below closes a channel without a program's status.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream and its last words.
pub struct Farewell<S> {
    stream: S,
    words: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    over: bool,
}

impl<S> Farewell<S> {
    /// `words` are said when `stream` has ended.
    pub fn new(stream: S, words: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { stream, words: Some(Box::pin(words)), over: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Farewell<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if !self.over {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            self.over = buf.filled().len() == before && buf.remaining() > 0;
        }
        if self.over
            && let Some(words) = &mut self.words
        {
            ready!(words.as_mut().poll(cx));
            self.words = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Farewell<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
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
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn words_come_before_the_end() {
        let said = Arc::new(AtomicBool::new(false));
        let saying = Arc::clone(&said);
        let mut stream = Farewell::new(&b"abc"[..], async move {
            tokio::task::yield_now().await;
            saying.store(true, Ordering::Relaxed);
        });
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        assert!(heard == b"abc" && said.load(Ordering::Relaxed));
    }
}
