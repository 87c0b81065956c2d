//! Facts on disk: one line a fact, `DIGEST JSON`, appended in one write; written anew when most of it is forgotten.
//!
//! The order of the lines is the order of last use, as far as it was known when the file was written anew. A line cut off
//! by a crash is dropped; any other line that does not read sets the file aside.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;

use super::Fact;

/// The file in the folder.
const NAME: &str = "facts.log";
/// Bytes that may be wasted before the file is written anew, whatever it holds.
const WASTE: u64 = 1 << 20;

/// Why facts cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder.
    #[error("the folder {path} cannot be made")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Reading.
    #[error("{path} cannot be read")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Writing.
    #[error("{path} cannot be written")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The open file.
pub(super) struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    bytes: u64,
    /// A write failed and the diagnostics said so; said again only after it went well.
    failing: bool,
}

impl Journal {
    /// Opens the file and reads what is in it, oldest first.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Fact>), JournalError> {
        fs::create_dir_all(folder)
            .map_err(|source| JournalError::Folder { path: folder.to_owned(), source })?;
        let path = folder.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(JournalError::Read { path, source }),
        };
        let (facts, damaged) = read(&bytes);
        let torn = bytes.last().is_some_and(|byte| *byte != b'\n');
        if let Some(line) = damaged {
            set_aside(&path, line)?;
        }
        if damaged.is_some() || torn {
            let lines: Vec<u8> = facts.iter().flat_map(line_of).collect();
            replace(&path, &lines).map_err(|source| JournalError::Write { path: path.clone(), source })?;
        }
        let file = append_to(&path).map_err(|source| JournalError::Write { path: path.clone(), source })?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        Ok((Self { path, state: Mutex::new(State { file, bytes, failing: false }) }, facts))
    }

    /// Adds one fact. What cannot be written is known until the program ends; the diagnostics say so.
    pub(super) fn append(&self, fact: &Fact) {
        let line = line_of(fact);
        let mut state = self.state.lock();
        match state.file.write_all(&line) {
            Ok(()) => {
                state.bytes += line.len() as u64;
                state.failing = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut state.failing, true) {
                    tracing::error!(path = %self.path.display(), %error, "a fact could not be written; it is kept in memory only");
                }
            }
        }
    }

    /// Whether most of the file is forgotten.
    pub(super) fn is_wasteful(&self, live: u64) -> bool {
        self.state.lock().bytes > live.saturating_mul(3) + WASTE
    }

    /// Replaces the file by these facts.
    pub(super) fn rewrite(&self, facts: &[Arc<Fact>]) {
        let lines: Vec<u8> = facts.iter().flat_map(|fact| line_of(fact)).collect();
        let mut state = self.state.lock();
        let written = replace(&self.path, &lines).and_then(|()| append_to(&self.path));
        match written {
            Ok(file) => {
                state.file = file;
                state.bytes = lines.len() as u64;
            }
            Err(error) => {
                tracing::error!(path = %self.path.display(), %error, "the facts could not be written anew; the old file stays");
            }
        }
    }
}

/// The facts in these bytes, and the number of the first line that is damaged.
fn read(bytes: &[u8]) -> (Vec<Fact>, Option<usize>) {
    let mut facts = Vec::new();
    let mut damaged = None;
    let whole = memrchr_line(bytes);
    for (number, line) in whole.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() && number + 1 == whole.split(|byte| *byte == b'\n').count() {
            continue;
        }
        match parse(line) {
            Some(fact) => facts.push(fact),
            None => damaged = damaged.or(Some(number + 1)),
        }
    }
    (facts, damaged)
}

/// Everything up to the last line end.
fn memrchr_line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

fn parse(line: &[u8]) -> Option<Fact> {
    let (sum, json) = (line.get(..16)?, line.get(17..)?);
    if line.get(16) != Some(&b' ') || sum != format!("{:016x}", checksum(json)).as_bytes() {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn line_of(fact: &Fact) -> Vec<u8> {
    // A fact is strings only, which always have a JSON form.
    let json = serde_json::to_vec(fact).unwrap_or_default();
    let mut line = format!("{:016x} ", checksum(&json)).into_bytes();
    line.extend_from_slice(&json);
    line.push(b'\n');
    line
}

/// FNV-1a: told from accidents, not from malice; whoever may write here may write anything.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Writes beside, then renames: the file is the old one or the new one at any moment.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&beside, path)
}

fn set_aside(path: &Path, line: usize) -> Result<(), JournalError> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let aside = path.with_extension(format!("log.damaged-{seconds}"));
    fs::copy(path, &aside).map_err(|source| JournalError::Write { path: aside.clone(), source })?;
    tracing::warn!(
        path = %path.display(), line, aside = %aside.display(),
        "the facts are damaged; the file is set aside, and what could be read of it is kept"
    );
    Ok(())
}
