//! Making names out of others: `cp`, `mv`, `ln` (GNU coreutils 9.1, busybox 1.35).

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Said,
    answers::Answers,
    complaint,
    getopt::{self, Given},
    linking,
    quoting::quoted,
    removing::may_change_name,
};
use crate::machine::{Access, Attributes, FileError, files::Kind};

/// Nodes that one call copies.
const MOST: usize = 20_000;

/// Where things go: sources and the target, which may be a directory to put them into.
pub(super) struct Plan {
    pub(super) sources: Vec<String>,
    target: String,
    into: bool,
    /// The folders of a source come along.
    parents: bool,
}

/// The operands of `cp`, `mv` and `ln`, or the refusal.
pub(super) fn plan(call: &Call<'_>, given: &Given) -> Result<Plan, Said> {
    let parents = call.name == "cp" && given.has("parents");
    let mut operands = given.operands.clone();
    if let Some(target) = given.value("target-directory") {
        if operands.is_empty() {
            return Err(complaint::missing(call, "missing file operand"));
        }
        let error = match call.files().stat(&call.path(target)) {
            Ok(node) if node.is_dir() => {
                return Ok(Plan { sources: operands, target: target.to_owned(), into: true, parents });
            }
            Ok(_) => FileError::NotADirectory,
            Err(error) => error,
        };
        let text = format!("{}: target directory {}: {}\n", call.name, quoted(target), error.errno_text());
        return Err(Said::err(text, 1));
    }
    match operands.as_slice() {
        [] => return Err(complaint::missing(call, "missing file operand")),
        [only] if call.name == "ln" => {
            // `ln -s a/b` makes `./b`.
            return Ok(Plan { sources: vec![only.clone()], target: ".".to_owned(), into: true, parents });
        }
        [only] => {
            let text = format!("missing destination file operand after {}", quoted(only));
            return Err(complaint::missing(call, &text));
        }
        _ => {}
    }
    let target = operands.pop().unwrap_or_default();
    let path = call.path(&target);
    // `ln -n`: a link to a directory is no directory.
    let is_link = call.name == "ln"
        && given.has("no-dereference")
        && call.files().lstat(&path).is_ok_and(|node| node.kind == Kind::Symlink);
    let is_dir = call.files().is_dir(&path) && !given.has("no-target-directory") && !is_link;
    if operands.len() > 1 && given.has("no-target-directory") {
        let second = given.operands.get(2).map_or("", String::as_str);
        return Err(complaint::missing(call, &format!("extra operand {}", quoted(second))));
    }
    if (operands.len() > 1 || parents) && !is_dir {
        let error = if call.files().exists(&path) { FileError::NotADirectory } else { FileError::NotFound };
        if parents && operands.len() == 1 {
            return Err(complaint::missing(call, "with --parents, the destination must be a directory"));
        }
        let text = if call.applet {
            format!("{}: '{target}' is not a directory\n", call.name)
        } else {
            format!("{}: target {}: {}\n", call.name, quoted(&target), error.errno_text())
        };
        return Err(Said::err(text, 1));
    }
    Ok(Plan { sources: operands, target, into: is_dir, parents })
}

impl Plan {
    /// What a source becomes.
    pub(super) fn destination(&self, source: &str) -> String {
        if !self.into {
            return self.target.clone();
        }
        if self.parents {
            return format!("{}/{}", self.target.trim_end_matches('/'), source.trim_start_matches('/'));
        }
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        format!("{}/{name}", self.target.trim_end_matches('/'))
    }
}

/// What is done about a file that is in the way.
pub(super) struct Clash {
    pub(super) no_clobber: bool,
    pub(super) asks: bool,
    update: bool,
    backup: Option<String>,
    suffix: String,
}

