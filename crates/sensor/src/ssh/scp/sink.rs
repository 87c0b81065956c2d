//! `scp -t`: takes files.

use std::{
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use decoy::{
    Account, Contact,
    machine::{
        FileError,
        files::{Access, Owner},
    },
    memory::{self, Holding, Pool},
};
use wire::EventKind;

use super::{
    super::upload::{Keeper, Upload},
    Order,
    pipe::Pipe,
};

/// How deep folders may lie in one another.
const DEEPEST: usize = 64;

/// One end that takes.
pub struct Sink<'a> {
    pub contact: &'a Contact,
    pub account: &'a Account,
    pub keeper: Keeper,
    pub pool: &'a Pool,
    pub order: &'a Order,
}

impl Sink<'_> {
    /// Takes whatever comes until the other end has no more.
    pub async fn take(&self, pipe: &mut Pipe) -> io::Result<()> {
        let files = self.contact.visitor.files();
        let shown = self.order.paths.first().cloned().unwrap_or_default();
        // Where we are, and what it is called in complaints.
        let mut places = vec![(files.resolve(&self.account.home, &shown), shown)];
        if self.order.folder && !places.first().is_some_and(|(path, _)| files.is_dir(path)) {
            let shown = places.pop().map(|(_, shown)| shown).unwrap_or_default();
            return pipe.complain(&format!("{shown}: Not a directory")).await;
        }
        let mut times = None;
        pipe.well().await?;
        while let Some(line) = pipe.next_line().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            let Some((path, shown)) = places.last().cloned() else { return Ok(()) };
            match line.chars().next() {
                Some('\x01' | '\x02') => pipe.complained = true,
                Some('E') => {
                    places.pop();
                    pipe.well().await?;
                    if places.is_empty() {
                        return Ok(());
                    }
                }
                Some('T') => {
                    times = line.get(1..).and_then(read_times);
                    pipe.well().await?;
                }
                Some(kind @ ('C' | 'D')) => {
                    let Some(head) = line.get(1..).and_then(Head::read) else {
                        return pipe.complain("size not delimited").await;
                    };
                    let inside = files.is_dir(&path);
                    let under =
                        |base: &str| if inside { format!("{base}/{}", head.name) } else { base.to_owned() };
                    let (target, shown) = (files.resolve(&path, &under(&path)), under(&shown));
                    if kind == 'C' {
                        self.take_file(pipe, &head, &target, &shown, times.take()).await?;
                    } else if places.len() >= DEEPEST {
                        return pipe
                            .complain(&format!("{shown}: {}", reason(&FileError::TooManyLinks)))
                            .await;
                    } else if !self.order.deep {
                        return pipe.complain("received directory without -r").await;
                    } else if files.is_dir(&target) || self.make_folder(&target, head.mode).is_ok() {
                        places.push((target, shown));
                        pipe.well().await?;
                    } else {
                        let why = self.make_folder(&target, head.mode).err().unwrap_or(FileError::NotFound);
                        return pipe.complain(&format!("{shown}: {}", reason(&why))).await;
                    }
                }
                _ => return pipe.complain("protocol error: expected control record").await,
            }
        }
        Ok(())
    }

    fn owner(&self) -> Owner {
        Owner { uid: self.account.uid, gid: self.account.gid }
    }

    /// Whether the visitor may make or change this file.
    fn may_write(&self, path: &str) -> Result<(), FileError> {
        let files = self.contact.visitor.files();
        let (uid, gid) = (self.account.uid, self.account.gid);
        match files.stat(path) {
            Ok(node) if node.is_dir() => Err(FileError::IsADirectory),
            Ok(_) => files.may(uid, gid, path, Access::Write),
            Err(FileError::NotFound) => {
                let folder = path
                    .rsplit_once('/')
                    .map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
                files.stat(folder)?;
                files.may(uid, gid, folder, Access::Write)
            }
            Err(error) => Err(error),
        }
    }

    fn make_folder(&self, path: &str, mode: u32) -> Result<(), FileError> {
        self.may_write(path)?;
        self.contact.visitor.files().make_dir(path, &self.owner(), mode | 0o700)
    }

    async fn take_file(
        &self,
        pipe: &mut Pipe,
        head: &Head,
        path: &str,
        shown: &str,
        times: Option<(SystemTime, SystemTime)>,
    ) -> io::Result<()> {
        if let Err(error) = self.may_write(path) {
            return pipe.complain(&format!("{shown}: {}", reason(&error))).await;
        }
        pipe.well().await?;
        let limit = self.contact.limits.upload_bytes;
        let mut upload = Upload {
            path: path.to_owned(),
            bytes: Vec::new(),
            mode: head.mode & 0o777,
            truncated: false,
            changed: true,
            holding: Holding::new(self.pool),
            starved: false,
        };
        let mut left = head.size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let Some(piece) = pipe.piece(most).await? else {
                upload.truncated = true;
                break;
            };
            left -= piece.len() as u64;
            let at = upload.bytes.len() as u64;
            if !upload.truncated && !upload.write(at, &piece, limit) {
                upload.truncated = true;
                let (limit, value) =
                    if upload.starved { (memory::LIMIT, self.pool.taken()) } else { ("upload_bytes", limit) };
                let hit = EventKind::LimitHit { limit: limit.to_owned(), value: value as u64 };
                self.keeper.session.note(hit);
            }
        }
        let (truncated, keeper) = (upload.truncated, self.keeper.clone());
        let kept =
            tokio::task::spawn_blocking(move || keeper.put_away(upload)).await.map_err(io::Error::other)?;
        if left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pipe.answer().await?;
        if let Some((mtime, atime)) = times {
            // A file that found no room has no times; the complaint below says so.
            let set = self.contact.visitor.files().set_times(path, Some(atime), Some(mtime));
            tracing::trace!(?set, "times of a copied file");
        }
        match kept {
            Err(error) => pipe.complain(&format!("{shown}: {}", reason(&error))).await,
            Ok(()) if truncated => pipe.complain(&format!("{shown}: {}", reason(&FileError::NoSpace))).await,
            Ok(()) => pipe.well().await,
        }
    }
}

