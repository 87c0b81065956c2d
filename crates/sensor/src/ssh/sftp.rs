//! The sftp subsystem (draft-ietf-secsh-filexfer-02, as OpenSSH's sftp-server speaks it) over the visitor's files.

mod changes;
mod extended;

use std::collections::HashMap;

use bytes::Bytes;
use decoy::{
    Account, Contact,
    machine::{
        Attributes, FileError,
        files::{Access, Owner},
    },
    memory::{self, Holding, Pool},
};
use russh_sftp::{
    protocol::{
        Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
    },
    server::Handler,
};
use tokio_util::sync::DropGuard;
use wire::EventKind;

use super::{
    file_attributes::wire_attributes,
    sftp_extensions::{self, EXTENSIONS},
    status::{Fault, well},
    upload::{Keeper, Upload},
};

/// Open files and folders at once, as sftp-server's descriptors are bounded.
const MAX_HANDLES: usize = 100;
/// The most bytes given in one read (OpenSSH's own packet limit is 256 KiB).
const READ_LIMIT: usize = 255 * 1024;
/// Names in one answer to readdir, as sftp-server gives them.
const NAMES_AT_ONCE: usize = 100;

/// What a name in an open listing is taken to weigh.
const NAME_BYTES: usize = 512;

/// One sftp visitor.
pub struct Sftp {
    contact: Contact,
    account: Account,
    keeper: Keeper,
    pool: Pool,
    open: HashMap<String, Open>,
    /// Numbers of handles that were closed; the last is used next.
    unused: Vec<u8>,
    /// Tells that the subsystem ended, which the library does not.
    _ended: DropGuard,
}

enum Open {
    Reading { bytes: Bytes, path: String, _holding: Holding },
    Writing(Upload),
    Listing { rest: Vec<File>, _holding: Holding },
}

impl Sftp {
    /// A subsystem for a visitor who is logged in; its open files together hold no more than `pool` has. `ended` is
    /// cancelled when it has ended.
    pub fn new(keeper: Keeper, account: Account, pool: Pool, ended: DropGuard) -> Self {
        let contact = keeper.contact.clone();
        Self { contact, account, keeper, pool, open: HashMap::new(), unused: Vec::new(), _ended: ended }
    }

    /// Memory for so many bytes.
    fn holding(&self, bytes: usize) -> Result<Holding, Fault> {
        let mut holding = Holding::new(&self.pool);
        if holding.reach(bytes) {
            return Ok(holding);
        }
        let value = self.pool.taken() as u64;
        self.keeper.session.note(EventKind::LimitHit { limit: memory::LIMIT.to_owned(), value });
        Err(Fault(StatusCode::Failure))
    }

    fn resolve(&self, path: &str) -> String {
        // A name ends at a NUL, as the kernel reads it.
        let path = path.split('\0').next().unwrap_or_default();
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
        // sftp-server's handles are numbers of four bytes, used again when they are closed (sftp-server.c: handle_new).
        let number = self.unused.pop().or_else(|| u8::try_from(self.open.len()).ok()).unwrap_or_default();
        let handle = format!("\0\0\0{}", char::from(number));
        self.open.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn entry(&self, name: &str, attributes: &Attributes) -> File {
        let (identity, now) = (self.contact.visitor.identity(), self.contact.visitor.now());
        let longname = sftp_extensions::long_name(name, attributes, identity, now);
        File { filename: name.to_owned(), longname, attrs: self.wire_attributes(attributes) }
    }

    fn wire_attributes(&self, attributes: &Attributes) -> FileAttributes {
        wire_attributes(attributes, self.contact.visitor.identity())
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        // What was being uploaded when the visitor left is on the machine, as it would be.
        for (_, open) in std::mem::take(&mut self.open) {
            let Open::Writing(upload @ Upload { changed: true, .. }) = open else { continue };
            let keeper = self.keeper.clone();
            let put_away = move || {
                if keeper.put_away(upload).is_err() {
                    tracing::debug!("an unfinished upload found no room on the machine");
                }
            };
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn_blocking(put_away)),
                Err(_) => put_away(),
            }
        }
    }
}

impl Handler for Sftp {
    type Error = Fault;

    fn unimplemented(&self) -> Fault {
        Fault(StatusCode::OpUnsupported)
    }

