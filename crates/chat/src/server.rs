//! One provider's server: where it is, how it is reached, and whether its answers come whole or in pieces.

use reqwest::header::HeaderMap;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{
    ChatError,
    settings::{SettingsFault, with_cause},
    transport::{Network, Transport, base_url, endpoint},
};

/// Where a provider is and how it is spoken to. A bare URL is one too: reached as the environment says, answers whole.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The URL of the interface, with or without its version.
    pub base: &'a str,
    /// Proxy and certificate authorities.
    pub network: Network,
    /// Answers come in pieces, so that whoever hangs up stops paying.
    pub stream: bool,
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for Place<'a> {
    fn from(base: &'a T) -> Self {
        Self { base: base.as_ref(), network: Network::default(), stream: false }
    }
}

/// What tells one interface's server from another's.
pub(crate) struct Interface {
    /// The provider's name in settings and events.
    pub name: &'static str,
    /// The section of the settings, and its key of the URL.
    pub section: (&'static str, &'static str),
    /// What operators leave at the end of the URL.
    pub strip: &'static [&'static str],
    /// The version, where it is part of the URL.
    pub version: Option<&'static str>,
    /// Where questions go.
    pub path: &'static str,
}

/// An answer of an interface, whole or put together from the events of a stream.
pub(crate) trait Answer: DeserializeOwned + Send {
    /// What is there of it so far.
    type Pieces: Default + Send;

    /// Takes one event; says whether it was the last.
    ///
    /// # Errors
    /// The status that the server would have answered with, had it known before it began.
    fn take(pieces: &mut Self::Pieces, event: &Value) -> Result<bool, u16>;

    /// The answer; `None` when the stream never got to one.
    fn whole(pieces: Self::Pieces) -> Option<Self>;
}

/// A server that can be asked.
pub(crate) struct Server {
    transport: Transport,
    name: &'static str,
    url: Url,
    headers: HeaderMap,
    stream: bool,
}

impl Server {
    /// A client of the server at this place; `headers` go with every question.
    ///
    /// # Errors
    /// A URL that is none, or no HTTPS client.
    pub fn new(interface: &Interface, place: &Place<'_>, headers: HeaderMap) -> Result<Self, SettingsFault> {
        let (section, key) = interface.section;
        let base = base_url(place.base).map_err(|reason| SettingsFault::new(key, reason))?;
        let url = endpoint(&base, interface.strip, interface.version, interface.path);
        let transport = Transport::new(interface.name, &url, &place.network)
            .map_err(|error| SettingsFault::new(section, with_cause(&error)))?;
        Ok(Self { transport, name: interface.name, url, headers, stream: place.stream })
    }

    /// Where questions go.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether answers come in pieces, which a request has to ask for.
    pub fn streams(&self) -> bool {
        self.stream
    }

    /// Sends a request and reads the answer, as it comes.
    pub async fn ask<A: Answer>(&self, request: &impl Serialize) -> Result<A, ChatError> {
        if !self.stream {
            return self.transport.post(&self.url, &self.headers, request).await;
        }
        let (mut pieces, mut begun) = (A::Pieces::default(), false);
        let take = |event: Value| {
            let begun = std::mem::replace(&mut begun, true);
            A::take(&mut pieces, &event).map_err(|status| {
                let provider = self.name.to_owned();
                match status {
                    status if begun => ChatError::BrokenOff { provider, status },
                    429 => ChatError::RateLimited { provider, retry_after: None },
                    status => ChatError::Failed { provider, status, retry_after: None },
                }
            })
        };
        // A server that does not stream although it was asked to gives the answer whole.
        if let Some(whole) = self.transport.post_streamed(&self.url, &self.headers, request, take).await? {
            return Ok(whole);
        }
        A::whole(pieces).ok_or_else(|| self.malformed("a stream cut short"))
    }

    /// An answer that breaks the interface's promise.
    pub fn malformed(&self, what: &'static str) -> ChatError {
        self.transport.malformed(what)
    }
}
