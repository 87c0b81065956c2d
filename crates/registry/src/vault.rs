//! Bucket tokens at rest: XChaCha20-Poly1305 under a key that lies beside the database, not in it.

use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use wire::Token;

const NONCE: usize = 24;
const KEY: usize = 32;

/// A step of sealing or opening that failed. No message holds a token.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or made.
    #[error("cannot read or make the key file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read the key file.
    #[error("the key file {} may be read by others: chmod 600 it", path.display())]
    TooOpen {
        /// Which.
        path: PathBuf,
    },
    /// The key file is not one of ours.
    #[error("the key file {} does not hold 64 hex digits", path.display())]
    NotAKey {
        /// Which.
        path: PathBuf,
    },
    /// Encryption failed.
    #[error("a token cannot be encrypted")]
    Seal,
    /// The token was encrypted with another key, or for another bucket, or it was changed.
    #[error("the stored token of {bucket} cannot be decrypted: is `secrets.key_file` the right one?")]
    Open {
        /// Whose.
        bucket: String,
    },
}

/// Seals and opens tokens. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Reads the key file; makes it, for its owner only, when it is not there.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let file = |source| VaultError::File { path: path.to_owned(), source };
        match std::fs::metadata(path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                return Err(VaultError::TooOpen { path: path.to_owned() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path).map_err(file)?,
            Err(error) => return Err(file(error)),
        }
        let text = std::fs::read_to_string(path).map_err(file)?;
        let mut key = [0_u8; KEY];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| VaultError::NotAKey { path: path.to_owned() })?;
        Ok(Self { cipher: XChaCha20Poly1305::new(&Key::from(key)) })
    }

    /// Encrypts a token for one bucket; the text fits the table.
    pub fn seal(&self, bucket: &str, token: &Token) -> Result<String, VaultError> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: token.reveal().as_bytes(), aad: bucket.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Seal)?;
        Ok(BASE64.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts the token of a bucket.
    pub fn unseal(&self, bucket: &str, sealed: &str) -> Result<Token, VaultError> {
        let open = || {
            let bytes = BASE64.decode(sealed).ok()?;
            let (nonce, body) = bytes.split_first_chunk::<NONCE>()?;
            let payload = Payload { msg: body, aad: bucket.as_bytes() };
            let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
            Token::try_from(String::from_utf8(plain).ok()?).ok()
        };
        open().ok_or_else(|| VaultError::Open { bucket: bucket.to_owned() })
    }
}

/// Writes a new key beside its place and links it there: two registries that start at once end with one key, and a
/// crash leaves a whole key or none.
fn make(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".key-{}", uuid::Uuid::new_v4()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", hex::encode(rand::random::<[u8; KEY]>()))?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::File::open(folder)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token::try_from(text.repeat(32)).unwrap()
    }

    #[test]
    fn a_token_comes_back_for_its_own_bucket_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/secret.key");
        let vault = Vault::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = vault.seal("rustbucket-aaaaaaaa", &token("s")).unwrap();
        assert!(!sealed.contains("ssss"));
        assert_ne!(sealed, vault.seal("rustbucket-aaaaaaaa", &token("s")).unwrap());
        // The key survives a restart.
        let vault = Vault::open(&path).unwrap();
        assert_eq!(vault.unseal("rustbucket-aaaaaaaa", &sealed).unwrap(), token("s"));
        assert!(matches!(vault.unseal("rustbucket-bbbbbbbb", &sealed), Err(VaultError::Open { .. })));
        assert!(vault.unseal("rustbucket-aaaaaaaa", "").is_err());
        let other = Vault::open(&folder.path().join("other.key")).unwrap();
        assert!(other.unseal("rustbucket-aaaaaaaa", &sealed).is_err());
    }

    #[test]
    fn a_key_file_that_others_may_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        Vault::open(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Vault::open(&path), Err(VaultError::TooOpen { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(Vault::open(&path), Err(VaultError::NotAKey { .. })));
    }
}
