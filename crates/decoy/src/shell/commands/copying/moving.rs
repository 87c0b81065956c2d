//! `mv`: a new name for what is there.

use futures::{FutureExt as _, future::BoxFuture};

use super::super::{Call, Said, answers::Answers, getopt, quoting::quoted, removing::may_change_name};
use super::{clash::Clash, copy::kept_as, plan};
use crate::machine::{Attributes, FileError};

pub(in crate::shell::commands) fn mv<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
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
