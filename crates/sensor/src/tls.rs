//! Certificates that visitors see: the machine's own as `ssl-cert` makes one on Debian (STARTTLS), and those of ports that
//! speak TLS from the first byte on.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rustls::{
    SignatureAlgorithm, SignatureScheme,
    crypto::ring::{self, cipher_suite},
    server::ProducesTickets,
    sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};

use crate::config::PortTls;

/// Bits of the key (`/usr/share/ssl-cert/ssleay.cnf`: `default_bits`).
const BITS: usize = 2048;
/// How long it is valid (make-ssl-cert(8)).
const DAYS: u64 = 3650;
/// What OpenSSL 3 offers of what the library knows, in its order.
const SUITES: [rustls::SupportedCipherSuite; 9] = [
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// A certificate that could be neither read nor made.
#[derive(Debug, thiserror::Error)]
pub enum SnakeoilError {
    /// Reading or writing failed.
    #[error("certificate file {path} could not be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key generator failed.
    #[error("a key for {hostname} could not be made")]
    Key {
        /// The name it was for.
        hostname: String,
        /// What the generator said.
        source: rsa::Error,
    },
    /// The key cannot be written down.
    #[error("the key for {hostname} could not be encoded")]
    Encode {
        /// The name it was for.
        hostname: String,
        /// What the library said.
        source: rsa::pkcs8::Error,
    },
    /// The generator failed.
    #[error("a certificate for {hostname} could not be made")]
    Make {
        /// The name it was for.
        hostname: String,
        /// What the generator said.
        source: rcgen::Error,
    },
    /// The text holds something else.
    #[error("{what} holds no certificate with its key; restore it, or delete it to have a new one made")]
    Damaged {
        /// The file or the setting.
        what: String,
    },
    /// Key and certificate do not go together.
    #[error("{what} cannot be used; restore it, or delete it to have a new one made")]
    Use {
        /// The file or the setting.
        what: String,
        /// What the library said.
        source: rustls::Error,
    },
}

/// Whose certificate it is.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The full host name.
    pub name: String,
    /// When the machine was installed.
    pub since: SystemTime,
}

/// The machine's certificate from `folder`, or made; gives it in PEM, too.
pub fn snakeoil(
    folder: &Path,
    subject: &Subject,
) -> Result<(Arc<rustls::ServerConfig>, String), SnakeoilError> {
    let path = folder.join("snakeoil.pem");
    let text = kept(&path, subject)?;
    // Postfix: `tls_preempt_cipherlist = no`.
    let config = config(&path.display().to_string(), &text, &text, false)?;
    Ok((Arc::new(config), shown(&text)))
}

/// What a port of TLS shows, as nginx with OpenSSL 3 does it: the server's order of ciphers, HTTP/1.1 by ALPN.
pub fn of_port(
    folder: &Path,
    name: &str,
    settings: &PortTls,
    subject: &Subject,
) -> Result<Arc<rustls::ServerConfig>, SnakeoilError> {
    let mut config = match &settings.given {
        Some((certificate, key)) => config(&format!("`ports.{name}`"), certificate, key.reveal(), true)?,
        None => {
            let path = folder.join(format!("port_{name}.pem"));
            let text = kept(&path, subject)?;
            config(&path.display().to_string(), &text, &text, true)?
        }
    };
    config.alpn_protocols = ["http/1.1", "http/1.0", "http/0.9"].map(|name| name.as_bytes().to_vec()).into();
    Ok(Arc::new(config))
}

/// A certificate with its key from a file, or made and kept there.
fn kept(path: &Path, subject: &Subject) -> Result<String, SnakeoilError> {
    let fault = |source| SnakeoilError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make(subject)?;
            write_private(path, &text).map_err(fault)?;
            Ok(text)
        }
        Err(source) => Err(fault(source)),
    }
}

