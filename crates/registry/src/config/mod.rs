//! `Registry.toml`: every setting, checked; every fault found at once, with its line.

mod reading;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::secret::Secret;
use reading::{Reading, Section};

/// What the settings file is called when no other is named.
pub const DEFAULT_FILE: &str = "Registry.toml";
/// Before the path of a setting in the environment: `RUSTBUCKET_REGISTRY__SERVER__LISTEN`.
pub const ENVIRONMENT_PREFIX: &str = "RUSTBUCKET_REGISTRY__";

/// Something wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Line in the file, from 1; none for the environment or the file itself.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Every fault of the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} has {} fault(s)", faults.len())]
pub struct WrongSettings {
    /// Which file.
    pub file: String,
    /// All of them, in the order of the file.
    pub faults: Vec<Fault>,
}

/// Where the tables are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// `mysql://…` with its password.
    MySql(Secret),
}

/// Where the archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of an S3 server. What is not set comes from `AWS_*`.
    S3 {
        /// Name of the S3 bucket.
        bucket: String,
        /// Before every key; empty or without slashes at its ends.
        prefix: String,
        /// Another server than Amazon's.
        endpoint: Option<Url>,
        /// Region.
        region: Option<String>,
        /// Key id.
        access_key_id: Option<String>,
        /// Key.
        secret_access_key: Option<Secret>,
    },
}

/// Certificate and key of the registry itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM, leaf first.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    /// Where the registry listens.
    pub listen: SocketAddr,
    /// How people and buckets reach it.
    pub public_url: String,
    /// Serve HTTPS.
    pub tls: Option<Tls>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// `[schedule]`: the periods of the jobs.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Asking every bucket for its state.
    pub update_buckets: Duration,
    /// Pulling every bucket's log into the archive.
    pub extract_logs: Duration,
    /// Filing what the archive holds.
    pub parse_logs: Duration,
    /// Analysing what was filed.
    pub analyze_logs: Duration,
    /// Looking for what needs a person.
    pub health_check: Duration,
    /// Forgetting what is old.
    pub retention: Duration,
}

/// `[registration]`
#[derive(Clone, Debug)]
pub struct Registration {
    /// A bucket nobody knows needs a registration key.
    pub require_key: bool,
    /// Let every bucket in without a person.
    pub auto_approve: bool,
    /// Networks that are refused unless named here: loopback, link-local, private and the like.
    pub allowed_networks: Vec<IpNet>,
    /// No more buckets than this may wait for a person.
    pub max_pending: u64,
    /// Requests a minute from one source.
    pub per_minute: u32,
}

/// `[pull]`
#[derive(Clone, Debug)]
pub struct Pull {
    /// Buckets called at once.
    pub concurrency: usize,
    /// For the connection.
    pub connect_timeout: Duration,
    /// For one whole call.
    pub timeout: Duration,
    /// Bytes of one answer, on the wire and unpacked.
    pub max_response: u64,
    /// Calls to one bucket in one run of `extract_logs`.
    pub max_rounds: u32,
}

/// Who writes the analyses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Anthropic's API.
    Claude,
    /// OpenAI's, or one like it.
    ChatGpt,
    /// A local model.
    Ollama,
    /// No model: the facts as text.
    Local,
}

impl Provider {
    /// The word in the settings and the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::ChatGpt => "chatgpt",
            Self::Ollama => "ollama",
            Self::Local => "local",
        }
    }
}

/// Access to one model.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Key; from the environment when not set.
    pub api_key: Option<Secret>,
    /// Name of the model; the provider's default when not set.
    pub model: Option<String>,
    /// Another server.
    pub base_url: Option<Url>,
}

/// `[analysis]`, `[anthropic]`, `[openai]`, `[ollama]`
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Who writes.
    pub provider: Provider,
    /// US dollars a day (UTC).
    pub budget_per_day: f64,
    /// For one answer.
    pub timeout: Duration,
    /// Tokens of one answer.
    pub max_tokens: u32,
    /// `[anthropic]`
    pub anthropic: Model,
    /// `[openai]`
    pub openai: Model,
    /// `[ollama]`
    pub ollama: Model,
}

