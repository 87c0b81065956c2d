//! `gzip`, `bzip2`, `xz` and the names they have for the way back (gzip 1.12, bzip2 1.0.8, xz 5.4.1).

mod formats;
mod reports;
mod wanted;

use super::{Call, Options, Said, sources, usage};
use crate::machine::FileError;
use formats::{Fault, MOST, complaint, pack, unpack};
pub(super) use formats::{Kind, is_packed, kind_of, packed, unpacked};
use wanted::{Wanted, shortened};

/// The most files below one directory that `gzip -r` goes through.
const MOST_FILES: usize = 2000;

pub(super) fn gzip(call: &Call<'_>) -> Said {
    work(call, Kind::Gzip, matches!(call.name, "gunzip" | "zcat"), call.name == "zcat")
}

pub(super) fn bzip2(call: &Call<'_>) -> Said {
    work(call, Kind::Bzip2, matches!(call.name, "bunzip2" | "bzcat"), call.name == "bzcat")
}

pub(super) fn xz(call: &Call<'_>) -> Said {
    work(call, Kind::Xz, matches!(call.name, "unxz" | "xzcat"), call.name == "xzcat")
}

fn misused(kind: Kind, program: &str, what: &str) -> Said {
    match kind {
        Kind::Gzip => Said::err(format!("gzip: {what}\nTry `gzip --help' for more information.\n"), 1),
        _ => Said::err(
            format!("{program}: {what}\n{program}: Try `{program} --help' for more information.\n"),
            1,
        ),
    }
}

fn work(call: &Call<'_>, kind: Kind, unpacks: bool, to_stdout: bool) -> Said {
    let program = if kind == Kind::Gzip && !call.applet { "gzip" } else { call.name };
    let args = match shortened(call.args) {
        Ok(args) => args,
        Err(long) if kind == Kind::Bzip2 => {
            return Said::err(format!("{program}: Bad flag `--{long}'\n"), 1);
        }
        Err(long) => return misused(kind, program, &format!("unrecognized option '--{long}'")),
    };
    let (known, valued) = match kind {
        Kind::Gzip => ("acdfhklLnNqrtvV123456789", "bS"),
        Kind::Bzip2 => ("cdfhkLqstvVz123456789", ""),
        Kind::Xz => ("zdtlkfcveqQhHV0123456789", "SFCTM"),
    };
    let options = Options::of(&args, valued);
    for (letter, option) in [('V', "--version"), ('h', "--help"), ('H', "--help")] {
        if options.has(letter) {
            return usage::of(call.name, &[option.to_owned()], false).unwrap_or_default();
        }
    }
    if let Some(letter) = options.unknown(known) {
        return match kind {
            Kind::Bzip2 => {
                let help = usage::of("bzip2", &["--help".to_owned()], false).unwrap_or_default();
                let text = format!("{program}: Bad flag `-{letter}'\n").into_bytes();
                Said::err([text, help.out, help.err].concat(), 1)
            }
            _ => misused(kind, program, &format!("invalid option -- '{letter}'")),
        };
    }
    let level = options.letters.iter().rev().find_map(|letter| letter.to_digit(10));
    let wanted = Wanted {
        kind,
        program,
        unpacks: unpacks || options.has('d') || options.has('t'),
        to_stdout: to_stdout || options.has('c'),
        force: options.has('f'),
        keep: options.has('k'),
        test: options.has('t'),
        list: options.has('l'),
        verbose: options.has('v'),
        quiet: options.has('q'),
        nameless: options.has('n'),
        recursive: options.has('r'),
        ending: options.value('S').map_or_else(|| kind.ending().to_owned(), str::to_owned),
        level: level.unwrap_or(if kind == Kind::Bzip2 { 9 } else { 6 }),
        widest: options.operands.iter().map(String::len).max().unwrap_or(0).clamp(7, 1000),
    };
    let mut said = Said::default();
    if options.operands.is_empty() {
        if wanted.list && kind == Kind::Xz {
            return Said::err(format!("{program}: --list does not support reading from standard input\n"), 1);
        }
        if call.stdin.is_none() && call.to_terminal && !wanted.force {
            return Said::err(refusal_of_terminal(&wanted), 1);
        }
        let shown = if kind == Kind::Gzip { "stdin" } else { "(stdin)" };
        stream(&wanted, shown, call.stdin.unwrap_or_default(), None, &mut said);
        return said;
    }
    if wanted.list && kind != Kind::Bzip2 {
        return reports::list(call, kind, program, wanted.verbose, &options.operands);
    }
    for operand in &options.operands {
        if operand == "-" {
            stream(&wanted, "stdin", call.stdin.unwrap_or_default(), None, &mut said);
        } else {
            file(call, &wanted, operand, &mut said);
        }
    }
    said
}