impl Clash {
    pub(super) fn of(call: &Call<'_>, given: &Given, mode: Option<&str>) -> Result<Self, Said> {
        const WORDS: &[&[&str]] =
            &[&["none", "off"], &["simple", "never"], &["existing", "nil"], &["numbered", "t"]];
        let backup = match given.last(&["backup", "b", "suffix"]) {
            None => None,
            Some(_) => Some(match given.value("backup") {
                Some(word) => getopt::choice(call, "backup type", word, WORDS)?.to_owned(),
                None => "existing".to_owned(),
            }),
        };
        Ok(Self {
            no_clobber: mode == Some("no-clobber"),
            asks: mode == Some("interactive"),
            update: given.has("update"),
            backup: backup.filter(|word| word != "none"),
            suffix: given.value("suffix").unwrap_or("~").to_owned(),
        })
    }

    /// Makes way for `to`, which `source` becomes; `None` when it is not to be, else the name of what was kept.
    async fn make_way(
        &self,
        call: &Call<'_>,
        source: &Attributes,
        to: &str,
        answers: &mut Answers<'_>,
        said: &mut Said,
    ) -> Option<String> {
        let target = call.path(to);
        let target = target.trim_end_matches('/');
        let Ok(there) = call.files().lstat(target) else { return Some(String::new()) };
        if self.no_clobber || self.update && there.mtime >= source.mtime {
            return None;
        }
        if self.asks {
            let verb = if call.name == "ln" { "replace" } else { "overwrite" };
            if !answers.agree(said, &format!("{}: {verb} {}? ", call.name, quoted(to))).await {
                return None;
            }
        }
        Some(self.set_aside(call, to))
    }

    /// Renames what is in the way; the name that it has now, if any.
    pub(super) fn set_aside(&self, call: &Call<'_>, to: &str) -> String {
        let Some(how) = self.backup.as_deref() else { return String::new() };
        let (to, target) = (to.trim_end_matches('/'), call.path(to));
        let target = target.trim_end_matches('/');
        if !call.files().lstat(target).is_ok_and(|node| !node.is_dir()) {
            return String::new();
        }
        let numbered = |number: u32| format!(".~{number}~");
        let last = (1..1000).take_while(|n| call.files().exists(&format!("{target}{}", numbered(*n)))).last();
        let ending = match (how, last) {
            ("numbered", last) | ("existing", last @ Some(_)) => numbered(last.unwrap_or(0) + 1),
            _ => self.suffix.clone(),
        };
        match call.files().rename(target, &format!("{target}{ending}")) {
            Ok(()) => format!("{to}{ending}"),
            // Then it is written over, as without a backup.
            Err(_) => String::new(),
        }
    }
}

/// What is kept of a file.
#[derive(Clone, Copy, Default)]
struct Kept {
    mode: bool,
    owner: bool,
    times: bool,
}

impl Kept {
    fn of(given: &Given) -> Self {
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

struct Copy<'a> {
    call: &'a Call<'a>,
    recursive: bool,
    kept: Kept,
    no_follow: bool,
    force: bool,
    remove: bool,
    empty: bool,
    clash: Clash,
    verbose: bool,
    done: usize,
    answers: Answers<'a>,
    said: Said,
}

impl Copy<'_> {
    fn fail(&mut self, text: &str) {
        self.said.err.extend(format!("cp: {text}\n").bytes());
        self.said.status = 1;
    }

    /// `--parents`: the folders of a source.
    fn folders(&mut self, source: &str, to: &str) {
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

    fn node<'b>(&'b mut self, from: String, to: String, depth: usize) -> BoxFuture<'b, ()> {
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

fn kept_as(backup: &str) -> String {
    if backup.is_empty() { String::new() } else { format!(" (backup: {})", quoted(backup)) }
}

pub(super) fn cp<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        match copy(call).await {
            Ok(said) | Err(said) => said,
        }
    }
    .boxed()
}

