//! `unzip` 6.00: lists and unpacks stored and deflated members over the machine's files.

use std::io::Read as _;

use super::{Call, Said, removing, usage};

/// The most that one member unpacks to.
const MOST: u64 = 16 * 1024 * 1024;
/// Members that one call handles.
const MOST_MEMBERS: usize = 5_000;

/// One row of the central directory (APPNOTE 4.3.12).
struct Member {
    name: String,
    method: u16,
    packed: usize,
    size: usize,
    offset: usize,
    unix_mode: u32,
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    Some(field.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

/// The central directory; `None` when there is none.
fn directory(bytes: &[u8]) -> Option<Vec<Member>> {
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let (count, mut at) = (number(bytes, end + 10, 2)?, number(bytes, end + 16, 4)?);
    let mut members = Vec::new();
    for _ in 0..count.min(MOST_MEMBERS) {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let (name, extra, comment) =
            (number(bytes, at + 28, 2)?, number(bytes, at + 30, 2)?, number(bytes, at + 32, 2)?);
        members.push(Member {
            name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned(),
            method: number(bytes, at + 10, 2)? as u16,
            packed: number(bytes, at + 20, 4)?,
            size: number(bytes, at + 24, 4)?,
            offset: number(bytes, at + 42, 4)?,
            unix_mode: (number(bytes, at + 38, 4)? >> 16) as u32 & 0o777,
        });
        at += 46 + name + extra + comment;
    }
    Some(members)
}

fn content(bytes: &[u8], member: &Member) -> Option<Vec<u8>> {
    let begin =
        member.offset + 30 + number(bytes, member.offset + 26, 2)? + number(bytes, member.offset + 28, 2)?;
    let packed = bytes.get(begin..begin.checked_add(member.packed)?)?;
    match member.method {
        0 => Some(packed.to_vec()),
        8 => {
            let mut content = Vec::new();
            flate2::read::DeflateDecoder::new(packed).take(MOST).read_to_end(&mut content).ok()?;
            Some(content)
        }
        _ => None,
    }
}

pub(super) fn unzip(call: &Call<'_>) -> Said {
    let options = call.options("dxP");
    let [archive, wanted @ ..] = options.operands.as_slice() else {
        return usage::of("unzip", &[], false).unwrap_or_else(|| Said::nothing(10));
    };
    let names = [archive.clone(), format!("{archive}.zip"), format!("{archive}.ZIP")];
    let found = names.iter().find_map(|name| Some((name, call.files().read(&call.path(name)).ok()?)));
    let Some((name, bytes)) = found else {
        return Said::err(
            format!("unzip:  cannot find or open {archive}, {archive}.zip or {archive}.ZIP.\n"),
            9,
        );
    };
    let Some(members) = directory(&bytes) else {
        return Said {
            out: format!("Archive:  {name}\n").into(),
            err: format!(
                "  End-of-central-directory signature not found.  Either this file is not\n  a zipfile, or it constitutes one disk of a multi-part archive.  In the\n  latter case the central directory and zipfile comment will be found on\n  the last disk(s) of this archive.\nunzip:  cannot find zipfile directory in one of {name} or\n        {name}.zip, and cannot find {name}.ZIP, period.\n"
            )
            .into(),
            status: 9,
        };
    };
    let quiet = options.has('q');
    let mut said = Said::default();
    if !quiet {
        said.out.extend(format!("Archive:  {name}\n").bytes());
    }
    if options.has('l') {
        said.out
            .extend_from_slice(b"  Length      Date    Time    Name\n---------  ---------- -----   ----\n");
        for member in &members {
            said.out.extend(format!("{:>9}  1980-01-01 00:00   {}\n", member.size, member.name).bytes());
        }
        let sum: usize = members.iter().map(|member| member.size).sum();
        said.out.extend(
            format!(
                "---------                     -------\n{sum:>9}                     {} file{}\n",
                members.len(),
                if members.len() == 1 { "" } else { "s" }
            )
            .bytes(),
        );
        return said;
    }
    let folder = call.path(options.value('d').unwrap_or("."));
    let who = call.session.who();
    for member in members.iter().filter(|member| wanted.is_empty() || wanted.contains(&member.name)) {
        let parts: Vec<&str> =
            member.name.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
        let path = format!("{}/{}", folder.trim_end_matches('/'), parts.join("/"));
        if member.name.ends_with('/') {
            // A directory that is there is fine.
            let _ = call.files().make_dir_all(&path, &who, 0o755);
            if !quiet {
                said.out.extend(format!("   creating: {}\n", member.name).bytes());
            }
            continue;
        }
        let Some(content) = content(&bytes, member) else { continue };
        if options.has('p') {
            said.out.extend_from_slice(&content);
            continue;
        }
        let mode = if member.unix_mode == 0 { 0o644 } else { member.unix_mode };
        let written = call
            .files()
            .make_dir_all(removing::parent_of(&path), &who, 0o755)
            .and_then(|()| removing::may_change_name(call, &path))
            .and_then(|()| call.files().write(&path, &content, &who, mode));
        match written {
            Ok(()) if quiet => {}
            Ok(()) => {
                let verb = if member.method == 8 { "inflating" } else { "extracting" };
                said.out.extend(format!("{verb:>11}: {:<22}  \n", member.name).bytes());
            }
            Err(error) => {
                said.err.extend(
                    format!("error:  cannot create {}\n        {}\n", member.name, error.errno_text())
                        .bytes(),
                );
                said.status = 50;
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::directory;

    #[test]
    fn what_is_no_archive_has_no_directory() {
        assert!(directory(b"").is_none());
        assert!(directory(b"PK\x05\x06").is_none());
        assert!(directory(&[b"PK\x05\x06".as_slice(), &[255; 40]].concat()).is_none());
    }
}
