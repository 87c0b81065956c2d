//! Image files: making them from a folder or a tar file, showing them, and loading the one that a bucket wears.

pub mod verbs;

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use decoy::machine::{
    Image, Kind,
    image::{About, Builder, Given, ImageError, Policy},
};

/// The largest image file that is loaded.
const MOST_BYTES: u64 = 512 << 20;

/// Folders whose insides exist only while a system runs.
const VOLATILE: [&str; 5] = ["/dev", "/proc", "/run", "/sys", "/tmp"];

/// Why an image file cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum ImageFileError {
    /// A file or folder that cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The tar file is none, or damaged.
    #[error(
        "{path} cannot be read as a tar file (if it is compressed, unpack it first: `zcat x.tar.gz > x.tar`)"
    )]
    Tar {
        /// Which file.
        path: PathBuf,
        /// What the reader says.
        source: io::Error,
    },
    /// There is no root file system in it.
    #[error(
        "{path} holds no root file system (no /etc, no /bin): give the root folder, or the output of `docker export`, \
         not of `docker save`"
    )]
    NoRoot {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The bytes are no image, or what was gathered makes none.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The file is too large.
    #[error("{path} is larger than {MOST_BYTES} bytes")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
}

type Result<T> = std::result::Result<T, ImageFileError>;

/// What an image is made from, and how.
#[derive(Debug)]
pub struct Order {
    /// The root folder, or a tar file of one.
    pub from: PathBuf,
    /// What the image says it is.
    pub about: About,
    /// What is kept of files.
    pub policy: Policy,
    /// Absolute paths that are left out with everything in them; a last `*` stands for any rest of a name.
    pub leave_out: Vec<String>,
}

/// What came out.
#[derive(Debug)]
pub struct Gathered {
    /// The image file's bytes.
    pub file: Vec<u8>,
    /// Files whose content was left out because it holds a private key.
    pub secrets: Vec<String>,
    /// Names that are not UTF-8, which no visitor could see.
    pub skipped: usize,
}

/// Gathers a root file system.
pub fn build(order: &Order) -> Result<Gathered> {
    let metadata = fs::metadata(&order.from)
        .map_err(|source| ImageFileError::Read { path: order.from.clone(), source })?;
    let mut gathering = Gathering {
        builder: Builder::new(order.about.clone(), order.policy.clone()),
        leave_out: &order.leave_out,
        skipped: 0,
    };
    if metadata.is_dir() {
        gathering.folder(&order.from, metadata.dev())?;
    } else {
        gathering.tar(&order.from)?;
    }
    let Gathering { builder, skipped, .. } = gathering;
    let has = |path| builder.has(path);
    if !has("/etc") || !(has("/bin") || has("/usr/bin")) {
        return Err(ImageFileError::NoRoot { path: order.from.clone() });
    }
    let secrets = builder.secrets.clone();
    Ok(Gathered { file: builder.finish()?, secrets, skipped })
}

struct Gathering<'a> {
    builder: Builder,
    leave_out: &'a [String],
    skipped: usize,
}

