//! Directory listings in vsftpd's own format (its `ls.c`; it runs no `ls`).

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use crate::machine::{Entry, Files, Kind, files::Access};

use super::session::Session;

/// Files older than this show the year instead of the time.
const HALF_A_YEAR: Duration = Duration::from_secs(182 * 24 * 60 * 60);
/// The most bytes of one listing.
const LONGEST_LISTING: usize = 4 * 1024 * 1024;

/// The listing that LIST (`long`), NLST or STAT give for this argument; `None` if the directory may not be read.
pub(super) fn lines(
    session: &Session,
    files: &Files,
    argument: &str,
    mut long: bool,
    now: SystemTime,
) -> Option<Vec<u8>> {
    let (mut all, mut reverse, mut by_time, mut marks) = (false, false, false, false);
    let mut target = argument.trim_start();
    while let Some(rest) = target.strip_prefix('-') {
        let (options, after) = rest.split_once(' ').unwrap_or((rest, ""));
        for option in options.chars() {
            match option {
                'a' => all = true,
                'r' => reverse = true,
                't' => by_time = true,
                'F' => marks = true,
                'l' => long = true,
                _ => {}
            }
        }
        target = after.trim_start();
    }
    let mut path = session.path(files, target);
    let (mut pattern, mut before) = (None, target);
    if !target.is_empty() && !files.is_dir(&path) {
        // Not a directory: the last part is a pattern for the names of the directory before it.
        let (folder, name) = target.rsplit_once('/').map_or(("", target), |(folder, name)| (folder, name));
        path = if target.starts_with('/') && folder.is_empty() {
            "/".to_owned()
        } else {
            session.path(files, folder)
        };
        pattern = Some(name.to_owned());
        before = folder;
        if !files.is_dir(&path) {
            return Some(Vec::new());
        }
    }
    if !session.may(files, &path, Access::Read) {
        return None;
    }
    let mut entries = files.list(&path).ok()?;
    if all {
        for (name, place) in [(".", path.clone()), ("..", files.resolve(&path, ".."))] {
            if let Ok(attributes) = files.stat(&place) {
                entries.push(Entry { name: name.to_owned(), attributes });
            }
        }
    }
    entries.retain(|entry| {
        (all || !entry.name.starts_with('.'))
            && pattern.as_ref().is_none_or(|pattern| matches(pattern, &entry.name))
    });
    entries.sort_by(|a, b| {
        let order = if by_time {
            b.attributes.mtime.cmp(&a.attributes.mtime)
        } else {
            a.name.as_bytes().cmp(b.name.as_bytes())
        };
        if reverse { order.reverse() } else { order }
    });
    // Names alone are told with the folder that was asked for.
    let before = if long || matches!(before, "" | ".") {
        String::new()
    } else {
        format!("{}/", before.trim_end_matches('/'))
    };
    let mut out = Vec::with_capacity(entries.len() * 72);
    for entry in &entries {
        if out.len() > LONGEST_LISTING {
            break;
        }
        let text = if long { long_line(files, &path, entry, now) } else { format!("{before}{}", entry.name) };
        out.extend_from_slice(text.as_bytes());
        if marks && entry.attributes.is_dir() {
            out.push(b'/');
        }
        out.extend_from_slice(b"\r\n");
    }
    Some(out)
}

fn long_line(files: &Files, folder: &str, entry: &Entry, now: SystemTime) -> String {
    let node = &entry.attributes;
    let time = DateTime::<Utc>::from(node.mtime);
    let recent = now.duration_since(node.mtime).is_ok_and(|age| age <= HALF_A_YEAR);
    let date = time.format(if recent { "%b %d %H:%M" } else { "%b %d  %Y" });
    let link = match node.kind {
        Kind::Symlink => {
            files.read_link(&format!("{folder}/{}", entry.name)).map(|target| format!(" -> {target}"))
        }
        _ => Ok(String::new()),
    }
    .unwrap_or_default();
    let (mode, nlink, uid, gid, size) = (node.mode_text(), node.nlink, node.uid, node.gid, node.size);
    format!("{mode} {nlink:>4} {uid:<8} {gid:<8} {size:>8} {date} {}{link}", entry.name)
}

/// vsftpd's patterns: `*`, `?` and `{a,b}`. Iterative, so that no pattern costs more than its length times the name's.
fn matches(pattern: &str, name: &str) -> bool {
    if let Some((before, rest)) = pattern.split_once('{')
        && let Some((choices, after)) = rest.split_once('}')
        && !after.contains('{')
    {
        return choices
            .split(',')
            .take(64)
            .any(|choice| star_matches(&format!("{before}{choice}{after}"), name));
    }
    star_matches(pattern, name)
}

fn star_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == byte => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, tried)) => {
                    star = Some((at, tried + 1));
                    p = at + 1;
                    n = tried + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_the_daemon_does() {
        for (pattern, name, want) in [
            ("*.txt", "notes.txt", true),
            ("*.txt", "notes.tar", false),
            ("n?tes*", "notes.txt", true),
            ("{a,notes}.txt", "notes.txt", true),
            ("notes", "notes.txt", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
    }
}
