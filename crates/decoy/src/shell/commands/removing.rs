//! Taking names away: `rm`, `rmdir`, `unlink` (GNU coreutils 9.1, busybox 1.35).

use super::{
    Call, Options, Said,
    complaint::{self, Known},
    quoting::quoted,
};
use crate::machine::{Access, Attributes, FileError};

/// What may be removed in one call.
const MOST: usize = 200_000;

/// Whether names in the directory of this path may be taken away.
pub(super) fn may_change_name(call: &Call<'_>, path: &str) -> Result<(), FileError> {
    let parent = parent_of(path);
    let who = call.session.who();
    call.files().may(who.uid, who.gid, parent, Access::Write)?;
    if who.uid != 0
        && let (Ok(directory), Ok(node)) = (call.files().stat(parent), call.files().lstat(path))
        && directory.mode & 0o1000 != 0
        && node.uid != who.uid
        && directory.uid != who.uid
    {
        return Err(FileError::NotPermitted);
    }
    Ok(())
}

/// The directory of a path.
pub(super) fn parent_of(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

struct Removal<'a> {
    call: &'a Call<'a>,
    force: bool,
    recursive: bool,
    dir: bool,
    verbose: bool,
    done: usize,
    said: Said,
}

impl Removal<'_> {
    fn fail(&mut self, shown: &str, error: FileError) {
        let text = if self.call.applet {
            format!("rm: can't remove '{shown}': {}\n", error.errno_text())
        } else {
            format!("rm: cannot remove {}: {}\n", quoted(shown), error.errno_text())
        };
        self.said.err.extend(text.bytes());
        self.said.status = 1;
    }

    fn tell(&mut self, shown: &str, is_dir: bool) {
        if self.verbose {
            let what = if is_dir && !self.call.applet { "removed directory" } else { "removed" };
            self.said.out.extend(format!("{what} {}\n", quoted(shown)).bytes());
        }
    }

    fn operand(&mut self, operand: &str) {
        let last = operand.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if matches!(last, "." | "..") && self.recursive {
            let text = if self.call.applet {
                format!("rm: can't remove '.' or '..'\n")
            } else {
                format!("rm: refusing to remove '.' or '..' directory: skipping {}\n", quoted(operand))
            };
            self.said.err.extend(text.bytes());
            self.said.status = 1;
            return;
        }
        let path = self.call.path(operand);
        let node = match self.call.files().lstat(&path) {
            Ok(node) => node,
            Err(FileError::NotFound | FileError::NotADirectory) if self.force => return,
            Err(error) => return self.fail(operand, error),
        };
        if node.is_dir() && !self.recursive {
            if self.dir {
                return self.one(&path, operand, &node);
            }
            if self.call.applet {
                self.said.err.extend(format!("rm: '{operand}' is a directory\n").bytes());
                self.said.status = 1;
                return;
            }
            return self.fail(operand, FileError::IsADirectory);
        }
        self.tree(path.trim_end_matches('/'), operand.trim_end_matches('/'), &node, 0);
    }

    /// A directory from the bottom up.
    fn tree(&mut self, path: &str, shown: &str, node: &Attributes, depth: usize) {
        self.done += 1;
        if node.is_dir() && depth < 200 && self.done < MOST {
            // Files of the kernel stay: their file systems know no removal.
            let entries = match self.call.files().list(path) {
                Ok(entries) => entries,
                Err(error) => return self.fail(shown, error),
            };
            for entry in entries {
                let (path, shown) = (format!("{path}/{}", entry.name), format!("{shown}/{}", entry.name));
                self.tree(&path, &shown, &entry.attributes, depth + 1);
            }
        }
        self.one(path, shown, node);
    }

    fn one(&mut self, path: &str, shown: &str, node: &Attributes) {
        let removed = may_change_name(self.call, path).and_then(|()| self.call.files().remove(path));
        match removed {
            Ok(()) => self.tell(shown, node.is_dir()),
            // What could not be emptied has said so already.
            Err(FileError::NotEmpty) if self.recursive => {}
            Err(error) => self.fail(shown, error),
        }
    }
}

