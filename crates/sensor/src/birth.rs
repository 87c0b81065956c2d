//! Who this bucket is, drawn at its first start and kept for life: name, token, UUID, secret, management certificate.

mod certificate;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use wire::bucket::{NAME_PREFIX, NAME_SUFFIX_LENGTH, TOKEN_MIN_LENGTH};
use wire::{BucketName, Token};

/// In the state folder: name, token, UUID and secret.
const IDENTITY: &str = "identity.json";
/// In the state folder: private key and certificate of the management port.
const MANAGEMENT: &str = "management.pem";
/// In the working folder: a token somebody chose.
const TOKEN: &str = "token.txt";
/// Larger files are not ours.
const FILE_MAX: u64 = 64 * 1024;

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum BirthError {
    /// The state folder could not be made.
    #[error(
        "cannot make the state folder {path}; check its owner and permissions, or set general.state_directory"
    )]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {path}; check its owner and permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}; check the disk and the folder's permissions")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not say what it should.
    #[error(
        "{path} is damaged ({fault}); restore it from a backup, or move it away to start as a new bucket"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong; never the content.
        fault: String,
    },
    /// There is a certificate but nobody it belongs to.
    #[error(
        "{path} is missing although {other} is there; restore it from a backup, or move the state folder away to start \
         as a new bucket"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// What shows that it was there.
        other: PathBuf,
    },
    /// The token somebody chose cannot be used.
    #[error("{path}: {fault}; correct the file or delete it to use the bucket's own token")]
    BadToken {
        /// The file.
        path: PathBuf,
        /// What is wrong; never the content.
        fault: String,
    },
    /// The management certificate could not be made.
    #[error("cannot make the management certificate")]
    MakeCertificate {
        /// Why.
        source: rcgen::Error,
    },
    /// Certificate and key do not serve TLS.
    #[error("the key and certificate in {path} cannot serve TLS; move the file away to get new ones")]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// Who this bucket is.
#[derive(Clone)]
pub struct Birth {
    /// `rustbucket-` and eight lower-case letters or digits.
    pub name: BucketName,
    /// The secret shared with the registry.
    pub token: Token,
    /// Version 4, as text.
    pub uuid: Arc<str>,
    /// From which the machine visitors see is drawn.
    pub secret: [u8; 32],
    /// SHA-256 of the management certificate (DER), lower-case hex.
    pub certificate_sha256: String,
    /// Serves TLS on the management port.
    pub tls: Arc<rustls::ServerConfig>,
}

impl std::fmt::Debug for Birth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Birth")
            .field("name", &self.name)
            .field("uuid", &self.uuid)
            .field("certificate_sha256", &self.certificate_sha256)
            .finish_non_exhaustive()
    }
}

/// [`IDENTITY`] as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    name: BucketName,
    token: Token,
    uuid: String,
    secret: String,
}

impl Birth {
    /// [`Self::open`] with the process's own working folder.
    pub fn load(state_directory: &Path) -> Result<Self, BirthError> {
        Self::open(state_directory, Path::new(""))
    }

    /// Reads the identity from the state folder, or draws it when the folder has none. `token.txt` in
    /// `working_directory` replaces the drawn token while it is there.
    pub fn open(state_directory: &Path, working_directory: &Path) -> Result<Self, BirthError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state_directory)
            .map_err(|source| BirthError::MakeFolder { path: state_directory.to_owned(), source })?;
        let identity = state_directory.join(IDENTITY);
        let management = state_directory.join(MANAGEMENT);
        let stored = match read(&identity)? {
            Some(text) => parse(&identity, &text)?,
            // The identity is written first, so a certificate without it means that it was lost.
            None if management.exists() => {
                return Err(BirthError::Missing { path: identity, other: management });
            }
            None => {
                let stored = draw();
                let text = serde_json::to_string_pretty(&stored)
                    .map_err(|error| BirthError::Write { path: identity.clone(), source: error.into() })?;
                write(&identity, &text)?;
                stored
            }
        };
        let mut secret = [0; 32];
        hex::decode_to_slice(&stored.secret, &mut secret).map_err(|_| BirthError::Damaged {
            path: identity,
            fault: "the secret is not 64 hexadecimal digits".to_owned(),
        })?;
        let pem = match read(&management)? {
            Some(pem) => pem,
            None => {
                let pem = certificate::make().map_err(|source| BirthError::MakeCertificate { source })?;
                write(&management, &pem)?;
                pem
            }
        };
        let (tls, certificate_sha256) = certificate::load(&management, &pem)?;
        let chosen = chosen_token(&working_directory.join(TOKEN))?;
        if chosen.is_none() {
            tracing::warn!("no {TOKEN} in the working folder; the bucket's own token is used");
        }
        Ok(Self {
            name: stored.name,
            token: chosen.unwrap_or(stored.token),
            uuid: stored.uuid.into(),
            secret,
            certificate_sha256,
            tls,
        })
    }
}

