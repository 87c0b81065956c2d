//! The management port: HTTPS for the registry alone, on a thread and runtime of its own.
//!
//! The trap ports may be under any load: this port shares no worker with them. Strangers learn nothing but that
//! something speaks TLS here.

mod door;
mod encoding;
mod figures;
mod routes;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::artifacts::Artifacts;
use crate::birth::Birth;
use crate::event_log::EventLog;
use crate::vitals::Vitals;
use door::{Connections, Door, Entry, Seat};

/// A client has this long for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// A client has this long for each request's head, and may idle this long between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// No connection lives longer: even 64 MiB over a slow line are through by then.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(600);
/// Requests under way at a stop have this long to end.
const GRACE: Duration = Duration::from_secs(5);
/// After a failed `accept` (too many open files), this long passes before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a request's head.
const HEAD_MAX: usize = 16 * 1024;
/// Threads for reading and compressing the log.
const BLOCKING_THREADS: usize = 4;

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// The listener is of no use.
    #[error("cannot use the listener of the management port")]
    Listener {
        /// Why.
        source: io::Error,
    },
    /// No runtime.
    #[error("cannot start the runtime of the management port")]
    Runtime {
        /// Why.
        source: io::Error,
    },
    /// No thread.
    #[error("cannot start the thread of the management port")]
    Thread {
        /// Why.
        source: io::Error,
    },
}

impl ManagementError {
    /// The listener is of no use.
    pub fn from_io(source: io::Error) -> Self {
        Self::Listener { source }
    }
}

/// What the port shows.
#[derive(Clone)]
pub struct Deps {
    /// Token and certificate.
    pub birth: Birth,
    /// The log to hand over.
    pub log: EventLog,
    /// How the host is doing.
    pub vitals: Vitals,
    /// Captured files.
    pub artifacts: Arc<Artifacts>,
    /// The address the registry should call, when the settings name one.
    pub ip_address: Option<IpAddr>,
    /// `ssh:22` and so on.
    pub listeners: Vec<String>,
    /// Further lines for `/metrics`: what asking the model costs.
    pub chat_metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The running port. Dropping it ends the port without waiting.
#[derive(Debug)]
pub struct Management {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Management {
    /// Serves `listener`, which the caller has bound, until [`Self::stop`].
    pub fn start(listener: TcpListener, deps: Deps) -> Result<Self, ManagementError> {
        let fault = |source| ManagementError::Listener { source };
        let address = listener.local_addr().map_err(fault)?;
        listener.set_nonblocking(true).map_err(fault)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("management-disk")
            .build()
            .map_err(|source| ManagementError::Runtime { source })?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(fault)?
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("management".to_owned())
            .spawn(move || {
                runtime.block_on(serve(listener, deps, stopped));
                runtime.shutdown_timeout(GRACE);
            })
            .map_err(|source| ManagementError::Thread { source })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets requests under way end, and waits for that, some seconds at most.
    /// Blocks; asynchronous callers use `spawn_blocking`.
    pub fn stop(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the management port had panicked");
        }
    }
}

impl Drop for Management {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: tokio::net::TcpListener, deps: Deps, stop: CancellationToken) {
    let tls = TlsAcceptor::from(Arc::clone(&deps.birth.tls));
    let door = Arc::new(Door::new(deps.birth.token.clone()));
    let router = routes::router(deps, Arc::clone(&door));
    let connections = Connections::default();
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Over the cap the connection is closed without a word, as a full backlog would.
                if let Some(seat) = connections.seat(peer.ip()) {
                    let (tls, door, router, stop) =
                        (tls.clone(), Arc::clone(&door), router.clone(), stop.clone());
                    tasks.spawn(async move {
                        let serving = attend(stream, peer, seat, tls, door, router, stop);
                        if tokio::time::timeout(CONNECTION_TIMEOUT, serving).await.is_err() {
                            tracing::debug!(%peer, "a management connection was ended after its time");
                        }
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the management port cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!("management requests under way were cut off at the stop");
    }
}

async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seat,
    tls: TlsAcceptor,
    door: Arc<Door>,
    router: Router,
    stop: CancellationToken,
) {
    // A socket that is gone already fails in the handshake.
    let local = stream.local_addr().ok().map(|address| routes::Local(address.ip().to_canonical()));
    let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return tracing::debug!(%peer, %error, "a TLS handshake on the management port failed");
        }
        Err(_) => return tracing::debug!(%peer, "a TLS handshake on the management port took too long"),
    };
    let seat = Arc::new(seat);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (door, router, seat) = (Arc::clone(&door), router.clone(), Arc::clone(&seat));
        async move {
            let (mut head, body) = request.into_parts();
            if let Some(local) = local {
                head.extensions.insert(local);
            }
            // Before any route: what is added to the router later is behind the door too.
            let entry = door.check(&head, peer.ip()).await;
            let request = hyper::Request::from_parts(head, Body::new(body));
            match entry {
                Entry::Refused(answer) => Ok(answer),
                Entry::Stranger => router.oneshot(request).await.map(|mut answer| {
                    door::close_after(&mut answer);
                    answer
                }),
                Entry::Registry => {
                    seat.is_registry();
                    router.oneshot(request).await
                }
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a management connection ended early");
    }
}
