//! Files of a size, with a name nobody guesses, and without their content: `truncate`, `mktemp`, `shred` (GNU
//! coreutils 9.1).

use rand::RngExt as _;

use super::{
    Call, Said, disks,
    getopt::{self, Given},
    quoting::{Style, curled, quoted},
    removing::may_change_name,
    sources,
};
use crate::machine::{Access, FileError};

/// The most bytes that a file is filled up to.
const MOST: u64 = 64 * 1024 * 1024;

pub(super) fn truncate(call: &Call<'_>) -> Said {
    match cut(call) {
        Ok(said) | Err(said) => said,
    }
}

/// `+10`, `<500K`, `%1000`: what comes of a size.
fn resized(text: &str, old: u64) -> Option<u64> {
    let text = text.trim_start();
    let sign = text.chars().next().filter(|sign| "+-<>/%".contains(*sign));
    let number = disks::unit_or_zero(text.get(sign.map_or(0, char::len_utf8)..)?)?;
    Some(match sign {
        None => number,
        Some('+') => old.checked_add(number)?,
        Some('-') => old.saturating_sub(number),
        Some('<') => old.min(number),
        Some('>') => old.max(number),
        Some('/') => old.checked_div(number)?.checked_mul(number)?,
        Some(_) => old.checked_next_multiple_of(number)?,
    })
}

fn cut(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &[], 1)?;
    let (size, reference) = (given.value("size"), given.value("reference"));
    if let Some(text) = size
        && (resized(text, 0).is_none() && !text.starts_with(['/', '%']) || text.is_empty())
    {
        let digits = text.trim_start_matches(['+', '-', '<', '>', '/', '%']);
        return Err(Said::err(format!("truncate: Invalid number: {}\n", curled(digits)), 1));
    }
    if size.is_none() && reference.is_none() {
        let what = format!("you must specify either {} or {}", curled("--size"), curled("--reference"));
        return Err(getopt::misused(call, &what, 1));
    }
    if reference.is_some() && size.is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit())) {
        let what = format!("you must specify a relative {} with {}", curled("--size"), curled("--reference"));
        return Err(getopt::misused(call, &what, 1));
    }
    if size.is_some_and(|text| matches!(text, "/0" | "%0")) {
        return Err(Said::err("truncate: division by zero\n", 1));
    }
    if given.operands.is_empty() {
        return Err(getopt::misused(call, "missing file operand", 1));
    }
    let of_reference = match reference {
        None => None,
        Some(name) => match call.files().stat(&call.path(name)) {
            Ok(node) => Some(node.size),
            Err(error) => {
                let text = format!("truncate: cannot stat {}: {}\n", quoted(name), error.errno_text());
                return Err(Said::err(text, 1));
            }
        },
    };
    let mut said = Said::default();
    for operand in &given.operands {
        let path = call.path(operand);
        let node = call.files().stat(&path);
        if node.is_err() && given.has("no-create") {
            continue;
        }
        if node.as_ref().is_ok_and(|node| node.is_dir()) {
            said.err.extend(
                format!("truncate: cannot open {} for writing: Is a directory\n", quoted(operand)).bytes(),
            );
            said.status = 1;
            continue;
        }
        let old = of_reference.unwrap_or_else(|| node.as_ref().map_or(0, |node| node.size));
        let new = match size {
            Some(text) => resized(text, old).unwrap_or(old),
            None => old,
        };
        let mut content = call.files().read(&path).map(|bytes| bytes.to_vec()).unwrap_or_default();
        content.resize(usize::try_from(new.min(MOST)).unwrap_or(0), 0);
        if let Err(error) = sources::write(call, operand, &content) {
            let text = match error {
                FileError::NoSpace => format!(
                    "truncate: failed to truncate {} at {new} bytes: File too large\n",
                    quoted(operand)
                ),
                error => {
                    format!("truncate: cannot open {} for writing: {}\n", quoted(operand), error.errno_text())
                }
            };
            said.err.extend(text.bytes());
            said.status = 1;
        }
    }
    Ok(said)
}

pub(super) fn mktemp(call: &Call<'_>) -> Said {
    match make(call) {
        Ok(said) | Err(said) => said,
    }
}

