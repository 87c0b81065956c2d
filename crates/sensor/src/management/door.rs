//! Who may come in: the token, how often a source may be wrong, and how many connections it may hold.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use wire::Token;

/// Connections at once.
const CONNECTIONS: usize = 256;
/// Connections at once from the source that last showed the right token.
const CONNECTIONS_OF_REGISTRY: usize = 64;
/// Connections at once from any other source.
const CONNECTIONS_PER_SOURCE: usize = 8;
/// Connections that only the registry may take.
const RESERVED: usize = 16;
/// Wrong tokens are counted over this time.
const WINDOW: Duration = Duration::from_secs(60);
/// So many wrong tokens are answered at once, further ones late.
const PROMPT_REFUSALS: u32 = 10;
/// How late.
const DELAY: Duration = Duration::from_secs(3);
/// Sources remembered; beyond that, new ones share one count.
const SOURCES: usize = 4096;
/// What strangers may ask for: that something runs, which the open port says too.
const OPEN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// Checks tokens. A right one is never delayed, so nobody can lock the registry out from behind its own address.
pub struct Door {
    digest: [u8; 32],
    wrong: Mutex<HashMap<IpAddr, (Instant, u32)>>,
    refused: AtomicU64,
}

/// What the door says to a request.
pub enum Entry {
    /// It showed the token.
    Registry,
    /// It asks for what strangers may know. Its connection should end with the answer.
    Stranger,
    /// This is the answer.
    Refused(Response<Body>),
}

/// What a wrong token brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Logged,
    Silent,
    Late,
}

impl Door {
    /// A door for this token.
    pub fn new(token: Token) -> Self {
        Self {
            digest: Sha256::digest(token.reveal()).into(),
            wrong: Mutex::new(HashMap::new()),
            refused: AtomicU64::new(0),
        }
    }

    /// Requests refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether a request may pass.
    pub async fn check(&self, request: &http::request::Parts, source: IpAddr) -> Entry {
        if self.knows(&request.headers) {
            return Entry::Registry;
        }
        if OPEN_PATHS.contains(&request.uri.path()) {
            return Entry::Stranger;
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        match self.count(source, Instant::now()) {
            Refusal::Logged => {
                tracing::warn!(%source, path = ?request.uri.path(), "management request without the right token");
            }
            Refusal::Silent => {}
            Refusal::Late => tokio::time::sleep(DELAY).await,
        }
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        close_after(&mut answer);
        Entry::Refused(answer)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return false };
        let value = value.as_bytes();
        let Some(space) = value.iter().position(|byte| *byte == b' ') else { return false };
        let (scheme, token) = value.split_at(space);
        if !scheme.eq_ignore_ascii_case(b"Bearer") && !scheme.eq_ignore_ascii_case(b"Token") {
            return false;
        }
        // Digests are of one length, so the comparison tells nothing about the token's.
        let digest: [u8; 32] = Sha256::digest(token.trim_ascii()).into();
        digest.ct_eq(&self.digest).into()
    }

    fn count(&self, source: IpAddr, now: Instant) -> Refusal {
        let mut wrong = self.wrong.lock();
        let mut source = network_of(source);
        if wrong.len() >= SOURCES && !wrong.contains_key(&source) {
            wrong.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
            if wrong.len() >= SOURCES {
                source = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let (since, count) = wrong.entry(source).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        match *count {
            1 => Refusal::Logged,
            count if count > PROMPT_REFUSALS => Refusal::Late,
            _ => Refusal::Silent,
        }
    }
}

/// Ends the connection with this answer, so that no stranger holds a seat in silence.
pub fn close_after(answer: &mut Response<Body>) {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// Whoever has one IPv6 address has its whole /64.
fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let high = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(high))
        }
        v4 => v4,
    }
}

/// Counts open connections.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<Seats>>);

#[derive(Default)]
struct Seats {
    open: HashMap<IpAddr, usize>,
    /// Who last showed the right token.
    registry: Option<IpAddr>,
}

/// One open connection; dropping it frees its place.
pub struct Seat {
    connections: Connections,
    source: IpAddr,
}

