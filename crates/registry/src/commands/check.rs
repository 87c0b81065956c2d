//! `check`: whether the registry could start, all faults at once, starting nothing. `serve` looks the same way first.

use std::net::TcpListener;
use std::path::Path;

use axum_server::tls_rustls::RustlsConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::CommandError;
use crate::config::{Config, Tls};
use crate::jobs::chain;
use crate::log_archive::LogArchive;
use crate::store::Store;
use crate::vault::Vault;

/// Tries everything the settings name.
pub async fn check(config: &Config) -> Result<(), CommandError> {
    inspect(config).await.map(drop)
}

/// Tries everything the settings name; the socket it listens on, for whoever wants to serve.
pub(super) async fn inspect(config: &Config) -> Result<TcpListener, CommandError> {
    let mut faults = Vec::new();
    let mut note =
        |setting: &str, error: &dyn std::error::Error| faults.push(format!("`{setting}`: {}", chain(error)));
    let listener = TcpListener::bind(config.server.listen);
    if let Err(error) = &listener {
        note("server.listen", &Unusable(format!("{}: {error}", config.server.listen)));
    }
    if let Some(tls) = &config.server.tls {
        for (setting, error) in check_tls(tls).await {
            note(setting, &error);
        }
    }
    if let Err(error) = Vault::open(&config.key_file) {
        note("secrets.key_file", &error);
    }
    match Store::open(&config.database).await {
        Ok(store) => {
            if let Err(error) = store.ping().await {
                note("database.url", &error);
            }
            store.close().await;
        }
        Err(error) => note("database.url", &error),
    }
    let archive = match LogArchive::open(&config.storage) {
        Ok(archive) => archive.probe().await,
        Err(error) => Err(error),
    };
    if let Err(error) = archive {
        note("storage", &error);
    }
    match listener {
        Ok(listener) if faults.is_empty() => Ok(listener),
        _ => Err(CommandError::Checked(faults)),
    }
}

/// What is wrong with something a setting names.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);

/// Whether certificate and key can be read and parsed, and belong together.
async fn check_tls(tls: &Tls) -> Vec<(&'static str, Unusable)> {
    let mut faults = Vec::new();
    let mut read = |setting, path: &Path, parse: fn(&[u8]) -> Result<(), String>| {
        let parsed = std::fs::read(path).map_err(|error| error.to_string()).and_then(|pem| parse(&pem));
        if let Err(error) = parsed {
            faults.push((setting, Unusable(format!("{}: {error}", path.display()))));
        }
    };
    read("server.tls.certificate", &tls.certificate, |pem| {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match certificates {
            Ok(found) if found.is_empty() => Err("holds no certificate in PEM".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("is not PEM: {error}")),
        }
    });
    read("server.tls.key", &tls.key, |pem| {
        PrivateKeyDer::from_pem_slice(pem)
            .map(drop)
            .map_err(|error| format!("holds no private key in PEM: {error}"))
    });
    if faults.is_empty()
        && let Err(error) = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await
    {
        faults
            .push(("server.tls", Unusable(format!("certificate and key cannot be used together: {error}"))));
    }
    faults
}
