//! FTP data connections: LIST, NLST, RETR, STOR, APPE, STOU.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use wire::EventKind;

use crate::{
    dialogue::{Contact, Stage},
    machine::{FileError, Files, Kind, files::Access},
    memory::{self, Parcel},
};

use super::{listing, session::Session};

/// What stops a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataFault {
    /// The visitor did not connect in time (vsftpd: `accept_timeout`, 60 s).
    #[error("nobody connected")]
    NotConnected,
    /// The connection broke off or stood still too long (vsftpd: `data_connection_timeout`, 300 s).
    #[error("the data connection broke off")]
    Broken,
}

/// What came over a data connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The bytes, at most the limit.
    pub bytes: Bytes,
    /// The visitor sent more than is kept.
    pub truncated: bool,
    /// There was no memory for all of it.
    pub starved: bool,
}

/// Opens data connections. The sensor does it with sockets and accepts only the visitor's own address.
#[async_trait]
pub trait DataConnections: Send {
    /// Opens a port for one connection from the visitor, closing an earlier one; `None` when none is free.
    async fn listen(&mut self) -> Option<u16>;
    /// Waits until the visitor is connected. [`send`](Self::send) and [`receive`](Self::receive) wait as well, so this
    /// may do nothing; doing it makes the daemon's first reply come when the real one's does.
    async fn accept(&mut self) -> Result<(), DataFault> {
        Ok(())
    }
    /// Sends everything and closes the connection.
    async fn send(&mut self, bytes: Bytes) -> Result<(), DataFault>;
    /// Takes everything into `parcel` until the visitor closes, at most `limit` bytes and as much as it has room for.
    async fn receive(&mut self, limit: usize, parcel: Parcel) -> Result<Received, DataFault>;
    /// Closes the port and the connection, if there are any.
    fn close(&mut self);
}

/// How the next transfer would be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    None,
    /// A port is open; the verb that opened it.
    Passive(&'static str),
    /// The visitor wants to be called; it never is.
    Active,
}

/// How long vsftpd tries to reach a visitor's port that does not answer (shorter than its `connect_timeout` of 60 s,
/// so that a session slot is not held for nothing).
const UNREACHABLE: Duration = Duration::from_secs(10);

impl Session {
    pub(super) async fn transfer(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        verb: &str,
        argument: &str,
        stage: &Stage,
    ) {
        if self.way == Way::None {
            return stage.say("425 Use PORT or PASV first.\r\n");
        }
        match verb {
            "LIST" | "NLST" => self.list(contact, data, verb, argument, stage).await,
            "RETR" => self.retrieve(contact, data, argument, stage).await,
            _ => self.store(contact, data, verb, argument, stage).await,
        }
    }

