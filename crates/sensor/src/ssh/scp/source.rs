//! `scp -f`: gives files.

use std::{io, time::UNIX_EPOCH};

use decoy::{
    Account, Contact,
    machine::{Attributes, FileError, files::Access},
};

use super::{Order, pipe::Pipe, sink::reason};

/// How deep folders are followed.
const DEEPEST: usize = 64;

/// One end that gives.
pub struct Source<'a> {
    pub contact: &'a Contact,
    pub account: &'a Account,
    pub order: &'a Order,
}

impl Source<'_> {
    /// Gives every path that was asked for.
    pub async fn give(&self, pipe: &mut Pipe) -> io::Result<()> {
        pipe.answer().await?;
        for asked in &self.order.paths {
            let path = self.contact.visitor.files().resolve(&self.account.home, asked);
            self.give_one(pipe, asked, &path, 0).await?;
        }
        Ok(())
    }

    async fn give_one(&self, pipe: &mut Pipe, shown: &str, path: &str, depth: usize) -> io::Result<()> {
        let files = self.contact.visitor.files();
        let readable = |attributes: Attributes| {
            files.may(self.account.uid, self.account.gid, path, Access::Read).map(|()| attributes)
        };
        let attributes = match files.stat(path).and_then(readable) {
            Ok(attributes) => attributes,
            Err(error) => return pipe.complain(&format!("{shown}: {}", reason(&error))).await,
        };
        if !attributes.is_dir() {
            return self.give_file(pipe, shown, path, &attributes).await;
        }
        if !self.order.deep {
            return pipe.complain(&format!("{shown}: not a regular file")).await;
        }
        if depth >= DEEPEST {
            return pipe.complain(&format!("{shown}: {}", reason(&FileError::TooManyLinks))).await;
        }
        self.give_times(pipe, &attributes).await?;
        pipe.say(format!("D{:04o} 0 {}\n", attributes.mode & 0o7777, name_of(path))).await?;
        if !pipe.answer().await? {
            return Ok(());
        }
        for entry in files.list(path).unwrap_or_default() {
            let (shown, path) = (format!("{shown}/{}", entry.name), format!("{path}/{}", entry.name));
            Box::pin(self.give_one(pipe, &shown, &path, depth + 1)).await?;
        }
        pipe.say(&b"E\n"[..]).await?;
        pipe.answer().await.map(drop)
    }

    async fn give_file(
        &self,
        pipe: &mut Pipe,
        shown: &str,
        path: &str,
        attributes: &Attributes,
    ) -> io::Result<()> {
        let bytes = match self.contact.visitor.files().read(path) {
            Ok(bytes) => bytes,
            Err(error) => return pipe.complain(&format!("{shown}: {}", reason(&error))).await,
        };
        self.give_times(pipe, attributes).await?;
        let head = format!("C{:04o} {} {}\n", attributes.mode & 0o7777, bytes.len(), name_of(path));
        pipe.say(head).await?;
        if !pipe.answer().await? {
            return Ok(());
        }
        pipe.say(bytes).await?;
        pipe.well().await?;
        pipe.answer().await.map(drop)
    }

    async fn give_times(&self, pipe: &mut Pipe, attributes: &Attributes) -> io::Result<()> {
        if !self.order.times {
            return Ok(());
        }
        let seconds =
            |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        pipe.say(format!("T{} 0 {} 0\n", seconds(attributes.mtime), seconds(attributes.atime))).await?;
        pipe.answer().await.map(drop)
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
