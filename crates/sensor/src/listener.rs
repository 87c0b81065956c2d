//! Knock: binds every port before any is served, lets visitors in, and hands each to its dialogue.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use decoy::{
    Contact, Dialogue,
    busy::busy_words,
    ftp::Ftp,
    http::{Http, Scheme},
    plain::Plain,
    smtp::Smtp,
    telnet::Telnet,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{EventKind, Protocol};

use crate::{
    admission::{Refusal, Ticket, TurnedAway},
    bucket::Bucket,
    config::Listener,
    ftp_data::DataPort,
    handler::handle_client,
    line::TcpLine,
    session::{CloseOnDrop, Session},
};

/// More than any burst that one event loop takes to accept: a short queue hangs clients (measured on peers).
const BACKLOG: u32 = 4096;
/// How long a port of TLS waits for the first byte (nginx: `client_header_timeout`).
const FIRST_BYTE: Duration = Duration::from_secs(60);

/// A port that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("`{name}`: port {address} cannot be bound")]
pub struct BindError {
    /// The setting.
    pub name: String,
    /// Where it should have listened.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// Binds one port. Needs a runtime around it.
pub fn bind(name: &str, address: IpAddr, port: u16) -> Result<TcpListener, BindError> {
    let address = SocketAddr::new(address, port);
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|source| BindError { name: name.to_owned(), address, source })
}

/// Accepts visitors until `stop`; their tasks live in `visits`.
pub async fn accept(
    bucket: Arc<Bucket>,
    listener: Arc<Listener>,
    socket: TcpListener,
    visits: TaskTracker,
    stop: CancellationToken,
) {
    let mut complained = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                complained = false;
                let floods = bucket.sensor.shares.of(peer.ip()).is_flooding();
                match bucket.admission.admit(peer.ip(), floods) {
                    Ok(ticket) => {
                        let visit = serve(Arc::clone(&bucket), Arc::clone(&listener), stream, peer, ticket);
                        visits.spawn(visit);
                    }
                    Err((refusal, count)) => {
                        visits.spawn(turn_away(
                            Arc::clone(&bucket),
                            Arc::clone(&listener),
                            stream,
                            peer,
                            refusal,
                            count,
                        ));
                    }
                }
            }
            // The visitor was gone before it was let in.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                if !complained {
                    tracing::error!(%error, port = %listener.name, "no connection can be accepted; trying on");
                    complained = true;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The local end, which a socket that is already gone cannot tell.
fn local_of(stream: &TcpStream, listener: &Listener) -> SocketAddr {
    stream.local_addr().unwrap_or(SocketAddr::new(listener.address, listener.port))
}

async fn serve(
    bucket: Arc<Bucket>,
    listener: Arc<Listener>,
    stream: TcpStream,
    peer: SocketAddr,
    ticket: Ticket,
) {
    // Postfix alone leaves Nagle's algorithm on: an alert behind a flight of TLS may be lost, as with it.
    if let Err(error) = stream.set_nodelay(listener.protocol != Protocol::Smtp) {
        tracing::debug!(%error, "a connection was gone at once");
    }
    let local = local_of(&stream, &listener);
    let session = Session::begin(&bucket.log, &bucket.sensor, listener.protocol, peer, local);
    let _close = CloseOnDrop(session.clone());
    let visitor = bucket.machine.visit(peer.ip());
    if visitor.is_down() || !visitor.serves(usual_port(listener.protocol)) {
        refuse(&stream);
        return;
    }
    let contact = Contact {
        visitor,
        oracle: bucket.mind.of_session(&session),
        local,
        peer,
        limits: bucket.dialogue_limits,
    };
    // SSH has its own line.
    if listener.protocol == Protocol::Ssh {
        if let Some(daemon) = bucket.ssh_daemon(&listener.name) {
            // On the heap: the other protocols' visits need not be as large as this one's.
            Box::pin(daemon.serve(stream, contact, session)).await;
        }
        drop(ticket);
        return;
    }
    let mut line = TcpLine::new(stream, bucket.tls_of(&listener.name));
    let mut scheme = Scheme::Http;
    if listener.tls.is_some() {
        scheme = match timeout(FIRST_BYTE.min(bucket.bounds.idle), line.begins_tls()).await {
            Ok(Ok(true)) => Scheme::Https,
            Ok(Ok(false)) => Scheme::HttpToHttps,
            // Silent or gone: nginx closes without a word.
            Ok(Err(_)) | Err(_) => return,
        };
    }
    let mut dialogue = dialogue_of(&bucket, &listener, scheme, contact, &session);
    handle_client(&mut line, dialogue.as_mut(), &session, bucket.bounds, &bucket.artifacts).await;
    drop(ticket);
}

