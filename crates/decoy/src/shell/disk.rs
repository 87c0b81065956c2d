//! The machine's files, as the shell library wants to see them.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use bashkit::{DirEntry, FileSystem, FileSystemExt, FileType, Metadata, async_trait};

use parking_lot::Mutex;

use super::{
    bytes,
    commands::connections,
    guard,
    keys::{self, Wants},
    scripts,
    session::Session,
};
use crate::machine::{Access, Attributes, FileError, Files, Kind, dropped::Started, processes};

/// One visitor's files with the permissions of whoever is at work.
pub(super) struct Disk(Arc<Session>, Mutex<Seen>);

/// What the library has looked at: it tells what a file is read for.
#[derive(Default)]
struct Seen {
    /// The path that it asked about last, the one before, and that before.
    last: String,
    before: String,
    earlier: String,
}

impl Disk {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        Self(Arc::clone(session), Mutex::default())
    }

    /// Whether this read follows the library's check of a program file: then the file is read to be run.
    fn is_run(&self, path: &str) -> bool {
        !self.0.in_tool.load(Ordering::Relaxed) && self.1.lock().last == path
    }

    /// Whether that check was the opening of a redirection.
    ///
    /// Opening one, the library first follows the path from the root: the folder and the file are looked at, and then
    /// the file once more. Who imitates that gains nothing: see `read_file`.
    fn is_redirected(&self) -> bool {
        let seen = self.1.lock();
        let folder = seen.before.rsplit_once('/').map(|(folder, _)| folder);
        let same = seen.before == seen.last
            || self.files().real_path(&seen.last).is_ok_and(|path| path == seen.before);
        same && folder.is_some_and(|folder| !folder.is_empty() && folder == seen.earlier)
    }

    fn files(&self) -> &Files {
        self.0.files()
    }

    /// A program that was brought forks away; from now on it is in the list of processes.
    fn start(&self, path: &str) {
        let cwd = self.0.cwd.lock().clone();
        let command = match path.strip_prefix(&format!("{}/", cwd.trim_end_matches('/'))) {
            Some(name) if !name.contains('/') => format!("./{name}"),
            _ => path.to_owned(),
        };
        let now = self.0.contact.visitor.now();
        let pid = processes::newest_pid(self.0.identity(), now) + 1;
        let uid = self.0.who().uid;
        self.0.contact.visitor.dropped().add(Started { pid, uid, command, at: now });
    }

    fn may(&self, path: &str, access: Access) -> Result<(), FileError> {
        let who = self.0.who();
        self.files().may(who.uid, who.gid, path, access)
    }

    /// Whether names may be made and removed in the directory of this path.
    fn may_change_name(&self, path: &str) -> Result<(), FileError> {
        let trimmed = path.trim_end_matches('/');
        let parent =
            trimmed.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        let who = self.0.who();
        self.may(parent, Access::Write)?;
        // In a sticky directory only the owner of a name may remove it.
        if who.uid != 0
            && let (Ok(directory), Ok(node)) = (self.files().stat(parent), self.files().lstat(trimmed))
            && directory.mode & 0o1000 != 0
            && node.uid != who.uid
            && directory.uid != who.uid
        {
            return Err(FileError::NotPermitted);
        }
        Ok(())
    }
}

/// The library renders an error that carries an errno in the words of bash.
fn fault(error: FileError) -> bashkit::Error {
    let number = match error {
        FileError::NotPermitted => 1,
        FileError::NotFound => 2,
        FileError::Io => 5,
        FileError::NoDevice => 6,
        FileError::Denied => 13,
        FileError::Busy => 16,
        FileError::Exists => 17,
        FileError::NotADirectory => 20,
        FileError::IsADirectory => 21,
        FileError::Invalid => 22,
        FileError::NoSpace => 28,
        FileError::ReadOnly => 30,
        FileError::NameTooLong => 36,
        FileError::NotEmpty => 39,
        FileError::TooManyLinks => 40,
    };
    let kind = io::Error::from_raw_os_error(number).kind();
    match error {
        FileError::NotFound | FileError::Denied | FileError::Exists | FileError::NotADirectory => {
            io::Error::from_raw_os_error(number).into()
        }
        FileError::IsADirectory => io::Error::other("is a directory").into(),
        other => io::Error::new(kind, other.errno_text()).into(),
    }
}