/// `what` names where the two texts are from.
fn config(
    what: &str,
    certificates: &str,
    key: &str,
    own_order: bool,
) -> Result<rustls::ServerConfig, SnakeoilError> {
    let chain = CertificateDer::pem_slice_iter(certificates.as_bytes()).collect::<Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    let (Ok(chain), Ok(key)) = (chain, key) else {
        return Err(SnakeoilError::Damaged { what: what.to_owned() });
    };
    if chain.is_empty() {
        return Err(SnakeoilError::Damaged { what: what.to_owned() });
    }
    let mut provider = ring::default_provider();
    provider.cipher_suites = SUITES.to_vec();
    let made = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            // Says whether the two go together.
            let checked = CertifiedKey::from_der(chain, key, builder.crypto_provider())?;
            let key = Arc::new(InOrder(Arc::clone(&checked.key)));
            let shown = SingleCertAndKey::from(CertifiedKey::new(checked.cert.clone(), key));
            Ok(builder.with_no_client_auth().with_cert_resolver(Arc::new(shown)))
        });
    let used = |source| SnakeoilError::Use { what: what.to_owned(), source };
    let mut config = made.map_err(used)?;
    config.ignore_client_order = own_order;
    config.ticketer = Arc::new(Tickets(ring::Ticketer::new().map_err(used)?));
    Ok(config)
}

/// A key that signs as OpenSSL likes best; the library has an order of its own.
#[derive(Debug)]
struct InOrder(Arc<dyn SigningKey>);

/// OpenSSL's order of signatures (t1_lib.c: tls12_sigalgs).
const SCHEMES: [SignatureScheme; 10] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

impl SigningKey for InOrder {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let wanted = SCHEMES.iter().filter(|scheme| offered.contains(scheme));
        wanted.into_iter().find_map(|scheme| self.0.choose_scheme(&[*scheme]))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

/// Tickets that say how long they hold as nginx says it (`ssl_session_timeout`).
#[derive(Debug)]
struct Tickets(Arc<dyn ProducesTickets>);

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        self.0.enabled()
    }

    fn lifetime(&self) -> u32 {
        300
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(cipher)
    }
}

/// The certificate alone: what the machine shows of the file.
fn shown(text: &str) -> String {
    text.find("-----BEGIN CERTIFICATE").and_then(|at| text.get(at..)).map_or_else(String::new, |rest| {
        let end = rest.find("-----END CERTIFICATE-----").map_or(rest.len(), |at| at + 25);
        format!("{}\n", rest.get(..end).unwrap_or_default())
    })
}

/// A self-signed one, as `make-ssl-cert` and `openssl req -x509` make it: RSA, the name twice, no authority.
fn make(subject: &Subject) -> Result<String, SnakeoilError> {
    let hostname = || subject.name.clone();
    let key = rsa::RsaPrivateKey::new(&mut rand::rng(), BITS)
        .map_err(|source| SnakeoilError::Key { hostname: hostname(), source })?;
    let key = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|source| SnakeoilError::Encode { hostname: hostname(), source })?;
    let made = || {
        let pair = rcgen::KeyPair::from_pem(&key)?;
        let mut parameters = rcgen::CertificateParams::new(vec![subject.name.clone()])?;
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, &subject.name);
        parameters.is_ca = rcgen::IsCa::ExplicitNoCa;
        parameters.not_before = subject.since.into();
        parameters.not_after = (subject.since + Duration::from_secs(DAYS * 24 * 3600)).into();
        // 159 random bits, as OpenSSL draws them.
        let mut serial: [u8; 20] = rand::random();
        serial[0] = serial[0] & 0x7f | 0x01;
        parameters.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
        parameters.self_signed(&pair)
    };
    let made: Result<rcgen::Certificate, rcgen::Error> = made();
    let certificate = made.map_err(|source| SnakeoilError::Make { hostname: hostname(), source })?;
    Ok(format!("{}{}", certificate.pem(), key.as_str()))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
