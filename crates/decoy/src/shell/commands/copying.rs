//! Making names out of others: `cp`, `mv`, `ln` (GNU coreutils 9.1, busybox 1.35).

use super::{
    Call, Options, Said,
    complaint::{self, Known},
    quoting::quoted,
    removing::may_change_name,
};
use crate::machine::{Access, Attributes, FileError, files::Kind};

/// Nodes that one call copies.
const MOST: usize = 20_000;

/// Where things go: sources and the target, which may be a directory to put them into.
struct Plan {
    sources: Vec<String>,
    target: String,
    into: bool,
}

/// The operands of `cp`, `mv` and `ln`, or the refusal.
fn plan(call: &Call<'_>, options: &Options) -> Result<Plan, Said> {
    let no_dir = options.has('T') || options.has_long("no-target-directory");
    let mut operands = options.operands.clone();
    if let Some(target) = options.value('t') {
        return Ok(Plan { sources: operands, target: target.to_owned(), into: true });
    }
    match operands.as_slice() {
        [] => return Err(complaint::missing(call, "missing file operand")),
        [only] if call.name == "ln" => {
            // `ln -s a/b` makes `./b`.
            return Ok(Plan { sources: vec![only.clone()], target: ".".to_owned(), into: true });
        }
        [only] => {
            let text = format!("missing destination file operand after {}", quoted(only));
            return Err(complaint::missing(call, &text));
        }
        _ => {}
    }
    let target = operands.pop().unwrap_or_default();
    let is_dir = call.files().is_dir(&call.path(&target)) && !no_dir;
    if operands.len() > 1 && !is_dir {
        let error = if call.files().exists(&call.path(&target)) {
            FileError::NotADirectory
        } else {
            FileError::NotFound
        };
        let text = if call.applet {
            format!("{}: '{target}' is not a directory\n", call.name)
        } else {
            format!("{}: target {}: {}\n", call.name, quoted(&target), error.errno_text())
        };
        return Err(Said::err(text, 1));
    }
    Ok(Plan { sources: operands, target, into: is_dir })
}

impl Plan {
    /// What a source becomes.
    fn destination(&self, source: &str) -> String {
        if !self.into {
            return self.target.clone();
        }
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        format!("{}/{name}", self.target.trim_end_matches('/'))
    }
}

struct Copy<'a> {
    call: &'a Call<'a>,
    recursive: bool,
    archive: bool,
    no_follow: bool,
    force: bool,
    no_clobber: bool,
    verbose: bool,
    done: usize,
    said: Said,
}

