//! The sftp subsystem (draft-ietf-secsh-filexfer-02, as OpenSSH's sftp-server speaks it) over the visitor's files.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use decoy::{
    Account, Contact,
    machine::{
        Attributes, FileError, Kind,
        files::{Access, Owner},
    },
};
use russh_sftp::{
    protocol::{Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode, Version},
    server::{Handler, StatusReply},
};
use sha2::{Digest as _, Sha256};
use wire::EventKind;

use crate::{artifacts::Artifacts, session::Session};

/// Open files and folders at once, as sftp-server's descriptors are bounded.
const MAX_HANDLES: usize = 100;
/// The most bytes given in one read (OpenSSH's own packet limit is 256 KiB).
const READ_LIMIT: usize = 255 * 1024;
/// Names in one answer to readdir, as sftp-server gives them.
const NAMES_AT_ONCE: usize = 100;

/// One sftp visitor.
pub struct Sftp {
    contact: Contact,
    session: Session,
    artifacts: Arc<Artifacts>,
    account: Account,
    open: HashMap<String, Open>,
    next_handle: u32,
}

enum Open {
    Reading(Bytes, String),
    Writing { path: String, bytes: Vec<u8>, mode: u32, truncated: bool, changed: bool },
    Listing(Vec<File>),
}

impl Sftp {
    /// A subsystem for a visitor who is logged in.
    pub fn new(contact: Contact, session: Session, artifacts: Arc<Artifacts>, account: Account) -> Self {
        Self { contact, session, artifacts, account, open: HashMap::new(), next_handle: 0 }
    }

    fn resolve(&self, path: &str) -> String {
        self.contact.visitor.files().resolve(&self.account.home, path)
    }

    fn owner(&self) -> Owner {
        Owner { uid: self.account.uid, gid: self.account.gid }
    }

    fn may(&self, path: &str, access: Access) -> Result<(), Fault> {
        Ok(self.contact.visitor.files().may(self.account.uid, self.account.gid, path, access)?)
    }

    /// Whether the visitor may add to or remove from the folder that `path` lies in.
    fn may_change_folder(&self, path: &str) -> Result<(), Fault> {
        let folder =
            path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        self.may(folder, Access::Write)
    }

    /// Only the owner and root change attributes.
    fn may_own(&self, path: &str) -> Result<(), Fault> {
        let owner = self.contact.visitor.files().stat(path)?.uid;
        if self.account.uid == 0 || owner == self.account.uid {
            Ok(())
        } else {
            Err(Fault(StatusCode::PermissionDenied))
        }
    }

    fn hold(&mut self, id: u32, open: Open) -> Result<Handle, Fault> {
        if self.open.len() >= MAX_HANDLES {
            return Err(Fault(StatusCode::Failure));
        }
        let handle = format!("{:08x}", self.next_handle);
        self.next_handle = self.next_handle.wrapping_add(1);
        self.open.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn attributes(&self, path: &str) -> FileAttributes {
        self.contact
            .visitor
            .files()
            .lstat(path)
            .map(|attributes| self.wire_attributes(&attributes))
            .unwrap_or_default()
    }

    fn wire_attributes(&self, attributes: &Attributes) -> FileAttributes {
        let kind = match attributes.kind {
            Kind::Dir => 0o040_000,
            Kind::Symlink => 0o120_000,
            Kind::CharDevice => 0o020_000,
            Kind::BlockDevice => 0o060_000,
            Kind::Fifo => 0o010_000,
            Kind::Socket => 0o140_000,
            Kind::File => 0o100_000,
        };
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|since| u32::try_from(since.as_secs()).ok())
                .unwrap_or(0)
        };
        let name =
            |uid| self.contact.visitor.identity().account_by_uid(uid).map(|account| account.name.clone());
        FileAttributes {
            size: Some(attributes.size),
            uid: Some(attributes.uid),
            user: name(attributes.uid),
            gid: Some(attributes.gid),
            group: None,
            permissions: Some(kind | attributes.mode),
            atime: Some(seconds(attributes.atime)),
            mtime: Some(seconds(attributes.mtime)),
        }
    }

    fn change(&self, path: &str, wanted: &FileAttributes) -> Result<(), Fault> {
        let files = self.contact.visitor.files();
        self.may_own(path)?;
        if let Some(mode) = wanted.permissions {
            files.set_mode(path, mode & 0o7777)?;
        }
        if self.account.uid == 0 && (wanted.uid.is_some() || wanted.gid.is_some()) {
            files.set_owner(path, wanted.uid, wanted.gid)?;
        }
        let time = |seconds: Option<u32>| {
            seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(u64::from(seconds)))
        };
        if wanted.atime.is_some() || wanted.mtime.is_some() {
            files.set_times(path, time(wanted.atime), time(wanted.mtime))?;
        }
        Ok(())
    }

    /// Writes what was uploaded to the machine, keeps it, and notes it.
    fn finish_upload(&self, path: String, bytes: Vec<u8>, mode: u32, truncated: bool) -> Result<(), Fault> {
        let shasum = hex::encode(Sha256::digest(&bytes));
        let kept = self.artifacts.keep(&shasum, &bytes);
        if let Err(error) = &kept {
            tracing::error!(%error, "a captured file could not be kept");
        }
        self.session.note(EventKind::FileUpload {
            filename: path.rsplit('/').next().unwrap_or_default().to_owned(),
            outfile: format!("artifacts/{shasum}"),
            shasum,
            destfile: path.clone(),
            size: bytes.len() as u64,
            duplicate: kept.is_ok_and(|kept| kept.duplicate),
            truncated,
        });
        Ok(self.contact.visitor.files().write(&path, &bytes, &self.owner(), mode)?)
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        // What was being uploaded when the visitor left is on the machine, as it would be.
        for (_, open) in std::mem::take(&mut self.open) {
            if let Open::Writing { path, bytes, mode, truncated, changed: true } = open
                && self.finish_upload(path, bytes, mode, truncated).is_err()
            {
                tracing::debug!("an unfinished upload found no room on the machine");
            }
        }
    }
}

