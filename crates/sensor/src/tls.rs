//! The machine's own certificate for STARTTLS, as `ssl-cert` makes one on Debian: self-signed, for the host name.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject as _};

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
    /// The file holds something else.
    #[error("certificate file {path} is damaged; delete it to have a new one made")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The generator failed.
    #[error("a certificate for {hostname} could not be made")]
    Make {
        /// The name it was for.
        hostname: String,
        /// What the generator said.
        source: rcgen::Error,
    },
    /// Key and certificate do not go together.
    #[error("certificate file {path} cannot be used; delete it to have a new one made")]
    Use {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: rustls::Error,
    },
}

/// Reads the certificate from `folder`, or makes it; gives it in PEM, too.
pub fn load(folder: &Path, hostname: &str) -> Result<(Arc<rustls::ServerConfig>, String), SnakeoilError> {
    let path = folder.join("snakeoil.pem");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = make(hostname)?;
            write_private(&path, &text)
                .map_err(|source| SnakeoilError::File { path: path.clone(), source })?;
            text
        }
        Err(source) => return Err(SnakeoilError::File { path, source }),
    };
    let certificate = CertificateDer::from_pem_slice(text.as_bytes());
    let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes());
    let (Ok(certificate), Ok(key)) = (certificate, key) else {
        return Err(SnakeoilError::Damaged { path });
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key))
        })
        .map(|config| (Arc::new(config), shown(&text)))
        .map_err(|source| SnakeoilError::Use { path, source })
}

/// The certificate alone: what the machine shows of the file.
fn shown(text: &str) -> String {
    text.find("-----BEGIN CERTIFICATE").and_then(|at| text.get(at..)).map_or_else(String::new, |rest| {
        let end = rest.find("-----END CERTIFICATE-----").map_or(rest.len(), |at| at + 25);
        format!("{}\n", rest.get(..end).unwrap_or_default())
    })
}

fn make(hostname: &str) -> Result<String, SnakeoilError> {
    let made = || {
        let key = rcgen::KeyPair::generate()?;
        let mut parameters = rcgen::CertificateParams::new(vec![hostname.to_owned()])?;
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, hostname);
        let certificate = parameters.self_signed(&key)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    };
    made().map_err(|source| SnakeoilError::Make { hostname: hostname.to_owned(), source })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
