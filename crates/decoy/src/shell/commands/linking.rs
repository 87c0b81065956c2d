//! Other names for files: `ln`, `link`, and `cp -l` and `cp -s` (GNU coreutils 9.1, busybox 1.35).

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Said,
    answers::Answers,
    copying::{Clash, Plan, plan},
    getopt, paths,
    quoting::{curled, quoted},
    removing::may_change_name,
};
use crate::machine::FileError;

pub(super) fn ln<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        match work(call).await {
            Ok(said) | Err(said) => said,
        }
    }
    .boxed()
}

async fn work(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-F"], 1)?;
    if given.has("relative") && !given.has("symbolic") {
        return Err(getopt::misused(call, "cannot do --relative without --symbolic", 1));
    }
    if given.has("no-target-directory")
        && let [only] = given.operands.as_slice()
    {
        let what = format!("missing destination file operand after {}", quoted(only));
        return Err(getopt::misused(call, &what, 1));
    }
    let plan = plan(call, &given)?;
    let clash = Clash::of(call, &given, given.last(&["interactive", "force"]))?;
    let wanted = Wanted {
        symbolic: given.has("symbolic"),
        force: given.has("force") || clash.asks,
        verbose: given.has("verbose"),
        relative: given.has("relative"),
    };
    Ok(names(call, &plan, &wanted, &clash).await)
}

/// What kind of links.
pub(super) struct Wanted {
    pub(super) symbolic: bool,
    pub(super) force: bool,
    pub(super) verbose: bool,
    pub(super) relative: bool,
}

/// Links, symbolic or hard.
pub(super) async fn names(call: &Call<'_>, plan: &Plan, wanted: &Wanted, clash: &Clash) -> Said {
    let (files, who, mut said) = (call.files(), call.session.who(), Said::default());
    let mut answers = Answers::of(call);
    for source in &plan.sources {
        let to = plan.destination(source);
        let target = call.path(&to);
        if !wanted.symbolic {
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
        let in_the_way = files.lstat(&target).is_ok_and(|node| !node.is_dir());
        if in_the_way && clash.asks {
            let question = format!("{}: replace {}? ", call.name, quoted(&to));
            if !answers.agree(&mut said, &question).await {
                continue;
            }
        }
        if in_the_way && clash.set_aside(call, &to).is_empty() && wanted.force {
            // If it cannot go, making the link says why.
            let _ = may_change_name(call, &target).and_then(|()| files.remove(&target));
        }
        let says = if wanted.relative { paths::from_folder_of(call, source, &to) } else { source.clone() };
        let made = may_change_name(call, &target).and_then(|()| {
            if wanted.symbolic {
                files.symlink(&says, &target, &who)
            } else {
                files.link(&call.path(source), &target)
            }
        });
        match made {
            Ok(()) if wanted.verbose => {
                let arrow = if wanted.symbolic { "->" } else { "=>" };
                said.out.extend(format!("{} {arrow} {}\n", quoted(&to), quoted(&says)).bytes());
            }
            Ok(()) => {}
            Err(error) => {
                // What is wrong with the new name alone is told of that alone.
                let own = matches!(error, FileError::Exists | FileError::NoSpace | FileError::ReadOnly);
                let what = if wanted.symbolic {
                    format!("failed to create symbolic link {}", quoted(&to))
                } else if own {
                    format!("failed to create hard link {}", quoted(&to))
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

/// `link` of coreutils 9.1.
pub(super) fn link(call: &Call<'_>) -> Said {
    let given = match getopt::cut(call, &[], 1) {
        Ok(given) => given,
        Err(said) => return said,
    };
    match given.operands.as_slice() {
        [] => getopt::misused(call, "missing operand", 1),
        [only] => getopt::misused(call, &format!("missing operand after {}", curled(only)), 1),
        [from, to] => {
            let target = call.path(to);
            let made =
                may_change_name(call, &target).and_then(|()| call.files().link(&call.path(from), &target));
            match made {
                Ok(()) => Said::nothing(0),
                Err(error) => {
                    let what = format!("cannot create link {} to {}", quoted(to), quoted(from));
                    Said::err(format!("link: {what}: {}\n", error.errno_text()), 1)
                }
            }
        }
        [_, _, extra, ..] => getopt::extra(call, extra, 1),
    }
}