/// `[retention]`; none keeps for ever.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Days of events and visits in the tables.
    pub events_days: Option<u32>,
    /// Days of objects in the archive.
    pub archive_days: Option<u32>,
}

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: DatabaseUrl,
    /// `[storage]`
    pub storage: Storage,
    /// `[schedule]`
    pub schedule: Schedule,
    /// `[registration]`
    pub registration: Registration,
    /// `[pull]`
    pub pull: Pull,
    /// `[analysis]` and the models
    pub analysis: Analysis,
    /// `[retention]`
    pub retention: Retention,
    /// `[secrets] key_file`: encrypts bucket tokens at rest.
    pub key_file: PathBuf,
}

impl Config {
    /// Reads `file`, or the defaults when no file was named and `Registry.toml` is not there; the environment wins over both.
    pub fn load(file: Option<&Path>) -> Result<Self, WrongSettings> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let fault = Fault { line: None, text: format!("cannot be read: {error}") };
                return Err(WrongSettings { file: path.display().to_string(), faults: vec![fault] });
            }
        };
        Self::parse(&text, &environment)
            .map_err(|faults| WrongSettings { file: path.display().to_string(), faults })
    }

    /// Reads settings from text and environment.
    pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut reading = Reading::new(text, environment);
        let server = server(&mut reading);
        let database = database(&mut reading);
        let storage = storage(&mut reading);
        let schedule = schedule(&mut reading);
        let registration = registration(&mut reading);
        let pull = pull(&mut reading);
        let analysis = analysis(&mut reading);
        let mut section = reading.section(&["retention"]);
        let days = |n: u32| (n > 0).then_some(n);
        let retention = Retention {
            events_days: days(section.number("events_days", 180, 0..=36_500)),
            archive_days: days(section.number("archive_days", 0, 0..=36_500)),
        };
        let key_file = reading.section(&["secrets"]).path("key_file", "./data/secret.key");
        reading.finish()?;
        Ok(Self { server, database, storage, schedule, registration, pull, analysis, retention, key_file })
    }
}

fn server(reading: &mut Reading<'_>) -> Server {
    let mut section = reading.section(&["server"]);
    let listen = section.parsed("listen", "127.0.0.1:8000", |text| {
        text.parse().map_err(|_| "must be an address and a port, as `127.0.0.1:8000`".to_owned())
    });
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000)));
    let trusted_proxies = section.networks("trusted_proxies");
    let public_url = section.url("public_url", &["http", "https"]);
    let mut tls = reading.section(&["server", "tls"]);
    let (certificate, key) = (tls.optional("certificate"), tls.optional("key"));
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate: certificate.into(), key: key.into() }),
        (None, None) => None,
        _ => {
            tls.fault("`server.tls` needs both `certificate` and `key`");
            None
        }
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = public_url.map_or_else(|| format!("{scheme}://{listen}/"), String::from);
    Server { listen, public_url, tls, trusted_proxies }
}

fn database(reading: &mut Reading<'_>) -> DatabaseUrl {
    let mut section = reading.section(&["database"]);
    let url = section.parsed("url", "sqlite://./data/registry.db", |text| {
        if let Some(path) = text.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            Ok(DatabaseUrl::Sqlite(path.into()))
        } else if text.starts_with("mysql://") {
            let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
            if url.path().trim_matches('/').is_empty() {
                return Err("must name a database, as `mysql://user:password@host/registry`".to_owned());
            }
            Ok(DatabaseUrl::MySql(Secret::new(text)))
        } else {
            Err("must be `sqlite://PATH` or `mysql://user:password@host/database`".to_owned())
        }
    });
    url.unwrap_or_else(|| DatabaseUrl::Sqlite("./data/registry.db".into()))
}