/// The library renders other errors as they are.
fn unconnected(why: &str) -> bashkit::Error {
    io::Error::other(why).into()
}

/// What a file has, as the library carries it.
fn carried(content: &[u8]) -> Vec<u8> {
    match bytes::to_text(content) {
        Cow::Borrowed(_) => content.to_vec(),
        Cow::Owned(text) => text.into_bytes(),
    }
}

fn text(path: &Path) -> &str {
    // The library makes paths from strings, so they are UTF-8; anything else names no file.
    path.to_str().unwrap_or("")
}

fn metadata(attributes: &Attributes) -> Metadata {
    let file_type = match attributes.kind {
        Kind::Dir => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::Fifo,
        Kind::File | Kind::CharDevice | Kind::BlockDevice | Kind::Socket => FileType::File,
    };
    Metadata {
        file_type,
        size: attributes.size,
        mode: attributes.mode,
        modified: attributes.mtime,
        created: attributes.ctime,
    }
}

#[async_trait]
impl FileSystemExt for Disk {
    async fn mkfifo(&self, path: &Path, mode: u32) -> bashkit::Result<()> {
        self.files().make_fifo(text(path), &self.0.who(), mode).map_err(fault)
    }
}

#[async_trait]
impl FileSystem for Disk {
    async fn read_file(&self, path: &Path) -> bashkit::Result<Vec<u8>> {
        if let Some(wants) = keys::asked_for(path) {
            let channels = self.0.channels.lock().clone();
            let Some((_, input)) = channels else { return Ok(Vec::new()) };
            let given = match wants {
                Wants::Line => input.read_line().await,
                Wants::All => input.read_all().await,
            };
            return Ok(carried(&given));
        }
        let path = text(path);
        self.0.check_depth()?;
        if let Some(said) = connections::connect(&self.0, path, b"").await {
            return said.map(|said| carried(&said)).map_err(unconnected);
        }
        self.may(path, Access::Read).map_err(fault)?;
        self.0.contact.know(path).await;
        let bytes = self.files().read(path).map_err(fault)?;
        let given = self.0.given_to_shell.lock().as_deref() == Some(path);
        if given && self.0.dash_given.swap(false, Ordering::Relaxed) {
            let text = bytes::to_text(&bytes).into_owned();
            return Ok(self.0.translated(&text).unwrap_or(text).into_bytes());
        }
        if self.is_run(path) && self.files().stat(path).is_ok_and(|node| node.mode & 0o111 != 0) {
            if self.is_redirected() && bytes.starts_with(b"\x7fELF") {
                // If it is run all the same, there is nothing in it that can be parsed.
                return Ok(bytes::all_to_text(&bytes).into_bytes());
            }
            if !guard::is_harmless(&String::from_utf8_lossy(&bytes), guard::LONGEST_SCRIPT)
                && !bytes.starts_with(b"\x7fELF")
            {
                self.0.cancel.lock().store(true, Ordering::Relaxed);
                return Ok(Vec::new());
            }
            if !self.is_redirected() && !given {
                match scripts::run(&self.0, path, &bytes) {
                    // What a visitor brought runs and leaves the terminal at once, as bots do.
                    Some(scripts::Run::Program) => {
                        self.start(path);
                        return Ok(Vec::new());
                    }
                    Some(scripts::Run::Text(text)) => return Ok(text),
                    None => {}
                }
            }
        }
        Ok(carried(&bytes))
    }

    async fn write_file(&self, path: &Path, content: &[u8]) -> bashkit::Result<()> {
        let path = text(path);
        let content = bytes::to_bytes(content);
        if let Some(said) = connections::connect(&self.0, path, &content).await {
            return said.map(drop).map_err(unconnected);
        }
        self.may(path, Access::Write).map_err(fault)?;
        self.files().write(path, &content, &self.0.who(), 0o666 & !self.0.umask()).map_err(fault)
    }

    async fn append_file(&self, path: &Path, content: &[u8]) -> bashkit::Result<()> {
        let path = text(path);
        let content = bytes::to_bytes(content);
        if let Some(said) = connections::connect(&self.0, path, &content).await {
            return said.map(drop).map_err(unconnected);
        }
        self.may(path, Access::Write).map_err(fault)?;
        self.files().append(path, &content, &self.0.who(), 0o666 & !self.0.umask()).map_err(fault)
    }

