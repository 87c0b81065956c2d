//! Passwords as Argon2id, secrets as digests: what the tables hold instead of them.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use rand::RngExt as _;
use sha2::{Digest, Sha256};

/// The fewest characters a password may have.
pub const SHORTEST: usize = 10;
/// The most bytes of a password; hashing more would only cost time.
pub const LONGEST: usize = 1024;
/// What an API token begins with, so that one in a log or a commit is recognised.
pub const API_TOKEN_PREFIX: &str = "rbt_";
/// What a registration key begins with.
pub const REGISTRATION_KEY_PREFIX: &str = "rbk_";

/// A password that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too few characters.
    #[error("the password must have at least {SHORTEST} characters")]
    TooShort,
    /// Too many bytes.
    #[error("the password must have at most {LONGEST} bytes")]
    TooLong,
    /// The hash could not be made.
    #[error("the password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// The Argon2id hash of a password in PHC form, with a salt of its own. Takes some 20 ms and 19 MiB.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if password.len() > LONGEST {
        return Err(PasswordError::TooLong);
    }
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(PasswordError::Hash)
}

/// Whether the password belongs to the hash. Takes as long as [`hash`]; a hash that cannot be read matches nothing.
pub fn verify(password: &str, hash: &str) -> bool {
    password.len() <= LONGEST
        && PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// 40 random letters and digits: more than 230 bits.
pub fn random_text() -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    (0..40)
        .filter_map(|_| LETTERS.get(random.random_range(0..LETTERS.len())).map(|b| char::from(*b)))
        .collect()
}

/// Lower-case hex SHA-256, the form in which the tables hold random secrets: those need no slow hash.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only() {
        let hash = hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse", &hash));
        assert!(!verify("correct horsf", &hash));
        assert!(!verify("correct horse", "not a hash"));
        assert!(matches!(super::hash("short"), Err(PasswordError::TooShort)));
        assert!(matches!(super::hash(&"x".repeat(2000)), Err(PasswordError::TooLong)));
    }

    #[test]
    fn random_texts_differ() {
        let (a, b) = (random_text(), random_text());
        assert_eq!((a.len(), b.len()), (40, 40));
        assert_ne!(a, b);
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
