//! `Config.toml`: from what was written to what was meant, every fault at once. CONTRACT names the keys.

mod persona;
mod ports;

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use chat::{ChatSettings, Secret};
use settings::{Fault, Faults, Found, Section, Tree};
use url::Url;
use wire::Protocol;

use crate::{admission::ConnectionLimits, oracle::templates::Templates, shares::ShareLimits};

pub use persona::Persona;
use persona::is_user_name;

/// The prefix of every environment variable that overrides a key.
pub const ENVIRONMENT_PREFIX: &str = "RUSTBUCKET_";

/// The prefix of the registry's variables.
const REGISTRY_PREFIX: &str = "RUSTBUCKET_REGISTRY__";

/// Checked settings of a bucket.
#[derive(Debug)]
pub struct Config {
    /// `[general]`
    pub general: General,
    /// `[ports]`, enabled ones only.
    pub listeners: Vec<Listener>,
    /// `[persona]`
    pub persona: Persona,
    /// `[logins]`
    pub logins: Logins,
    /// `[chat]` and the providers' sections.
    pub chat: ChatSettings,
    /// The texts of prompts, from `[chat] templates`.
    pub templates: Templates,
    /// `[registration]`
    pub registration: Registration,
    /// `[management]`
    pub management: Management,
    /// `[limits]`
    pub limits: Limits,
    /// `[labels]`
    pub labels: Labels,
}

/// `[general]`
#[derive(Debug)]
pub struct General {
    /// Filter of the diagnostics, as `tracing` reads it.
    pub log_level: String,
    /// Where event files lie.
    pub log_directory: PathBuf,
    /// Days that event files are kept.
    pub log_retention_days: u32,
    /// Bytes that event files may take.
    pub log_max_bytes: u64,
    /// Bytes that captured files may take.
    pub artifacts_max_bytes: u64,
    /// Where identity, keys and artifacts lie.
    pub state_directory: PathBuf,
    /// Where ports listen unless they say otherwise.
    pub listen_address: IpAddr,
}

/// One entry of `[ports]`.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The key in `[ports]`.
    pub name: String,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: IpAddr,
    /// 0 lets the system choose (for tests).
    pub port: u16,
    /// Replaces the protocol's own greeting; the whole greeting of a plain port.
    pub banner: Option<String>,
    /// Speaks TLS from the first byte on.
    pub tls: Option<PortTls>,
}

/// TLS of a port: with the operator's certificate, or with one of its own that is made once.
#[derive(Clone, Debug)]
pub struct PortTls {
    /// The certificate with its chain, and its key, both as PEM.
    pub given: Option<(String, Secret)>,
}

/// `[logins]`: who gets in.
#[derive(Debug)]
pub struct Logins {
    /// User and password pairs accepted at the first try.
    pub always: Vec<(String, String)>,
    /// Fewest different passwords before a guess is accepted.
    pub fewest_tries: u32,
    /// Most different passwords before a guess is accepted.
    pub most_tries: u32,
}

/// `[registration]`
#[derive(Debug)]
pub struct Registration {
    /// Where the registry is; nothing is registered without it.
    pub url: Option<Url>,
    /// Lets the bucket in without a person.
    pub key: Option<Secret>,
    /// The address the registry should call.
    pub ip_address: Option<IpAddr>,
    /// PEM file with the registry's certificate authority.
    pub ca: Option<PathBuf>,
}

/// `[management]`
#[derive(Debug)]
pub struct Management {
    /// Where the registry calls.
    pub address: IpAddr,
    /// Its port; 0 lets the system choose (for tests).
    pub port: u16,
}

/// `[limits]`
#[derive(Debug)]
pub struct Limits {
    /// Connections, per source, per second.
    pub connections: ConnectionLimits,
    /// How long a visitor may be silent.
    pub idle_timeout: Duration,
    /// How long a visit may last.
    pub session_timeout: Duration,
    /// How many bytes a visit may move.
    pub session_bytes: u64,
    /// The largest upload, mail or request body kept.
    pub upload_bytes: u64,
    /// Memory for what visitors change (three quarters) and for what they are sending (one quarter).
    pub memory: u64,
    /// The longest line.
    pub line_bytes: u64,
    /// What one source may leave behind in an hour.
    pub shares: ShareLimits,
}

/// `[labels]`: who a visitor is taken for.
#[derive(Debug)]
pub struct Labels {
    /// Whether terminals show language models an instruction that nobody else sees.
    pub bait: bool,
}

/// What a bare word of a filter may be; anything else would silently name a module.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

impl Config {
    /// Reads `path`, or the defaults when `path` is `None` and there is no `Config.toml`.
    pub fn load(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        let named = path.unwrap_or(Path::new("Config.toml"));
        let file = named.display().to_string();
        let text = match fs::read_to_string(named) {
            Ok(text) => text,
            Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let what = format!("cannot be read: {error}");
                return Err(Faults { file, faults: vec![Fault { origin: None, key: String::new(), what }] });
            }
        };
        Self::read(&file, &text, environment)
    }

    /// Reads the text of a settings file.
    pub fn read(
        file: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        // The registry's variables begin like ours, and both programs may share an environment.
        let environment: Vec<(String, String)> =
            environment.into_iter().filter(|(name, _)| !name.starts_with(REGISTRY_PREFIX)).collect();
        let mut tree = Tree::read(file, text, ENVIRONMENT_PREFIX, environment.iter().cloned());
        let variable =
            |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let config = {
            let mut top = tree.top();
            let general = General::read(top.section("general"));
            let management = Management::read(top.section("management"));
            let listeners = ports::read(top.section("ports"), &general, &management);
            let chat = ChatSettings::read(&mut top).with_environment(variable);
            let templates = read_templates(&mut top, chat.chat.templates.as_deref());
            Self {
                listeners,
                management,
                persona: Persona::read(top.section("persona")),
                logins: Logins::read(top.section("logins")),
                chat,
                templates,
                registration: Registration::read(top.section("registration")),
                limits: Limits::read(top.section("limits")),
                labels: Labels { bait: top.section("labels").flag("bait").unwrap_or(false) },
                general,
            }
        };
        tree.finish(config)
    }
}