fn refusal_of_terminal(wanted: &Wanted<'_>) -> String {
    let program = wanted.program;
    let (what, not) = if wanted.unpacks { ("read from", "de") } else { ("written to", "") };
    match wanted.kind {
        Kind::Gzip => format!(
            "gzip: compressed data not {what} a terminal. Use -f to force {not}compression.\nFor help, type: gzip -h\n"
        ),
        Kind::Bzip2 => format!(
            "{program}: I won't {} a terminal.\n{program}: For help, type: `{program} --help'.\n",
            if wanted.unpacks { "read compressed data from" } else { "write compressed data to" }
        ),
        Kind::Xz => format!(
            "{program}: Compressed data cannot be {what} a terminal\n{program}: Try `{program} --help' for more information.\n"
        ),
    }
}

/// From bytes to standard output.
fn stream(wanted: &Wanted<'_>, shown: &str, bytes: &[u8], name: Option<(&str, u32)>, said: &mut Said) {
    let result = if wanted.unpacks {
        let unpacked = unpack(bytes, wanted.kind, MOST);
        match unpacked {
            // With -f, what is no archive is handed on.
            Err(Fault::Foreign) if wanted.force && wanted.to_stdout => Ok(bytes.to_vec()),
            Err(Fault::Foreign) if wanted.kind == Kind::Bzip2 && wanted.test => {
                Err(reports::bad_magic(wanted.program, shown))
            }
            other => other.map_err(|fault| complaint(wanted.kind, wanted.program, shown, &fault)),
        }
    } else {
        let (name, time) = name.filter(|_| !wanted.nameless).unzip();
        pack(bytes, wanted.kind, wanted.level, name, time.unwrap_or_default())
            .map_err(|error| format!("{}: {shown}: {error}\n", wanted.program))
    };
    match result {
        Ok(content) => {
            let packed = if wanted.unpacks { bytes.len() } else { content.len() };
            let plain = if wanted.unpacks { content.len() } else { bytes.len() };
            if wanted.verbose && !wanted.quiet {
                let text = reports::progress(
                    wanted.kind,
                    wanted.unpacks,
                    wanted.test,
                    shown,
                    wanted.widest,
                    (plain, packed),
                    bytes,
                );
                said.err.extend(text.bytes());
            }
            if !wanted.test {
                said.out.extend(content);
            }
        }
        Err(text) => {
            said.err.extend(text.bytes());
            said.status = if wanted.kind == Kind::Bzip2 { 2 } else { 1 };
        }
    }
}

