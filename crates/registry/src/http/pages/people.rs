//! Who may use the registry: users, API tokens, registration keys, and who did what.

use askama::Template;
use axum::{
    body::Bytes,
    extract::{Path, State},
    response::{Html, Response},
};

use super::{Frame, back, page, words};
use crate::{
    http::{
        console::Front,
        failure::Failure,
        params::Params,
        route::{Caller, Route},
        who::Who,
    },
    password::{self, API_TOKEN_PREFIX, REGISTRATION_KEY_PREFIX, digest, random_text},
    store::{ApiToken, AuditEntry, RegistrationKey, Role, User},
    time::now_ms,
};

/// Lines of the audit trail.
const TRAIL: u32 = 100;
/// The longest a registration key may hold, in days.
const DAYS: i64 = 3650;

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    frame: Frame,
    users: Vec<User>,
    tokens: Vec<ApiToken>,
    keys: Vec<RegistrationKey>,
    trail: Vec<AuditEntry>,
    /// What was made just now, shown this once: what it is, and the secret.
    fresh: Option<(&'static str, String)>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/people", Caller::Admin, show),
        Route::post("/people/users", Caller::Admin, set_user),
        Route::post("/people/tokens", Caller::Admin, add_token),
        Route::post("/people/tokens/{id}/end", Caller::Admin, end_token),
        Route::post("/people/keys", Caller::Admin, add_key),
        Route::post("/people/keys/{id}/end", Caller::Admin, end_key),
    ]
}

/// How a registration key is, and the class that colours it.
fn condition(key: &RegistrationKey, now: &i64) -> (&'static str, &'static str) {
    if key.revoked_at.is_some() {
        ("ended", "off")
    } else if key.expires_at.is_some_and(|at| at <= *now) {
        ("ran out", "off")
    } else if key.uses_left.is_some_and(|uses| uses <= 0) {
        ("used up", "off")
    } else {
        ("holds", "good")
    }
}

async fn draw(
    front: &Front,
    who: &Who,
    params: &Params,
    fresh: Option<(&'static str, String)>,
) -> Result<Html<String>, Failure> {
    let users = front.store.users().await?;
    let tokens = front.store.api_tokens().await?;
    let keys = front.store.registration_keys().await?;
    let trail = front.store.audit(TRAIL).await?;
    let frame = Frame::new("People and keys", Some(who), "people").noting(params);
    Ok(page(&People { frame, users, tokens, keys, trail, fresh })?)
}

async fn show(State(front): State<Front>, who: Who, params: Params) -> Result<Html<String>, Failure> {
    draw(&front, &who, &params, None).await
}

fn role(fields: &Params) -> Result<Role, Failure> {
    fields.get("role").unwrap_or_default().parse().map_err(Failure::Wrong)
}

fn name(fields: &Params) -> Result<String, Failure> {
    let name = fields.get("name").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        Ok(name.to_owned())
    } else {
        Err(Failure::Wrong("a name has 1 to 64 letters, digits or . _ - @".to_owned()))
    }
}

async fn set_user(State(front): State<Front>, who: Who, body: Bytes) -> Result<Response, Failure> {
    let fields = Params::parse(&body);
    let (name, role) = (name(&fields)?, role(&fields)?);
    if name == who.name && role < Role::Admin {
        return Err(Failure::Wrong(
            "you cannot take the role admin from yourself; ask another admin".to_owned(),
        ));
    }
    let secret = fields.raw("password").unwrap_or_default().to_owned();
    let hash = tokio::task::spawn_blocking(move || password::hash(&secret)).await;
    let hash = hash.map_err(|_| Failure::Wrong("the password could not be hashed".to_owned()))??;
    front.store.set_user(&name, &hash, role, &who.name).await?;
    Ok(back("/people", ""))
}

async fn add_token(State(front): State<Front>, who: Who, body: Bytes) -> Result<Html<String>, Failure> {
    let fields = Params::parse(&body);
    let (name, role) = (name(&fields)?, role(&fields)?);
    let token = format!("{API_TOKEN_PREFIX}{}", random_text());
    front.store.add_api_token(&name, &digest(&token), role, &who.name).await?;
    draw(&front, &who, &Params::default(), Some(("API token", token))).await
}

async fn add_key(State(front): State<Front>, who: Who, body: Bytes) -> Result<Html<String>, Failure> {
    let fields = Params::parse(&body);
    let uses = fields.number("uses", 1..=1_000_000_u32)?;
    let days = fields.number("days", 1..=DAYS)?;
    let expires_at = days.map(|days| now_ms() + days * 86_400_000);
    let key = format!("{REGISTRATION_KEY_PREFIX}{}", random_text());
    front.store.add_registration_key(&digest(&key), uses, expires_at, &who.name).await?;
    draw(&front, &who, &Params::default(), Some(("Registration key", key))).await
}

async fn end_token(
    State(front): State<Front>,
    who: Who,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let known = match id.parse() {
        Ok(id) => front.store.revoke_api_token(id, &who.name).await?,
        Err(_) => false,
    };
    if known { Ok(back("/people", "ended")) } else { Err(Failure::NotFound("such token that still holds")) }
}

async fn end_key(State(front): State<Front>, who: Who, Path(id): Path<String>) -> Result<Response, Failure> {
    let known = match id.parse() {
        Ok(id) => front.store.revoke_registration_key(id, &who.name).await?,
        Err(_) => false,
    };
    if known { Ok(back("/people", "ended")) } else { Err(Failure::NotFound("such key that still holds")) }
}