/// A status that is not well.
pub struct Fault(StatusCode);

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        Self(match error {
            FileError::NotFound => StatusCode::NoSuchFile,
            FileError::Denied => StatusCode::PermissionDenied,
            _ => StatusCode::Failure,
        })
    }
}

impl From<Fault> for StatusReply {
    fn from(fault: Fault) -> Self {
        fault.0.into()
    }
}

fn well(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Success".to_owned(),
        language_tag: String::new(),
    }
}

impl Handler for Sftp {
    type Error = Fault;

    fn unimplemented(&self) -> Fault {
        Fault(StatusCode::OpUnsupported)
    }

    async fn init(&mut self, _version: u32, _extensions: HashMap<String, String>) -> Result<Version, Fault> {
        Ok(Version::new())
    }

    async fn open(
        &mut self,
        id: u32,
        name: String,
        flags: OpenFlags,
        wanted: FileAttributes,
    ) -> Result<Handle, Fault> {
        let path = self.resolve(&name);
        let files = self.contact.visitor.files();
        if !flags.intersects(OpenFlags::WRITE | OpenFlags::APPEND) {
            self.may(&path, Access::Read)?;
            let bytes = files.read(&path)?;
            return self.hold(id, Open::Reading(bytes, path));
        }
        let existing = match files.stat(&path) {
            Ok(attributes) if attributes.is_dir() => return Err(Fault(StatusCode::Failure)),
            Ok(_) if flags.contains(OpenFlags::EXCLUDE) => return Err(Fault(StatusCode::Failure)),
            Ok(attributes) => {
                self.may(&path, Access::Write)?;
                Some(attributes)
            }
            Err(FileError::NotFound) if flags.contains(OpenFlags::CREATE) => {
                self.may_change_folder(&path)?;
                None
            }
            Err(error) => return Err(error.into()),
        };
        let mode = existing.as_ref().map_or(wanted.permissions.unwrap_or(0o644) & 0o777, |known| known.mode);
        let kept = existing.is_some() && !flags.contains(OpenFlags::TRUNCATE);
        let bytes = if kept { files.read(&path)?.to_vec() } else { Vec::new() };
        if !kept {
            // The file is there as soon as it is opened.
            files.write(&path, b"", &self.owner(), mode)?;
        }
        self.hold(id, Open::Writing { path, bytes, mode, truncated: false, changed: !kept })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Fault> {
        match self.open.remove(&handle) {
            Some(Open::Writing { path, bytes, mode, truncated, changed: true }) => {
                self.finish_upload(path, bytes, mode, truncated)?;
                Ok(well(id))
            }
            Some(_) => Ok(well(id)),
            None => Err(Fault(StatusCode::Failure)),
        }
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, Fault> {
        let bytes: &[u8] = match self.open.get(&handle) {
            Some(Open::Reading(bytes, _)) => bytes,
            Some(Open::Writing { bytes, .. }) => bytes,
            _ => return Err(Fault(StatusCode::Failure)),
        };
        let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        if rest.is_empty() {
            return Err(Fault(StatusCode::Eof));
        }
        let wanted = (len as usize).min(READ_LIMIT).min(rest.len());
        Ok(Data { id, data: rest.get(..wanted).unwrap_or_default().to_vec() })
    }

    async fn write(&mut self, id: u32, handle: String, offset: u64, data: Vec<u8>) -> Result<Status, Fault> {
        let limit = self.contact.limits.upload_bytes;
        let Some(Open::Writing { bytes, truncated, changed, .. }) = self.open.get_mut(&handle) else {
            return Err(Fault(StatusCode::Failure));
        };
        *changed = true;
        let end = usize::try_from(offset).ok().and_then(|offset| offset.checked_add(data.len()));
        match (end, usize::try_from(offset)) {
            (Some(end), Ok(offset)) if end <= limit => {
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                if let Some(place) = bytes.get_mut(offset..end) {
                    place.copy_from_slice(&data);
                }
                Ok(well(id))
            }
            _ => {
                if !std::mem::replace(truncated, true) {
                    self.session
                        .note(EventKind::LimitHit { limit: "upload_bytes".to_owned(), value: limit as u64 });
                }
                // What a full disk answers.
                Err(Fault(StatusCode::Failure))
            }
        }
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Fault> {
        let attributes = self.contact.visitor.files().lstat(&self.resolve(&path))?;
        Ok(Attrs { id, attrs: self.wire_attributes(&attributes) })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Fault> {
        let attributes = self.contact.visitor.files().stat(&self.resolve(&path))?;
        Ok(Attrs { id, attrs: self.wire_attributes(&attributes) })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Fault> {
        let (path, size) = match self.open.get(&handle) {
            Some(Open::Reading(bytes, path)) => (path, bytes.len()),
            Some(Open::Writing { path, bytes, .. }) => (path, bytes.len()),
            _ => return Err(Fault(StatusCode::Failure)),
        };
        let attributes = self.contact.visitor.files().stat(path)?;
        let attrs = FileAttributes { size: Some(size as u64), ..self.wire_attributes(&attributes) };
        Ok(Attrs { id, attrs })
    }

    async fn setstat(&mut self, id: u32, path: String, attrs: FileAttributes) -> Result<Status, Fault> {
        self.change(&self.resolve(&path), &attrs)?;
        Ok(well(id))
    }

    async fn fsetstat(&mut self, id: u32, handle: String, attrs: FileAttributes) -> Result<Status, Fault> {
        let path = match self.open.get_mut(&handle) {
            Some(Open::Reading(_, path)) => path.clone(),
            Some(Open::Writing { path, mode, .. }) => {
                *mode = attrs.permissions.map_or(*mode, |wanted| wanted & 0o777);
                path.clone()
            }
            _ => return Err(Fault(StatusCode::Failure)),
        };
        self.change(&path, &attrs)?;
        Ok(well(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Fault> {
        let path = self.resolve(&path);
        self.may(&path, Access::Read)?;
        let entries = self.contact.visitor.files().list(&path)?;
        let dots = [".", ".."].map(|name| File::new(name, self.attributes(&path)));
        let named =
            entries.iter().map(|entry| File::new(&entry.name, self.wire_attributes(&entry.attributes)));
        let mut rest: Vec<File> = dots.into_iter().chain(named).collect();
        rest.reverse();
        self.hold(id, Open::Listing(rest))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Fault> {
        let Some(Open::Listing(rest)) = self.open.get_mut(&handle) else {
            return Err(Fault(StatusCode::Failure));
        };
        if rest.is_empty() {
            return Err(Fault(StatusCode::Eof));
        }
        let kept = rest.len().saturating_sub(NAMES_AT_ONCE);
        let mut files = rest.split_off(kept);
        files.reverse();
        Ok(Name { id, files })
    }

    async fn remove(&mut self, id: u32, name: String) -> Result<Status, Fault> {
        let path = self.resolve(&name);
        self.may_change_folder(&path)?;
        let files = self.contact.visitor.files();
        if files.lstat(&path)?.is_dir() {
            return Err(Fault(StatusCode::Failure));
        }
        files.remove(&path)?;
        Ok(well(id))
    }

    async fn mkdir(&mut self, id: u32, path: String, attrs: FileAttributes) -> Result<Status, Fault> {
        let path = self.resolve(&path);
        self.may_change_folder(&path)?;
        let mode = attrs.permissions.unwrap_or(0o755) & 0o777;
        self.contact.visitor.files().make_dir(&path, &self.owner(), mode)?;
        Ok(well(id))
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Result<Status, Fault> {
        let path = self.resolve(&path);
        self.may_change_folder(&path)?;
        let files = self.contact.visitor.files();
        if !files.lstat(&path)?.is_dir() {
            return Err(Fault(StatusCode::Failure));
        }
        files.remove(&path)?;
        Ok(well(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, Fault> {
        let path = self.resolve(&path);
        let path = self.contact.visitor.files().real_path(&path).unwrap_or(path);
        Ok(Name { id, files: vec![File::dummy(path)] })
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, Fault> {
        let (from, to) = (self.resolve(&from), self.resolve(&to));
        self.may_change_folder(&from)?;
        self.may_change_folder(&to)?;
        let files = self.contact.visitor.files();
        // Version 3 of the protocol does not overwrite.
        if files.lstat(&to).is_ok() {
            return Err(Fault(StatusCode::Failure));
        }
        files.rename(&from, &to)?;
        Ok(well(id))
    }

    async fn readlink(&mut self, id: u32, path: String) -> Result<Name, Fault> {
        let target = self.contact.visitor.files().read_link(&self.resolve(&path))?;
        Ok(Name { id, files: vec![File::dummy(target)] })
    }

    async fn symlink(&mut self, id: u32, target: String, link: String) -> Result<Status, Fault> {
        // sftp-server takes the arguments in the other order than the draft says (OpenSSH PROTOCOL, 4.1).
        let link = self.resolve(&link);
        self.may_change_folder(&link)?;
        self.contact.visitor.files().symlink(&target, &link, &self.owner())?;
        Ok(well(id))
    }
}