/// The folder of `[chat] templates`, every fault named.
fn read_templates(top: &mut Section<'_>, folder: Option<&Path>) -> Templates {
    let Some(folder) = folder else { return Templates::default() };
    Templates::load(folder).unwrap_or_else(|faults| {
        for fault in faults {
            top.fault("chat.templates", None, fault.to_string());
        }
        Templates::default()
    })
}

impl General {
    fn read(mut section: Section<'_>) -> Self {
        Self {
            log_level: section
                .parsed(
                    "log_level",
                    "a level (error, warn, info, debug, trace) or \"sensor=debug,info\"",
                    |text| {
                        let named = text.split(',').all(|part| {
                            part.contains('=') || LEVELS.contains(&part.trim().to_ascii_lowercase().as_str())
                        });
                        let read = text.parse::<tracing_subscriber::EnvFilter>();
                        (named && read.is_ok()).then(|| text.to_owned())
                    },
                )
                .unwrap_or_else(|| "info".to_owned()),
            log_directory: writable_folder(&mut section, "log_directory", "./logs"),
            log_retention_days: section.number("log_retention_days", 1..=3650).unwrap_or(30),
            log_max_bytes: section.size("log_max_bytes").unwrap_or(2 << 30),
            artifacts_max_bytes: section.size("artifacts_max_bytes").unwrap_or(2 << 30),
            state_directory: writable_folder(&mut section, "state_directory", "./state"),
            listen_address: section
                .parse("listen_address", "an IP address")
                .unwrap_or(IpAddr::from([0, 0, 0, 0])),
        }
    }
}

impl Management {
    fn read(mut section: Section<'_>) -> Self {
        Self {
            address: section.parse("listen_address", "an IP address").unwrap_or(IpAddr::from([0, 0, 0, 0])),
            port: section.number("port", 0..=65535).unwrap_or(8443),
        }
    }
}

impl Logins {
    fn read(mut section: Section<'_>) -> Self {
        let mut always = Vec::new();
        for Found { value, origin } in section.texts("always").unwrap_or_default() {
            match value.split_once(':') {
                Some((user, password)) if is_user_name(user) && !password.is_empty() => {
                    always.push((user.to_owned(), password.to_owned()));
                }
                _ => section.fault("always", origin, "must be \"user:password\""),
            }
        }
        let fewest_tries = section.number("fewest_tries", 1..=50).unwrap_or(2);
        let most = section.found_number("most_tries", 1..=50);
        let most_tries = most.as_ref().map_or(fewest_tries.max(5), |most| most.value);
        if most_tries < fewest_tries {
            let origin = most.and_then(|most| most.origin);
            section.fault(
                "most_tries",
                origin,
                format!("must be at least `fewest_tries`, which is {fewest_tries}"),
            );
        }
        Self { always, fewest_tries, most_tries: most_tries.max(fewest_tries) }
    }
}

impl Registration {
    fn read(mut section: Section<'_>) -> Self {
        Self {
            url: section.parsed(
                "rustbucket_registry_url",
                "a URL such as \"https://registry.example.org\"",
                |text| {
                    Url::parse(text)
                        .ok()
                        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                },
            ),
            key: section.text("registration_key").map(Secret::new),
            ip_address: section.parse("ip_address", "an IP address"),
            ca: section.found_text("registry_ca").map(|Found { value, origin }| {
                let path = PathBuf::from(value);
                if let Err(error) = crate::registration::read_ca(&path) {
                    section.fault("registry_ca", origin, with_cause(&error));
                }
                path
            }),
        }
    }
}

impl Limits {
    fn read(mut section: Section<'_>) -> Self {
        Self {
            connections: ConnectionLimits {
                connections: section.number("connections", 1..=1_000_000).unwrap_or(8192),
                per_source: section.number("per_source", 1..=1_000_000).unwrap_or(64),
                per_second: section.number("per_second", 1..=1_000_000).unwrap_or(32),
            },
            idle_timeout: section.time_above_zero("idle_timeout").unwrap_or(Duration::from_secs(300)),
            session_timeout: section.time_above_zero("session_timeout").unwrap_or(Duration::from_secs(3600)),
            session_bytes: section.size("session_bytes").unwrap_or(64 << 20),
            upload_bytes: section.size("upload_bytes").unwrap_or(16 << 20),
            memory: section.size("memory").unwrap_or(512 << 20),
            line_bytes: section.size("line_bytes").unwrap_or(16 << 10),
            shares: ShareLimits {
                events: section.number("events_per_hour", 100..=1_000_000_000_000).unwrap_or(200_000),
                artifact_bytes: section.size("artifacts_per_hour").unwrap_or(256 << 20),
            },
        }
    }
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// A folder that exists or can be made, and in which files can be made.
fn writable_folder(section: &mut Section<'_>, key: &str, default: &str) -> PathBuf {
    let found = section.found_text(key).unwrap_or(Found { value: default.to_owned(), origin: None });
    let folder = PathBuf::from(found.value);
    let probe = folder.join(".rustbucket-probe");
    let tried = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&probe, b""))
        .and_then(|()| fs::remove_file(&probe));
    if let Err(error) = tried {
        let what = format!("folder {} cannot be written: {error}", folder.display());
        section.fault(key, found.origin, what);
    }
    folder
}

#[cfg(test)]
mod tests;