fn storage(reading: &mut Reading<'_>) -> Storage {
    let mut s3 = reading.section(&["storage", "s3"]);
    let endpoint = s3.url("endpoint", &["http", "https"]);
    let (region, access_key_id) = (s3.optional("region"), s3.optional("access_key_id"));
    let secret_access_key = s3.optional("secret_access_key").map(Secret::new);
    if access_key_id.is_some() != secret_access_key.is_some() {
        s3.fault("`storage.s3` needs both `access_key_id` and `secret_access_key`, or neither (then AWS_* are used)");
    }
    let mut section = reading.section(&["storage"]);
    let place = section.parsed("url", "file://./data/archive", |text| {
        if let Some(path) = text.strip_prefix("file://").filter(|path| !path.is_empty()) {
            return Ok(Storage::Folder(path.into()));
        }
        let Some(rest) = text.strip_prefix("s3://") else {
            return Err("must be `file://PATH` or `s3://BUCKET[/PREFIX]`".to_owned());
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        if bucket.len() < 3 || !plain(bucket) {
            return Err("must name a bucket of 3 or more letters, digits, dots and dashes".to_owned());
        }
        if prefix.split('/').any(|part| {
            !plain(part) || part == ".." || part == "." || (part.is_empty() && !prefix.is_empty())
        }) {
            return Err("has a prefix with other characters than letters, digits, dots and dashes".to_owned());
        }
        Ok(Storage::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: endpoint.clone(),
            region: region.clone(),
            access_key_id: access_key_id.clone(),
            secret_access_key: secret_access_key.clone(),
        })
    });
    place.unwrap_or_else(|| Storage::Folder("./data/archive".into()))
}

fn schedule(reading: &mut Reading<'_>) -> Schedule {
    let mut section = reading.section(&["schedule"]);
    Schedule {
        update_buckets: section.duration("update_buckets", "5m"),
        extract_logs: section.duration("extract_logs", "15m"),
        parse_logs: section.duration("parse_logs", "1h"),
        analyze_logs: section.duration("analyze_logs", "4h"),
        health_check: section.duration("health_check", "1m"),
        retention: section.duration("retention", "1h"),
    }
}

fn registration(reading: &mut Reading<'_>) -> Registration {
    let mut section = reading.section(&["registration"]);
    Registration {
        require_key: section.flag("require_key", true),
        auto_approve: section.flag("auto_approve", false),
        allowed_networks: section.networks("allowed_networks"),
        max_pending: section.number("max_pending", 1000, 1..=1_000_000).into(),
        per_minute: section.number("per_minute", 60, 1..=1_000_000),
    }
}

fn pull(reading: &mut Reading<'_>) -> Pull {
    let mut section = reading.section(&["pull"]);
    Pull {
        concurrency: section.number("concurrency", 256, 1..=65_536) as usize,
        connect_timeout: section.duration("connect_timeout", "5s"),
        timeout: section.duration("timeout", "30s"),
        max_response: section.size("max_response", "64MiB", 64 * 1024..=1024 * 1024 * 1024),
        max_rounds: section.number("max_rounds", 64, 1..=100_000),
    }
}

fn analysis(reading: &mut Reading<'_>) -> Analysis {
    let mut section = reading.section(&["analysis"]);
    let provider = section.parsed("provider", "claude", |text| match text {
        "claude" => Ok(Provider::Claude),
        "chatgpt" => Ok(Provider::ChatGpt),
        "ollama" => Ok(Provider::Ollama),
        "local" => Ok(Provider::Local),
        _ => Err("must be `claude`, `chatgpt`, `ollama` or `local`".to_owned()),
    });
    let budget_per_day = section.parsed("budget_per_day", "5.00", |text| {
        let text = text.trim_start_matches('$').trim_end_matches("USD").trim();
        let dollars = text.parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd >= 0.0);
        dollars.ok_or_else(|| "must be US dollars, as `\"5.00\"`".to_owned())
    });
    let timeout = section.duration("timeout", "120s");
    let max_tokens = section.number("max_tokens", 2000, 64..=64_000);
    Analysis {
        provider: provider.unwrap_or(Provider::Local),
        budget_per_day: budget_per_day.unwrap_or(0.0),
        timeout,
        max_tokens,
        anthropic: model(reading.section(&["anthropic"]), &["ANTHROPIC_API_KEY", "CLAUDE_API_KEY"]),
        openai: model(reading.section(&["openai"]), &["OPENAI_API_KEY", "CHATGPT_API_KEY"]),
        ollama: model(reading.section(&["ollama"]), &[]),
    }
}

fn model(mut section: Section<'_, '_>, variables: &[&str]) -> Model {
    let key =
        section.optional("api_key").or_else(|| variables.iter().find_map(|name| section.variable(name)));
    Model {
        api_key: key.map(Secret::new),
        model: section.optional("model"),
        base_url: section.url("base_url", &["http", "https"]),
    }
}

#[cfg(test)]
mod tests;
