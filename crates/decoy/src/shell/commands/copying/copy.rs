//! Copying one thing with all that is below it, and what it keeps of its source.

use futures::{FutureExt as _, future::BoxFuture};

use super::super::{Call, Said, answers::Answers, getopt::Given, quoting::quoted, removing::may_change_name};
use super::{MOST, clash::Clash};
use crate::machine::{Access, Attributes, FileError, files::Kind};

/// What is kept of a file.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept {
    pub(super) mode: bool,
    owner: bool,
    times: bool,
}

impl Kept {
    pub(super) fn of(given: &Given) -> Self {
        let mut kept = Self::default();
        for (option, value) in &given.options {
            let all = Self { mode: true, owner: true, times: true };
            match (option.as_str(), value.as_deref()) {
                ("archive" | "p" | "preserve", None) => kept = all,
                ("preserve" | "no-preserve", Some(list)) => {
                    let set = option == "preserve";
                    for word in list.split(',') {
                        match word {
                            "all" => kept = if set { all } else { Self::default() },
                            "mode" => kept.mode = set,
                            "ownership" => kept.owner = set,
                            "timestamps" => kept.times = set,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        kept
    }
}

pub(super) struct Copy<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) recursive: bool,
    pub(super) kept: Kept,
    pub(super) no_follow: bool,
    pub(super) force: bool,
    pub(super) remove: bool,
    pub(super) empty: bool,
    pub(super) clash: Clash,
    pub(super) verbose: bool,
    pub(super) done: usize,
    pub(super) answers: Answers<'a>,
    pub(super) said: Said,
}

impl Copy<'_> {
    fn fail(&mut self, text: &str) {
        self.said.err.extend(format!("cp: {text}\n").bytes());
        self.said.status = 1;
    }

    /// `--parents`: the folders of a source.
    pub(super) fn folders(&mut self, source: &str, to: &str) {
        let (call, who) = (self.call, self.call.session.who());
        let base = to.len() - source.trim_start_matches('/').len();
        let inner = to.get(base..).unwrap_or_default();
        for (at, _) in inner.match_indices('/').filter(|(at, _)| *at > 0) {
            let folder = to.get(..base + at).unwrap_or_default();
            if call.files().is_dir(&call.path(folder)) {
                continue;
            }
            let from = inner.get(..at).unwrap_or_default();
            let mode = call.files().stat(&call.path(from)).map_or(0o755, |node| node.mode & 0o777);
            if call.files().make_dir(&call.path(folder), &who, mode).is_ok() && self.verbose {
                self.said.out.extend(format!("{from} -> {folder}\n").bytes());
            }
        }
    }

    pub(super) fn node<'b>(&'b mut self, from: String, to: String, depth: usize) -> BoxFuture<'b, ()> {
        async move {
            let node = if self.no_follow || self.recursive && depth > 0 {
                self.call.files().lstat(&self.call.path(&from))
            } else {
                self.call.files().stat(&self.call.path(&from))
            };
            let node = match node {
                Ok(node) => node,
                Err(error) => {
                    let verb = if self.call.applet {
                        format!("can't stat '{from}'")
                    } else {
                        format!("cannot stat {}", quoted(&from))
                    };
                    return self.fail(&format!("{verb}: {}", error.errno_text()));
                }
            };
            self.done += 1;
            if self.done > MOST || depth > 100 {
                return;
            }
            if node.is_dir() {
                if !self.begin_directory(&from, &to, &node) {
                    return;
                }
                for entry in self.call.files().list(&self.call.path(&from)).unwrap_or_default() {
                    let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
                    let (from, to) = (format!("{from}/{}", entry.name), format!("{to}/{}", entry.name));
                    self.node(from, to, depth + 1).await;
                }
                let target = self.call.path(&to);
                return self.keep(&target, &node);
            }
            if self.refuses(&from, &to) {
                return;
            }
            let made = self.clash.make_way(self.call, &node, &to, &mut self.answers, &mut self.said).await;
            if let Some(backup) = made {
                self.plain(&from, &to, &node, &backup);
            }
        }
        .boxed()
    }

    /// What cannot be, before anybody is asked.
    fn refuses(&mut self, from: &str, to: &str) -> bool {
        let (call, files) = (self.call, self.call.files());
        let (source, target) = (call.path(from), call.path(to));
        if let (Ok(a), Ok(b)) = (files.real_path(&source), files.real_path(&target))
            && a == b
            && !(self.no_follow && source != target)
        {
            self.fail(&format!("{} and {} are the same file", quoted(from), quoted(to)));
            return true;
        }
        if files.is_dir(&target) {
            let text = if call.applet {
                format!("can't create '{to}': Is a directory")
            } else {
                format!("cannot overwrite directory {} with non-directory", quoted(to))
            };
            self.fail(&text);
            return true;
        }
        false
    }