    /// The data connection itself, after the checks; says why not.
    async fn connect(
        &mut self,
        data: &mut dyn DataConnections,
        begin: String,
        stage: &Stage,
    ) -> Option<&'static str> {
        let way = std::mem::replace(&mut self.way, Way::None);
        let reached = match way {
            Way::Passive(mode) => data.accept().await.ok().map(|()| mode),
            Way::Active => {
                stage.pause(UNREACHABLE);
                None
            }
            Way::None => None,
        };
        match reached {
            Some(mode) => {
                stage.say(begin);
                Some(mode)
            }
            None => {
                data.close();
                stage.say("425 Failed to establish connection.\r\n");
                None
            }
        }
    }

    async fn list(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        verb: &str,
        argument: &str,
        stage: &Stage,
    ) {
        let (files, now) = (contact.visitor.files(), contact.visitor.now());
        let lines = listing::lines(self, files, argument, verb == "LIST", now);
        let begin = "150 Here comes the directory listing.\r\n".to_owned();
        let Some(mode) = self.connect(data, begin, stage).await else {
            return note(stage, verb, argument, "download", 0, "PORT", true);
        };
        let readable = lines.is_some();
        let bytes = Bytes::from(lines.unwrap_or_default());
        let size = bytes.len();
        let sent = data.send(bytes).await;
        note(stage, verb, argument, "download", size, mode, sent.is_err());
        stage.say(match (sent, readable) {
            (Err(fault), _) => broken(fault, "426 Failure writing network stream.\r\n"),
            (Ok(()), true) => "226 Directory send OK.\r\n",
            (Ok(()), false) => "226 Transfer done (but failed to open directory).\r\n",
        });
    }

    async fn retrieve(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        argument: &str,
        stage: &Stage,
    ) {
        let offset = std::mem::take(&mut self.restart);
        if offset > 0 && !self.binary {
            note(stage, "RETR", argument, "download", 0, self.mode(), true);
            return stage.say("550 No support for resume of ASCII transfer.\r\n");
        }
        let Some((path, attributes)) = self.readable_file(contact.visitor.files(), argument) else {
            note(stage, "RETR", argument, "download", 0, self.mode(), true);
            return stage.say("550 Failed to open file.\r\n");
        };
        let Ok(bytes) = content(contact, &path).await else {
            note(stage, "RETR", &path, "download", 0, self.mode(), true);
            return stage.say("550 Failed to open file.\r\n");
        };
        let begin = format!(
            "150 Opening BINARY mode data connection for {argument} ({} bytes).\r\n",
            attributes.size
        );
        let Some(mode) = self.connect(data, begin, stage).await else {
            return note(stage, "RETR", &path, "download", 0, "PORT", true);
        };
        let bytes = bytes.slice(bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX))..);
        let size = bytes.len();
        let sent = data.send(bytes).await;
        note(stage, "RETR", &path, "download", size, mode, sent.is_err());
        stage.say(match sent {
            Ok(()) => "226 Transfer complete.\r\n",
            Err(fault) => broken(fault, "426 Failure writing network stream.\r\n"),
        });
    }

    async fn store(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        verb: &str,
        argument: &str,
        stage: &Stage,
    ) {
        let (files, limit) = (contact.visitor.files(), contact.limits.upload_bytes);
        let offset = std::mem::take(&mut self.restart);
        let name = if verb == "STOU" { self.unique_name(files, argument) } else { argument.to_owned() };
        let path = self.new_path(files, &name);
        if name.is_empty() || !self.may_write(files, &path) {
            note(stage, verb, &path, "upload", 0, self.mode(), true);
            return stage.say("553 Could not create file.\r\n");
        }
        let begin = if verb == "STOU" {
            format!("150 FILE: {name}\r\n")
        } else {
            "150 Ok to send data.\r\n".to_owned()
        };
        let Some(mode) = self.connect(data, begin, stage).await else {
            return note(stage, verb, &path, "upload", 0, "PORT", true);
        };
        let received = match data.receive(limit, Parcel::new(contact.visitor.uploads())).await {
            Ok(received) => received,
            Err(fault) => {
                note(stage, verb, &path, "upload", 0, mode, true);
                return stage.say(broken(fault, "426 Failure reading network stream.\r\n"));
            }
        };
        let Received { bytes, truncated, starved } = received;
        let size = bytes.len();
        note(stage, verb, &path, "upload", size, mode, false);
        if truncated {
            stage.note(EventKind::LimitHit { limit: "upload_bytes".into(), value: limit as u64 });
        }
        self.keep(&path, &name, &bytes, truncated || starved, stage);
        if starved {
            // vsftpd on a disk that is full.
            stage.note(EventKind::LimitHit { limit: memory::LIMIT.into(), value: size as u64 });
            return stage.say("426 Failure writing to local file.\r\n");
        }
        let (owner, mode) = (self.owner(), 0o666 & !self.umask);
        let written = if verb == "APPE" {
            files.append(&path, &bytes, &owner, mode)
        } else if offset == 0 {
            files.write(&path, &bytes, &owner, mode)
        } else {
            overwrite_from(files, &path, offset, &bytes, limit)
                .and_then(|whole| files.write(&path, &whole, &owner, mode))
        };
        stage.say(match written {
            Ok(()) => "226 Transfer complete.\r\n",
            Err(_) => "426 Failure writing to local file.\r\n",
        });
    }

    /// The captured file goes to the artifacts whatever becomes of it on the machine.
    fn keep(&self, path: &str, name: &str, bytes: &Bytes, truncated: bool, stage: &Stage) {
        let shasum = stage.keep(bytes.clone());
        stage.note(EventKind::FileUpload {
            filename: name.to_owned(),
            outfile: format!("artifacts/{shasum}"),
            shasum,
            destfile: path.to_owned(),
            size: bytes.len() as u64,
            duplicate: false,
            truncated,
        });
    }

    fn may_write(&self, files: &Files, path: &str) -> bool {
        match files.stat(path) {
            Ok(node) => node.kind == Kind::File && self.may(files, path, Access::Write),
            Err(FileError::NotFound) => self.may_change_name(files, path),
            Err(_) => false,
        }
    }

    /// The name if it is free, else with the first free number (vsftpd: "silly wu-ftpd algorithm").
    fn unique_name(&self, files: &Files, argument: &str) -> String {
        let free = |name: &String| files.lstat(&self.path(files, name)).is_err();
        let base = if argument.is_empty() { "STOU" } else { argument };
        if !argument.is_empty() && free(&base.to_owned()) {
            return base.to_owned();
        }
        (1..10_000).map(|number| format!("{base}.{number}")).find(free).unwrap_or_default()
    }

    fn mode(&self) -> &'static str {
        match self.way {
            Way::Passive(mode) => mode,
            Way::Active => "PORT",
            Way::None => "",
        }
    }
}

/// The file's content; that of a file that is only listed is asked for first.
async fn content(contact: &Contact, path: &str) -> Result<Bytes, FileError> {
    contact.know(path).await;
    contact.visitor.files().read(path)
}

/// A file's content with `bytes` from `offset` on, as after REST.
fn overwrite_from(
    files: &Files,
    path: &str,
    offset: u64,
    bytes: &[u8],
    limit: usize,
) -> Result<Vec<u8>, FileError> {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut whole = files.read(path).map(|old| old.to_vec()).unwrap_or_default();
    // A hole is filled with noughts, but nobody fills the machine with a hole.
    if offset > whole.len().max(limit) {
        return Err(FileError::NoSpace);
    }
    let tail = whole.get(offset + bytes.len()..).map(<[u8]>::to_vec).unwrap_or_default();
    whole.resize(offset, 0);
    whole.extend_from_slice(bytes);
    whole.extend_from_slice(&tail);
    Ok(whole)
}

fn broken(fault: DataFault, words: &'static str) -> &'static str {
    match fault {
        DataFault::NotConnected => "425 Failed to establish connection.\r\n",
        DataFault::Broken => words,
    }
}

fn note(stage: &Stage, command: &str, path: &str, direction: &str, size: usize, mode: &str, failed: bool) {
    stage.note(EventKind::FtpData {
        command: command.to_owned(),
        path: path.to_owned(),
        direction: direction.to_owned(),
        size: size as u64,
        mode: mode.to_owned(),
        failed,
    });
}
