//! What filters read: files by name, what is piped in, or both.

use bytes::Bytes;

use super::Call;
use crate::machine::{Access, FileError};

/// What an operand names; `-` is standard input.
pub(super) fn read(call: &Call<'_>, operand: &str) -> Result<Bytes, FileError> {
    if operand == "-" {
        return Ok(Bytes::copy_from_slice(call.stdin.unwrap_or_default()));
    }
    file(call, operand)
}

/// A file that whoever is at work may read.
pub(super) fn file(call: &Call<'_>, operand: &str) -> Result<Bytes, FileError> {
    if operand.is_empty() {
        return Err(FileError::NotFound);
    }
    let (path, who) = (call.path(operand), call.session.who());
    if matches!(path.as_str(), "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0") {
        return Ok(Bytes::copy_from_slice(call.stdin.unwrap_or_default()));
    }
    let node = call.files().stat(&path)?;
    if node.is_dir() {
        return Err(FileError::IsADirectory);
    }
    call.files().may(who.uid, who.gid, &path, Access::Read)?;
    call.files().read(&path)
}

/// Writes a file as a program of whoever is at work would.
pub(super) fn write(call: &Call<'_>, operand: &str, content: &[u8]) -> Result<(), FileError> {
    write_as(call, operand, content, 0o666)
}

/// The same with a mode, of which the umask takes its part if the file is new.
pub(super) fn write_as(call: &Call<'_>, operand: &str, content: &[u8], mode: u32) -> Result<(), FileError> {
    let (path, who) = (call.path(operand), call.session.who());
    if call.files().is_dir(&path) {
        return Err(FileError::IsADirectory);
    }
    call.files().may(who.uid, who.gid, &path, Access::Write)?;
    call.files().write(&path, content, &who, mode & !call.session.umask())
}