    async fn init(&mut self, _version: u32, _extensions: HashMap<String, String>) -> Result<Version, Fault> {
        let mut version = Version::new();
        version.extensions =
            EXTENSIONS.iter().map(|(name, number)| ((*name).into(), (*number).into())).collect();
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        name: String,
        flags: OpenFlags,
        wanted: FileAttributes,
    ) -> Result<Handle, Fault> {
        let path = self.resolve(&name);
        self.contact.approach(&path).await;
        let files = self.contact.visitor.files();
        if !flags.intersects(OpenFlags::WRITE | OpenFlags::APPEND) {
            self.may(&path, Access::Read)?;
            self.contact.know(&path).await;
            let bytes = self.contact.visitor.files().read(&path)?;
            let _holding = self.holding(bytes.len())?;
            return self.hold(id, Open::Reading { bytes, path, _holding });
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
        let known = if kept { files.read(&path)? } else { Bytes::new() };
        let holding = self.holding(known.len())?;
        if !kept {
            // The file is there as soon as it is opened.
            files.write(&path, b"", &self.owner(), mode)?;
        }
        let (bytes, changed) = (known.to_vec(), !kept);
        self.hold(
            id,
            Open::Writing(Upload { path, bytes, mode, truncated: false, changed, holding, starved: false }),
        )
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Fault> {
        let open = self.open.remove(&handle);
        if open.is_some() {
            self.unused.extend(handle.bytes().next_back());
        }
        match open {
            Some(Open::Writing(upload @ Upload { changed: true, .. })) => {
                self.finish_upload(upload).await?;
                Ok(well(id))
            }
            Some(_) => Ok(well(id)),
            None => Err(Fault(StatusCode::Failure)),
        }
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, Fault> {
        let bytes: &[u8] = match self.open.get(&handle) {
            Some(Open::Reading { bytes, .. }) => bytes,
            Some(Open::Writing(upload)) => &upload.bytes,
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
        let Some(Open::Writing(upload)) = self.open.get_mut(&handle) else {
            return Err(Fault(StatusCode::Failure));
        };
        if upload.write(offset, &data, limit) {
            return Ok(well(id));
        }
        if !std::mem::replace(&mut upload.truncated, true) {
            let (limit, value) =
                if upload.starved { (memory::LIMIT, self.pool.taken()) } else { ("upload_bytes", limit) };
            self.keeper.session.note(EventKind::LimitHit { limit: limit.to_owned(), value: value as u64 });
        }
        // What a full disk answers.
        Err(Fault(StatusCode::Failure))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Fault> {
        self.contact.approach(&self.resolve(&path)).await;
        let attributes = self.contact.visitor.files().lstat(&self.resolve(&path))?;
        Ok(Attrs { id, attrs: self.wire_attributes(&attributes) })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Fault> {
        self.contact.approach(&self.resolve(&path)).await;
        let attributes = self.contact.visitor.files().stat(&self.resolve(&path))?;
        Ok(Attrs { id, attrs: self.wire_attributes(&attributes) })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Fault> {
        let (path, size) = match self.open.get(&handle) {
            Some(Open::Reading { bytes, path, .. }) => (path, bytes.len()),
            Some(Open::Writing(upload)) => (&upload.path, upload.bytes.len()),
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
            Some(Open::Reading { path, .. }) => path.clone(),
            Some(Open::Writing(upload)) => {
                upload.mode = attrs.permissions.map_or(upload.mode, |wanted| wanted & 0o777);
                upload.path.clone()
            }
            _ => return Err(Fault(StatusCode::Failure)),
        };
        self.change(&path, &attrs)?;
        Ok(well(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Fault> {
        let path = self.resolve(&path);
        self.contact.approach(&path).await;
        self.may(&path, Access::Read)?;
        let entries = self.contact.visitor.files().list(&path)?;
        let _holding = self.holding(NAME_BYTES.saturating_mul(entries.len()))?;
        let up = self.contact.visitor.files().resolve(&path, "..");
        let mut rest = Vec::with_capacity(entries.len() + 2);
        for (name, path) in [(".", &path), ("..", &up)] {
            if let Ok(attributes) = self.contact.visitor.files().lstat(path) {
                rest.push(self.entry(name, &attributes));
            }
        }
        rest.extend(entries.iter().map(|entry| self.entry(&entry.name, &entry.attributes)));
        rest.reverse();
        self.hold(id, Open::Listing { rest, _holding })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Fault> {
        let Some(Open::Listing { rest, .. }) = self.open.get_mut(&handle) else {
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
            return Err(FileError::NotADirectory.into());
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

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Result<Packet, Fault> {
        self.extend(id, &request, data).await
    }
}
