//! `POST /register_bucket`: a bucket enrols, or says again where and how it is.

mod body;
mod rate;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use wire::RegisterAnswer;
use wire::endpoints::{API_KEY_HEADER, REGISTER, REGISTER_BUCKET};

use super::{Enrolment, source};
use crate::pull::Guard;
use crate::store::{Bucket, NewBucket, Registered, Status, StoreError};
use crate::vault::VaultError;
use body::Request;
use rate::Rate;

/// The longest body; a request needs a tenth of it.
const BODY_LIMIT: usize = 64 * 1024;

#[derive(Clone)]
struct Desk {
    enrolment: Enrolment,
    guard: Guard,
    rate: Arc<Rate>,
}

/// Why a request cannot be answered.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Every fault of an enrolment's body that came from a public address; none when it is understood.
pub fn faults(body: &[u8]) -> Vec<String> {
    let source = IpAddr::from([203, 0, 113, 9]);
    body::read(body, None, source, &Guard::new(&[])).err().unwrap_or_default()
}

/// The two paths of enrolment.
pub fn router(enrolment: Enrolment) -> Router {
    let settings = &enrolment.config.registration;
    let guard = Guard::new(&settings.allowed_networks);
    let rate = Arc::new(Rate::new(settings.per_minute));
    Router::new()
        .route(REGISTER_BUCKET, post(register))
        .route(REGISTER, post(register))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Desk { enrolment, guard, rate })
}

fn answer(code: StatusCode, status: &str, errors: Vec<String>) -> Response {
    (code, Json(RegisterAnswer { status: status.to_owned(), errors })).into_response()
}

/// Answers, whatever was sent.
async fn register(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let source = source(peer.ip(), &headers, &desk.enrolment.config.server.trusted_proxies);
    if !desk.rate.allows(source) {
        let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "too_many", Vec::new());
        response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("60"));
        return response;
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return answer(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                vec![format!("the body must have at most {BODY_LIMIT} bytes")],
            );
        }
        Err(_) => return answer(StatusCode::BAD_REQUEST, "invalid", vec!["the body broke off".to_owned()]),
    };
    let header_key = headers.get(API_KEY_HEADER).map(|value| value.as_bytes());
    let request = match body::read(&body, header_key, source, &desk.guard) {
        Ok(request) => request,
        Err(errors) => {
            tracing::info!(%source, ?errors, "an enrolment was refused");
            return answer(StatusCode::BAD_REQUEST, "invalid", errors);
        }
    };
    let name = request.registration.name.clone();
    match decide(&desk.enrolment, request, source).await {
        Ok((code, status)) => {
            tracing::info!(bucket = %name, %source, status, "a bucket enrolled");
            answer(code, status, Vec::new())
        }
        Err(error) => {
            tracing::error!(bucket = %name, error = crate::jobs::chain(&error), "an enrolment failed");
            answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                vec!["the registry's database did not answer; try again later".to_owned()],
            )
        }
    }
}

async fn decide(
    desk: &Enrolment,
    request: Request,
    source: IpAddr,
) -> Result<(StatusCode, &'static str), Failure> {
    // Twice: somebody may take the name between looking and adding; then it is known.
    for _ in 0..2 {
        if let Some(known) = desk.store.bucket(request.registration.name.as_str()).await? {
            return again(desk, &known, &request).await;
        }
        if let Some(decided) = first(desk, &request, source).await? {
            return Ok(decided);
        }
    }
    Ok((StatusCode::CONFLICT, "name_taken"))
}

/// A name that is known: only its own token speaks for it.
async fn again(
    desk: &Enrolment,
    known: &Bucket,
    request: &Request,
) -> Result<(StatusCode, &'static str), Failure> {
    let token = desk.vault.unseal(&known.name, &known.token_sealed)?;
    if !bool::from(token.reveal().as_bytes().ct_eq(request.token.reveal().as_bytes())) {
        return Ok((StatusCode::CONFLICT, "name_taken"));
    }
    if known.status == Status::Revoked {
        return Ok((StatusCode::FORBIDDEN, "revoked"));
    }
    desk.store.update_registration(known, &request.registration).await?;
    Ok((StatusCode::OK, known.status.as_str()))
}

/// A name that is new. None when it is not new any more.
async fn first(
    desk: &Enrolment,
    request: &Request,
    source: IpAddr,
) -> Result<Option<(StatusCode, &'static str)>, Failure> {
    let settings = &desk.config.registration;
    let digest = request.key.as_ref().map(|key| hex::encode(Sha256::digest(key.as_bytes())));
    let key_sha256 = match digest {
        Some(digest) if desk.store.registration_key_holds(&digest).await? => Some(digest),
        // A key that does not hold is refused even where none is needed: whoever sends one means it.
        Some(_) => return Ok(Some((StatusCode::UNAUTHORIZED, "unauthorized"))),
        None if settings.require_key => return Ok(Some((StatusCode::UNAUTHORIZED, "unauthorized"))),
        None => None,
    };
    // A key lets a bucket register; whether it is called is another question, which a person or the settings answer.
    let decided_by = settings.auto_approve.then(|| "registration.auto_approve".to_owned());
    let new = NewBucket {
        registration: request.registration.clone(),
        token_sealed: desk.vault.seal(request.registration.name.as_str(), &request.token)?,
        status: if decided_by.is_some() { Status::Active } else { Status::Pending },
        decided_by,
        key_sha256,
        max_pending: settings.max_pending,
    };
    Ok(match desk.store.add_bucket(&new).await? {
        Registered::Done => Some((StatusCode::OK, new.status.as_str())),
        Registered::NameTaken => None,
        Registered::KeySpent => Some((StatusCode::UNAUTHORIZED, "unauthorized")),
        Registered::TooManyPending => {
            tracing::warn!(%source, "too many buckets wait for a person; approve or revoke some");
            Some((StatusCode::TOO_MANY_REQUESTS, "too_many"))
        }
    })
}
