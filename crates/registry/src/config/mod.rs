//! `Registry.toml`: every setting, checked; every fault found at once, with its line.

mod sections;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chat::ChatSettings;
use ipnet::IpNet;
use settings::{Fault, Faults, Tree};
use url::Url;

use crate::secret::Secret;

/// What the settings file is called when no other is named.
pub const DEFAULT_FILE: &str = "Registry.toml";
/// Before the path of a setting in the environment: `RUSTBUCKET_REGISTRY__SERVER__LISTEN`.
pub const ENVIRONMENT_PREFIX: &str = "RUSTBUCKET_REGISTRY__";

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
    /// A bucket nobody knows may register only with a registration key.
    pub require_key: bool,
    /// Approve every bucket that may register; otherwise it waits for a person.
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

/// `[analysis]`, `[anthropic]`, `[openai]`, `[ollama]`
#[derive(Clone, Debug)]
pub struct Analysis {
    /// Who writes.
    pub provider: Provider,
    /// The model, its key, its budget for a day.
    pub chat: ChatSettings,
    /// Tokens of one answer.
    pub max_tokens: u32,
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
    pub fn load(file: Option<&Path>) -> Result<Self, Faults> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let fault =
                    Fault { origin: None, key: String::new(), what: format!("cannot be read: {error}") };
                return Err(Faults { file: name, faults: vec![fault] });
            }
        };
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::parse(&name, &text, environment)
    }

    /// Reads settings from the text of `file` and an environment.
    pub fn parse(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        let environment: Vec<(String, String)> = environment.into_iter().collect();
        let mut tree = Tree::read(file, text, ENVIRONMENT_PREFIX, environment.iter().cloned());
        let mut top = tree.top();
        let server = sections::server(top.section("server"));
        let database = sections::database(top.section("database"));
        let storage = sections::storage(top.section("storage"));
        let schedule = sections::schedule(top.section("schedule"));
        let registration = sections::registration(top.section("registration"));
        let pull = sections::pull(top.section("pull"));
        let mut analysis = sections::analysis(&mut top);
        let variable = |wanted: &str| {
            environment.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        analysis.chat = analysis.chat.with_environment(variable);
        let retention = sections::retention(top.section("retention"));
        let key_file =
            top.section("secrets").text("key_file").unwrap_or_else(|| "./data/secret.key".to_owned()).into();
        drop(top);
        tree.finish(Self {
            server,
            database,
            storage,
            schedule,
            registration,
            pull,
            analysis,
            retention,
            key_file,
        })
    }
}

#[cfg(test)]
mod tests;
