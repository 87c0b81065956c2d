//! `patch`: applies unified differences (GNU patch 2.7.6), with offsets, fuzz and rejects.

mod hunks;

use super::{Call, Options, Said, sources, usage};
use hunks::{Change, Hunk};

/// Options with a value.
const VALUED: &str = "BDdFgiopryYVxz";
/// Fuzz that is tried when nothing is said of it.
const FUZZ: usize = 2;
/// Larger files are not worked on.
const MOST: usize = 4 * 1024 * 1024;

struct Wanted {
    strip: Option<usize>,
    reverse: bool,
    forward: bool,
    dry: bool,
    silent: bool,
    force: bool,
    batch: bool,
    backup: bool,
    output: Option<String>,
    fuzz: usize,
}

pub(super) fn patch(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, VALUED);
    if let Some(letter) = options.unknown("bcEeflnNRstTuvZ") {
        return Said::err(
            format!("patch: invalid option -- '{letter}'\npatch: Try 'patch --help' for more information.\n"),
            2,
        );
    }
    if options.has('v') {
        return usage::of("patch", &["--version".to_owned()], false).unwrap_or_default();
    }
    let long = |name: &str| options.long.iter().find_map(|long| long.strip_prefix(name)?.strip_prefix('='));
    let value = |letter: char, name: &str| options.value(letter).or_else(|| long(name)).map(str::to_owned);
    let folder = value('d', "directory");
    let cwd = folder.map_or_else(|| call.cwd.to_owned(), |folder| call.path(&folder));
    if !call.files().is_dir(&cwd) {
        return fatal(&format!("Can't change to directory {cwd} : No such file or directory"));
    }
    let wanted = Wanted {
        strip: value('p', "strip").and_then(|count| count.parse().ok()),
        reverse: options.has('R') || options.has_long("reverse"),
        forward: options.has('N') || options.has_long("forward"),
        dry: options.has_long("dry-run"),
        silent: options.has('s') || options.has_long("silent") || options.has_long("quiet"),
        force: options.has('f') || options.has_long("force"),
        batch: options.has('t') || options.has_long("batch"),
        backup: options.has('b') || options.has_long("backup"),
        output: value('o', "output"),
        fuzz: value('F', "fuzz").and_then(|count| count.parse().ok()).unwrap_or(FUZZ),
    };
    let source = value('i', "input").or_else(|| options.operands.get(1).cloned());
    let text = match &source {
        None => call.stdin.unwrap_or_default().to_vec(),
        Some(name) => match sources::read(call, name) {
            Ok(text) => text.to_vec(),
            Err(error) => {
                return fatal(&format!("Can't open patch file {name} : {}", error.errno_text()));
            }
        },
    };
    let changes = hunks::parse(&text);
    if changes.is_empty() {
        return if text.is_empty() {
            Said::default()
        } else {
            fatal("Only garbage was found in the patch input.")
        };
    }
    let mut said = Said::default();
    let here = Call { cwd: &cwd, args: call.args, ..*call };
    for change in &changes {
        if let Some(end) = apply(&here, change, options.operands.first(), &wanted, &mut said) {
            said.err.extend(end.err);
            said.status = end.status;
            break;
        }
    }
    said
}

fn fatal(what: &str) -> Said {
    Said::err(format!("patch: **** {what}\n"), 2)
}

/// The name that is worked on.
fn target(call: &Call<'_>, change: &Change, strip: Option<usize>) -> Option<String> {
    let stripped = |name: &str| match strip {
        None => name.rsplit('/').next().map(str::to_owned),
        Some(count) => {
            let mut rest = name.trim_start_matches(|_| false);
            for _ in 0..count {
                rest = rest.split_once('/')?.1.trim_start_matches('/');
            }
            Some(rest.to_owned())
        }
    };
    let usable = |name: &str| {
        stripped(name).filter(|name| {
            !name.is_empty() && !name.starts_with('/') && !name.split('/').any(|part| part == "..")
        })
    };
    let names: Vec<String> = [&change.old, &change.new]
        .into_iter()
        .filter(|name| *name != "/dev/null")
        .filter_map(|name| usable(name))
        .collect();
    let there = names.iter().filter(|name| call.files().exists(&call.path(name)));
    let best = there
        .min_by_key(|name| (name.matches('/').count(), name.rsplit('/').next().map(str::len), name.len()));
    if let Some(best) = best {
        return Some(best.clone());
    }
    let creates = change.hunks.first().is_some_and(|hunk| hunk.before().is_empty());
    if creates { names.last().cloned() } else { None }
}

