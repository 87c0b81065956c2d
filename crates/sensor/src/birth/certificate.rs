//! The management port's key and self-signed certificate; the registry pins its fingerprint.

use std::path::Path;
use std::sync::Arc;

use chrono::{Datelike as _, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};

use super::BirthError;

/// Years a certificate is valid: longer than a bucket lives, because the pin, not the date, is what protects.
const YEARS: i32 = 30;

/// A new P-256 key and its certificate, as PEM.
pub fn make() -> Result<String, rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    // A stranger who scans the port must not read from the certificate what it serves.
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "localhost");
    params.distinguished_name = name;
    let year = Utc::now().year();
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + YEARS, 1, 1);
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// TLS settings and fingerprint from what [`make`] made.
pub fn load(path: &Path, pem: &str) -> Result<(Arc<ServerConfig>, String), BirthError> {
    let damaged = |fault: &str| BirthError::Damaged { path: path.to_owned(), fault: fault.to_owned() };
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| damaged("it has no readable private key"))?;
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| damaged("it has no readable certificate"))?;
    let fingerprint = hex::encode(Sha256::digest(&certificate));
    let fault = |source| BirthError::Tls { path: path.to_owned(), source };
    let mut tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(fault)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(fault)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(tls), fingerprint))
}
