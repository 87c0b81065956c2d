//! Where names lead to: `realpath` and `readlink` (coreutils 9.1).

use std::collections::VecDeque;

use super::{
    Call, Said,
    getopt::{self, Given},
    quoting::Style,
};
use crate::machine::{FileError, files::Kind};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// What of a path has to be there.
#[derive(Clone, Copy, PartialEq)]
enum Must {
    All,
    Parents,
    Nothing,
}

/// The path without links, `.` and `..`.
fn canonical(call: &Call<'_>, operand: &str, must: Must, follow: bool) -> Result<String, FileError> {
    if operand.is_empty() {
        return Err(FileError::NotFound);
    }
    let whole = if operand.starts_with('/') { operand.to_owned() } else { format!("{}/{operand}", call.cwd) };
    let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let mut todo: VecDeque<String> = parts(&whole).into();
    let (mut done, mut links): (Vec<String>, usize) = (Vec::new(), 0);
    let mut own = None;
    while let Some(part) = todo.pop_front() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                done.pop();
                continue;
            }
            _ => {}
        }
        done.push(part);
        let path = format!("/{}", done.join("/"));
        let is_last = todo.iter().all(String::is_empty);
        match call.files().lstat(&path) {
            Ok(node) if node.kind == Kind::Symlink && follow => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(FileError::TooManyLinks);
                }
                // Whoever reads it is the one it names.
                let target = if own.as_ref() == Some(&path) {
                    format!("/usr/bin/{}", call.name)
                } else {
                    call.files().read_link(&path)?
                };
                if path == "/proc/self" {
                    own = Some(format!("/proc/{target}/exe"));
                }
                done.pop();
                if target.starts_with('/') {
                    done.clear();
                }
                for part in parts(&target).into_iter().rev() {
                    todo.push_front(part);
                }
            }
            Ok(node) => {
                let leads = node.is_dir() || node.kind == Kind::Symlink;
                if !leads && !todo.is_empty() && must != Must::Nothing {
                    return Err(FileError::NotADirectory);
                }
            }
            Err(_) if must == Must::Nothing || must == Must::Parents && is_last => {}
            Err(error) => return Err(error),
        }
    }
    Ok(format!("/{}", done.join("/")))
}

fn shown(name: &str) -> String {
    Style::ShellEscape(false).write(name)
}

pub(super) fn realpath(call: &Call<'_>) -> Said {
    match real_paths(call) {
        Ok(said) | Err(said) => said,
    }
}

fn real_paths(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-E, --canonicalize"], 1)?;
    if given.operands.is_empty() {
        return Err(getopt::misused(call, "missing operand", 1));
    }
    let must = must(&given);
    let links = given.last(&["logical", "physical", "strip"]);
    let one = |operand: &str| {
        let textual = links == Some("logical") && !operand.is_empty();
        let operand = if textual { call.path(operand) } else { operand.to_owned() };
        canonical(call, &operand, must, links != Some("strip"))
    };
    let base = |option: &str| -> Result<Option<String>, Said> {
        let Some(text) = given.value(option) else { return Ok(None) };
        match one(text) {
            Ok(path) => Ok(Some(path)),
            Err(error) => {
                Err(Said::err(format!("{}: {}: {}\n", call.name, shown(text), error.errno_text()), 1))
            }
        }
    };
    let (to, within) = (base("relative-to")?, base("relative-base")?);
    let to = to.or_else(|| within.clone());
    let within =
        within.filter(|base| to.as_ref().is_none_or(|to| is_below(to, base)) || given.has("relative-to"));
    let end = if given.has("zero") { '\0' } else { '\n' };
    let mut said = Said::default();
    for operand in &given.operands {
        match one(operand) {
            Ok(path) => {
                let path = match (&to, &within) {
                    (Some(to), Some(base)) if !is_below(&path, base) || !is_below(to, base) => path,
                    (Some(to), _) => relative(&path, to),
                    (None, _) => path,
                };
                said.out.extend(format!("{path}{end}").bytes());
            }
            Err(error) => {
                said.status = 1;
                if !given.has("quiet") {
                    said.err.extend(
                        format!("{}: {}: {}\n", call.name, shown(operand), error.errno_text()).bytes(),
                    );
                }
            }
        }
    }
    Ok(said)
}

fn must(given: &Given) -> Must {
    match given.last(&["canonicalize-existing", "canonicalize-missing", "canonicalize"]) {
        Some("canonicalize-existing") => Must::All,
        Some("canonicalize-missing") => Must::Nothing,
        _ => Must::Parents,
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The way from a folder to a path.
fn relative(path: &str, folder: &str) -> String {
    let parts =
        |text: &str| text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, folder) = (parts(path), parts(folder));
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), folder.len() - shared);
    let way: Vec<String> = up.chain(path.into_iter().skip(shared)).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}

/// The way to `source` from the folder that `to` is put into, as `ln -r` writes it.
pub(super) fn from_folder_of(call: &Call<'_>, source: &str, to: &str) -> String {
    let real = |operand: &str| canonical(call, operand, Must::Nothing, true);
    let folder = match to.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    };
    match (real(source), real(folder)) {
        (Ok(path), Ok(folder)) => relative(&path, &folder),
        _ => source.to_owned(),
    }
}

pub(super) fn readlink(call: &Call<'_>) -> Said {
    let given = match getopt::cut(call, &[], 1) {
        Ok(given) => given,
        Err(said) => return said,
    };
    if given.operands.is_empty() {
        return getopt::misused(call, "missing operand", 1);
    }
    let whole =
        given.last(&["canonicalize", "canonicalize-existing", "canonicalize-missing"]).map(|_| must(&given));
    let (zero, mut bare) = (given.has("zero"), given.has("no-newline"));
    let mut said = Said::default();
    if bare && given.operands.len() > 1 {
        bare = false;
        said.err = format!("{}: ignoring --no-newline with multiple arguments\n", call.name).into();
    }
    for operand in &given.operands {
        let found = match whole {
            Some(must) => canonical(call, operand, must, true),
            None if operand.is_empty() => Err(FileError::NotFound),
            None => call.files().lstat(&call.path(operand)).and_then(|node| {
                if node.kind == Kind::Symlink {
                    call.files().read_link(&call.path(operand))
                } else {
                    Err(FileError::Invalid)
                }
            }),
        };
        match found {
            Ok(path) => {
                let end = if bare {
                    ""
                } else if zero {
                    "\0"
                } else {
                    "\n"
                };
                said.out.extend(format!("{path}{end}").bytes());
            }
            Err(error) => {
                said.status = 1;
                if given.last(&["verbose", "quiet"]) == Some("verbose") {
                    said.err.extend(
                        format!("{}: {}: {}\n", call.name, shown(operand), error.errno_text()).bytes(),
                    );
                }
            }
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_between_folders() {
        for (path, folder, way) in [
            ("/etc/passwd", "/etc/apt", "../passwd"),
            ("/usr/bin/ls", "/etc/apt", "../../usr/bin/ls"),
            ("/etc", "/etc", "."),
            ("/etc/a/b", "/", "etc/a/b"),
        ] {
            assert_eq!(relative(path, folder), way);
        }
    }
}
