//! The one way out: a POST of JSON to a provider, and its answer, bounded.
//!
//! No redirect (a key must not travel to another host), no retry. A proxy from the environment (`HTTPS_PROXY`, `NO_PROXY`)
//! is used as other programs do, but never for a server on this machine.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use reqwest::{Client, Response, header, redirect};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{
    ChatError,
    stream::{Events, Piece},
};

/// The largest answer read, in bytes.
const REPLY_BYTES: usize = 2 * 1024 * 1024;
/// How long to wait for a connection; the whole call is bounded by a guard.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest wait a provider may ask us for.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(3600);

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTPS client cannot be made")]
pub struct NoClient(#[source] Box<dyn std::error::Error + Send + Sync>);

impl NoClient {
    fn because(reason: String) -> Self {
        Self(reason.into())
    }
}

/// How providers are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// A PEM file with certificate authorities that are trusted beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// No proxy, whatever the environment says.
    pub direct: bool,
}

impl Network {
    /// The authorities in [`Network::ca_file`].
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn authorities(&self) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, String> {
        use rustls::pki_types::{CertificateDer, pem::PemObject as _};
        let Some(path) = &self.ca_file else { return Ok(Vec::new()) };
        let shown = path.display();
        let found = CertificateDer::pem_file_iter(path)
            .map_err(|error| format!("{shown} cannot be read: {error}"))?;
        let found: Result<Vec<_>, _> = found.collect();
        let found = found.map_err(|error| format!("{shown} is not a PEM file of certificates: {error}"))?;
        if found.is_empty() { Err(format!("{shown} holds no certificate")) } else { Ok(found) }
    }
}

/// Whether a server is on this machine.
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// One provider's HTTP side.
#[derive(Clone)]
pub(crate) struct Transport {
    client: Client,
    provider: &'static str,
}

impl Transport {
    /// Makes a client that trusts the machine's certificate authorities, and Mozilla's list when it has none.
    pub fn new(provider: &'static str, url: &Url, network: &Network) -> Result<Self, NoClient> {
        let mut roots = rustls::RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (_, unusable) = roots.add_parsable_certificates(found.certs);
        if unusable > 0 {
            tracing::debug!(unusable, "certificate authorities of this machine that cannot be read");
        }
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let own = network.authorities().map_err(NoClient::because)?;
        let (_, unusable) = roots.add_parsable_certificates(own);
        if unusable > 0 {
            return Err(NoClient::because(
                "chat.ca_file holds a certificate that cannot be an authority".to_owned(),
            ));
        }
        // The provider is named here so that a client can be made before the program has installed one.
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|e| NoClient(e.into()))?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let mut client = Client::builder();
        if network.direct || is_local(url) {
            client = client.no_proxy();
        }
        let client = client
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("rustbucket/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| NoClient(e.without_url().into()))?;
        Ok(Self { client, provider })
    }

    /// Sends `body` and reads the answer as `T`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        headers: &header::HeaderMap,
        body: &impl Serialize,
    ) -> Result<T, ChatError> {
        let request = self.client.post(url.clone()).headers(headers.clone()).json(body);
        let response = request.send().await.map_err(|e| self.broken(e))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.refusal(status, response).await);
        }
        let bytes = self.read(response).await?;
        serde_json::from_slice(&bytes).map_err(|_| self.malformed("something that is not its own JSON"))
    }

    /// Sends `body`, which asks for a stream, and gives each event to `take` until it says that the answer is complete.
    /// Gives the whole answer instead when the server does not stream.
    pub async fn post_streamed<T: DeserializeOwned>(
        &self,
        url: &Url,
        headers: &header::HeaderMap,
        body: &impl Serialize,
        mut take: impl FnMut(serde_json::Value) -> Result<bool, ChatError>,
    ) -> Result<Option<T>, ChatError> {
        let request = self.client.post(url.clone()).headers(headers.clone()).json(body);
        let mut response = request.send().await.map_err(|e| self.broken(e))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.refusal(status, response).await);
        }
        let kind = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !["text/event-stream", "application/x-ndjson", "application/jsonl"]
            .iter()
            .any(|stream| kind.starts_with(stream))
        {
            let bytes = self.read(response).await?;
            let whole = serde_json::from_slice(&bytes);
            return whole.map(Some).map_err(|_| self.malformed("something that is not its own JSON"));
        }
        let (mut events, mut total, mut complete) = (Events::default(), 0, false);
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(e))? {
            total += chunk.len();
            if total > REPLY_BYTES {
                return Err(self.malformed("more than two megabytes"));
            }
            for piece in events.take(&chunk) {
                match piece {
                    Piece::Event(event) => complete |= take(event)?,
                    Piece::Done => return Ok(None),
                    Piece::Garbage => return Err(self.malformed("a stream that is not its own JSON")),
                }
            }
        }
        match events.rest() {
            Some(Piece::Event(event)) => complete |= take(event)?,
            Some(Piece::Garbage) => return Err(self.malformed("a stream cut short")),
            Some(Piece::Done) => complete = true,
            None => {}
        }
        if complete { Ok(None) } else { Err(self.malformed("a stream cut short")) }
    }

    /// An answer that breaks the interface's promise.
    pub fn malformed(&self, what: &'static str) -> ChatError {
        ChatError::Malformed { provider: self.provider.to_owned(), what }
    }

    fn broken(&self, error: reqwest::Error) -> ChatError {
        let provider = self.provider.to_owned();
        let source = error.without_url();
        if source.is_connect() {
            ChatError::Unreachable { provider, source }
        } else {
            ChatError::Interrupted { provider, source }
        }
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, ChatError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.broken(e))? {
            if bytes.len() + chunk.len() > REPLY_BYTES {
                return Err(self.malformed("more than two megabytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn refusal(&self, status: u16, response: Response) -> ChatError {
        let provider = self.provider.to_owned();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, SystemTime::now()));
        match status {
            429 => ChatError::RateLimited { provider, retry_after },
            500.. => ChatError::Failed { provider, status, retry_after },
            _ => {
                // A body that cannot be read only costs us the code.
                let body = self.read(response).await.unwrap_or_default();
                ChatError::Refused { provider, status, code: error_code(&body) }
            }
        }
    }
}

