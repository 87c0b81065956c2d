//! The registry on the wire: buckets enrol here, people and programs look here.

mod api;
pub mod console;
mod download;
mod failure;
mod health;
mod metrics;
mod pages;
mod params;
mod recording;
pub mod register_bucket;
pub mod route;
mod show;
mod sign_in;
mod throttle;
mod who;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use http::{HeaderMap, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use tokio::sync::watch;

use crate::config::Config;
use crate::jobs::scheduler::stopped;
use crate::log_archive::LogArchive;
use crate::store::Store;
use crate::vault::Vault;

/// For the head of a request, and for a connection between two requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// For a whole request with its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A step of serving that failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Certificate or key.
    #[error("cannot use the certificate and key of `server.tls`")]
    Tls(#[source] std::io::Error),
    /// The socket.
    #[error("cannot serve")]
    Serve(#[source] std::io::Error),
}

/// What enrolment stands on.
#[derive(Clone)]
pub struct Enrolment {
    /// All settings.
    pub config: Arc<Config>,
    /// The tables.
    pub store: Store,
    /// Seals tokens.
    pub vault: Vault,
    /// Where captured files are.
    pub archive: LogArchive,
}

/// Everything that is served.
pub fn router(enrolment: Enrolment) -> Router {
    let server = &enrolment.config.server;
    let https = server.tls.is_some() || server.public_url.starts_with("https://");
    let front = console::Front::new(
        enrolment.store.clone(),
        enrolment.archive.clone(),
        https,
        server.trusted_proxies.clone(),
    );
    console::router(front).merge(register_bucket::router(enrolment))
}

/// Serves on `listener` (HTTPS when the settings name a certificate) until `stop` turns true.
pub async fn serve(
    listener: TcpListener,
    config: &Config,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    listener.set_nonblocking(true).map_err(ServeError::Serve)?;
    let handle = Handle::new();
    let closing = handle.clone();
    let watching = tokio::spawn(async move {
        stopped(&mut stop).await;
        closing.graceful_shutdown(Some(Duration::from_secs(5)));
    });
    let router = router.layer(middleware::from_fn(in_time));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = match &config.server.tls {
        Some(tls) => {
            let rustls =
                RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await.map_err(ServeError::Tls)?;
            let mut server = axum_server::from_tcp_rustls(listener, rustls).map_err(ServeError::Serve)?;
            bound_heads(server.http_builder());
            server.handle(handle).serve(service).await
        }
        None => {
            let mut server = axum_server::from_tcp(listener).map_err(ServeError::Serve)?;
            bound_heads(server.http_builder());
            server.handle(handle).serve(service).await
        }
    };
    watching.abort();
    served.map_err(ServeError::Serve)
}

/// Who connects must say what they want before long.
fn bound_heads(builder: &mut hyper_util::server::conn::auto::Builder<TokioExecutor>) {
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
}

/// A body that trickles in does not hold its place for ever.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// Who asks: the peer of the socket, or whom a trusted proxy names last in `X-Forwarded-For`.
pub fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let trusts = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut source = peer.to_canonical();
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
    // From the nearest outwards: whom a proxy of ours names is believed, whom they name themselves is not.
    for text in named.into_iter().rev() {
        if !trusts(&source) {
            break;
        }
        let Ok(address) = text.parse::<IpAddr>() else { break };
        source = address.to_canonical();
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let headers = |value: &str| {
            HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value.parse().unwrap())])
        };
        let ask = |peer: &str, value: &str, trusted: &[&str]| {
            let trusted: Vec<IpNet> = trusted.iter().map(|text| text.parse().unwrap()).collect();
            source(peer.parse().unwrap(), &headers(value), &trusted).to_string()
        };
        assert_eq!(ask("9.9.9.9", "1.1.1.1", &[]), "9.9.9.9");
        assert_eq!(ask("10.0.0.1", "1.1.1.1", &["10.0.0.0/8"]), "1.1.1.1");
        assert_eq!(ask("10.0.0.1", "6.6.6.6, 1.1.1.1", &["10.0.0.0/8"]), "1.1.1.1");
        assert_eq!(ask("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.0.0.2", &["10.0.0.0/8"]), "1.1.1.1");
        assert_eq!(ask("10.0.0.1", "nonsense", &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(ask("::ffff:10.0.0.1", "1.1.1.1", &["10.0.0.0/8"]), "1.1.1.1");
    }
}
