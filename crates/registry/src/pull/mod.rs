//! Calling buckets: one HTTPS client that trusts exactly the certificate each bucket enrolled with, and bounds all it takes.
//!
//! A bucket is called by a made-up name (`b17.bucket.invalid`). The resolver maps it to the enrolled address, the
//! verifier to the enrolled certificate; a name that is in neither map cannot be called at all.

mod address;
mod pinning;
mod unpack;

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::Semaphore;
use wire::endpoints::{
    ARTIFACTS, EXTRACT_LOGS, FIRST_SEQ_HEADER, LAST_SEQ_HEADER, MORE_HEADER, SHA256_HEADER, UPDATE_BUCKET,
};
use wire::{Token, UpdateBucketAnswer};

pub use address::{AddressError, Guard};
pub use unpack::Packed;
pub(crate) use unpack::unpack_zstd;

use crate::config;
use crate::store::Bucket;
use crate::vault::{Vault, VaultError};
use pinning::{Pins, Target};

/// What is asked for in one extract: answers stay far below `max_response`.
const EXTRACT_BYTES: u64 = 4 * 1024 * 1024;
/// The most an answer may have without waiting for its turn among the large ones.
const SMALL: usize = 1024 * 1024;
/// Large answers that are held at once.
const LARGE_AT_ONCE: usize = 4;

/// Why a bucket's answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The client could not be made.
    #[error("cannot make the HTTPS client")]
    Client(#[source] reqwest::Error),
    /// The address must not be called.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The bucket enrolled without a certificate.
    #[error("the bucket enrolled without `certificate_sha256`; it is not called")]
    NotPinned,
    /// The token cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No connection, or another certificate than the pinned one.
    #[error("no connection: {0}")]
    Connect(String),
    /// It took too long.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// The token was refused.
    #[error("the bucket refuses its token (401)")]
    Token,
    /// Another status than the interface has.
    #[error("the bucket answered with status {0}")]
    Status(StatusCode),
    /// The body broke off.
    #[error("the answer broke off: {0}")]
    Body(String),
    /// More bytes than are taken.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
    /// A header is missing or wrong.
    #[error("the answer's `{0}` is missing or wrong")]
    Header(&'static str),
    /// The body cannot be decompressed.
    #[error("the answer cannot be unpacked: {0}")]
    Unpack(String),
    /// The body is not what its digest says.
    #[error("the answer's digest is {found}, not {promised}")]
    Digest {
        /// As the header has it.
        promised: String,
        /// As computed.
        found: String,
    },
    /// The body is not what the interface says.
    #[error("the answer is wrong: {0}")]
    Wrong(String),
}

/// Lines of a bucket's log.
#[derive(Debug)]
pub struct Extract {
    /// The lines.
    pub plain: Vec<u8>,
    /// As the header says.
    pub first_seq: u64,
    /// As the header says.
    pub last_seq: u64,
    /// More follows.
    pub more: bool,
    /// Of the lines, checked.
    pub sha256: String,
}

/// Calls buckets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Puller {
    client: reqwest::Client,
    pins: Arc<Pins>,
    guard: Guard,
    vault: Vault,
    timeout: Duration,
    max_response: u64,
    large: Arc<Semaphore>,
    unpacking: Arc<Semaphore>,
}