/// RFC 9110, 10.2.3: seconds, or a date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MOST))
}

/// The code of an error answer, with the name of a parameter that the server does not take. Its message is left out:
/// providers quote keys and prompts in it.
fn error_code(body: &[u8]) -> String {
    let code = serde_json::from_slice::<serde_json::Value>(body).ok().and_then(|json| {
        let error = json.get("error")?;
        let word = |field: &str| {
            error.get(field).and_then(serde_json::Value::as_str).filter(|word| {
                (1..=64).contains(&word.len())
                    && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
            })
        };
        let code = word("code").or_else(|| word("type"))?;
        Some(match word("param").filter(|_| code.starts_with("unsupported_")) {
            Some(parameter) => format!("{code} {parameter}"),
            None => code.to_owned(),
        })
    });
    code.unwrap_or_else(|| "no code".to_owned())
}

/// Checks a base URL from the settings.
pub(crate) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|e| format!("`{text}` is not a URL: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("`{text}` must begin with http:// or https:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not contain a user or password; put the key into api_key".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("`{text}` must not contain `?` or `#`"));
    }
    Ok(url)
}

/// `base` with `endpoint` behind it. Operators write the base with and without its version, with and without the
/// endpoint: whatever of `strip` it ends with is taken off first, and `version` is added unless a segment of it already
/// reads like one (`v1`, `v4`, `v1beta`).
pub(crate) fn endpoint(base: &Url, strip: &[&str], version: Option<&str>, endpoint: &str) -> Url {
    let mut path = base.path().trim_end_matches('/');
    for ending in strip {
        path = path.strip_suffix(ending).unwrap_or(path).trim_end_matches('/');
    }
    let versioned = path.split('/').any(|segment| {
        segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let version = version.filter(|_| !versioned).map(|version| format!("/{version}")).unwrap_or_default();
    let mut url = base.clone();
    url.set_path(&format!("{path}{version}{endpoint}"));
    url
}

/// A header value that is not shown when the header map is printed. `None` when the key has bytes no header may have.
pub(crate) fn secret_header(text: &str) -> Option<header::HeaderValue> {
    let mut value = header::HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_met_as_people_write_them() {
        for (base, full) in [
            ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
            ("http://127.0.0.1:9/v1/chat/completions", "http://127.0.0.1:9/v1/chat/completions"),
            ("https://g.example/v1beta/openai/", "https://g.example/v1beta/openai/chat/completions"),
            ("https://z.example/api/paas/v4", "https://z.example/api/paas/v4/chat/completions"),
            ("https://p.example/vllm", "https://p.example/vllm/v1/chat/completions"),
        ] {
            let url = base_url(base).unwrap();
            let url = endpoint(&url, &["/chat/completions"], Some("v1"), "/chat/completions");
            assert_eq!(url.as_str(), full, "{base}");
        }
        for bad in ["", "api.openai.com", "ftp://x/", "https://", "https://key@host/", "https://h/?k=1"] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, wait) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999", Some(3600)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(value, now), wait.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn only_a_code_is_taken_from_an_error() {
        let body =
            br#"{"error":{"type":"invalid_request_error","code":"bad key sk-123","message":"sk-123"}}"#;
        assert_eq!(error_code(body), "invalid_request_error");
        assert_eq!(error_code(b"<html>"), "no code");
        assert_eq!(error_code(br#"{"error":"text"}"#), "no code");
    }
}
