//! Enrolment at the registry: asks, asks again for ever, and never stands in the way of the traps.

mod outcome;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::RngExt as _;
use reqwest::{Certificate, Client, redirect};
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::RegisterBucket;
use wire::endpoints::{API_KEY_HEADER, REGISTER, REGISTER_BUCKET};

use crate::birth::Birth;
use crate::vitals::Vitals;
use outcome::Outcome;

/// The most bytes of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The URL names no server that could be called.
    #[error(
        "registration.rustbucket_registry_url must be an http or https URL with a host, such as https://registry.example"
    )]
    BadUrl,
    /// The file of trusted certificates could not be read.
    #[error("cannot read registration.registry_ca {path}")]
    ReadCa {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of trusted certificates holds none.
    #[error("registration.registry_ca {path} holds no certificate in PEM form")]
    BadCa {
        /// The file.
        path: PathBuf,
    },
}

/// How often things happen.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause after a failure lasts up to this.
    pub first: Duration,
    /// No pause after a failure is longer.
    pub longest: Duration,
    /// Between two questions whether somebody has approved us.
    pub pending: Duration,
    /// Between two registrations of an active bucket.
    pub active: Duration,
    /// One attempt may take this long.
    pub timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(300),
            pending: Duration::from_secs(60),
            active: Duration::from_secs(24 * 60 * 60),
            timeout: Duration::from_secs(30),
        }
    }
}

/// Where and as what to register.
#[derive(Clone)]
pub struct Settings {
    url: Url,
    trusted: Option<Vec<Certificate>>,
    /// Lets the bucket in without a person.
    pub registration_key: Option<String>,
    /// The address the registry should call, when it is not the one the request comes from.
    pub ip_address: Option<String>,
    /// Where the registry finds the management port.
    pub management_port: u16,
    /// How often things happen.
    pub pace: Pace,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.url.host_str())
            .field("ip_address", &self.ip_address)
            .field("management_port", &self.management_port)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Checks the URL, which may or may not end in `/register` or `/register_bucket`, and reads the certificates
    /// to trust (only these, when there are any).
    pub fn new(
        registry_url: &str,
        registry_ca: Option<&Path>,
        management_port: u16,
    ) -> Result<Self, RegistrationError> {
        let url = endpoint(registry_url).ok_or(RegistrationError::BadUrl)?;
        let trusted = registry_ca.map(read_ca).transpose()?;
        if url.scheme() == "http" && !is_loopback(&url) {
            tracing::warn!(
                host = url.host_str(),
                "the registry is called over plain http: everybody on the way can read this bucket's token; use https"
            );
        }
        Ok(Self {
            url,
            trusted,
            registration_key: None,
            ip_address: None,
            management_port,
            pace: Pace::default(),
        })
    }
}

fn endpoint(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with(REGISTER) || path.ends_with(REGISTER_BUCKET) {
        url.set_path(&path);
    } else {
        url.set_path(&format!("{path}{REGISTER_BUCKET}"));
    }
    url.set_fragment(None);
    Some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Reads the certificates of a certificate authority.
pub fn read_ca(path: &Path) -> Result<Vec<Certificate>, RegistrationError> {
    let pem =
        std::fs::read(path).map_err(|source| RegistrationError::ReadCa { path: path.to_owned(), source })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(RegistrationError::BadCa { path: path.to_owned() }),
    }
}

/// Registers the bucket and keeps it registered until `shutdown`. Run it as a task of its own: it never fails,
/// and every distinct outcome is told once, with what to do about it.
pub async fn register_instance(
    settings: Settings,
    birth: Birth,
    vitals: Vitals,
    shutdown: CancellationToken,
) {
    let keep_registered = async {
        let (mut client, mut told, mut failures) = (None, None, 0u32);
        loop {
            let outcome = match ready(&mut client, &settings) {
                Ok(client) => attempt(client, &settings, &birth, &vitals).await,
                Err(error) => Outcome::from_error(&error),
            };
            if told.as_ref() != Some(&outcome) {
                outcome.tell();
            }
            failures = if outcome.is_failure() { failures.saturating_add(1) } else { 0 };
            let pause = pause_after(&outcome, failures, settings.pace);
            told = Some(outcome);
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = keep_registered => {}
        () = shutdown.cancelled() => {}
    }
}

/// The client, made when there is none yet: a host without certificates today may have some tomorrow.
fn ready<'a>(client: &'a mut Option<Client>, settings: &Settings) -> Result<&'a Client, reqwest::Error> {
    let made = match client.take() {
        Some(client) => client,
        None => {
            if rustls::crypto::CryptoProvider::get_default().is_none() {
                // Losing this race to another part of the program leaves the same provider in place.
                drop(rustls::crypto::ring::default_provider().install_default());
            }
            let mut builder = Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .timeout(settings.pace.timeout)
                .connect_timeout(settings.pace.timeout)
                .pool_max_idle_per_host(0)
                .user_agent(concat!("rustbucket/", env!("CARGO_PKG_VERSION")));
            if let Some(trusted) = &settings.trusted {
                builder = builder.tls_certs_only(trusted.iter().cloned());
            }
            builder.build()?
        }
    };
    Ok(client.insert(made))
}

async fn attempt(client: &Client, settings: &Settings, birth: &Birth, vitals: &Vitals) -> Outcome {
    let readings = vitals.read();
    let body = RegisterBucket {
        name: birth.name.clone(),
        token: birth.token.clone(),
        ip_address: settings.ip_address.clone(),
        operating_system: Some(readings.operating_system),
        cpu_usage: Some(readings.cpu_usage),
        memory_usage: Some(readings.memory_usage),
        disk_space: Some(readings.disk_space),
        uptime: Some(readings.uptime),
        connections: Some(readings.connections),
        management_port: Some(settings.management_port.to_string()),
        certificate_sha256: Some(birth.certificate_sha256.clone()),
        registration_key: settings.registration_key.clone(),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    };
    let mut request = client.post(settings.url.clone()).json(&body);
    if let Some(key) = &settings.registration_key {
        request = request.header(API_KEY_HEADER, key);
    }
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Outcome::from_error(&error),
    };
    let status = response.status();
    let retry_after = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut answer = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if answer.len() + chunk.len() <= ANSWER_MAX => answer.extend_from_slice(&chunk),
            Ok(Some(_)) => return Outcome::NoRegistry { status: status.as_u16() },
            Ok(None) => break,
            Err(error) => return Outcome::from_error(&error),
        }
    }
    Outcome::from_answer(status, &answer, retry_after)
}

/// Full jitter, as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): a fleet that lost its
/// registry does not come back in step.
fn pause_after(outcome: &Outcome, failures: u32, pace: Pace) -> Duration {
    let mut random = rand::rng();
    match outcome {
        Outcome::Active => pace.active.mul_f64(random.random_range(0.9..1.1)),
        Outcome::Pending => pace.pending.mul_f64(random.random_range(0.8..1.2)),
        _ => {
            let ceiling =
                pace.first.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1))).min(pace.longest);
            let pause = ceiling.mul_f64(random.random_range(0.0..1.0));
            match outcome {
                Outcome::Busy { retry_after: Some(wanted) } => pause.max((*wanted).min(pace.longest)),
                // Never quite at once: a ceiling of zero to one would hammer a registry that refuses quickly.
                _ => pause.max(pace.first / 10),
            }
        }
    }
}