fn make(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &["-V"], 1)?;
    let fail = |what: String| Err(Said::err(format!("mktemp: {what}\n"), 1));
    let template = match given.operands.as_slice() {
        [] => "tmp.XXXXXXXXXX",
        [only] => only.as_str(),
        _ => return Err(getopt::misused(call, "too many templates", 1)),
    };
    let suffix = given.value("suffix");
    if suffix.is_some() && !template.ends_with('X') {
        return fail(format!("with --suffix, template {} must end in X", curled(template)));
    }
    let end = template.rfind('X').map_or(0, |at| at + 1);
    let (stem, rest) = template.split_at(end);
    let suffix = suffix.unwrap_or(rest);
    if suffix.contains('/') {
        return fail(format!("invalid suffix {}, contains directory separator", curled(suffix)));
    }
    let count = stem.len() - stem.trim_end_matches('X').len();
    if count < 3 {
        return fail(format!("too few X's in template {}", curled(template)));
    }
    let in_folder = given.operands.is_empty() || given.has("tmpdir") || given.has("t");
    let of_environment = || call.var("TMPDIR").filter(|dir| !dir.is_empty());
    let named = given.value("tmpdir").filter(|dir| !dir.is_empty()).map(str::to_owned);
    let folder = if given.has("t") { of_environment().or(named) } else { named.or_else(of_environment) };
    let folder = folder.unwrap_or_else(|| "/tmp".to_owned());
    if given.has("t") && template.contains('/') {
        return fail(format!("invalid template, {}, contains directory separator", curled(template)));
    }
    if in_folder && template.starts_with('/') {
        return fail(format!(
            "invalid template, {}; with --tmpdir, it may not be absolute",
            curled(template)
        ));
    }
    let front = stem.trim_end_matches('X');
    let whole = |middle: &str| {
        let name = format!("{front}{middle}{suffix}");
        if in_folder { format!("{}/{name}", folder.trim_end_matches('/')) } else { name }
    };
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut random = rand::rng();
    let middle: String = (0..count.min(255))
        .map(|_| char::from(LETTERS.get(random.random_range(0..LETTERS.len())).copied().unwrap_or(b'a')))
        .collect();
    let name = whole(&middle);
    let (path, who) = (call.path(&name), call.session.who());
    let is_folder = given.has("directory");
    if !given.has("dry-run") {
        let made = may_change_name(call, &path).and_then(|()| {
            if is_folder {
                call.files().make_dir(&path, &who, 0o700)
            } else {
                call.files().write(&path, b"", &who, 0o600)
            }
        });
        if let Err(error) = made {
            if given.has("quiet") {
                return Err(Said::nothing(1));
            }
            let what = if is_folder { "directory" } else { "file" };
            let shown = curled(&whole(&"X".repeat(count.min(255))));
            return fail(format!("failed to create {what} via template {shown}: {}", error.errno_text()));
        }
    }
    Ok(Said::out(format!("{name}\n")))
}

pub(super) fn shred(call: &Call<'_>) -> Said {
    match destroy(call) {
        Ok(said) | Err(said) => said,
    }
}

/// How often, and the pattern of each time, as `shred -v` tells of three times: all are random.
fn passes(given: &Given) -> Result<usize, Said> {
    let text = given.value("iterations").unwrap_or("3");
    match text.parse::<usize>() {
        Ok(number) => Ok(number.min(100)),
        Err(_) => Err(Said::err(format!("shred: invalid number of passes: {}\n", curled(text)), 1)),
    }
}

fn destroy(call: &Call<'_>) -> Result<Said, Said> {
    let given = getopt::cut(call, &[], 1)?;
    let passes = passes(&given)?;
    if given.operands.is_empty() {
        return Err(getopt::misused(call, "missing file operand", 1));
    }
    let (removes, verbose) = (given.has("u") || given.has("remove"), given.has("verbose"));
    let mut said = Said::default();
    for operand in &given.operands {
        let (path, who) = (call.path(operand), call.session.who());
        let shown = Style::ShellEscape(false).write(operand);
        let node = call.files().stat(&path).and_then(|node| {
            call.files().may(who.uid, who.gid, &path, Access::Write)?;
            if node.is_dir() { Err(FileError::IsADirectory) } else { Ok(node) }
        });
        let node = match node {
            Ok(node) => node,
            Err(error) => {
                let text = format!("shred: {shown}: failed to open for writing: {}\n", error.errno_text());
                said.err.extend(text.bytes());
                said.status = 1;
                continue;
            }
        };
        let last = usize::from(given.has("zero"));
        if verbose {
            for pass in 1..=passes {
                said.err
                    .extend(format!("shred: {shown}: pass {pass}/{} (random)...\n", passes + last).bytes());
            }
            if last == 1 {
                said.err.extend(format!("shred: {shown}: pass {0}/{0} (000000)...\n", passes + 1).bytes());
            }
        }
        // Whole blocks are written over.
        let length = if given.has("exact") { node.size } else { node.size.next_multiple_of(4096) };
        let mut content = vec![0_u8; usize::try_from(length.min(MOST)).unwrap_or(0)];
        if last == 0 {
            rand::rng().fill(content.as_mut_slice());
        }
        if !removes && call.files().write(&path, &content, &who, node.mode).is_err() {
            said.status = 1;
        }
        if removes {
            if verbose {
                said.err.extend(renamings(operand, &shown).bytes());
            }
            if let Err(error) = may_change_name(call, &path).and_then(|()| call.files().remove(&path)) {
                said.err
                    .extend(format!("shred: {shown}: failed to remove: {}\n", error.errno_text()).bytes());
                said.status = 1;
            }
        }
    }
    Ok(said)
}

/// The names that a file goes through before it is removed, each shorter than the one before.
fn renamings(operand: &str, shown: &str) -> String {
    let (folder, name) = operand.rsplit_once('/').map_or(("", operand), |(folder, name)| (folder, name));
    let join = |name: &str| if operand.contains('/') { format!("{folder}/{name}") } else { name.to_owned() };
    let mut text = format!("shred: {shown}: removing\n");
    let mut before = shown.to_owned();
    for length in (1..=name.len().min(255)).rev() {
        let next = join(&"0".repeat(length));
        text += &format!("shred: {before}: renamed to {next}\n");
        before = next;
    }
    text + &format!("shred: {shown}: removed\n")
}

#[cfg(test)]
mod tests {
    use super::resized;

    #[test]
    fn sizes_are_changed() {
        for (text, old, new) in [
            ("5", 9, 5),
            ("1K", 0, 1024),
            ("+10", 5, 15),
            ("-10", 5, 0),
            ("<500K", 1 << 20, 512_000),
            (">1MB", 512_000, 1_000_000),
            ("%1000", 1_000_001, 1_001_000),
            ("/7", 20, 14),
        ] {
            assert_eq!(resized(text, old), Some(new), "{text}");
        }
        assert_eq!(resized("bad", 0), None);
    }
}
