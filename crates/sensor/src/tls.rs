//! Certificates that visitors see: the machine's own as `ssl-cert` makes one on Debian (STARTTLS), and those of ports that
//! speak TLS from the first byte on. [`context`] says how either speaks.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use openssl::{
    asn1::Asn1Time,
    bn::{BigNum, MsbOption},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    rsa::Rsa,
    ssl::SslContext,
    x509::{
        X509, X509NameBuilder,
        extension::{BasicConstraints, SubjectAlternativeName, SubjectKeyIdentifier},
    },
};

use crate::config::PortTls;

mod context;
#[cfg(test)]
mod tests;

/// Bits of the key (`/usr/share/ssl-cert/ssleay.cnf`: `default_bits`).
const BITS: u32 = 2048;
/// How long it is valid (make-ssl-cert(8)).
const DAYS: u64 = 3650;
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
    /// The library failed.
    #[error("a certificate for {hostname} could not be made")]
    Make {
        /// The name it was for.
        hostname: String,
        /// What the library said.
        source: ErrorStack,
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
        source: ErrorStack,
    },
}

/// How one daemon speaks TLS.
#[derive(Clone)]
pub struct Speaker {
    /// The library, set up.
    pub context: SslContext,
    /// Whether it says goodbye to a visitor who has closed already.
    pub answers_goodbye: bool,
}

/// Whose certificate it is.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The full host name.
    pub name: String,
    /// When the machine was installed.
    pub since: SystemTime,
}

/// The machine's certificate from `folder`, or made, as Postfix shows it; gives it in PEM, too.
pub fn snakeoil(folder: &Path, subject: &Subject) -> Result<(Speaker, String), SnakeoilError> {
    let path = folder.join("snakeoil.pem");
    let text = kept(&path, subject)?;
    let context = context::postfix(&path.display().to_string(), &text, &text)?;
    Ok((context, shown(&text)))
}

/// What a port of TLS shows, as nginx does it.
pub fn of_port(
    folder: &Path,
    name: &str,
    settings: &PortTls,
    subject: &Subject,
) -> Result<Speaker, SnakeoilError> {
    if let Some((certificate, key)) = &settings.given {
        return context::nginx(&format!("`ports.{name}`"), certificate, key.reveal());
    }
    let path = folder.join(format!("port_{name}.pem"));
    let text = kept(&path, subject)?;
    context::nginx(&path.display().to_string(), &text, &text)
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

/// The certificate alone: what the machine shows of the file.
fn shown(text: &str) -> String {
    text.find("-----BEGIN CERTIFICATE").and_then(|at| text.get(at..)).map_or_else(String::new, |rest| {
        let end = rest.find("-----END CERTIFICATE-----").map_or(rest.len(), |at| at + 25);
        format!("{}\n", rest.get(..end).unwrap_or_default())
    })
}

/// A self-signed one with its key, as `make-ssl-cert` has `openssl req -x509` make it.
fn make(subject: &Subject) -> Result<String, SnakeoilError> {
    let made = || {
        let key = PKey::from_rsa(Rsa::generate(BITS)?)?;
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_nid(Nid::COMMONNAME, common_name(&subject.name))?;
        let name = name.build();
        let mut serial = BigNum::new()?;
        serial.rand(159, MsbOption::MAYBE_ZERO, false)?;
        let serial = serial.to_asn1_integer()?;
        let since = subject.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let day = |days: u64| Asn1Time::from_unix(i64::try_from(since + days * 24 * 3600).unwrap_or(0));
        let mut made = X509::builder()?;
        // The third.
        made.set_version(2)?;
        made.set_serial_number(&serial)?;
        made.set_issuer_name(&name)?;
        let (from, to) = (day(0)?, day(DAYS)?);
        made.set_not_before(&from)?;
        made.set_not_after(&to)?;
        made.set_subject_name(&name)?;
        made.set_pubkey(&key)?;
        made.append_extension(BasicConstraints::new().build()?)?;
        let names =
            SubjectAlternativeName::new().dns(&subject.name).build(&made.x509v3_context(None, None))?;
        made.append_extension(names)?;
        let known_by = SubjectKeyIdentifier::new().build(&made.x509v3_context(None, None))?;
        made.append_extension(known_by)?;
        made.sign(&key, MessageDigest::sha256())?;
        let mut text = made.build().to_pem()?;
        text.extend(key.private_key_to_pem_pkcs8()?);
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    made().map_err(|source| SnakeoilError::Make { hostname: subject.name.clone(), source })
}

/// The name, or its first part: a common name has 64 characters at most (make-ssl-cert does the same).
fn common_name(name: &str) -> &str {
    let name = if name.len() > 64 { name.split('.').next().unwrap_or_default() } else { name };
    name.get(..64).unwrap_or(name)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
