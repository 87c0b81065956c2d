//! `tar`: GNU tar 1.34 over the machine's files; archives are GNU's, plain or packed.

mod create;
mod listed;
mod member;
mod order;

use super::{Call, Said, compressing, patterns::is_like, removing, usage};
use crate::machine::{Access, FileError, files::Kind};
use listed::listed;
use member::{Member, header, text_of};
use order::{Order, complain, fatal, order};

/// The most that an archive may unpack to.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Members that one call handles.
const MOST_MEMBERS: usize = 20_000;
/// One record of an archive.
const BLOCK: usize = 512;

pub(super) fn tar(call: &Call<'_>) -> Said {
    if let Some(said) = usage::said(call) {
        return said;
    }
    let order = match order(call.args) {
        Ok(order) => order,
        Err(said) => return said,
    };
    match order.mode {
        None => complain("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options", 2),
        Some('x' | 't' | 'd') => read(call, &order),
        Some(_) => create::change(call, &order),
    }
}

/// The archive's bytes, unpacked, or what tar and its filter say.
fn archive(call: &Call<'_>, order: &Order) -> Result<Vec<u8>, Said> {
    let filtered = order.filter.is_some();
    let packed = match order.file.as_deref() {
        None | Some("-") => {
            if call.stdin.is_none() && call.to_terminal {
                return Err(fatal("Refusing to read archive contents from terminal (missing -f option?)"));
            }
            call.stdin.unwrap_or_default().to_vec()
        }
        Some(name) => {
            let (path, who) = (call.path(name), call.session.who());
            let bytes = call.files().stat(&path).and_then(|node| {
                if node.is_dir() {
                    return Err(FileError::IsADirectory);
                }
                call.files().may(who.uid, who.gid, &path, Access::Read)?;
                call.files().read(&path)
            });
            match bytes {
                Ok(bytes) => bytes.to_vec(),
                Err(FileError::IsADirectory) => {
                    return Err(fatal(&format!(
                        "{name}: Cannot read: Is a directory\ntar: At beginning of tape, quitting now"
                    )));
                }
                Err(error) if filtered => {
                    return Err(Said::err(
                        format!(
                            "tar (child): {name}: Cannot open: {}\ntar (child): Error is not recoverable: exiting now\ntar: Child returned status 2\ntar: Error is not recoverable: exiting now\n",
                            error.errno_text()
                        ),
                        2,
                    ));
                }
                Err(error) if call.applet => {
                    return Err(Said::err(format!("tar: can't open '{name}': {}\n", error.errno_text()), 1));
                }
                Err(error) => return Err(fatal(&format!("{name}: Cannot open: {}", error.errno_text()))),
            }
        }
    };
    let kind = match (order.filter, compressing::kind_of(&packed)) {
        (Some(filter), _) => create::filter_kind(filter),
        (None, Some(kind)) => kind,
        (None, None) => return Ok(packed),
    };
    let child = |text: &str, status: i32| {
        Said::err(
            format!(
                "{text}tar: Child returned status {status}\ntar: Error is not recoverable: exiting now\n"
            ),
            2,
        )
    };
    let (name, status) = match kind {
        compressing::Kind::Gzip => ("stdin", 1),
        compressing::Kind::Bzip2 => ("(stdin)", 2),
        compressing::Kind::Xz => ("(stdin)", 1),
    };
    compressing::unpacked(&packed, kind, MOST_BYTES, name).map_err(|text| child(&text, status))
}

