//! Other names for files: `ln`, and `cp -l` and `cp -s` (GNU coreutils 9.1, busybox 1.35).

use super::{
    Call, Options, Said,
    complaint::{self, Known},
    copying::{Plan, plan},
    quoting::quoted,
    removing::may_change_name,
};

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
pub(super) fn names(call: &Call<'_>, plan: &Plan, symbolic: bool, force: bool, verbose: bool) -> Said {
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