/// One file; what ends the whole work.
fn apply(
    call: &Call<'_>,
    change: &Change,
    named: Option<&String>,
    wanted: &Wanted,
    said: &mut Said,
) -> Option<Said> {
    let say = |said: &mut Said, text: &str| said.out.extend(text.bytes());
    let total = change.hunks.len();
    let plural = if total == 1 { "" } else { "s" };
    let Some(name) = named.cloned().or_else(|| target(call, change, wanted.strip)) else {
        say(said, &format!("can't find file to patch at input line {}\n", change.heading_end));
        say(said, "Perhaps you ");
        say(
            said,
            if wanted.strip.is_some() {
                "used the wrong -p or --strip option?\n"
            } else {
                "should have used the -p or --strip option?\n"
            },
        );
        say(said, "The text leading up to this was:\n--------------------------\n");
        for line in &change.heading {
            say(said, &format!("|{line}\n"));
        }
        say(said, "--------------------------\nFile to patch: \nSkip this patch? [y] \nSkipping patch.\n");
        say(said, &format!("{total} out of {total} hunk{plural} ignored\n"));
        said.status = 1;
        return None;
    };
    let path = call.path(&name);
    let before = sources::file(call, &name).unwrap_or_default();
    let exists = call.files().exists(&path);
    if before.len() > MOST {
        return Some(fatal("out of memory"));
    }
    let creates = change.hunks.first().is_some_and(|hunk| hunk.before().is_empty());
    if exists && !before.is_empty() && creates && change.old == "/dev/null" && !wanted.reverse {
        say(said, &format!("The next patch would create the file {name},\nwhich already exists!  "));
        let text = if wanted.forward {
            "Skipping patch.\n"
        } else {
            "Assume -R? [n] \nApply anyway? [n] \nSkipping patch.\n"
        };
        say(said, text);
        say(said, &format!("{total} out of {total} hunk{plural} ignored\n"));
        said.status = 1;
        return None;
    }
    if !wanted.silent {
        say(said, &format!("{} file {name}\n", if wanted.dry { "checking" } else { "patching" }));
    }
    let work = rewrite(change, hunks::lines(&before), wanted, said);
    if !work.rejected.is_empty() {
        said.status = 1;
        let all = work.rejected.len();
        let what = if work.skipped { "ignored" } else { "FAILED" };
        let plural = if total == 1 { "" } else { "s" };
        let mut text = format!("{all} out of {total} hunk{plural} {what}");
        if !exists {
            say(said, &format!("{text}\n"));
            return Some(fatal(&format!("Can't reopen file {name} : No such file or directory")));
        }
        if !wanted.dry {
            text += &format!(" -- saving rejects to file {name}.rej");
            let header = format!("--- {}\n+++ {}\n", change.old, change.new);
            let content = work.rejected.iter().fold(header.into_bytes(), |mut content, hunk| {
                content.extend(shown(hunk));
                content
            });
            if let Err(error) = sources::write(call, &format!("{name}.rej"), &content) {
                return Some(fatal(&format!("Can't create file {name}.rej : {}", error.errno_text())));
            }
        }
        say(said, &(text + "\n"));
    }
    if wanted.dry || work.skipped {
        return None;
    }
    let mut writes = Vec::new();
    if exists && (wanted.backup || work.inexact) {
        writes.push((format!("{name}.orig"), before.to_vec()));
    }
    let after = work.lines.concat();
    let vanishes =
        after.is_empty() && (change.new == "/dev/null") != wanted.reverse && change.new == "/dev/null";
    if vanishes {
        if let Err(error) = call.files().remove(&path) {
            return Some(fatal(&format!("Can't remove file {name} : {}", error.errno_text())));
        }
    } else {
        if let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty())
            && let Err(error) =
                call.files().make_dir_all(folder, &call.session.who(), 0o777 & !call.session.umask())
        {
            return Some(fatal(&format!("Can't create directory {folder} : {}", error.errno_text())));
        }
        writes.push((wanted.output.clone().unwrap_or_else(|| name.clone()), after));
    }
    for (name, content) in writes {
        if let Err(error) = sources::write(call, &name, &content) {
            return Some(fatal(&format!("Can't create file {name} : {}", error.errno_text())));
        }
    }
    None
}

