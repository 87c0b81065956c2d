//! What came of an attempt to register, and what a person can do about it.

use std::error::Error as _;
use std::time::Duration;

use reqwest::StatusCode;
use wire::RegisterAnswer;

/// The most characters of the registry's own words that are repeated in the diagnostics.
const WORDS_MAX: usize = 500;

/// What came of one attempt. Two equal outcomes in a row are told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The registry knows us and pulls.
    Active,
    /// Somebody has to approve us.
    Pending,
    /// The registry finds fault with what we said.
    Invalid { errors: Vec<String> },
    /// The registration key is missing or wrong.
    Unauthorized,
    /// Somebody has revoked this bucket.
    Revoked,
    /// The name belongs to a bucket with another token.
    NameTaken,
    /// The registry asks for patience.
    Busy { retry_after: Option<Duration> },
    /// The registry has trouble of its own.
    RegistryFault { status: u16 },
    /// What answers is no registry.
    NoRegistry { status: u16 },
    /// The name of the registry's host is not known.
    UnknownHost,
    /// Its certificate is not trusted, or TLS failed otherwise.
    Tls { fault: String },
    /// Nothing listens there, or nothing gets through.
    Unreachable { fault: String },
    /// It took the connection but did not answer in time.
    TimedOut,
}

impl Outcome {
    /// What a complete answer means.
    pub fn from_answer(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Self {
        let answer: Option<RegisterAnswer> = serde_json::from_slice(body).ok();
        let said = answer.as_ref().map_or("", |answer| answer.status.as_str());
        match (status.as_u16(), said) {
            (200, "active") => Self::Active,
            (200, "pending") => Self::Pending,
            (400 | 413 | 422, _) => {
                let errors = answer.map(|answer| answer.errors).unwrap_or_default();
                Self::Invalid { errors: errors.iter().map(|error| printable(error)).collect() }
            }
            (401, _) => Self::Unauthorized,
            (403, "revoked") => Self::Revoked,
            (409, _) => Self::NameTaken,
            (429, _) => Self::Busy { retry_after },
            (500..=599, _) => Self::RegistryFault { status: status.as_u16() },
            (status, _) => Self::NoRegistry { status },
        }
    }

    /// What a failed request means. The address, which may hold a password, is not kept.
    pub fn from_error(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let (mut texts, mut cause) = (Vec::new(), error.source());
        while let Some(error) = cause {
            if let Some(tls) = tls_error(error) {
                return Self::Tls { fault: tls.to_string() };
            }
            texts.push(error.to_string());
            cause = error.source();
        }
        if texts.iter().any(|text| text.contains("dns error")) {
            return Self::UnknownHost;
        }
        let fault = texts.pop().unwrap_or_else(|| "the request could not be made".to_owned());
        if error.is_builder() { Self::Tls { fault } } else { Self::Unreachable { fault } }
    }

    /// Whether the next attempt should wait longer and longer.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Active | Self::Pending)
    }

    /// Tells the diagnostics.
    pub fn tell(&self) {
        let text = self.advice();
        match self {
            Self::Active | Self::Pending => tracing::info!("{text}"),
            Self::Revoked | Self::NameTaken | Self::Unauthorized | Self::Invalid { .. } => {
                tracing::error!("{text}")
            }
            _ => tracing::warn!("{text}"),
        }
    }

    /// What happened and what to do.
    pub fn advice(&self) -> String {
        match self {
            Self::Active => "registered: the registry knows this bucket and fetches its log".to_owned(),
            Self::Pending => {
                "registered, waiting for approval: approve this bucket on the registry's page or with \
                 `rustbucket-registry bucket approve NAME`"
                    .to_owned()
            }
            Self::Invalid { errors } if errors.is_empty() => {
                "the registry finds this registration invalid and does not say why; do both have the same version?".to_owned()
            }
            Self::Invalid { errors } => {
                format!("the registry finds this registration invalid: {}; correct the settings", errors.join("; "))
            }
            Self::Unauthorized => {
                "the registry refuses the registration key: set registration.registration_key to a valid one \
                 (`rustbucket-registry key create`)"
                    .to_owned()
            }
            Self::Revoked => {
                "this bucket was revoked at the registry: approve it again there, or move the state folder away to \
                 start as a new bucket"
                    .to_owned()
            }
            Self::NameTaken => {
                "the registry knows this bucket's name with another token: restore the token it had (state folder or \
                 token.txt), or remove the bucket at the registry"
                    .to_owned()
            }
            Self::Busy { .. } => "the registry asks to slow down; trying again later".to_owned(),
            Self::RegistryFault { status } => {
                format!("the registry answers with its own failure (HTTP {status}); see its diagnostics; trying again")
            }
            Self::NoRegistry { status } => {
                format!(
                    "what answers is no registry (HTTP {status}): check registration.rustbucket_registry_url; trying again"
                )
            }
            Self::UnknownHost => {
                "the registry's host name is not known: check registration.rustbucket_registry_url and the host's DNS; \
                 trying again"
                    .to_owned()
            }
            Self::Tls { fault } => {
                format!(
                    "no trusted TLS connection to the registry ({fault}): if its certificate is its own, name that in \
                     registration.registry_ca; trying again"
                )
            }
            Self::Unreachable { fault } => {
                format!("the registry cannot be reached ({fault}): is it running and is the port open? trying again")
            }
            Self::TimedOut => "the registry does not answer in time; trying again".to_owned(),
        }
    }
}

/// The TLS error in an error, also inside I/O errors, which hide what they wrap from `source`.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) => tls_error(io.get_ref()?),
        None => error.downcast_ref(),
    }
}

/// The registry's words may be anybody's, if the address is wrong: no control characters, no flood.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect()
}