impl Connections {
    /// A place for one more connection, when there is one. The last places are the registry's.
    pub fn seat(&self, source: IpAddr) -> Option<Seat> {
        let source = network_of(source);
        let mut seats = self.0.lock();
        let (most, per_source) = if seats.registry == Some(source) {
            (CONNECTIONS, CONNECTIONS_OF_REGISTRY)
        } else {
            (CONNECTIONS - RESERVED, CONNECTIONS_PER_SOURCE)
        };
        if seats.open.values().sum::<usize>() >= most {
            return None;
        }
        let count = seats.open.entry(source).or_insert(0);
        if *count >= per_source {
            return None;
        }
        *count += 1;
        Some(Seat { connections: self.clone(), source })
    }
}

impl Seat {
    /// Whoever sits here showed the right token.
    pub fn is_registry(&self) {
        self.connections.0.lock().registry = Some(self.source);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.connections.0.lock();
        if let Some(count) = seats.open.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                seats.open.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn door() -> Door {
        Door::new(Token::try_from(SECRET.to_owned()).unwrap())
    }

    #[test]
    fn only_the_token_opens() {
        let door = door();
        let knows = |value: &str| {
            door.knows(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]))
        };
        for right in [format!("Bearer {SECRET}"), format!("Token {SECRET}"), format!("bearer  {SECRET}")] {
            assert!(knows(&right), "{right}");
        }
        let longer = format!("Bearer {SECRET}0");
        let basic = format!("Basic {SECRET}");
        for wrong in [SECRET, "Bearer", "Bearer ", "Bearer 0123", longer.as_str(), basic.as_str(), ""] {
            assert!(!knows(wrong), "{wrong}");
        }
        assert!(!door.knows(&HeaderMap::new()));
    }

    #[test]
    fn a_source_that_keeps_guessing_is_slowed_and_forgiven_later() {
        let door = door();
        let (source, start) = (IpAddr::from([192, 0, 2, 1]), Instant::now());
        assert_eq!(door.count(source, start), Refusal::Logged);
        for _ in 1..PROMPT_REFUSALS {
            assert_eq!(door.count(source, start), Refusal::Silent);
        }
        assert_eq!(door.count(source, start), Refusal::Late);
        assert_eq!(door.count(IpAddr::from([192, 0, 2, 2]), start), Refusal::Logged);
        assert_eq!(door.count(source, start + WINDOW), Refusal::Logged);
    }

    #[test]
    fn many_sources_do_not_fill_the_memory() {
        let (door, start) = (door(), Instant::now());
        for n in 0..20_000u32 {
            door.count(IpAddr::from(n.to_be_bytes()), start);
        }
        assert!(door.wrong.lock().len() <= SOURCES + 1);
        assert_eq!(door.count(IpAddr::from([255, 0, 0, 1]), start), Refusal::Late);
    }

    #[test]
    fn seats_are_limited_and_given_back() {
        let connections = Connections::default();
        let one = IpAddr::from([192, 0, 2, 1]);
        let seats: Vec<_> = std::iter::from_fn(|| connections.seat(one)).collect();
        assert_eq!(seats.len(), CONNECTIONS_PER_SOURCE);
        let others: Vec<_> = (0..1000u32)
            .filter_map(|n| connections.seat(IpAddr::from((n + 1_000_000).to_be_bytes())))
            .collect();
        assert_eq!(seats.len() + others.len(), CONNECTIONS - RESERVED);
        drop((seats, others));
        assert!(connections.0.lock().open.is_empty());
    }

    #[test]
    fn strangers_do_not_shut_the_registry_out() {
        let connections = Connections::default();
        let registry = IpAddr::from([192, 0, 2, 1]);
        connections.seat(registry).unwrap().is_registry();
        let strangers: Vec<_> = (0..1000u32)
            .filter_map(|n| connections.seat(IpAddr::from((n + 1_000_000).to_be_bytes())))
            .collect();
        assert_eq!(strangers.len(), CONNECTIONS - RESERVED);
        let seats: Vec<_> = std::iter::from_fn(|| connections.seat(registry)).collect();
        assert_eq!(seats.len(), RESERVED);
        drop(strangers);
        let more: Vec<_> = std::iter::from_fn(|| connections.seat(registry)).collect();
        assert_eq!(seats.len() + more.len(), CONNECTIONS_OF_REGISTRY);
    }
}
