//! Making names out of others: `cp`, `mv`, `ln` (GNU coreutils 9.1, busybox 1.35).

mod clash;
mod copy;
mod moving;

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Said,
    answers::Answers,
    complaint,
    getopt::{self, Given},
    linking,
    quoting::quoted,
};
use crate::machine::{FileError, files::Kind};
pub(super) use clash::Clash;
use copy::{Copy, Kept};
pub(super) use moving::mv;

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