impl Puller {
    /// Makes the one client.
    pub fn new(pull: &config::Pull, guard: Guard, vault: Vault) -> Result<Self, PullError> {
        let pins = Arc::new(Pins::default());
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(pinning::client_config(Arc::clone(&pins)))
            .dns_resolver(pinning::Resolver::new(Arc::clone(&pins), guard.clone()))
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Pulls are rare; five thousand idle connections cost more memory than their handshakes cost time.
            .pool_max_idle_per_host(0)
            .connect_timeout(pull.connect_timeout)
            .timeout(pull.timeout)
            .user_agent(concat!("rustbucket-registry/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(PullError::Client)?;
        Ok(Self {
            client,
            pins,
            guard,
            vault,
            timeout: pull.timeout,
            max_response: pull.max_response,
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            unpacking: Arc::new(Semaphore::new(2)),
        })
    }

    /// Asks a bucket for its state.
    pub async fn update_bucket(&self, bucket: &Bucket) -> Result<UpdateBucketAnswer, PullError> {
        let (status, _, body) = self.call(bucket, UPDATE_BUCKET, 256 * 1024).await?;
        if status != StatusCode::OK {
            return Err(PullError::Status(status));
        }
        serde_json::from_slice(&body).map_err(|error| PullError::Wrong(error.to_string()))
    }

    /// Asks a bucket for the lines after `after`, and tells it thereby that everything up to there is kept. None when
    /// there are none.
    pub async fn extract_logs(&self, bucket: &Bucket, after: u64) -> Result<Option<Extract>, PullError> {
        let limit = EXTRACT_BYTES.min(self.max_response / 2);
        let path = format!("{EXTRACT_LOGS}?after={after}&limit={limit}");
        let (status, headers, body) = self.call(bucket, &path, self.max_response).await?;
        match status {
            StatusCode::NO_CONTENT => return Ok(None),
            StatusCode::OK => {}
            other => return Err(PullError::Status(other)),
        }
        let first_seq = number(&headers, FIRST_SEQ_HEADER)?;
        let last_seq = number(&headers, LAST_SEQ_HEADER)?;
        let more = match text(&headers, MORE_HEADER) {
            Some("true" | "1") => true,
            Some("false" | "0") | None => false,
            Some(_) => return Err(PullError::Header(MORE_HEADER)),
        };
        let promised = text(&headers, SHA256_HEADER).map(str::to_ascii_lowercase);
        let promised = promised
            .filter(|sum| crate::log_parser::is_sha256(sum))
            .ok_or(PullError::Header(SHA256_HEADER))?;
        let packed = Packed::named(text(&headers, CONTENT_ENCODING.as_str()))
            .ok_or(PullError::Header("content-encoding"))?;
        let (plain, found) = self.unpack(packed, body).await?;
        if found != promised {
            return Err(PullError::Digest { promised, found });
        }
        Ok(Some(Extract { plain, first_seq, last_seq, more, sha256: found }))
    }

    /// Asks a bucket for a captured file. None when it has it no more.
    pub async fn artifact(&self, bucket: &Bucket, sha256: &str) -> Result<Option<Vec<u8>>, PullError> {
        let (status, headers, body) =
            self.call(bucket, &format!("{ARTIFACTS}/{sha256}"), self.max_response).await?;
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            StatusCode::OK => {}
            other => return Err(PullError::Status(other)),
        }
        let packed = Packed::named(text(&headers, CONTENT_ENCODING.as_str()))
            .ok_or(PullError::Header("content-encoding"))?;
        let (plain, found) = self.unpack(packed, body).await?;
        if found != sha256 {
            return Err(PullError::Digest { promised: sha256.to_owned(), found });
        }
        Ok(Some(plain))
    }

    /// Decompresses and digests on a thread for blocking work, few at once: each may take `max_response` of memory.
    async fn unpack(&self, packed: Packed, body: Vec<u8>) -> Result<(Vec<u8>, String), PullError> {
        let _turn = self
            .unpacking
            .acquire()
            .await
            .map_err(|_| PullError::Unpack("the registry is closing".to_owned()))?;
        let limit = self.max_response;
        tokio::task::spawn_blocking(move || unpack::unpack(packed, body, limit))
            .await
            .map_err(|error| PullError::Unpack(error.to_string()))?
    }

    /// One call, with its time, size and number of bytes in memory bounded.
    async fn call(
        &self,
        bucket: &Bucket,
        path: &str,
        limit: u64,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), PullError> {
        let name = format!("b{}.bucket.invalid", bucket.id);
        let target = Target {
            address: self.guard.check(&bucket.ip_address, bucket.management_port)?,
            pin: bucket.certificate_sha256.as_deref().and_then(pinning::pin).ok_or(PullError::NotPinned)?,
        };
        let token = self.vault.unseal(&bucket.name, &bucket.token_sealed)?;
        self.pins.set(&name, target);
        let url = format!("https://{name}:{}{path}", bucket.management_port);
        // The client's own limit counts from each attempt; this one is the whole call, waiting for memory included.
        match tokio::time::timeout(self.timeout, self.exchange(&url, &token, limit)).await {
            Ok(result) => result,
            Err(_) => Err(PullError::Timeout(self.timeout)),
        }
    }

    async fn exchange(
        &self,
        url: &str,
        token: &Token,
        limit: u64,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), PullError> {
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| PullError::Token)?;
        bearer.set_sensitive(true);
        let request = self
            .client
            .get(url)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, "zstd, gzip;q=0.5");
        let mut response = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            return Err(PullError::Token);
        }
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(PullError::TooLarge(limit));
        }
        let mut body = Vec::new();
        let mut turn = None;
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(PullError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
            if body.len() > SMALL && turn.is_none() {
                turn = Some(
                    self.large
                        .acquire()
                        .await
                        .map_err(|_| PullError::Body("the registry is closing".to_owned()))?,
                );
            }
        }
        Ok((status, response.headers().clone(), body))
    }

    fn no_answer(&self, error: &reqwest::Error) -> PullError {
        if error.is_timeout() {
            PullError::Timeout(self.timeout)
        } else {
            PullError::Connect(innermost(error))
        }
    }

    fn broken(&self, error: &reqwest::Error) -> PullError {
        if error.is_timeout() { PullError::Timeout(self.timeout) } else { PullError::Body(innermost(error)) }
    }
}

/// The last cause of an error: what the socket or the TLS layer said.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, PullError> {
    text(headers, name).and_then(|text| text.parse().ok()).ok_or(PullError::Header(name))
}