fn draw() -> Stored {
    let mut random = rand::rng();
    let mut letters = |alphabet: &[u8], length: usize| -> String {
        (0..length)
            .filter_map(|_| alphabet.get(random.random_range(0..alphabet.len())).copied().map(char::from))
            .collect()
    };
    let name =
        format!("{NAME_PREFIX}{}", letters(b"abcdefghijklmnopqrstuvwxyz0123456789", NAME_SUFFIX_LENGTH));
    let token = letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", TOKEN_MIN_LENGTH);
    let secret: [u8; 32] = rand::random();
    // Both are drawn from the alphabets their types demand, so the conversions have no way to fail; were a rule
    // in `wire` to change, drawing again for ever would be seen by every test.
    match (BucketName::try_from(name), Token::try_from(token)) {
        (Ok(name), Ok(token)) => Stored {
            version: 1,
            name,
            token,
            uuid: uuid::Uuid::new_v4().to_string(),
            secret: hex::encode(secret),
        },
        _ => draw(),
    }
}

fn parse(path: &Path, text: &str) -> Result<Stored, BirthError> {
    let damaged = |fault: String| BirthError::Damaged { path: path.to_owned(), fault };
    // The parser's own words can quote a value, and the values are secrets.
    let stored: Stored = serde_json::from_str(text).map_err(|error| {
        damaged(format!("line {} column {} is not what a bucket writes", error.line(), error.column()))
    })?;
    if stored.version != 1 {
        return Err(damaged(format!("version {} is not known to this program", stored.version)));
    }
    if uuid::Uuid::try_parse(&stored.uuid).is_err() {
        return Err(damaged("the uuid is none".to_owned()));
    }
    Ok(stored)
}

impl Birth {
    /// Checks `token.txt` of `working_directory`, if it is there; makes nothing.
    pub fn check_token(working_directory: &Path) -> Result<(), BirthError> {
        chosen_token(&working_directory.join(TOKEN)).map(drop)
    }
}

fn chosen_token(path: &Path) -> Result<Option<Token>, BirthError> {
    let Some(text) = read(path)? else { return Ok(None) };
    Token::try_from(text.trim().to_owned())
        .map(Some)
        .map_err(|fault| BirthError::BadToken { path: path.to_owned(), fault })
}

