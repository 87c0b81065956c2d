//! The machine's SSH host keys: made once, kept for life, as `ssh-keygen -A` makes them on Debian 12.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use decoy::machine::identity::HostKey;
use russh::keys::{
    Algorithm, EcdsaCurve, PrivateKey,
    ssh_key::{
        self, LineEnding,
        private::{KeypairData, RsaKeypair},
    },
};

/// A host key that could be neither read nor made.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The key file exists but is not a private key.
    #[error("host key {path} is not an OpenSSH private key; restore it, or delete it to have a new one made")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: ssh_key::Error,
    },
    /// Key generation failed.
    #[error("host key {path} could not be made")]
    Make {
        /// The file it was for.
        path: PathBuf,
        /// What the generator said.
        source: ssh_key::Error,
    },
    /// The folder or file could not be read or written.
    #[error("host key {path} could not be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Bits of the RSA key, as ssh-keygen(1) of OpenSSH 9.2 has it.
const RSA_BITS: usize = 3072;

/// Reads the three keys from `folder`, or makes those that are missing.
pub fn load(folder: &Path) -> Result<Vec<PrivateKey>, HostKeyError> {
    let algorithms =
        [Algorithm::Rsa { hash: None }, Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }, Algorithm::Ed25519];
    ["ssh_host_rsa_key", "ssh_host_ecdsa_key", "ssh_host_ed25519_key"]
        .into_iter()
        .zip(algorithms)
        .map(|(name, algorithm)| load_one(folder.join(name), algorithm))
        .collect()
}

/// The public halves, as the machine shows them in `/etc/ssh`.
pub fn shown(keys: &[PrivateKey]) -> Vec<HostKey> {
    let kind = |key: &PrivateKey| match key.algorithm() {
        Algorithm::Rsa { .. } => "rsa",
        Algorithm::Ecdsa { .. } => "ecdsa",
        _ => "ed25519",
    };
    let line = |key: &PrivateKey| {
        let text = key.public_key().to_openssh().ok()?;
        Some(text.split(' ').take(2).collect::<Vec<_>>().join(" "))
    };
    keys.iter().filter_map(|key| Some(HostKey { kind: kind(key), line: line(key)? })).collect()
}

fn load_one(path: PathBuf, algorithm: Algorithm) -> Result<PrivateKey, HostKeyError> {
    match fs::read(&path) {
        Ok(bytes) => {
            return PrivateKey::from_openssh(bytes).map_err(|source| HostKeyError::Read { path, source });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(HostKeyError::File { path, source }),
    }
    let made = match algorithm {
        Algorithm::Rsa { .. } => RsaKeypair::random(&mut rand::rng(), RSA_BITS)
            .and_then(|pair| PrivateKey::new(KeypairData::Rsa(pair), String::new())),
        other => PrivateKey::random(&mut rand::rng(), other),
    };
    let text = made.and_then(|key| key.to_openssh(LineEnding::LF).map(|text| (key, text)));
    let (key, text) = text.map_err(|source| HostKeyError::Make { path: path.clone(), source })?;
    write_new(&path, text.as_bytes()).map_err(|source| HostKeyError::File { path, source })?;
    Ok(key)
}

/// Writes beside and renames, so that a crash leaves no half key.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}
