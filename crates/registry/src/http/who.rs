//! Who asks: a signed-in browser by its cookie, a program by its API token, from which address.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{HeaderMap, header, request::Parts};

use super::{console::Front, failure::Failure};
use crate::{
    password::digest,
    store::{Role, StoreError},
    time::now_ms,
};

/// How long a signed-in browser may be idle, milliseconds.
pub(super) const IDLE: i64 = 12 * 3600 * 1000;
/// The idle time is written anew at most this often, milliseconds.
const TOUCH: i64 = 5 * 60 * 1000;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Who {
    /// User or API token, for the audit trail.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What forms must carry; none for a program, which no foreign page can make send its token.
    pub csrf: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure::NotSignedIn)
    }
}

/// Who sent these headers, if anybody. An API token counts before a cookie; a wrong token is nobody, whatever the cookie.
pub(super) async fn identify(
    front: &Front,
    headers: &HeaderMap,
    tokens: bool,
) -> Result<Option<Who>, StoreError> {
    if tokens && let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| text.split_once(' ')).filter(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && (20..=200).contains(&token.trim().len())
        });
        let Some((_, token)) = token else { return Ok(None) };
        let token = front.store.api_token(&digest(token.trim())).await?;
        return Ok(token.map(|t| Who { name: format!("token {}", t.name), role: t.role, csrf: None }));
    }
    let Some(cookie) = cookie(front, headers) else { return Ok(None) };
    let id = digest(&cookie);
    let Some(session) = front.store.web_session(&id).await? else { return Ok(None) };
    let now = now_ms();
    if now - session.last_seen_at > TOUCH {
        front.store.touch_web_session(&id, now + IDLE).await?;
    }
    Ok(Some(Who { name: session.user.name, role: session.user.role, csrf: Some(session.csrf) }))
}

/// The value of our cookie.
pub(super) fn cookie(front: &Front, headers: &HeaderMap) -> Option<String> {
    let name = front.cookie_name();
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, v)| *n == name && (20..=200).contains(&v.len()))
        .map(|(_, value)| value.to_owned())
}

/// Whether the request comes from this machine itself, and not through a proxy on it.
pub(super) fn local(headers: &HeaderMap, connection: Option<SocketAddr>) -> bool {
    connection.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && !headers.contains_key("x-forwarded-for")
        && !headers.contains_key(header::FORWARDED)
}

/// The connection's other end, as the server noted it.
pub(super) fn connection(parts: &Parts) -> Option<SocketAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Whether a browser says that the request was made by a page of ours. Other programs say nothing.
pub(super) fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text("origin") {
        None => true,
        Some(origin) => origin.split_once("://").is_some_and(|(_, host)| Some(host) == text("host")),
    }
}