impl Gathering<'_> {
    fn is_left_out(&self, path: &str) -> bool {
        let inside = |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
        VOLATILE.iter().any(|top| inside(top))
            || self.leave_out.iter().any(|top| match top.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == top || inside(top),
            })
    }

    fn folder(&mut self, root: &Path, device: u64) -> Result<()> {
        let mut first_names: HashMap<u64, String> = HashMap::new();
        let mut todo = vec![(root.to_owned(), String::new())];
        while let Some((folder, above)) = todo.pop() {
            let fault = |source| ImageFileError::Read { path: folder.clone(), source };
            for entry in fs::read_dir(&folder).map_err(fault)? {
                let entry = entry.map_err(fault)?;
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                    self.skipped += 1;
                    continue;
                };
                let (place, path) = (entry.path(), format!("{above}/{name}"));
                if self.is_left_out(&path) {
                    continue;
                }
                let read = |source| ImageFileError::Read { path: place.clone(), source };
                let metadata = fs::symlink_metadata(&place).map_err(read)?;
                let given = given(&metadata, &place)?;
                if given.kind == Kind::Dir {
                    self.builder.add(&path, given)?;
                    // What is mounted there belongs to another file system.
                    if metadata.dev() == device {
                        todo.push((place, path));
                    }
                    continue;
                }
                if metadata.nlink() > 1 {
                    if let Some(first) = first_names.get(&metadata.ino()) {
                        self.builder.link(first, &path)?;
                        continue;
                    }
                    first_names.insert(metadata.ino(), path.clone());
                }
                if given.kind == Kind::File {
                    self.file(&place, &path, given)?;
                } else {
                    self.builder.add(&path, given)?;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, place: &Path, path: &str, given: Given) -> Result<()> {
        let fault = |source| ImageFileError::Read { path: place.to_owned(), source };
        let mut file: Option<File> = None;
        let mut read = |offset: u64, length: usize| {
            if file.is_none() {
                let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
                file =
                    Some(OpenOptions::new().read(true).custom_flags(no_follow).open(place).map_err(fault)?);
            }
            let mut bytes = vec![0; length];
            if let Some(file) = &file {
                file.read_exact_at(&mut bytes, offset).map_err(fault)?;
            }
            Ok(bytes)
        };
        self.builder.add_file::<ImageFileError>(path, given, &mut read)
    }

    fn tar(&mut self, tar: &Path) -> Result<()> {
        let fault = |source| ImageFileError::Tar { path: tar.to_owned(), source };
        let read = |source| ImageFileError::Read { path: tar.to_owned(), source };
        let contents = File::open(tar).map_err(read)?;
        let mut links = Vec::new();
        let mut archive = tar::Archive::new(File::open(tar).map_err(read)?);
        for entry in archive.entries_with_seek().map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.path().map_err(fault)?;
            let Some(path) = absolute(&name) else {
                self.skipped += 1;
                continue;
            };
            if path.is_empty() || self.is_left_out(&path) {
                continue;
            }
            let target = entry.link_name().map_err(fault)?;
            let Ok(target) = target.as_deref().map_or(Ok(""), |target| target.to_str().ok_or(())) else {
                self.skipped += 1;
                continue;
            };
            let header = entry.header();
            let kind = match header.entry_type() {
                tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                    Kind::File
                }
                tar::EntryType::Directory => Kind::Dir,
                tar::EntryType::Symlink => Kind::Symlink,
                tar::EntryType::Char => Kind::CharDevice,
                tar::EntryType::Block => Kind::BlockDevice,
                tar::EntryType::Fifo => Kind::Fifo,
                tar::EntryType::Link => {
                    links.push((format!("/{}", target.trim_start_matches(['.', '/'])), path));
                    continue;
                }
                _ => continue,
            };
            let given = Given {
                kind,
                mode: header.mode().map_err(fault)? & 0o7777,
                uid: id(header.uid().map_err(fault)?),
                gid: id(header.gid().map_err(fault)?),
                mtime: header.mtime().map_err(fault)?,
                target: target.to_owned(),
                rdev: (
                    header.device_major().ok().flatten().unwrap_or_default(),
                    header.device_minor().ok().flatten().unwrap_or_default(),
                ),
                size: if kind == Kind::File { entry.size() } else { 0 },
            };
            if kind != Kind::File {
                self.builder.add(&path, given)?;
                continue;
            }
            let start = entry.raw_file_position();
            let mut read = |offset: u64, length: usize| {
                let mut bytes = vec![0; length];
                contents.read_exact_at(&mut bytes, start + offset).map_err(fault)?;
                Ok(bytes)
            };
            self.builder.add_file::<ImageFileError>(&path, given, &mut read)?;
        }
        for (existing, new) in links {
            if !self.is_left_out(&existing) {
                self.builder.link(&existing, &new)?;
            }
        }
        Ok(())
    }
}

/// The name of a tar entry as a path from the root; `None` for what is not UTF-8 or leads out of it.
fn absolute(name: &Path) -> Option<String> {
    let mut path = String::new();
    for part in name.components() {
        match part {
            std::path::Component::Normal(part) => {
                path.push('/');
                path.push_str(OsStr::to_str(part)?);
            }
            std::path::Component::RootDir | std::path::Component::CurDir => {}
            _ => return None,
        }
    }
    Some(path)
}

fn id(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(65_534)
}

fn given(metadata: &fs::Metadata, place: &Path) -> Result<Given> {
    let kind = match metadata.file_type() {
        kind if kind.is_dir() => Kind::Dir,
        kind if kind.is_symlink() => Kind::Symlink,
        kind if kind.is_char_device() => Kind::CharDevice,
        kind if kind.is_block_device() => Kind::BlockDevice,
        kind if kind.is_fifo() => Kind::Fifo,
        kind if kind.is_socket() => Kind::Socket,
        _ => Kind::File,
    };
    let target = if kind == Kind::Symlink {
        let target =
            fs::read_link(place).map_err(|source| ImageFileError::Read { path: place.to_owned(), source })?;
        target.to_string_lossy().into_owned()
    } else {
        String::new()
    };
    let device = metadata.rdev();
    Ok(Given {
        kind,
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        mtime: u64::try_from(metadata.mtime()).unwrap_or_default(),
        target,
        rdev: (rustix::fs::major(device), rustix::fs::minor(device)),
        size: if kind == Kind::File { metadata.len() } else { 0 },
    })
}

/// Loads an image file; `debian-12` is the one that is part of the program.
pub fn load(name: &Path) -> Result<Arc<Image>> {
    if name == Path::new("debian-12") {
        return Ok(Arc::clone(Image::debian_12()));
    }
    let fault = |source| ImageFileError::Read { path: name.to_owned(), source };
    let metadata = fs::metadata(name).map_err(fault)?;
    if metadata.len() > MOST_BYTES {
        return Err(ImageFileError::TooLarge { path: name.to_owned() });
    }
    if metadata.is_dir() {
        return Err(fault(io::Error::other(
            "it is a folder: make an image of it with `rustbucket image build`",
        )));
    }
    Ok(Arc::new(Image::decode(fs::read(name).map_err(fault)?.into())?))
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let fault = |source| ImageFileError::Write { path: path.to_owned(), source };
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes).map_err(fault)?;
    fs::rename(&fresh, path).map_err(fault)
}

#[cfg(test)]
mod tests;