impl Copy<'_> {
    fn fail(&mut self, text: &str) {
        self.said.err.extend(format!("cp: {text}\n").bytes());
        self.said.status = 1;
    }

    fn node(&mut self, from: &str, to: &str, depth: usize) {
        let (call, applet) = (self.call, self.call.applet);
        let files = call.files();
        let (source, target) = (call.path(from), call.path(to));
        let node = if self.no_follow || self.recursive && depth > 0 {
            files.lstat(&source)
        } else {
            files.stat(&source)
        };
        let node = match node {
            Ok(node) => node,
            Err(error) => {
                let verb = if applet {
                    format!("can't stat '{from}'")
                } else {
                    format!("cannot stat {}", quoted(from))
                };
                return self.fail(&format!("{verb}: {}", error.errno_text()));
            }
        };
        self.done += 1;
        if self.done > MOST || depth > 100 {
            return;
        }
        if node.is_dir() {
            return self.directory(from, to, &node, depth);
        }
        if let (Ok(a), Ok(b)) = (files.real_path(&source), files.real_path(&target))
            && a == b
        {
            return self.fail(&format!("{} and {} are the same file", quoted(from), quoted(to)));
        }
        if files.is_dir(&target) {
            let text = if applet {
                format!("can't create '{to}': Is a directory")
            } else {
                format!("cannot overwrite directory {} with non-directory", quoted(to))
            };
            return self.fail(&text);
        }
        if self.no_clobber && files.exists(&target) {
            return;
        }
        if node.kind == Kind::Symlink {
            let Ok(says) = files.read_link(&source) else { return };
            if files.lstat(&target).is_ok() && files.remove(&target).is_err() {
                return;
            }
            if let Err(error) = files.symlink(&says, &target, &call.session.who()) {
                self.fail(&format!("cannot create symbolic link {}: {}", quoted(to), error.errno_text()));
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
        let is_new = !files.exists(&target);
        let written = if to.ends_with('/') && is_new {
            Err(FileError::NotADirectory)
        } else {
            files
                .may(who.uid, who.gid, &target, Access::Write)
                .and_then(|()| files.copy(&source, &target, &who))
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
        if is_new || self.archive {
            let mode = if self.archive { node.mode } else { node.mode & 0o777 & !call.session.umask() };
            // The copy is there; keeping attributes is best effort, as for the real program on odd file systems.
            let _ = files.set_mode(&target, mode);
        }
        self.keep(&target, &node);
        self.tell(from, to);
    }

    /// What `-p` and `-a` keep.
    fn keep(&self, target: &str, node: &Attributes) {
        if self.archive {
            let files = self.call.files();
            // As above.
            let _ = files.set_times(target, Some(node.atime), Some(node.mtime));
            if self.call.is_root() {
                let _ = files.set_owner(target, Some(node.uid), Some(node.gid));
            }
        }
    }

    fn tell(&mut self, from: &str, to: &str) {
        if self.verbose {
            self.said.out.extend(format!("{} -> {}\n", quoted(from), quoted(to)).bytes());
        }
    }

    fn directory(&mut self, from: &str, to: &str, node: &Attributes, depth: usize) {
        let call = self.call;
        if !self.recursive {
            let text = if call.applet {
                format!("omitting directory '{from}'")
            } else {
                format!("-r not specified; omitting directory {}", quoted(from))
            };
            return self.fail(&text);
        }
        let (source, target) = (call.path(from), call.path(to));
        if target == source || target.starts_with(&format!("{source}/")) {
            return self.fail(&format!(
                "cannot copy a directory, {}, into itself, {}",
                quoted(from),
                quoted(to)
            ));
        }
        let who = call.session.who();
        if !call.files().is_dir(&target) {
            if call.files().exists(&target) {
                return self.fail(&format!(
                    "cannot overwrite non-directory {} with directory {}",
                    quoted(to),
                    quoted(from)
                ));
            }
            let mode = node.mode & 0o777 & !call.session.umask();
            let made =
                may_change_name(call, &target).and_then(|()| call.files().make_dir(&target, &who, mode));
            if let Err(error) = made {
                return self.fail(&format!("cannot create directory {}: {}", quoted(to), error.errno_text()));
            }
            self.tell(from, to);
        }
        for entry in call.files().list(&source).unwrap_or_default() {
            let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
            self.node(&format!("{from}/{}", entry.name), &format!("{to}/{}", entry.name), depth + 1);
        }
        self.keep(&target, node);
    }
}

const CP_LONG: &[&str] = &[
    "archive",
    "attributes-only",
    "backup",
    "copy-contents",
    "dereference",
    "force",
    "interactive",
    "link",
    "no-clobber",
    "no-dereference",
    "no-target-directory",
    "one-file-system",
    "parents",
    "preserve",
    "no-preserve",
    "recursive",
    "reflink",
    "remove-destination",
    "sparse",
    "strip-trailing-slashes",
    "suffix",
    "symbolic-link",
    "target-directory",
    "update",
    "verbose",
    "context",
];

pub(super) fn cp(call: &Call<'_>) -> Said {
    let letters = if call.applet { "arRdPLHpfinlsTuv" } else { "abdfiHlLnPprRsTuvxZ" };
    if let Some(said) = complaint::of(call, &Known { letters, long: CP_LONG }, "tS") {
        return said;
    }
    let options = Options::of(call.args, "tS");
    let plan = match plan(call, &options) {
        Ok(plan) => plan,
        Err(said) => return said,
    };
    let has = |letters: &str, long: &str| {
        letters.chars().any(|letter| options.has(letter)) || options.has_long(long)
    };
    if has("s", "symbolic-link") || has("l", "link") {
        return names(call, &plan, has("s", "symbolic-link"), has("f", "force"), has("v", "verbose"));
    }
    let mut copy = Copy {
        call,
        recursive: has("rRa", "recursive") || options.has_long("archive"),
        archive: has("ap", "archive") || options.long.iter().any(|long| long.starts_with("preserve")),
        no_follow: has("adP", "no-dereference") || options.has_long("archive"),
        force: has("f", "force"),
        no_clobber: has("n", "no-clobber"),
        verbose: has("v", "verbose"),
        done: 0,
        said: Said::default(),
    };
    for source in &plan.sources {
        copy.node(source, &plan.destination(source), 0);
    }
    copy.said
}

pub(super) fn mv(call: &Call<'_>) -> Said {
    let long = &[
        "backup",
        "force",
        "interactive",
        "no-clobber",
        "no-target-directory",
        "strip-trailing-slashes",
        "suffix",
        "target-directory",
        "update",
        "verbose",
        "context",
    ];
    if let Some(said) = complaint::of(call, &Known { letters: "bfinTuvZ", long }, "tS") {
        return said;
    }
    let options = Options::of(call.args, "tS");
    let plan = match plan(call, &options) {
        Ok(plan) => plan,
        Err(said) => return said,
    };
    let mut said = Said::default();
    for source in &plan.sources {
        let to = plan.destination(source);
        match move_one(call, source, &to, options.has('n') || options.has_long("no-clobber")) {
            Ok(()) if options.has('v') || options.has_long("verbose") => {
                said.out.extend(format!("renamed {} -> {}\n", quoted(source), quoted(&to)).bytes());
            }
            Ok(()) => {}
            Err(text) => {
                said.err.extend(format!("mv: {text}\n").bytes());
                said.status = 1;
            }
        }
    }
    said
}

fn move_one(call: &Call<'_>, from: &str, to: &str, no_clobber: bool) -> Result<(), String> {
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
    if no_clobber && files.lstat(&target).is_ok() {
        return Ok(());
    }
    if source == target.trim_end_matches('/') {
        return Err(format!("{} and {} are the same file", quoted(from), quoted(to)));
    }
    if node.is_dir() && target.starts_with(&format!("{source}/")) {
        return Err(format!("cannot move {} to a subdirectory of itself, {}", quoted(from), quoted(to)));
    }
    let target_node = files.lstat(target.trim_end_matches('/'));
    if let Ok(there) = &target_node {
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
    let moved = if to.ends_with('/') && target_node.is_err() && !node.is_dir() {
        Err(FileError::NotADirectory)
    } else {
        may_change_name(call, source)
            .and_then(|()| may_change_name(call, &target))
            .and_then(|()| files.rename(source, target.trim_end_matches('/')))
    };
    moved.map_err(|error| {
        if call.applet {
            format!("can't rename '{from}': {}", error.errno_text())
        } else {
            format!("cannot move {} to {}: {}", quoted(from), quoted(to), error.errno_text())
        }
    })
}

pub(super) fn ln(call: &Call<'_>) -> Said {
    let long = &[
        "backup",
        "directory",
        "force",
        "interactive",
        "logical",
        "no-dereference",
        "no-target-directory",
        "physical",
        "relative",
        "suffix",
        "symbolic",
        "target-directory",
        "verbose",
    ];
    if let Some(said) = complaint::of(call, &Known { letters: "bdFfiLnPrsTv", long }, "tS") {
        return said;
    }
    let options = Options::of(call.args, "tS");
    let plan = match plan(call, &options) {
        Ok(plan) => plan,
        Err(said) => return said,
    };
    let has = |letter, long| options.has(letter) || options.has_long(long);
    names(call, &plan, has('s', "symbolic"), has('f', "force"), has('v', "verbose"))
}

/// Links, symbolic or hard.
fn names(call: &Call<'_>, plan: &Plan, symbolic: bool, force: bool, verbose: bool) -> Said {
    let (files, who, mut said) = (call.files(), call.session.who(), Said::default());
    for source in &plan.sources {
        let to = plan.destination(source);
        let target = call.path(&to);
        if !symbolic {
            let refused = match files.lstat(&call.path(source)) {
                Err(error) => Some(format!("failed to access {}: {}", quoted(source), error.errno_text())),
                Ok(node) if node.is_dir() => Some(format!("{source}: hard link not allowed for directory")),
                Ok(_) => None,
            };
            if let Some(text) = refused {
                said.err.extend(format!("{}: {text}\n", call.name).bytes());
                said.status = 1;
                continue;
            }
        }
        if force && files.lstat(&target).is_ok_and(|node| !node.is_dir()) {
            // If it cannot go, making the link says why.
            let _ = may_change_name(call, &target).and_then(|()| files.remove(&target));
        }
        let made = may_change_name(call, &target).and_then(|()| {
            if symbolic {
                files.symlink(source, &target, &who)
            } else {
                files.link(&call.path(source), &target)
            }
        });
        match made {
            Ok(()) if verbose => {
                let arrow = if symbolic { "->" } else { "=>" };
                said.out.extend(format!("{} {arrow} {}\n", quoted(&to), quoted(source)).bytes());
            }
            Ok(()) => {}
            Err(error) => {
                let what = if symbolic {
                    format!("failed to create symbolic link {}", quoted(&to))
                } else {
                    format!("failed to create hard link {} => {}", quoted(&to), quoted(source))
                };
                said.err.extend(format!("{}: {what}: {}\n", call.name, error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    said
}
