//! A bucket's name, token and state as they cross the wire.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What every bucket name begins with.
pub const NAME_PREFIX: &str = "rustbucket-";
/// How many letters or digits follow [`NAME_PREFIX`].
pub const NAME_SUFFIX_LENGTH: usize = 8;
/// The fewest characters a token may have.
pub const TOKEN_MIN_LENGTH: usize = 32;
/// The most characters any text field of a registration may have.
pub const FIELD_MAX_LENGTH: usize = 255;

/// `rustbucket-` and eight ASCII letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);

impl BucketName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BucketName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let suffix = text.strip_prefix(NAME_PREFIX).unwrap_or_default();
        if suffix.len() == NAME_SUFFIX_LENGTH && suffix.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text))
        } else {
            Err(format!("name must be `{NAME_PREFIX}` followed by {NAME_SUFFIX_LENGTH} letters or digits"))
        }
    }
}

impl From<BucketName> for String {
    fn from(name: BucketName) -> Self {
        name.0
    }
}

/// The secret a bucket and the registry share. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl Token {
    /// The secret itself; for the wire and the sealed store only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TryFrom<String> for Token {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() < TOKEN_MIN_LENGTH {
            Err(format!("token must have at least {TOKEN_MIN_LENGTH} characters"))
        } else if text.len() > FIELD_MAX_LENGTH {
            Err(format!("token must have at most {FIELD_MAX_LENGTH} characters"))
        } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
            Err("token must be printable ASCII without spaces".to_owned())
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

/// Body of `POST /register_bucket`, as a bucket sends it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterBucket {
    /// Who asks.
    pub name: BucketName,
    /// Its secret.
    pub token: Token,
    /// The address the registry should call; the address it came from when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// For example `Debian GNU/Linux 12 (bookworm)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<String>,
    /// Percent, for example `3.2%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_usage: Option<String>,
    /// For example `412 MiB / 1983 MiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_usage: Option<String>,
    /// For example `11.4 GiB free of 39.0 GiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_space: Option<String>,
    /// Whole seconds, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<String>,
    /// Open trap connections, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<String>,
    /// Port of the management interface, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management_port: Option<String>,
    /// SHA-256 of the management certificate (DER), lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
    /// The key that lets a bucket register; whether it is approved is a second decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_key: Option<String>,
    /// Version of the bucket's program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Answer to `POST /register_bucket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterAnswer {
    /// `active`, `pending`, `invalid`, `unauthorized`, `revoked`, `name_taken`, `too_large` or `too_many`.
    pub status: String,
    /// Every fault of an invalid request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// Answer to `GET /update_bucket`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpdateBucketAnswer {
    /// `ok`.
    pub status: String,
    /// One entry.
    pub updates: Vec<BucketState>,
}

/// A bucket's vitals and log positions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BucketState {
    /// The bucket's name.
    pub name: String,
    /// Address it believes it has.
    pub ip_address: String,
    /// Host system.
    pub operating_system: String,
    /// Percent, for example `3.2%`.
    pub cpu_usage: String,
    /// For example `412 MiB / 1983 MiB`.
    pub memory_usage: String,
    /// For example `11.4 GiB free of 39.0 GiB`.
    pub disk_space: String,
    /// Whole seconds, as text.
    pub uptime: String,
    /// Open trap connections, as text.
    pub connections: String,
    /// Version of the bucket's program.
    #[serde(default)]
    pub version: String,
    /// Oldest sequence number still in the log, 0 when empty.
    #[serde(default)]
    pub first_seq: u64,
    /// Newest sequence number, 0 when none was ever written.
    #[serde(default)]
    pub last_seq: u64,
    /// `ssh:22` and so on.
    #[serde(default)]
    pub listeners: Vec<String>,
}