/// Whether a member is what the name names, or lies in it.
fn is_within(member: &str, name: &str) -> bool {
    let name = name.trim_end_matches('/');
    let rest = member.trim_end_matches('/').strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Names that no member answered to.
fn not_found(names: &[String], found: &[bool], said: &mut Said) {
    for (name, _) in names.iter().zip(found).filter(|(_, found)| !**found) {
        said.err.extend(format!("tar: {name}: Not found in archive\n").bytes());
        said.status = 2;
    }
}

/// `x`, `t` and `d`.
fn read(call: &Call<'_>, order: &Order) -> Said {
    let mut found = vec![false; order.names.len()];
    let mut said = members(call, order, &mut found);
    let complete = said.status == 0 || said.status == 1 || said.err.ends_with(LATER);
    if complete {
        not_found(&order.names, &found, &mut said);
    }
    if said.err.ends_with(LATER) || complete && said.status == 2 {
        said.err.extend_from_slice(b"tar: Exiting with failure status due to previous errors\n");
    }
    said
}

/// How complaints end after which an archive is read on.
const LATER: &[u8] = b"Cannot open: File exists\n";

/// Goes through the members; `found` tells which names were met.
fn members(call: &Call<'_>, order: &Order, found: &mut [bool]) -> Said {
    let bytes = match archive(call, order) {
        Ok(bytes) => bytes,
        Err(said) => return said,
    };
    let mut said = Said::default();
    if let Some(folder) = &order.folder
        && !call.files().is_dir(&call.path(folder))
    {
        return fatal(&format!("{folder}: Cannot open: No such file or directory"));
    }
    let (mut at, mut count) = (0, 0);
    let (mut long_name, mut long_link) = (None::<String>, None::<String>);
    let mut stripped = false;
    if bytes.is_empty() && order.file.as_deref().is_some_and(|file| file != "-") {
        return said;
    }
    loop {
        let Some(block) = bytes.get(at..at + BLOCK) else {
            if count == 0 {
                return Said::err(
                    "tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n",
                    2,
                );
            }
            if at < bytes.len() {
                said.err.extend_from_slice(
                    b"tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now\n",
                );
                said.status = 2;
            }
            return said;
        };
        if block.iter().all(|byte| *byte == 0) {
            let lone = bytes.get(at + BLOCK..at + 2 * BLOCK).is_none();
            if lone {
                said.err.extend(format!("tar: A lone zero block at {}\n", at / BLOCK + 1).bytes());
            }
            return said;
        }
        let Some(mut member) = header(block) else {
            let first = if count == 0 { "tar: This does not look like a tar archive\n" } else { "" };
            let text = format!(
                "{first}tar: Skipping to next header\ntar: Exiting with failure status due to previous errors\n"
            );
            said.err.extend(text.bytes());
            said.status = 2;
            return said;
        };
        let begin = at + BLOCK;
        let content = bytes.get(begin..begin.saturating_add(member.size));
        at = begin.saturating_add(member.size.div_ceil(BLOCK).saturating_mul(BLOCK));
        count += 1;
        if count > MOST_MEMBERS {
            return said;
        }
        if member.kind == b'L' {
            long_name = content.map(text_of);
            continue;
        }
        if member.kind == b'K' {
            long_link = content.map(text_of);
            continue;
        }
        if matches!(member.kind, b'x' | b'g') {
            continue;
        }
        if let Some(link) = long_link.take() {
            member.link = link;
        }
        if let Some(name) = long_name.take() {
            member.name = name;
        }
        let mut wanted = order.names.is_empty();
        for (name, found) in order.names.iter().zip(found.iter_mut()) {
            if is_within(&member.name, name)
                || order.wildcards && is_like(member.name.trim_end_matches('/'), name)
            {
                (wanted, *found) = (true, true);
            }
        }
        if !wanted || order.excludes(&member.name) {
            continue;
        }
        if member.name.starts_with('/') && !order.absolute && !stripped {
            stripped = true;
            said.err.extend_from_slice(b"tar: Removing leading `/' from member names\n");
        }
        let stored = order.transformed(&member.name);
        if order.mode == Some('d') {
            compare(call, order, &member, content.unwrap_or_default(), &mut said);
            continue;
        }
        if order.mode == Some('t') {
            said.out.extend(
                if order.verbose { listed(&member, order) } else { format!("{}\n", member.name) }.bytes(),
            );
            continue;
        }
        if order.to_stdout {
            said.out.extend_from_slice(content.unwrap_or_default());
            continue;
        }
        if order.verbose {
            said.out.extend(format!("{}\n", member.name).bytes());
        }
        member.name = stored;
        if let Err((name, error)) = unpack(call, order, &member, content.unwrap_or_default()) {
            said.err.extend(format!("tar: {name}: Cannot open: {}\n", error.errno_text()).bytes());
            said.status = 2;
        }
        if content.is_none() {
            said.err.extend_from_slice(
                b"tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now\n",
            );
            said.status = 2;
            return said;
        }
    }
}

/// `d`: what is other in the files than in the archive.
fn compare(call: &Call<'_>, order: &Order, member: &Member, content: &[u8], said: &mut Said) {
    let base = order.folder.as_deref().map_or_else(|| call.cwd.to_owned(), |folder| call.path(folder));
    let path = call.files().resolve(&base, &member.name);
    let name = member.name.trim_end_matches('/');
    let Ok(node) = call.files().lstat(&path) else {
        said.err.extend(format!("tar: {name}: Warning: Cannot stat: No such file or directory\n").bytes());
        said.status = said.status.max(1);
        return;
    };
    let seconds = node.mtime.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let is_file = node.kind == Kind::File;
    let differs = [
        (node.mode & 0o7777 != member.mode, "Mode"),
        (node.uid != member.uid, "Uid"),
        (node.gid != member.gid, "Gid"),
        (is_file && seconds != member.mtime, "Mod time"),
        (is_file && node.size != member.size as u64, "Size"),
    ];
    let mut texts: Vec<String> = differs
        .iter()
        .filter(|(differs, _)| *differs)
        .map(|(_, what)| format!("{name}: {what} differs\n"))
        .collect();
    let same_size = is_file && node.size == member.size as u64;
    if same_size && call.files().read(&path).is_ok_and(|now| now != content) {
        texts.push(format!("{name}: Contents differ\n"));
    }
    if !texts.is_empty() {
        said.out.extend(texts.concat().bytes());
        said.status = said.status.max(1);
    }
}

fn unpack(
    call: &Call<'_>,
    order: &Order,
    member: &Member,
    content: &[u8],
) -> Result<(), (String, FileError)> {
    // Members never leave the folder: tar strips leading slashes and refuses `..`.
    let parts: Vec<&str> =
        member.name.split('/').filter(|part| !part.is_empty() && *part != ".").skip(order.strip).collect();
    if parts.is_empty() || parts.contains(&"..") {
        return Ok(());
    }
    let relative = parts.join("/");
    let base = call.path(order.folder.as_deref().unwrap_or("."));
    let path = format!("{}/{relative}", base.trim_end_matches('/'));
    let (files, who) = (call.files(), call.session.who());
    let fail = |error| (member.name.clone(), error);
    let parent = removing::parent_of(&path).to_owned();
    if !files.is_dir(&parent) {
        files.make_dir_all(&parent, &who, 0o755).map_err(fail)?;
    }
    removing::may_change_name(call, &path).map_err(fail)?;
    if order.keep_old && member.kind != b'5' && files.lstat(&path).is_ok() {
        return Err(fail(FileError::Exists));
    }
    match member.kind {
        b'5' => match files.make_dir(&path, &who, member.mode) {
            Err(FileError::Exists) if files.is_dir(&path) => {}
            other => other.map_err(fail)?,
        },
        b'2' => {
            // One that is in the way is replaced.
            let _ = files.remove(&path);
            return files.symlink(&member.link, &path, &who).map_err(fail);
        }
        b'1' => {
            let target = format!("{}/{}", base.trim_end_matches('/'), member.link.trim_start_matches("./"));
            let _ = files.remove(&path); // as above
            return files.link(&target, &path).map_err(fail);
        }
        _ => {
            if files.lstat(&path).is_ok_and(|node| node.kind == Kind::Symlink) {
                let _ = files.remove(&path); // as above
            }
            files.write(&path, content, &who, member.mode & 0o777).map_err(fail)?;
            files.set_mode(&path, member.mode).map_err(fail)?;
        }
    }
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(member.mtime.min(u64::from(u32::MAX)));
    files.set_times(&path, None, Some(time)).map_err(fail)?;
    if who.uid == 0 {
        files.set_owner(&path, Some(member.uid), Some(member.gid)).map_err(fail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_first_word_needs_no_dash() {
        let read = order(&words("xzvf a.tgz b")).unwrap_or_default();
        assert_eq!(
            (read.mode, read.file.as_deref(), read.filter),
            (Some('x'), Some("a.tgz"), Some(order::Filter::Gzip))
        );
        assert_eq!(read.names, ["b"]);
        let odd = order(&words("-xfvz a.tgz")).unwrap_or_default();
        assert_eq!(odd.file.as_deref(), Some("vz"));
        assert_eq!(order(&words("Elena.zip")).err().map(|said| said.status), Some(64));
    }
}