pub(super) fn rm(call: &Call<'_>) -> Said {
    let long = &[
        "force",
        "interactive",
        "recursive",
        "dir",
        "verbose",
        "one-file-system",
        "no-preserve-root",
        "preserve-root",
    ];
    let letters = if call.applet { "firRv" } else { "firRdvI" };
    if let Some(said) = complaint::of(call, &Known { letters, long }, "") {
        return said;
    }
    let options = Options::of(call.args, "");
    let force = options.has('f') || options.has_long("force");
    if options.operands.is_empty() {
        return if force { Said::nothing(0) } else { complaint::missing(call, "missing operand") };
    }
    let recursive = options.has('r') || options.has('R') || options.has_long("recursive");
    let mut removal = Removal {
        call,
        force,
        recursive,
        dir: options.has('d') || options.has_long("dir"),
        verbose: options.has('v') || options.has_long("verbose"),
        done: 0,
        said: Said::default(),
    };
    for operand in &options.operands {
        let is_root = call.path(operand).trim_end_matches('/').is_empty();
        if recursive && is_root && !call.applet && !options.has_long("no-preserve-root") {
            let shown =
                if operand == "/" { String::new() } else { format!("{} (same as '/')", quoted(operand)) };
            let what = if shown.is_empty() { "'/'".to_owned() } else { shown };
            let text = format!(
                "rm: it is dangerous to operate recursively on {what}\nrm: use --no-preserve-root to override this failsafe\n"
            );
            removal.said.err.extend(text.bytes());
            removal.said.status = 1;
            continue;
        }
        removal.operand(operand);
    }
    removal.said
}

pub(super) fn rmdir(call: &Call<'_>) -> Said {
    let long = &["ignore-fail-on-non-empty", "parents", "verbose"];
    if let Some(said) = complaint::of(call, &Known { letters: "pv", long }, "") {
        return said;
    }
    let options = Options::of(call.args, "");
    if options.operands.is_empty() {
        return complaint::missing(call, "missing operand");
    }
    let mut said = Said::default();
    for operand in &options.operands {
        let mut shown = operand.trim_end_matches('/').to_owned();
        loop {
            let path = call.path(&shown);
            let node = call.files().lstat(&path);
            let removed = match node {
                Ok(node) if !node.is_dir() => Err(FileError::NotADirectory),
                Ok(_) => may_change_name(call, &path).and_then(|()| call.files().remove(&path)),
                Err(error) => Err(error),
            };
            match removed {
                Ok(()) if options.has('v') || options.has_long("verbose") => {
                    said.out.extend(format!("rmdir: removing directory, {}\n", quoted(&shown)).bytes());
                }
                Ok(()) => {}
                Err(FileError::NotEmpty) if options.has_long("ignore-fail-on-non-empty") => break,
                Err(error) => {
                    let text = if call.applet {
                        format!("rmdir: '{shown}': {}\n", error.errno_text())
                    } else {
                        format!("rmdir: failed to remove {}: {}\n", quoted(&shown), error.errno_text())
                    };
                    said.err.extend(text.bytes());
                    said.status = 1;
                    break;
                }
            }
            match shown.rsplit_once('/') {
                Some((parent, _)) if options.has('p') && !parent.is_empty() => shown = parent.to_owned(),
                _ => break,
            }
        }
    }
    said
}

pub(super) fn unlink(call: &Call<'_>) -> Said {
    let [operand] = call.args else { return complaint::missing(call, "missing operand") };
    let path = call.path(operand);
    let removed = call.files().lstat(&path).and_then(|node| {
        if node.is_dir() {
            return Err(FileError::IsADirectory);
        }
        may_change_name(call, &path)?;
        call.files().remove(&path)
    });
    match removed {
        Ok(()) => Said::nothing(0),
        Err(error) => {
            Said::err(format!("unlink: cannot unlink {}: {}\n", quoted(operand), error.errno_text()), 1)
        }
    }
}
