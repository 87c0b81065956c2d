//! Making an archive.

use std::io::Write as _;

use super::{
    super::{Call, Said},
    BLOCK, MOST_BYTES, MOST_MEMBERS,
    order::{Order, complain, fatal},
};
use crate::machine::{Access, Attributes, files::Kind};

/// `c`.
pub(super) fn create(call: &Call<'_>, order: &Order) -> Said {
    if order.names.is_empty() {
        return complain("Cowardly refusing to create an empty archive", 2);
    }
    let mut said = Said::default();
    let to_stdout = order.file.as_deref().is_none_or(|file| file == "-");
    let base = order.folder.as_deref().map_or_else(|| call.cwd.to_owned(), |folder| call.path(folder));
    let (mut bytes, mut count, mut stripped) = (Vec::new(), 0, false);
    let mut todo: Vec<String> = order.names.iter().rev().cloned().collect();
    while let Some(name) = todo.pop() {
        let path = call.files().resolve(&base, &name);
        let node = match call.files().lstat(&path) {
            Ok(node) => node,
            Err(error) => {
                said.err.extend(format!("tar: {name}: Cannot stat: {}\n", error.errno_text()).bytes());
                said.status = 2;
                continue;
            }
        };
        count += 1;
        if count > MOST_MEMBERS || bytes.len() as u64 > MOST_BYTES {
            break;
        }
        if name.starts_with('/') && !stripped {
            stripped = true;
            said.err.extend_from_slice(b"tar: Removing leading `/' from member names\n");
        }
        if order.verbose {
            let shown = if node.is_dir() {
                format!("{}/\n", name.trim_end_matches('/'))
            } else {
                format!("{name}\n")
            };
            if to_stdout { said.err.extend(shown.bytes()) } else { said.out.extend(shown.bytes()) }
        }
        put(call, &path, &name, &node, &mut bytes);
        if node.is_dir() {
            let entries = call.files().list(&path).unwrap_or_default();
            todo.extend(
                entries
                    .into_iter()
                    .rev()
                    .map(|entry| format!("{}/{}", name.trim_end_matches('/'), entry.name)),
            );
        }
    }
    if said.status != 0 {
        said.err.extend_from_slice(b"tar: Exiting with failure status due to previous errors\n");
    }
    // Two empty records, then filled up to a whole tape record.
    bytes.resize((bytes.len() + 2 * BLOCK).div_ceil(20 * BLOCK) * 20 * BLOCK, 0);
    if order.gzip {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        // Writing to memory cannot fail.
        let _ = encoder.write_all(&bytes);
        bytes = encoder.finish().unwrap_or_default();
    }
    if to_stdout {
        said.out.extend_from_slice(&bytes);
        return said;
    }
    let file = order.file.as_deref().unwrap_or_default();
    let (path, who) = (call.path(file), call.session.who());
    let written = call
        .files()
        .may(who.uid, who.gid, &path, Access::Write)
        .and_then(|()| call.files().write(&path, &bytes, &who, 0o666 & !call.session.umask()));
    match written {
        Ok(()) => said,
        Err(error) => fatal(&format!("{file}: Cannot open: {}", error.errno_text())),
    }
}

/// Adds one member.
fn put(call: &Call<'_>, path: &str, name: &str, node: &Attributes, bytes: &mut Vec<u8>) {
    let content = if node.kind == Kind::File {
        call.files().read(path).unwrap_or_default()
    } else {
        bytes::Bytes::new()
    };
    let shown = name.trim_start_matches('/');
    let shown = if node.is_dir() { format!("{}/", shown.trim_end_matches('/')) } else { shown.to_owned() };
    let (kind, link) = match node.kind {
        Kind::Dir => (b'5', String::new()),
        Kind::Symlink => (b'2', call.files().read_link(path).unwrap_or_default()),
        _ => (b'0', String::new()),
    };
    let mut block = [0_u8; BLOCK];
    let mut field = |from: usize, text: &[u8], most: usize| {
        let length = text.len().min(most);
        if let (Some(to), Some(text)) = (block.get_mut(from..from + length), text.get(..length)) {
            to.copy_from_slice(text);
        }
    };
    let time = node.mtime.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    field(0, shown.as_bytes(), 100);
    field(100, format!("{:07o}", node.mode).as_bytes(), 8);
    field(108, format!("{:07o}", node.uid).as_bytes(), 8);
    field(116, format!("{:07o}", node.gid).as_bytes(), 8);
    field(124, format!("{:011o}", content.len()).as_bytes(), 12);
    field(136, format!("{time:011o}").as_bytes(), 12);
    field(148, b"        ", 8);
    field(156, &[kind], 1);
    field(157, link.as_bytes(), 100);
    field(257, b"ustar  ", 8);
    let user = call.identity().account_by_uid(node.uid).map_or("", |user| user.name.as_str());
    field(265, user.as_bytes(), 31);
    field(297, user.as_bytes(), 31);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(to) = block.get_mut(148..156) {
        to.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes.extend_from_slice(&block);
    bytes.extend_from_slice(&content);
    bytes.resize(bytes.len().div_ceil(BLOCK) * BLOCK, 0);
}