    async fn mkdir(&self, path: &Path, recursive: bool) -> bashkit::Result<()> {
        let (path, who, mode) = (text(path), self.0.who(), 0o777 & !self.0.umask());
        if recursive {
            if self.files().is_dir(path) {
                return Ok(());
            }
            return self.files().make_dir_all(path, &who, mode).map_err(fault);
        }
        if self.files().lstat(path).is_err() {
            self.may_change_name(path).map_err(fault)?;
        }
        self.files().make_dir(path, &who, mode).map_err(fault)
    }

    async fn remove(&self, path: &Path, recursive: bool) -> bashkit::Result<()> {
        let path = text(path);
        self.files().lstat(path).map_err(fault)?;
        self.may_change_name(path).map_err(fault)?;
        if recursive { self.files().remove_all(path) } else { self.files().remove(path) }.map_err(fault)
    }

    async fn stat(&self, path: &Path) -> bashkit::Result<Metadata> {
        self.0.check_depth()?;
        if keys::asked_for(path).is_some() || connections::is_meant(text(path)) {
            let epoch = SystemTime::UNIX_EPOCH;
            let file_type = FileType::File;
            return Ok(Metadata { file_type, size: 0, mode: 0o600, modified: epoch, created: epoch });
        }
        let mut seen = self.1.lock();
        seen.earlier = std::mem::take(&mut seen.before);
        seen.before = std::mem::take(&mut seen.last);
        text(path).clone_into(&mut seen.last);
        drop(seen);
        // Who may not walk through a folder does not get into it.
        let heads = self.0.heading.lock().as_deref() == path.to_str();
        if heads && self.files().is_dir(text(path)) {
            self.may(text(path), Access::Execute).map_err(fault)?;
        }
        // The library follows links itself and asks here about each one.
        self.files().lstat(text(path)).map(|attributes| metadata(&attributes)).map_err(fault)
    }

    async fn read_dir(&self, path: &Path) -> bashkit::Result<Vec<DirEntry>> {
        let path = text(path);
        self.may(path, Access::Read).map_err(fault)?;
        let entries = self.files().list(path).map_err(fault)?;
        Ok(entries
            .into_iter()
            .map(|e| DirEntry { metadata: metadata(&e.attributes), name: e.name })
            .collect())
    }

    async fn exists(&self, path: &Path) -> bashkit::Result<bool> {
        Ok(self.files().lstat(text(path)).is_ok())
    }

    async fn rename(&self, from: &Path, to: &Path) -> bashkit::Result<()> {
        let (from, to) = (text(from), text(to));
        self.files().lstat(from).map_err(fault)?;
        self.may_change_name(from).map_err(fault)?;
        self.may_change_name(to).map_err(fault)?;
        self.files().rename(from, to).map_err(fault)
    }

    async fn copy(&self, from: &Path, to: &Path) -> bashkit::Result<()> {
        self.may(text(from), Access::Read).map_err(fault)?;
        self.may(text(to), Access::Write).map_err(fault)?;
        self.files().copy(text(from), text(to), &self.0.who()).map_err(fault)
    }

    async fn symlink(&self, target: &Path, link: &Path) -> bashkit::Result<()> {
        self.may_change_name(text(link)).map_err(fault)?;
        self.files().symlink(text(target), text(link), &self.0.who()).map_err(fault)
    }

    async fn read_link(&self, path: &Path) -> bashkit::Result<PathBuf> {
        self.files().read_link(text(path)).map(PathBuf::from).map_err(fault)
    }

    async fn chmod(&self, path: &Path, mode: u32) -> bashkit::Result<()> {
        let node = self.files().stat(text(path)).map_err(fault)?;
        let who = self.0.who();
        if who.uid != 0 && who.uid != node.uid {
            return Err(fault(FileError::NotPermitted));
        }
        self.files().set_mode(text(path), mode).map_err(fault)
    }

    async fn set_modified_time(&self, path: &Path, time: SystemTime) -> bashkit::Result<()> {
        self.files().set_times(text(path), Some(time), Some(time)).map_err(fault)
    }
}
