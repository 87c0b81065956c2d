//! What a visitor of sftp changes: attributes, and files that are put away.

use std::time::{Duration, UNIX_EPOCH};

use russh_sftp::protocol::{FileAttributes, StatusCode};

use super::Sftp;
use crate::ssh::{status::Fault, upload::Upload};

impl Sftp {
    /// Changes what is named of a file's attributes.
    pub(super) fn change(&self, path: &str, wanted: &FileAttributes) -> Result<(), Fault> {
        let files = self.contact.visitor.files();
        self.may_own(path)?;
        if let Some(mode) = wanted.permissions {
            files.set_mode(path, mode & 0o7777)?;
        }
        let others = |wanted: Option<u32>, own| wanted.is_some_and(|wanted| wanted != own);
        if self.account.uid != 0
            && (others(wanted.uid, self.account.uid) || others(wanted.gid, self.account.gid))
        {
            return Err(Fault(StatusCode::PermissionDenied));
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

    /// Puts an upload away where waiting is allowed.
    pub(super) async fn finish_upload(&self, upload: Upload) -> Result<(), Fault> {
        let keeper = self.keeper.clone();
        match tokio::task::spawn_blocking(move || keeper.put_away(upload)).await {
            Ok(done) => Ok(done?),
            Err(error) => {
                tracing::error!(%error, "an upload could not be put away");
                Err(Fault(StatusCode::Failure))
            }
        }
    }
}