/// Where Debian's daemon of a protocol listens; 0 for what is none of them.
fn usual_port(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Ftp => 21,
        Protocol::Ssh => 22,
        Protocol::Telnet => 23,
        Protocol::Smtp => 25,
        Protocol::Http => 80,
        Protocol::Plain | Protocol::Rustbucket => 0,
    }
}

/// Ends a connection as a port does at which nobody listens: with a reset.
fn refuse(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection ends without a reset");
    }
}

/// Who answers at a port that speaks in lines.
fn dialogue_of(
    bucket: &Bucket,
    listener: &Listener,
    scheme: Scheme,
    contact: Contact,
    session: &Session,
) -> Box<dyn Dialogue> {
    let banner = listener.banner.clone();
    match listener.protocol {
        Protocol::Telnet => {
            let telnet = Telnet::new(contact);
            Box::new(match banner {
                Some(banner) => telnet.with_banner(&banner),
                None => telnet,
            })
        }
        Protocol::Ftp => {
            let data =
                DataPort::new(contact.local.ip(), contact.peer.ip(), session.clone(), bucket.bounds.bytes);
            let ftp = Ftp::new(contact, Box::new(data));
            Box::new(match banner {
                Some(banner) => ftp.with_banner(&banner),
                None => ftp,
            })
        }
        Protocol::Smtp => {
            let smtp = Smtp::new(contact);
            Box::new(match banner {
                Some(banner) => smtp.with_banner(&banner),
                None => smtp,
            })
        }
        Protocol::Http => {
            let http = Http::new(contact).with_scheme(scheme);
            Box::new(match banner {
                Some(banner) => http.with_banner(&banner),
                None => http,
            })
        }
        Protocol::Plain | Protocol::Ssh | Protocol::Rustbucket => {
            Box::new(Plain::new(contact, banner.unwrap_or_default()))
        }
    }
}

/// Writes the event of visitors who were turned away.
pub(crate) fn tell_turned_away(bucket: &Bucket, who: TurnedAway, value: u64) {
    let session = Session::begin(&bucket.log, &bucket.sensor, who.protocol, who.peer, who.local);
    session.note(EventKind::LimitHit { limit: who.refusal.limit().to_owned(), value });
    session.close();
}

/// Says what a busy server says. The event tells how many were turned away since the last one.
async fn turn_away(
    bucket: Arc<Bucket>,
    listener: Arc<Listener>,
    mut stream: TcpStream,
    peer: SocketAddr,
    refusal: Refusal,
    count: Option<u64>,
) {
    let who = TurnedAway { refusal, protocol: listener.protocol, peer, local: local_of(&stream, &listener) };
    match count {
        Some(value) => tell_turned_away(&bucket, who, value),
        None => bucket.admission.owe(who),
    }
    let per_source = refusal != Refusal::Connections;
    let words = busy_words(listener.protocol, &bucket.machine.identity.hostname, peer.ip(), per_source);
    // A visitor who does not take a few bytes at once is not waited for.
    let said = timeout(Duration::from_secs(1), stream.write_all(words.as_bytes())).await;
    tracing::trace!(?said, %peer, "turned away");
}
