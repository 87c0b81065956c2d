//! Where lines go: a file opened for appending, or in tests a disk that fills up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// Something that takes lines.
pub trait Sink: Send {
    /// One attempt to append; gives how many bytes were taken.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts off everything after `length` bytes.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Opens the file at a path for appending, making it when it is not there.
pub type OpenSink = Arc<dyn Fn(&Path) -> io::Result<Box<dyn Sink>> + Send + Sync>;

impl Sink for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// The real thing.
pub fn file(path: &Path) -> io::Result<Box<dyn Sink>> {
    // Captured passwords are in it: nobody else may read it.
    Ok(Box::new(OpenOptions::new().append(true).create(true).mode(0o600).open(path)?))
}