/// `0644 size name`
struct Head {
    mode: u32,
    size: u64,
    name: String,
}

impl Head {
    /// A name with a slash, or one of the folder's own, is refused as scp refuses it; it ends at a NUL.
    fn read(text: &str) -> Option<Self> {
        let (mode, rest) = text.split_once(' ')?;
        let (size, name) = rest.split_once(' ')?;
        let name = name.split('\0').next().unwrap_or_default();
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return None;
        }
        let mode = u32::from_str_radix(mode, 8).ok()? & 0o7777;
        Some(Self { mode, size: size.parse().ok()?, name: name.to_owned() })
    }
}

/// `mtime 0 atime 0`
fn read_times(text: &str) -> Option<(SystemTime, SystemTime)> {
    let mut numbers = text.split(' ').map(|word| word.parse::<u32>().ok());
    let mut time =
        || numbers.next().flatten().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds.into()));
    let mtime = time()?;
    let _microseconds = time();
    Some((mtime, time()?))
}

/// strerror(3) of what went wrong.
pub fn reason(error: &FileError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_and_names_that_lead_elsewhere_refused() {
        let head = Head::read("0644 12 a b").unwrap();
        assert_eq!((head.mode, head.size, head.name.as_str()), (0o644, 12, "a b"));
        assert_eq!(Head::read("0644 12 a\0b").unwrap().name, "a");
        for text in [
            "0644 12 ..",
            "0644 12 a/b",
            "0644 12 ",
            "0644 12",
            "x 1 a",
            "0644 -1 a",
            "0644 99999999999999999999 a",
        ] {
            assert!(Head::read(text).is_none(), "{text:?}");
        }
        assert_eq!(reason(&FileError::NotFound), "No such file or directory");
    }
}