/// What became of a file.
struct Work {
    lines: Vec<Vec<u8>>,
    rejected: Vec<Hunk>,
    /// The whole patch was left out.
    skipped: bool,
    /// Some hunk did not fit exactly.
    inexact: bool,
}

fn rewrite(change: &Change, lines: Vec<Vec<u8>>, wanted: &Wanted, said: &mut Said) -> Work {
    let mut work = Work { lines, rejected: Vec::new(), skipped: false, inexact: false };
    let mut reverse = wanted.reverse;
    // How far the lines have moved, and up to where they are done.
    let (mut moved, mut frozen) = (0_isize, 0_usize);
    for (number, given) in (1..).zip(&change.hunks) {
        let turned = |reverse: bool| if reverse { given.reversed() } else { given.clone() };
        let mut hunk = turned(reverse);
        let guess_of = |hunk: &Hunk| {
            let first = hunk.old_start + usize::from(hunk.before().is_empty());
            first.checked_add_signed(moved).unwrap_or(1).max(1)
        };
        let mut found = None;
        for fuzz in 0..=wanted.fuzz.min(hunk.most_fuzz()) {
            found = hunk.place(&work.lines, guess_of(&hunk), frozen, fuzz).map(|line| (line, fuzz));
            if found.is_none() && number == 1 && !wanted.force && reverse == wanted.reverse {
                let other = turned(!reverse);
                if other.place(&work.lines, guess_of(&other), frozen, fuzz).is_some() {
                    let text = match (wanted.forward, wanted.batch, wanted.reverse) {
                        (true, _, _) => "Reversed (or previously applied) patch detected!  Skipping patch.\n",
                        (_, true, false) => {
                            "Reversed (or previously applied) patch detected!  Assuming -R.\n"
                        }
                        (_, true, true) => "Unreversed patch detected!  Ignoring -R.\n",
                        (_, _, false) => {
                            "Reversed (or previously applied) patch detected!  Assume -R? [n] \nApply anyway? [n] \nSkipping patch.\n"
                        }
                        (_, _, true) => {
                            "Unreversed patch detected!  Ignore -R? [n] \nApply anyway? [n] \nSkipping patch.\n"
                        }
                    };
                    said.out.extend(text.bytes());
                    if wanted.forward || !wanted.batch {
                        work.skipped = true;
                        work.rejected = change.hunks.clone();
                        return work;
                    }
                    reverse = !reverse;
                    hunk = other;
                    found = hunk.place(&work.lines, guess_of(&hunk), frozen, fuzz).map(|line| (line, fuzz));
                }
            }
            if found.is_some() {
                break;
            }
        }
        let guess = guess_of(&hunk);
        let Some((line, fuzz)) = found else {
            said.out.extend(format!("Hunk #{number} FAILED at {guess}.\n").bytes());
            work.inexact = true;
            work.rejected.push(hunk);
            continue;
        };
        if fuzz > 0 || line != guess {
            work.inexact = true;
            let mut text = format!("Hunk #{number} succeeded at {line}");
            if fuzz > 0 {
                text += &format!(" with fuzz {fuzz}");
            }
            if line != guess {
                let offset = line as isize - guess as isize;
                text += &format!(" (offset {offset} line{})", if offset.abs() == 1 { "" } else { "s" });
            }
            said.out.extend((text + ".\n").bytes());
        }
        moved += line as isize - guess as isize;
        let from = (line - 1).min(work.lines.len());
        let taken = hunk.before().len().min(work.lines.len() - from);
        let old: Vec<Vec<u8>> = work.lines.splice(from..from + taken, []).collect();
        // Context stays as it is in the file.
        let mut old = old.into_iter();
        let mut new = Vec::new();
        for line in &hunk.lines {
            match line.sign {
                b'+' => new.push(line.text.clone()),
                b'-' => drop(old.next()),
                _ => new.push(old.next().unwrap_or_else(|| line.text.clone())),
            }
        }
        moved += new.len() as isize - taken as isize;
        frozen = from + new.len();
        work.lines.splice(from..from, new);
    }
    work
}

/// A hunk as it stands in a reject file.
fn shown(hunk: &Hunk) -> Vec<u8> {
    let mut text = hunk.head.clone().into_bytes();
    text.push(b'\n');
    for line in &hunk.lines {
        text.push(line.sign);
        text.extend(&line.text);
        if !line.text.ends_with(b"\n") {
            text.extend(b"\n\\ No newline at end of file\n");
        }
    }
    text
}
