//! Taking names away: `rm`, `rmdir`, `unlink` (GNU coreutils 9.1, busybox 1.35).

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Options, Said,
    answers::Answers,
    complaint::{self, Known},
    getopt,
    quoting::quoted,
};
use crate::{
    machine::{Access, Attributes, FileError, files::Kind},
    shell::session::Session,
};

/// What may be removed in one call.
const MOST: usize = 200_000;

/// Whether names in the directory of this path may be taken away.
pub(super) fn may_change_name(call: &Call<'_>, path: &str) -> Result<(), FileError> {
    may_remove(call.session, path)
}

/// The same for whoever is at work in a session.
pub(super) fn may_remove(session: &Session, path: &str) -> Result<(), FileError> {
    let (files, parent) = (session.files(), parent_of(path));
    let who = session.who();
    files.may(who.uid, who.gid, parent, Access::Write)?;
    if who.uid != 0
        && let (Ok(directory), Ok(node)) = (files.stat(parent), files.lstat(path))
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

/// What is left to do of a tree.
enum Step {
    Visit {
        path: String,
        shown: String,
        node: Attributes,
        depth: usize,
    },
    /// A directory whose content has been seen to.
    Leave {
        path: String,
        shown: String,
        node: Attributes,
    },
}

struct Removal<'a> {
    call: &'a Call<'a>,
    force: bool,
    asks: bool,
    recursive: bool,
    dir: bool,
    verbose: bool,
    done: usize,
    answers: Answers<'a>,
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

    async fn agree(&mut self, what: &str, shown: &str) -> bool {
        let question = if self.call.applet {
            format!("rm: {what} '{shown}'? ")
        } else {
            format!("rm: {what} {}? ", quoted(shown))
        };
        self.answers.agree(&mut self.said, &question).await
    }

    async fn operand(&mut self, operand: &str) {
        let last = operand.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if matches!(last, "." | "..") && self.recursive {
            let text = if self.call.applet {
                "rm: can't remove '.' or '..'\n".to_owned()
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
                if self.asks && !self.agree("remove directory", operand).await {
                    return;
                }
                return self.one(&path, operand, &node);
            }
            if self.call.applet {
                self.said.err.extend(format!("rm: '{operand}' is a directory\n").bytes());
                self.said.status = 1;
                return;
            }
            return self.fail(operand, FileError::IsADirectory);
        }
        let (path, shown) = (path.trim_end_matches('/').to_owned(), operand.trim_end_matches('/').to_owned());
        self.tree(Step::Visit { path, shown, node, depth: 0 }).await;
    }

    /// A directory from the bottom up.
    async fn tree(&mut self, first: Step) {
        let mut todo = vec![first];
        while let Some(step) = todo.pop() {
            match step {
                Step::Visit { path, shown, node, depth } if node.is_dir() => {
                    self.done += 1;
                    let mut entries = Vec::new();
                    if depth < 200 && self.done < MOST {
                        // Files of the kernel stay: their file systems know no removal.
                        entries = match self.call.files().list(&path) {
                            Ok(entries) => entries,
                            Err(error) => {
                                self.fail(&shown, error);
                                continue;
                            }
                        };
                    }
                    if self.asks && !entries.is_empty() && !self.agree("descend into directory", &shown).await
                    {
                        continue;
                    }
                    let begin = (path.clone(), shown.clone());
                    todo.push(Step::Leave { path, shown, node });
                    for entry in entries.into_iter().rev() {
                        todo.push(Step::Visit {
                            path: format!("{}/{}", begin.0, entry.name),
                            shown: format!("{}/{}", begin.1, entry.name),
                            node: entry.attributes,
                            depth: depth + 1,
                        });
                    }
                }
                Step::Visit { path, shown, node, .. } => {
                    self.done += 1;
                    if self.asks {
                        let what = format!("remove {}", described(&node));
                        if !self.agree(&what, &shown).await {
                            continue;
                        }
                    }
                    self.one(&path, &shown, &node);
                }
                Step::Leave { path, shown, node } => {
                    if self.asks && !self.agree("remove directory", &shown).await {
                        continue;
                    }
                    self.one(&path, &shown, &node);
                }
            }
        }
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

/// What kind of file it is, in the words of questions.
pub(super) fn described(node: &Attributes) -> &'static str {
    match node.kind {
        Kind::File if node.size == 0 => "regular empty file",
        Kind::File => "regular file",
        Kind::Dir => "directory",
        Kind::Symlink => "symbolic link",
        Kind::CharDevice => "character special file",
        Kind::BlockDevice => "block special file",
        Kind::Fifo => "fifo",
        Kind::Socket => "socket",
    }
}

pub(super) fn rm<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        match remove(call).await {
            Ok(said) | Err(said) => said,
        }
    }
    .boxed()
}

