//! The made-up name of a bucket -> its enrolled address and certificate; nothing else is resolved or trusted.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::RwLock;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::address::Guard;

/// Where a bucket is and what it must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub address: SocketAddr,
    pub pin: [u8; 32],
}

/// The buckets that may be called now.
#[derive(Debug, Default)]
pub(super) struct Pins {
    by_name: RwLock<HashMap<String, Target>>,
}

impl Pins {
    pub fn set(&self, name: &str, target: Target) {
        if self.get(name) != Some(target) {
            self.by_name.write().insert(name.to_owned(), target);
        }
    }

    fn get(&self, name: &str) -> Option<Target> {
        self.by_name.read().get(name).copied()
    }
}

/// Reads 64 hex digits.
pub(super) fn pin(text: &str) -> Option<[u8; 32]> {
    let mut pin = [0_u8; 32];
    hex::decode_to_slice(text, &mut pin).ok()?;
    Some(pin)
}

/// Maps names of [`Pins`] to addresses; asks no name server.
pub(super) struct Resolver {
    pins: Arc<Pins>,
    guard: Guard,
}

impl Resolver {
    pub fn new(pins: Arc<Pins>, guard: Guard) -> Self {
        Self { pins, guard }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        // Checked here too, the last moment before the connection.
        let target =
            self.pins.get(name.as_str()).filter(|target| self.guard.permit(target.address.ip()).is_ok());
        Box::pin(async move {
            let target = target.ok_or("no bucket of this name may be called")?;
            Ok(Box::new(std::iter::once(target.address)) as Addrs)
        })
    }
}

/// Trusts a certificate because of its digest alone; its names, dates and issuer say nothing. That the other side holds
/// its key is still proven by the signature of the handshake.
#[derive(Debug)]
struct Verifier {
    pins: Arc<Pins>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Sha256::digest(end_entity.as_ref());
        match self.pins.get(&server_name.to_str()) {
            Some(target) if bool::from(found.as_slice().ct_eq(&target.pin)) => {
                Ok(ServerCertVerified::assertion())
            }
            _ => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The TLS of the client. No session is resumed: each call proves the certificate anew.
pub(super) fn client_config(pins: Arc<Pins>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier { pins, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider);
    // The ring provider supports both versions, so this does not fail; were it to, an empty list of roots trusts nobody.
    let builder = match builder.with_safe_default_protocol_versions() {
        Ok(builder) => builder,
        Err(_) => {
            return ClientConfig::builder()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
        }
    };
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config
}
