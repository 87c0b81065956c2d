//! Signing in with a password, and out again.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use askama::Template;
use axum::{
    body::Bytes,
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    console::Front,
    failure::Failure,
    pages::{Frame, page},
    params::Params,
    who::{self, IDLE, Who},
};
use crate::{
    password::{digest, random_text, verify},
    time::now_ms,
};

/// How long a password waits for its turn to be checked.
const PATIENCE: Duration = Duration::from_secs(10);
/// Checked when there is no such user, so that the time does not tell.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    frame: Frame,
    next: &'a str,
    name: &'a str,
    problem: Option<String>,
}

fn show(status: StatusCode, next: &str, name: &str, problem: Option<String>) -> Result<Response, Failure> {
    let frame = Frame::new("Sign in", None, "");
    Ok((status, page(&SignIn { frame, next, name, problem })?).into_response())
}

/// The form.
pub(super) async fn form(params: Params) -> Result<Response, Failure> {
    show(StatusCode::OK, &destination(params.get("next")), "", None)
}

/// Checks name and password, and gives a cookie.
pub(super) async fn sign_in(State(front): State<Front>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    // The guard has read it already and bounded it.
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|_| Failure::TooLarge)?;
    let fields = Params::parse(&body);
    let next = destination(fields.get("next"));
    let name = fields.get("name").unwrap_or_default().to_owned();
    let password = fields.raw("password").unwrap_or_default().to_owned();
    let peer = who::connection(&parts).map(|peer| peer.ip());
    let source = peer
        .map(|peer| network(super::source(peer, &parts.headers, &front.trusted_proxies)))
        .unwrap_or_default();
    let wait = front.throttle.wait(&source, Instant::now());
    if !wait.is_zero() {
        let seconds = wait.as_secs() + 1;
        let problem = format!("Too many wrong passwords from your address. Wait {seconds} seconds.");
        let mut response = show(StatusCode::TOO_MANY_REQUESTS, &next, &name, Some(problem))?;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let user = front.store.user(&name).await?.filter(|user| !user.disabled);
    let hash = user.as_ref().map_or_else(|| NOBODY.to_owned(), |user| user.password_hash.clone());
    let permit = tokio::time::timeout(PATIENCE, front.hashing.clone().acquire_owned()).await;
    let Ok(Ok(permit)) = permit else { return Err(Failure::TooMany(PATIENCE.as_secs())) };
    let right = tokio::task::spawn_blocking(move || {
        let right = verify(&password, &hash);
        drop(permit);
        right
    });
    // A check that was torn down is a password that was not right.
    let right = right.await.unwrap_or(false);
    match user {
        Some(user) if right => {
            front.throttle.succeeded(&source);
            if let Some(old) = who::cookie(&front, &parts.headers) {
                front.store.close_web_session(&digest(&old)).await?;
            }
            let (cookie, csrf) = (random_text(), random_text());
            front.store.open_web_session(&digest(&cookie), user.id, &csrf, now_ms() + IDLE).await?;
            front.store.note_audit(&user.name, "user.sign_in", &user.name, &format!("from {source}")).await?;
            let mut response = Redirect::to(&next).into_response();
            set_cookie(&front, response.headers_mut(), &cookie, IDLE / 1000);
            Ok(response)
        }
        _ => {
            front.throttle.failed(&source, Instant::now());
            tracing::warn!(source, "a sign-in was refused");
            let problem = "This name and password do not fit.".to_owned();
            show(StatusCode::UNAUTHORIZED, &next, &name, Some(problem))
        }
    }
}

/// Ends the session of this browser.
pub(super) async fn sign_out(
    State(front): State<Front>,
    _who: Who,
    headers: HeaderMap,
    _body: Bytes,
) -> Result<Response, Failure> {
    if let Some(cookie) = who::cookie(&front, &headers) {
        front.store.close_web_session(&digest(&cookie)).await?;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    set_cookie(&front, response.headers_mut(), "", 0);
    Ok(response)
}

fn set_cookie(front: &Front, headers: &mut HeaderMap, value: &str, seconds: i64) {
    let secure = if front.secure_cookies { "; Secure" } else { "" };
    let name = front.cookie_name();
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// Where to go after signing in: a path of ours, never another site.
fn destination(next: Option<&str>) -> String {
    let ours = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && path.bytes().all(|b| b.is_ascii_graphic())
            && !path.starts_with("/sign-in")
            && path.len() < 2000
    };
    next.filter(ours).unwrap_or("/").to_owned()
}

/// What counts as one source of attempts: an IPv4 address, or the network an IPv6 host chooses its addresses from.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{}/64", Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "javascript:1",
            "",
            "/a b",
            "/sign-in?next=x",
        ] {
            assert_eq!(destination(Some(bad)), "/", "{bad}");
        }
        assert_eq!(destination(Some("/sessions?bucket=a&text=%3C")), "/sessions?bucket=a&text=%3C");
    }

    #[test]
    fn the_hash_of_nobody_is_a_hash() {
        assert!(argon2::password_hash::phc::PasswordHash::new(NOBODY).is_ok());
        assert!(!verify("anything at all", NOBODY));
    }

    #[test]
    fn an_ipv6_host_is_one_source() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::ffff".parse().unwrap()));
        assert_ne!(network("10.0.0.1".parse().unwrap()), network("10.0.0.2".parse().unwrap()));
    }
}