fn file(call: &Call<'_>, wanted: &Wanted<'_>, operand: &str, said: &mut Said) {
    let (program, ending) = (wanted.program, wanted.ending.as_str());
    let complain = |said: &mut Said, text: String, status: i32| {
        said.err.extend(text.bytes());
        said.status = said.status.max(status);
    };
    // Who unpacks may leave the ending away.
    let mut name = operand.to_owned();
    if wanted.unpacks && !call.files().exists(&call.path(&name)) && !name.ends_with(ending) {
        name += ending;
        if !call.files().exists(&call.path(&name)) && wanted.kind != Kind::Gzip {
            name = operand.to_owned();
        }
    }
    let bytes = match sources::file(call, &name) {
        Ok(bytes) => bytes,
        Err(FileError::IsADirectory) if wanted.recursive => {
            let entries = call.files().list(&call.path(&name)).unwrap_or_default();
            for entry in entries.into_iter().take(MOST_FILES) {
                if said.err.len() < 1024 * 1024 && operand.len() < 4096 {
                    file(call, wanted, &format!("{}/{}", operand.trim_end_matches('/'), entry.name), said);
                }
            }
            return;
        }
        Err(FileError::IsADirectory) => {
            let text = match wanted.kind {
                Kind::Xz => format!("{program}: {operand}: Is a directory, skipping\n"),
                Kind::Gzip => format!("gzip: {operand} is a directory -- ignored\n"),
                Kind::Bzip2 => format!("{program}: Input file {operand} is a directory.\n"),
            };
            return complain(said, text, wanted.warning());
        }
        Err(error) => {
            let text = match wanted.kind {
                Kind::Xz => format!("{program}: {operand}: {}\n", error.errno_text()),
                Kind::Gzip => format!("gzip: {name}: {}\n", error.errno_text()),
                Kind::Bzip2 => {
                    format!("{program}: Can't open input file {operand}: {}.\n", error.errno_text())
                }
            };
            return complain(said, text, 1);
        }
    };
    let node = call.files().stat(&call.path(&name)).ok();
    let time = node.as_ref().and_then(|node| node.mtime.duration_since(std::time::UNIX_EPOCH).ok());
    let time = time.and_then(|time| u32::try_from(time.as_secs()).ok()).unwrap_or_default();
    let base = name.rsplit('/').next().unwrap_or(&name).to_owned();
    if wanted.kind == Kind::Xz
        && wanted.unpacks
        && !(wanted.force && wanted.to_stdout)
        && kind_of(&bytes) != Some(Kind::Xz)
    {
        return complain(said, complaint(Kind::Xz, program, &name, &Fault::Foreign), 1);
    }
    if wanted.to_stdout || wanted.test {
        return stream(wanted, &name, &bytes, Some((&base, time)), said);
    }
    let target = if wanted.unpacks {
        let endings: &[(&str, &str)] = match wanted.kind {
            Kind::Gzip => &[
                (ending, ""),
                (".gz", ""),
                (".tgz", ".tar"),
                (".taz", ".tar"),
                (".z", ""),
                (".Z", ""),
                ("-gz", ""),
            ],
            Kind::Xz => &[(ending, ""), (".xz", ""), (".txz", ".tar"), (".lzma", ""), (".tlz", ".tar")],
            Kind::Bzip2 => &[(".bz2", ""), (".bz", ""), (".tbz2", ".tar"), (".tbz", ".tar")],
        };
        let found =
            endings.iter().find_map(|(end, instead)| Some(format!("{}{instead}", name.strip_suffix(end)?)));
        match found {
            Some(target) => target,
            None if wanted.kind == Kind::Gzip => {
                return complain(said, format!("gzip: {name}: unknown suffix -- ignored\n"), 2);
            }
            None if wanted.kind == Kind::Xz => {
                return complain(
                    said,
                    format!("{program}: {name}: Filename has an unknown suffix, skipping\n"),
                    2,
                );
            }
            None => {
                complain(
                    said,
                    format!("{program}: Can't guess original name for {name} -- using {name}.out\n"),
                    0,
                );
                format!("{name}.out")
            }
        }
    } else if name.ends_with(ending) && !(wanted.kind == Kind::Gzip && wanted.force) {
        let text = match wanted.kind {
            Kind::Xz => format!("{program}: {name}: File already has `{ending}' suffix, skipping\n"),
            Kind::Gzip => format!("gzip: {name} already has {ending} suffix -- unchanged\n"),
            Kind::Bzip2 => format!("{program}: Input file {name} already has {ending} suffix.\n"),
        };
        // gzip passes it over without counting it.
        let status = if wanted.kind == Kind::Gzip { 0 } else { wanted.warning() };
        return complain(said, text, status);
    } else {
        format!("{name}{ending}")
    };
    if call.files().exists(&call.path(&target)) && !wanted.force {
        let text = match wanted.kind {
            Kind::Xz => format!("{program}: {target}: File exists\n"),
            Kind::Gzip => format!("gzip: {target} already exists;\tnot overwritten\n"),
            Kind::Bzip2 => format!("{program}: Output file {target} already exists.\n"),
        };
        return complain(said, text, if wanted.kind == Kind::Gzip { 2 } else { 1 });
    }
    let mut inner = Said::default();
    let silent = wanted.kind == Kind::Gzip;
    let quiet = Wanted { quiet: silent || wanted.quiet, ending: wanted.ending.clone(), ..*wanted };
    stream(&quiet, &name, &bytes, Some((&base, time)), &mut inner);
    said.err.extend(inner.err);
    if inner.status != 0 {
        said.status = inner.status;
        return;
    }
    let written = sources::write_as(call, &target, &inner.out, 0o666).and_then(|()| {
        let (path, from) = (call.path(&target), node.as_ref());
        if let Some(node) = from {
            call.files().set_mode(&path, node.mode & 0o7777)?;
            call.files().set_times(&path, Some(node.mtime), Some(node.mtime))?;
        }
        if wanted.keep { Ok(()) } else { call.files().remove(&call.path(&name)) }
    });
    if let Err(error) = written {
        return complain(said, format!("{program}: {target}: {}\n", error.errno_text()), 1);
    }
    if wanted.verbose && wanted.kind == Kind::Gzip && !wanted.quiet {
        let (large, small) =
            if wanted.unpacks { (inner.out.len(), bytes.len()) } else { (bytes.len(), inner.out.len()) };
        let packed = if wanted.unpacks { &bytes[..] } else { &inner.out[..] };
        let saved = reports::saved(large, small, packed);
        let verb = match (wanted.keep, wanted.unpacks) {
            (true, _) => "created",
            (false, _) => "replaced with",
        };
        said.err.extend(format!("{name}:\t{saved} -- {verb} {target}\n").bytes());
    }
}
