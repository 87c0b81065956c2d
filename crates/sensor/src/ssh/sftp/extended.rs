//! Requests beyond the draft, as OpenSSH's sftp-server answers them (PROTOCOL, 4).

use russh_sftp::{
    protocol::{FileAttributes, Packet, StatusCode},
    server::Handler as _,
};

use super::{Open, Sftp};
use crate::ssh::{
    sftp_extensions::{self, Fields},
    status::Fault,
};

impl Sftp {
    /// Does what is asked for by a name.
    pub(super) async fn extend(&mut self, id: u32, request: &str, data: Vec<u8>) -> Result<Packet, Fault> {
        let files = self.contact.visitor.files();
        let identity = self.contact.visitor.identity();
        let mut fields = Fields::new(data);
        match request {
            "posix-rename@openssh.com" => {
                let (from, to) = (self.resolve(&fields.text()?), self.resolve(&fields.text()?));
                self.may_change_folder(&from)?;
                self.may_change_folder(&to)?;
                files.rename(&from, &to)?;
                Ok(sftp_extensions::done(id))
            }
            "hardlink@openssh.com" => {
                let (old, new) = (self.resolve(&fields.text()?), self.resolve(&fields.text()?));
                self.may_change_folder(&new)?;
                files.link(&old, &new)?;
                Ok(sftp_extensions::done(id))
            }
            "statvfs@openssh.com" => {
                files.stat(&self.resolve(&fields.text()?))?;
                Ok(sftp_extensions::file_system(id, identity))
            }
            "fstatvfs@openssh.com" if self.open.contains_key(&fields.text()?) => {
                Ok(sftp_extensions::file_system(id, identity))
            }
            "fsync@openssh.com" if self.open.contains_key(&fields.text()?) => Ok(sftp_extensions::done(id)),
            "fstatvfs@openssh.com" | "fsync@openssh.com" => Err(Fault(StatusCode::NoSuchFile)),
            "lsetstat@openssh.com" => {
                let path = self.resolve(&fields.text()?);
                self.change(&path, &fields.rest::<FileAttributes>()?)?;
                Ok(sftp_extensions::done(id))
            }
            "limits@openssh.com" => Ok(sftp_extensions::limits(id)),
            "expand-path@openssh.com" => {
                let path = fields.text()?;
                let path = match path.strip_prefix('~') {
                    Some("") => self.account.home.clone(),
                    Some(rest) if rest.starts_with('/') => format!("{}{rest}", self.account.home),
                    _ => path,
                };
                let path = self.resolve(&path);
                Ok(sftp_extensions::named(id, files.real_path(&path).unwrap_or(path)))
            }
            "home-directory" => {
                let name = fields.text()?;
                let account = if name.is_empty() { Some(&self.account) } else { identity.user(&name) };
                let account = account.ok_or(Fault(StatusCode::Failure))?;
                Ok(sftp_extensions::named(id, account.home.clone()))
            }
            "users-groups-by-id@openssh.com" => {
                let (users, groups) = (fields.bytes()?, fields.bytes()?);
                Ok(sftp_extensions::names(id, &users, &groups, identity))
            }
            "copy-data" => {
                let (from, at, length) = (fields.text()?, fields.long()?, fields.long()?);
                let (to, to_at) = (fields.text()?, fields.long()?);
                let bytes = match self.open.get(&from) {
                    Some(Open::Reading { bytes, .. }) if from != to => bytes.clone(),
                    _ => return Err(Fault(StatusCode::Failure)),
                };
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                // Nought is all there is.
                let wanted =
                    if length == 0 { rest.len() } else { usize::try_from(length).unwrap_or(usize::MAX) };
                let piece = rest.get(..wanted.min(rest.len())).unwrap_or_default().to_vec();
                self.write(id, to, to_at, piece).await.map(Packet::Status)
            }
            _ => Err(Fault(StatusCode::OpUnsupported)),
        }
    }
}
