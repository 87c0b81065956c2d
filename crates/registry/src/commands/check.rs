//! `check`: whether the registry could start, all faults at once, starting nothing.

use std::net::TcpListener;

use super::CommandError;
use crate::config::Config;
use crate::jobs::chain;
use crate::log_archive::LogArchive;
use crate::store::Store;
use crate::vault::Vault;

/// Tries everything the settings name.
pub async fn check(config: &Config) -> Result<(), CommandError> {
    let mut faults = Vec::new();
    let mut note =
        |setting: &str, error: &dyn std::error::Error| faults.push(format!("`{setting}`: {}", chain(error)));
    if let Err(error) = TcpListener::bind(config.server.listen) {
        note("server.listen", &error);
    }
    if let Some(tls) = &config.server.tls {
        for (setting, path) in [("server.tls.certificate", &tls.certificate), ("server.tls.key", &tls.key)] {
            if let Err(error) = std::fs::read(path) {
                note(setting, &error);
            }
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
    if faults.is_empty() { Ok(()) } else { Err(CommandError::Checked(faults)) }
}