async fn remove(call: &Call<'_>) -> Result<Said, Said> {
    if call.applet
        && let Some(said) = complaint::of(call, &Known { letters: "firRv", long: &[] }, "")
    {
        return Err(said);
    }
    let given = getopt::cut(call, &["--no-preserve-root", "--presume-input-tty"], 1)?;
    if given.has("no-preserve-root")
        && !call.args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--no-preserve-root")
    {
        return Err(Said::err("rm: you may not abbreviate the --no-preserve-root option\n", 1));
    }
    // How often it asks: never, once, always.
    let (mut force, mut often) = (false, "never");
    for (option, value) in &given.options {
        match (option.as_str(), value) {
            ("force", _) => (force, often) = (true, "never"),
            ("i", _) | ("interactive", None) => (force, often) = (false, "always"),
            ("I", _) => (force, often) = (false, "once"),
            ("interactive", Some(value)) => {
                const WORDS: &[&[&str]] = &[&["never", "no", "none"], &["once"], &["always", "yes"]];
                often = getopt::choice(call, "--interactive", value, WORDS)?;
                force &= often == "never";
            }
            _ => {}
        }
    }
    if given.operands.is_empty() {
        return if force { Ok(Said::nothing(0)) } else { Err(complaint::missing(call, "missing operand")) };
    }
    let recursive = given.has("recursive");
    let mut removal = Removal {
        call,
        force,
        asks: often == "always",
        recursive,
        dir: given.has("dir"),
        verbose: given.has("verbose"),
        done: 0,
        answers: Answers::of(call),
        said: Said::default(),
    };
    let count = given.operands.len();
    if often == "once" && (recursive || count > 3) {
        let how = if recursive { " recursively" } else { "" };
        let what = if count == 1 { "argument" } else { "arguments" };
        let question = format!("rm: remove {count} {what}{how}? ");
        if !removal.answers.agree(&mut removal.said, &question).await {
            return Ok(removal.said);
        }
    }
    for operand in &given.operands {
        let is_root = call.path(operand).trim_end_matches('/').is_empty()
            && !matches!(operand.trim_end_matches('/').rsplit('/').next(), Some("." | ".."));
        if recursive && is_root && !call.applet && !given.has("no-preserve-root") {
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
        removal.operand(operand).await;
    }
    Ok(removal.said)
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
            if options.has('v') || options.has_long("verbose") {
                said.out.extend(format!("rmdir: removing directory, {}\n", quoted(&shown)).bytes());
            }
            let path = call.path(&shown);
            let node = call.files().lstat(&path);
            let removed = match node {
                Ok(node) if !node.is_dir() => Err(FileError::NotADirectory),
                Ok(_) if shown == "." || shown.ends_with("/.") => Err(FileError::Invalid),
                Ok(_) if shown == ".." || shown.ends_with("/..") => Err(FileError::NotEmpty),
                Ok(_) => may_change_name(call, &path).and_then(|()| call.files().remove(&path)),
                Err(error) => Err(error),
            };
            match removed {
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
    let given = match getopt::cut(call, &[], 1) {
        Ok(given) => given,
        Err(said) => return said,
    };
    let operand = match given.operands.as_slice() {
        [operand] => operand,
        [] => return complaint::missing(call, "missing operand"),
        [_, second, ..] => return getopt::extra(call, second, 1),
    };
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
