//! Everything for people and programs in one router: pages, API, health, metrics.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use wire::endpoints::{REGISTER, REGISTER_BUCKET};

use super::{
    api,
    failure::Failure,
    health, metrics, pages,
    route::{Caller, Face, Route, show_refusal},
    sign_in,
    throttle::Throttle,
};
use crate::{
    log_archive::LogArchive,
    store::{Counts, Store, StoreError},
};

/// A count that takes longer is kept for a while.
const SLOW: Duration = Duration::from_millis(100);

/// What the pages and the API stand on.
#[derive(Clone)]
pub struct Front {
    pub(super) store: Store,
    pub(super) archive: LogArchive,
    pub(super) secure_cookies: bool,
    pub(super) trusted_proxies: Arc<[IpNet]>,
    pub(super) throttle: Arc<Throttle>,
    /// Passwords being checked at once: each takes 19 MiB.
    pub(super) hashing: Arc<Semaphore>,
    /// Files being handed out at once: each lies in memory.
    pub(super) downloads: Arc<Semaphore>,
    counted: Arc<Mutex<Option<(Instant, Counts)>>>,
}

impl Front {
    /// `secure_cookies` when people reach the registry by HTTPS. A proxy among `trusted_proxies` may name the address of
    /// who asks in `X-Forwarded-For`.
    pub fn new(store: Store, archive: LogArchive, secure_cookies: bool, trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            store,
            archive,
            secure_cookies,
            trusted_proxies: trusted_proxies.into(),
            throttle: Arc::default(),
            hashing: Arc::new(Semaphore::new(4)),
            downloads: Arc::new(Semaphore::new(4)),
            counted: Arc::default(),
        }
    }

    /// How much there is. Counting millions of rows takes a database a while, so a count is good for twenty times as long
    /// as it took: at once on a small registry, half a minute on a large one.
    pub(super) async fn counts(&self) -> Result<Counts, StoreError> {
        let began = Instant::now();
        if let Some((_, counts)) = self.counted.lock().as_ref().filter(|(until, _)| began < *until) {
            return Ok(counts.clone());
        }
        let counts = self.store.counts().await?;
        let took = began.elapsed();
        if took > SLOW {
            *self.counted.lock() = Some((Instant::now() + took * 20, counts.clone()));
        }
        Ok(counts)
    }

    /// With HTTPS the name itself makes browsers insist on it.
    pub(super) fn cookie_name(&self) -> &'static str {
        if self.secure_cookies { "__Host-rustbucket" } else { "rustbucket" }
    }
}

/// Every route there is, those of buckets included.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::for_buckets(REGISTER_BUCKET),
        Route::for_buckets(REGISTER),
        Route::get("/healthz", Caller::Anybody, health::alive).plain(),
        Route::get("/readyz", Caller::Anybody, health::ready).plain(),
        Route::get("/metrics", Caller::LocalOrViewer, metrics::show).plain(),
        Route::get("/sign-in", Caller::Anybody, sign_in::form),
        Route::post("/sign-in", Caller::Anybody, sign_in::sign_in),
        Route::post("/sign-out", Caller::Viewer, sign_in::sign_out),
        Route::get("/static/style.css", Caller::Anybody, pages::style),
        Route::get("/static/mark.svg", Caller::Anybody, pages::mark),
    ];
    routes.extend(pages::routes());
    routes.extend(api::routes());
    routes
}

/// The router of all but the buckets' routes. To be served with the peer's address as connection information.
pub fn router(front: Front) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = route.add(router, &front);
    }
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn(harden))
        .with_state(front)
}

fn face(path: &str) -> Face {
    if path.starts_with("/api/") { Face::Api } else { Face::Page }
}

async fn nothing_here(request: Request) -> Response {
    let failure = Failure::NotFound("page at this address");
    show_refusal(face(request.uri().path()), None, failure.into_response())
}

async fn other_method(request: Request) -> Response {
    show_refusal(face(request.uri().path()), None, Failure::Method.into_response())
}

/// What browsers may do with our answers: next to nothing.
async fn harden(request: Request, next: Next) -> Response {
    let fixed = request.uri().path().starts_with("/static/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, if fixed { "public, max-age=86400" } else { "no-store" }),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