async fn copy(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["--copy-contents", "--context[=CTX]", "--no-preserve=ATTR_LIST"], 1)?;
    let plan = plan(call, &given)?;
    let (symbolic, hard) = (given.has("symbolic-link"), given.has("link"));
    let clash = Clash::of(call, &given, given.last(&["interactive", "no-clobber"]))?;
    if symbolic || hard {
        let wanted = linking::Wanted {
            symbolic,
            force: given.has("force"),
            verbose: given.has("verbose"),
            relative: false,
        };
        return Ok(linking::names(call, &plan, &wanted, &clash).await);
    }
    let archive = given.has("archive");
    let follow = given.last(&["dereference", "no-dereference", "archive", "d"]);
    let recursive = given.has("recursive") || archive;
    let mut copy = Copy {
        call,
        recursive,
        kept: Kept::of(&given),
        no_follow: matches!(follow, Some("no-dereference" | "archive" | "d"))
            || follow.is_none() && recursive && !given.has("H"),
        force: given.has("force"),
        remove: given.has("remove-destination"),
        empty: given.has("attributes-only"),
        clash,
        verbose: given.has("verbose"),
        done: 0,
        answers: Answers::of(call),
        said: Said::default(),
    };
    for source in &plan.sources {
        let to = plan.destination(source);
        if plan.parents {
            copy.folders(source, &to);
        }
        copy.node(source.clone(), to, 0).await;
    }
    Ok(copy.said)
}

pub(super) fn mv<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        match move_all(call).await {
            Ok(said) | Err(said) => said,
        }
    }
    .boxed()
}

async fn move_all(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["--context[=CTX]"], 1)?;
    let plan = plan(call, &given)?;
    let clash = Clash::of(call, &given, given.last(&["interactive", "no-clobber", "force"]))?;
    let (mut answers, mut said) = (Answers::of(call), Said::default());
    for source in &plan.sources {
        let to = plan.destination(source);
        let checked = may_move(call, source, &to);
        let moved = match checked {
            Ok(node) => match clash.make_way(call, &node, &to, &mut answers, &mut said).await {
                Some(backup) => move_one(call, source, &to, &node).map(|()| backup),
                None => continue,
            },
            Err(text) => Err(text),
        };
        match moved {
            Ok(backup) if given.has("verbose") => {
                let kept = kept_as(&backup);
                said.out.extend(format!("renamed {} -> {}{kept}\n", quoted(source), quoted(&to)).bytes());
            }
            Ok(_) => {}
            Err(text) => {
                said.err.extend(format!("mv: {text}\n").bytes());
                said.status = 1;
            }
        }
    }
    Ok(said)
}

fn may_move(call: &Call<'_>, from: &str, to: &str) -> Result<Attributes, String> {
    let files = call.files();
    let (source, target) = (call.path(from), call.path(to));
    let source = source.trim_end_matches('/');
    let node = files.lstat(source).map_err(|error| {
        if call.applet {
            format!("can't rename '{from}': {}", error.errno_text())
        } else {
            format!("cannot stat {}: {}", quoted(from), error.errno_text())
        }
    })?;
    if source == target.trim_end_matches('/') {
        return Err(format!("{} and {} are the same file", quoted(from), quoted(to)));
    }
    if node.is_dir() && target.starts_with(&format!("{source}/")) {
        return Err(format!("cannot move {} to a subdirectory of itself, {}", quoted(from), quoted(to)));
    }
    if let Ok(there) = files.lstat(target.trim_end_matches('/')) {
        if there.is_dir() && !node.is_dir() {
            return Err(format!("cannot overwrite directory {} with non-directory", quoted(to)));
        }
        if !there.is_dir() && node.is_dir() {
            return Err(format!(
                "cannot overwrite non-directory {} with directory {}",
                quoted(to),
                quoted(from)
            ));
        }
    }
    Ok(node)
}

fn move_one(call: &Call<'_>, from: &str, to: &str, node: &Attributes) -> Result<(), String> {
    let files = call.files();
    let (source, target) = (call.path(from), call.path(to));
    let (source, target) = (source.trim_end_matches('/'), target.trim_end_matches('/'));
    let moved = if to.ends_with('/') && files.lstat(target).is_err() && !node.is_dir() {
        Err(FileError::NotADirectory)
    } else {
        may_change_name(call, source)
            .and_then(|()| may_change_name(call, target))
            .and_then(|()| files.rename(source, target))
    };
    moved.map_err(|error| {
        if call.applet {
            format!("can't rename '{from}': {}", error.errno_text())
        } else {
            format!("cannot move {} to {}: {}", quoted(from), quoted(to), error.errno_text())
        }
    })
}