    fn plain(&mut self, from: &str, to: &str, node: &Attributes, backup: &str) {
        let (call, applet) = (self.call, self.call.applet);
        let files = call.files();
        let (source, target) = (call.path(from), call.path(to));
        if node.kind == Kind::Symlink {
            let Ok(says) = files.read_link(&source) else { return };
            if files.lstat(&target).is_ok() && files.remove(&target).is_err() {
                return;
            }
            match files.symlink(&says, &target, &call.session.who()) {
                Ok(()) => self.tell(from, to, backup),
                Err(error) => {
                    self.fail(&format!("cannot create symbolic link {}: {}", quoted(to), error.errno_text()));
                }
            }
            return;
        }
        let who = call.session.who();
        if let Err(error) = files.may(who.uid, who.gid, &source, Access::Read) {
            let text = if applet {
                format!("can't open '{from}': {}", error.errno_text())
            } else {
                format!("cannot open {} for reading: {}", quoted(from), error.errno_text())
            };
            return self.fail(&text);
        }
        if self.remove && files.lstat(&target).is_ok() {
            // If it cannot go, writing says why.
            let _ = may_change_name(call, &target).and_then(|()| files.remove(&target));
        }
        let is_new = !files.exists(&target);
        // A link that leads nowhere is not written through.
        if is_new && !applet && files.lstat(&target).is_ok_and(|there| there.kind == Kind::Symlink) {
            return self.fail(&format!("not writing through dangling symlink {}", quoted(to)));
        }
        let written = if to.ends_with('/') && is_new {
            Err(FileError::NotADirectory)
        } else {
            files.may(who.uid, who.gid, &target, Access::Write).and_then(|()| {
                if self.empty {
                    if is_new { files.write(&target, b"", &who, 0o666) } else { Ok(()) }
                } else {
                    files.copy(&source, &target, &who)
                }
            })
        };
        let written = match written {
            Err(FileError::Denied) if self.force && !is_new => may_change_name(call, &target)
                .and_then(|()| files.remove(&target))
                .and_then(|()| files.copy(&source, &target, &who)),
            other => other,
        };
        if let Err(error) = written {
            let text = if applet {
                format!("can't create '{to}': {}", error.errno_text())
            } else {
                format!("cannot create regular file {}: {}", quoted(to), error.errno_text())
            };
            return self.fail(&text);
        }
        if is_new {
            let mode = node.mode & 0o777 & !call.session.umask();
            // The copy is there; its attributes are best effort, as for the real program on odd file systems.
            let _ = files.set_mode(&target, mode);
        }
        self.keep(&target, node);
        self.tell(from, to, backup);
    }

    /// What `-p` and `-a` keep.
    fn keep(&self, target: &str, node: &Attributes) {
        let files = self.call.files();
        // As above.
        if self.kept.owner && self.call.is_root() {
            let _ = files.set_owner(target, Some(node.uid), Some(node.gid));
        }
        if self.kept.mode {
            let _ = files.set_mode(target, node.mode);
        }
        if self.kept.times {
            let _ = files.set_times(target, Some(node.atime), Some(node.mtime));
        }
    }

    fn tell(&mut self, from: &str, to: &str, backup: &str) {
        if self.verbose {
            let kept = kept_as(backup);
            self.said.out.extend(format!("{} -> {}{kept}\n", quoted(from), quoted(to)).bytes());
        }
    }

    /// Makes the directory; whether its content comes next.
    fn begin_directory(&mut self, from: &str, to: &str, node: &Attributes) -> bool {
        let call = self.call;
        if !self.recursive {
            let text = if call.applet {
                format!("omitting directory '{from}'")
            } else {
                format!("-r not specified; omitting directory {}", quoted(from))
            };
            self.fail(&text);
            return false;
        }
        let (source, target) = (call.path(from), call.path(to));
        let (source, target) = (source.trim_end_matches('/'), target.trim_end_matches('/'));
        if target == source || target.starts_with(&format!("{source}/")) {
            self.fail(&format!("cannot copy a directory, {}, into itself, {}", quoted(from), quoted(to)));
            return false;
        }
        let who = call.session.who();
        if !call.files().is_dir(target) {
            if call.files().exists(target) {
                self.fail(&format!(
                    "cannot overwrite non-directory {} with directory {}",
                    quoted(to),
                    quoted(from)
                ));
                return false;
            }
            let mode = node.mode & 0o777 & !call.session.umask();
            let made = may_change_name(call, target).and_then(|()| call.files().make_dir(target, &who, mode));
            if let Err(error) = made {
                self.fail(&format!("cannot create directory {}: {}", quoted(to), error.errno_text()));
                return false;
            }
            self.tell(from, to, "");
        }
        true
    }
}

pub(super) fn kept_as(backup: &str) -> String {
    if backup.is_empty() { String::new() } else { format!(" (backup: {})", quoted(backup)) }
}