fn read(path: &Path) -> Result<Option<String>, BirthError> {
    let fault = |source| BirthError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error)),
    };
    let metadata = file.metadata().map_err(fault)?;
    if metadata.len() > FILE_MAX {
        return Err(fault(io::Error::other(format!("it is larger than {FILE_MAX} bytes"))));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others may read this file, which holds a secret; closing it to them");
        if let Err(error) = file.set_permissions(Permissions::from_mode(0o600)) {
            tracing::warn!(%error, file = %path.display(), "its permissions cannot be changed");
        }
    }
    io::read_to_string(file).map(Some).map_err(fault)
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), BirthError> {
    let fresh = path.with_extension("new");
    let attempt = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    attempt().map_err(|source| BirthError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (state, work) = (folder.path().join("state"), folder.path().join("work"));
        std::fs::create_dir(&work).unwrap();
        (folder, state, work)
    }

    #[test]
    fn is_drawn_once_and_kept() {
        let (_folder, state, work) = folders();
        let first = Birth::open(&state, &work).unwrap();
        let again = Birth::open(&state, &work).unwrap();
        assert_eq!(first.name, again.name);
        assert_eq!(first.token, again.token);
        assert_eq!(first.uuid, again.uuid);
        assert_eq!(first.secret, again.secret);
        assert_eq!(first.certificate_sha256, again.certificate_sha256);
        assert_eq!(first.certificate_sha256.len(), 64);
        assert!(first.name.as_str().bytes().skip(11).all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert_eq!(first.token.reveal().len(), 32);
        for name in [IDENTITY, MANAGEMENT] {
            let mode = std::fs::metadata(state.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        let (_other_folder, state, work) = folders();
        assert_ne!(Birth::open(&state, &work).unwrap().name, first.name);
    }

    #[test]
    fn a_chosen_token_is_used_while_it_is_there() {
        let (_folder, state, work) = folders();
        let own = Birth::open(&state, &work).unwrap().token;
        let file = work.join(TOKEN);
        std::fs::write(&file, "  0123456789abcdef0123456789abcdef0123\n").unwrap();
        assert_eq!(
            Birth::open(&state, &work).unwrap().token.reveal(),
            "0123456789abcdef0123456789abcdef0123"
        );
        std::fs::write(&file, "short-secret").unwrap();
        let error = Birth::open(&state, &work).unwrap_err().to_string();
        assert!(error.contains("token.txt") && error.contains("at least 32"), "{error}");
        assert!(!error.contains("short-secret"), "{error}");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(Birth::open(&state, &work).unwrap().token, own);
    }

    #[test]
    fn damage_never_makes_a_new_bucket() {
        for text in ["", "{", "{\"version\":1}", "\u{0}\u{0}"] {
            let (_folder, state, work) = folders();
            Birth::open(&state, &work).unwrap();
            std::fs::write(state.join(IDENTITY), text).unwrap();
            let error = Birth::open(&state, &work).unwrap_err();
            assert!(matches!(error, BirthError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(IDENTITY), "{error}");
            assert_eq!(std::fs::read_to_string(state.join(IDENTITY)).unwrap(), text);
        }
        let (_folder, state, work) = folders();
        Birth::open(&state, &work).unwrap();
        std::fs::write(state.join(MANAGEMENT), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
        let error = Birth::open(&state, &work).unwrap_err().to_string();
        assert!(error.contains(MANAGEMENT), "{error}");
        std::fs::remove_file(state.join(IDENTITY)).unwrap();
        assert!(matches!(Birth::open(&state, &work), Err(BirthError::Missing { .. })));
    }

    #[test]
    fn a_damaged_identity_is_told_without_its_secrets() {
        let (_folder, state, work) = folders();
        let secret = hex::encode(Birth::open(&state, &work).unwrap().secret);
        let text = std::fs::read_to_string(state.join(IDENTITY)).unwrap();
        std::fs::write(state.join(IDENTITY), text.replace("\"secret\": \"", "\"secret\": \"zz")).unwrap();
        let error = format!("{:?}", Birth::open(&state, &work).unwrap_err());
        assert!(error.contains("secret") && !error.contains(&secret), "{error}");
    }

    #[test]
    fn two_certificates_do_not_mix() {
        let (_folder, state, work) = folders();
        Birth::open(&state, &work).unwrap();
        let file = state.join(MANAGEMENT);
        let ours = std::fs::read_to_string(&file).unwrap();
        let theirs = certificate::make().unwrap();
        let key = |pem: &str| pem.split("-----BEGIN CERTIFICATE").next().unwrap().to_owned();
        std::fs::write(&file, ours.replace(&key(&ours), &key(&theirs))).unwrap();
        let error = Birth::open(&state, &work).unwrap_err();
        assert!(matches!(error, BirthError::Tls { .. }), "{error}");
    }
}
