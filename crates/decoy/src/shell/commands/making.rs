//! Making directories and pipes: `mkdir`, `mkfifo` (GNU coreutils 9.1, busybox 1.35).

use super::{
    Call, Options, Said,
    complaint::{self, Known},
    getopt, nodes,
    quoting::{curled, quoted},
    removing::may_change_name,
};
use crate::machine::FileError;

pub(super) fn mkdir(call: &Call<'_>) -> Said {
    if let Some(said) =
        complaint::of(call, &Known { letters: "pvZ", long: &["mode", "parents", "verbose", "context"] }, "m")
    {
        return said;
    }
    let options = Options::of(&super::users::joined(call.args, &["mode"]), "m");
    if options.operands.is_empty() {
        return complaint::missing(call, "missing operand");
    }
    let parents = options.has('p') || options.has_long("parents");
    let verbose = options.has('v') || options.has_long("verbose");
    let long_mode = options.long.iter().find_map(|long| long.strip_prefix("mode="));
    let umask = call.session.umask();
    let mode = match options.value('m').or(long_mode) {
        None => 0o777 & !umask,
        Some(text) => match nodes::mode_from(text, 0o777, true, umask) {
            Some(mode) => mode,
            None => return Said::err(format!("mkdir: invalid mode {}\n", curled(text)), 1),
        },
    };
    let mut said = Said::default();
    for operand in &options.operands {
        let made = if parents {
            with_parents(call, operand, mode, verbose, &mut said)
        } else {
            one(call, operand, mode).map_err(|error| (operand.clone(), error))
        };
        match made {
            Ok(true) if verbose => said.out.extend(created(call, operand).bytes()),
            Ok(_) => {}
            Err((name, error)) => {
                let text = if call.applet {
                    format!("mkdir: can't create directory '{operand}': {}\n", error.errno_text())
                } else {
                    format!("mkdir: cannot create directory {}: {}\n", curled(&name), error.errno_text())
                };
                said.err.extend(text.bytes());
                said.status = 1;
            }
        }
    }
    said
}

fn created(call: &Call<'_>, operand: &str) -> String {
    if call.applet {
        format!("created directory: '{operand}'\n")
    } else {
        format!("mkdir: created directory {}\n", quoted(operand))
    }
}

fn one(call: &Call<'_>, operand: &str, mode: u32) -> Result<bool, FileError> {
    let path = call.path(operand);
    let path = path.trim_end_matches('/');
    if path.is_empty() || call.files().lstat(path).is_ok() {
        return Err(FileError::Exists);
    }
    may_change_name(call, path)?;
    call.files().make_dir(path, &call.session.who(), mode)?;
    Ok(true)
}

/// Every missing part; those that are there are fine.
fn with_parents(
    call: &Call<'_>,
    operand: &str,
    mode: u32,
    verbose: bool,
    said: &mut Said,
) -> Result<bool, (String, FileError)> {
    let operand = operand.trim_end_matches('/');
    for (at, _) in operand.match_indices('/').filter(|(at, _)| *at > 0) {
        let above = operand.get(..at).unwrap_or_default();
        if !call.files().is_dir(&call.path(above)) {
            if call.files().exists(&call.path(above)) {
                return Err((above.to_owned(), FileError::NotADirectory));
            }
            let made = one(call, above, 0o777 & !call.session.umask());
            made.map_err(|error| (above.to_owned(), error))?;
            if verbose {
                said.out.extend(created(call, above).bytes());
            }
        }
    }
    if call.files().is_dir(&call.path(operand)) {
        return Ok(false);
    }
    one(call, operand, mode).map_err(|error| (operand.to_owned(), error))
}

/// `mkfifo` of coreutils 9.1.
pub(super) fn mkfifo(call: &Call<'_>) -> Said {
    let given = match getopt::cut(call, &[], 1) {
        Ok(given) => given,
        Err(said) => return said,
    };
    if given.operands.is_empty() {
        return getopt::misused(call, "missing operand", 1);
    }
    let mode = match given.value("mode") {
        None => 0o666 & !call.session.umask(),
        Some(text) => match nodes::mode_from(text, 0o666, false, call.session.umask()) {
            Some(mode) if mode & !0o777 != 0 => {
                return Said::err("mkfifo: mode must specify only file permission bits\n", 1);
            }
            Some(mode) => mode,
            None => return Said::err("mkfifo: invalid mode\n", 1),
        },
    };
    let mut said = Said::default();
    for operand in &given.operands {
        let path = call.path(operand);
        let made = if call.files().lstat(&path).is_ok() {
            Err(FileError::Exists)
        } else {
            may_change_name(call, &path)
                .and_then(|()| call.files().make_fifo(&path, &call.session.who(), mode))
        };
        if let Err(error) = made {
            said.err.extend(
                format!("mkfifo: cannot create fifo {}: {}\n", quoted(operand), error.errno_text()).bytes(),
            );
            said.status = 1;
        }
    }
    said
}
