//! `gzip`, `bzip2` and the names they have for the way back (gzip 1.12, bzip2 1.0.8).

use std::io::{Read as _, Write as _};

use super::{Call, Options, Said, sources, usage};
use crate::machine::FileError;

/// The most that comes out of one file: more is a bomb.
const MOST: u64 = 16 * 1024 * 1024;

/// Which of the two.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Gzip,
    Bzip2,
}

impl Kind {
    fn ending(self) -> &'static str {
        if self == Self::Gzip { ".gz" } else { ".bz2" }
    }
}

pub(super) fn gzip(call: &Call<'_>) -> Said {
    work(call, Kind::Gzip, matches!(call.name, "gunzip" | "zcat"), call.name == "zcat")
}

pub(super) fn bzip2(call: &Call<'_>) -> Said {
    work(call, Kind::Bzip2, matches!(call.name, "bunzip2" | "bzcat"), call.name == "bzcat")
}

/// Why bytes are no archive.
#[derive(Debug, PartialEq)]
enum Fault {
    Foreign,
    Short,
    Damaged,
}

fn unpack(bytes: &[u8], kind: Kind) -> Result<Vec<u8>, Fault> {
    if kind == Kind::Gzip && bytes.starts_with(&[0x1f, 0x9d]) {
        return uncompress(bytes);
    }
    let mut out = Vec::new();
    let is_one = match kind {
        Kind::Gzip => bytes.starts_with(&[0x1f, 0x8b]),
        Kind::Bzip2 => bytes.starts_with(b"BZh"),
    };
    if !is_one {
        return Err(if bytes.is_empty() { Fault::Short } else { Fault::Foreign });
    }
    let read = match kind {
        Kind::Gzip => flate2::read::MultiGzDecoder::new(bytes).take(MOST).read_to_end(&mut out),
        Kind::Bzip2 => bzip2::read::MultiBzDecoder::new(bytes).take(MOST).read_to_end(&mut out),
    };
    match read {
        Ok(_) => Ok(out),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::Short),
        Err(_) => Err(Fault::Damaged),
    }
}

/// The way back from `compress` (LZW), which gzip knows too.
fn uncompress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let flags = *bytes.get(2).ok_or(Fault::Short)?;
    let (most_bits, blocks) = (u32::from(flags & 0x1f), flags & 0x80 != 0);
    if !(9..=16).contains(&most_bits) {
        return Err(Fault::Damaged);
    }
    let data = bytes.get(3..).unwrap_or_default();
    // Each entry: the one it goes on from, its last byte, its first.
    let mut table: Vec<(usize, u8)> = Vec::new();
    let begin = if blocks { 257 } else { 256 };
    let (mut width, mut at, mut group) = (9_u32, 0_usize, 0_usize);
    let (mut out, mut before) = (Vec::new(), None::<(usize, u8)>);
    while at + width as usize <= data.len() * 8 && (out.len() as u64) < MOST {
        let code = (0..width as usize).fold(0_usize, |code, bit| {
            let place = at + bit;
            let byte = data.get(place / 8).copied().unwrap_or_default();
            code | usize::from(byte >> (place % 8) & 1) << bit
        });
        at += width as usize;
        if blocks && code == 256 {
            // Codes come in groups of eight: the rest of the group is not used.
            let length = width as usize * 8;
            at = group + (at - group).div_ceil(length) * length;
            (group, width, before) = (at, 9, None);
            table.clear();
            continue;
        }
        let known = begin + table.len();
        let mut text = Vec::new();
        let mut here = match before {
            _ if code < known => code,
            Some((last, first)) if code == known => {
                text.push(first);
                last
            }
            _ => return Err(Fault::Damaged),
        };
        while here >= begin {
            let (parent, byte) = table.get(here - begin).copied().ok_or(Fault::Damaged)?;
            text.push(byte);
            here = parent;
        }
        let first = u8::try_from(here).map_err(|_| Fault::Damaged)?;
        text.push(first);
        out.extend(text.iter().rev());
        if let Some((last, _)) = before.filter(|_| known < 1 << most_bits) {
            table.push((last, first));
            if begin + table.len() >= 1 << width && width < most_bits {
                let length = width as usize * 8;
                at = group + (at - group).div_ceil(length) * length;
                group = at;
                width += 1;
            }
        }
        before = Some((code, first));
    }
    Ok(out)
}

fn pack(bytes: &[u8], kind: Kind, level: u32, name: Option<&str>, time: u32) -> std::io::Result<Vec<u8>> {
    match kind {
        Kind::Gzip => {
            let mut builder = flate2::GzBuilder::new().operating_system(3).mtime(time);
            if let Some(name) = name {
                builder = builder.filename(name);
            }
            let mut writer = builder.write(Vec::new(), flate2::Compression::new(level));
            writer.write_all(bytes)?;
            writer.finish()
        }
        Kind::Bzip2 => {
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
            writer.write_all(bytes)?;
            writer.finish()
        }
    }
}

fn complaint(kind: Kind, program: &str, shown: &str, fault: &Fault) -> String {
    match (kind, fault) {
        (Kind::Gzip, Fault::Foreign) => format!("\n{program}: {shown}: not in gzip format\n"),
        (Kind::Gzip, Fault::Short) => format!("\n{program}: {shown}: unexpected end of file\n"),
        (Kind::Gzip, Fault::Damaged) => {
            format!("\n{program}: {shown}: invalid compressed data--format violated\n")
        }
        (Kind::Bzip2, Fault::Foreign) => format!("{program}: {shown} is not a bzip2 file.\n"),
        (Kind::Bzip2, Fault::Short) => format!(
            "\n{program}: Compressed file ends unexpectedly;\n\tperhaps it is corrupted?  *Possible* reason follows.\n{program}: Inappropriate ioctl for device\n\tInput file = {shown}, output file = (stdout)\n\nIt is possible that the compressed file(s) have become corrupted.\nYou can use the -tvv option to test integrity of such files.\n\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n"
        ),
        (Kind::Bzip2, Fault::Damaged) => format!(
            "\n{program}: Data integrity error when decompressing.\n\tInput file = {shown}, output file = (stdout)\n\nIt is possible that the compressed file(s) have become corrupted.\nYou can use the -tvv option to test integrity of such files.\n\nYou can use the `bzip2recover' program to attempt to recover\ndata from undamaged sections of corrupted files.\n\n"
        ),
    }
}

struct Wanted {
    kind: Kind,
    /// What messages begin with: gzip's other names are scripts that start `gzip`.
    program: &'static str,
    unpacks: bool,
    to_stdout: bool,
    force: bool,
    keep: bool,
    test: bool,
    verbose: bool,
    quiet: bool,
    level: u32,
}

fn work(call: &Call<'_>, kind: Kind, unpacks: bool, to_stdout: bool) -> Said {
    let options = Options::of(call.args, if kind == Kind::Gzip { "bS" } else { "" });
    let long = |name: &str| options.has_long(name);
    if long("version") || options.has('V') {
        return usage::of(call.name, &["--version".to_owned()], false).unwrap_or_default();
    }
    if options.has('h') || long("help") {
        return usage::of(call.name, &["--help".to_owned()], false).unwrap_or_default();
    }
    let program = match (kind, call.applet, call.name) {
        (Kind::Gzip, false, _) => "gzip",
        (Kind::Bzip2, false, "bunzip2") => "bunzip2",
        (Kind::Bzip2, false, "bzcat") => "bzcat",
        (Kind::Bzip2, false, _) => "bzip2",
        (_, true, "gzip") => "gzip",
        (_, true, "gunzip") => "gunzip",
        (_, true, "zcat") => "zcat",
        (_, true, "bunzip2") => "bunzip2",
        (_, true, "bzcat") => "bzcat",
        (_, true, _) => "bzip2",
    };
    let known = if kind == Kind::Gzip { "acdfhklLnNqrtvV123456789" } else { "cdfhkLqstvVz123456789" };
    if let Some(letter) = options.unknown(known) {
        let text = match kind {
            Kind::Gzip => {
                format!("gzip: invalid option -- '{letter}'\nTry `gzip --help' for more information.\n")
            }
            Kind::Bzip2 => format!("{program}: Bad flag `-{letter}'\n"),
        };
        return Said::err(text, 1);
    }
    let level = options.letters.iter().rev().find_map(|letter| letter.to_digit(10));
    let wanted = Wanted {
        kind,
        program,
        unpacks: unpacks || options.has('d') || long("decompress") || long("uncompress") || options.has('t'),
        to_stdout: to_stdout || options.has('c') || long("stdout") || long("to-stdout"),
        force: options.has('f') || long("force"),
        keep: options.has('k') || long("keep"),
        test: options.has('t') || long("test"),
        verbose: options.has('v') || long("verbose"),
        quiet: options.has('q') || long("quiet"),
        level: level.unwrap_or(if kind == Kind::Gzip { 6 } else { 9 }),
    };
    let mut said = Said::default();
    if options.operands.is_empty() {
        if call.stdin.is_none() && call.to_terminal && !wanted.force {
            let (what, not) = if wanted.unpacks { ("read from", "de") } else { ("written to", "") };
            let text = match kind {
                Kind::Gzip => format!(
                    "gzip: compressed data not {what} a terminal. Use -f to force {not}compression.\nFor help, type: gzip -h\n"
                ),
                Kind::Bzip2 => format!(
                    "{program}: I won't {} a terminal.\n{program}: For help, type: `{program} --help'.\n",
                    if wanted.unpacks { "read compressed data from" } else { "write compressed data to" }
                ),
            };
            return Said::err(text, 1);
        }
        stream(&wanted, "stdin", call.stdin.unwrap_or_default(), None, &mut said);
        return said;
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

/// From bytes to standard output.
fn stream(wanted: &Wanted, shown: &str, bytes: &[u8], name: Option<(&str, u32)>, said: &mut Said) {
    let result = if wanted.unpacks {
        let unpacked = unpack(bytes, wanted.kind);
        match unpacked {
            // With -f, what is no archive is handed on.
            Err(Fault::Foreign) if wanted.force && wanted.to_stdout => Ok(bytes.to_vec()),
            other => other.map_err(|fault| complaint(wanted.kind, wanted.program, shown, &fault)),
        }
    } else {
        let (name, time) = name.unzip();
        pack(bytes, wanted.kind, wanted.level, name, time.unwrap_or_default())
            .map_err(|error| format!("{}: {shown}: {error}\n", wanted.program))
    };
    match result {
        Ok(content) if !wanted.test => said.out.extend(content),
        Ok(_) => {}
        Err(text) => {
            said.err.extend(text.bytes());
            said.status = if wanted.kind == Kind::Gzip { 1 } else { 2 };
        }
    }
}

fn file(call: &Call<'_>, wanted: &Wanted, operand: &str, said: &mut Said) {
    let (program, ending) = (wanted.program, wanted.kind.ending());
    let complain = |said: &mut Said, text: String, status: i32| {
        said.err.extend(text.bytes());
        said.status = said.status.max(status);
    };
    // Who unpacks may leave the ending away.
    let mut name = operand.to_owned();
    if wanted.unpacks && !call.files().exists(&call.path(&name)) && !name.ends_with(ending) {
        name += ending;
        if !call.files().exists(&call.path(&name)) && wanted.kind == Kind::Bzip2 {
            name = operand.to_owned();
        }
    }
    let bytes = match sources::file(call, &name) {
        Ok(bytes) => bytes,
        Err(FileError::IsADirectory) => {
            let text = match wanted.kind {
                Kind::Gzip => format!("gzip: {operand} is a directory -- ignored\n"),
                Kind::Bzip2 => format!("{program}: Input file {operand} is a directory.\n"),
            };
            return complain(said, text, if wanted.kind == Kind::Gzip { 2 } else { 1 });
        }
        Err(error) => {
            let text = match wanted.kind {
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
    if wanted.to_stdout || wanted.test {
        return stream(wanted, &name, &bytes, Some((&base, time)), said);
    }
    let target = if wanted.unpacks {
        let endings: &[(&str, &str)] = match wanted.kind {
            Kind::Gzip => &[(".gz", ""), (".tgz", ".tar"), (".Z", ""), ("-gz", "")],
            Kind::Bzip2 => &[(".bz2", ""), (".bz", ""), (".tbz2", ".tar"), (".tbz", ".tar")],
        };
        let found =
            endings.iter().find_map(|(end, instead)| Some(format!("{}{instead}", name.strip_suffix(end)?)));
        match found {
            Some(target) => target,
            None if wanted.kind == Kind::Gzip => {
                return complain(said, format!("gzip: {name}: unknown suffix -- ignored\n"), 2);
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
    } else if name.ends_with(ending) {
        let text = match wanted.kind {
            Kind::Gzip => format!("gzip: {name} already has {ending} suffix -- unchanged\n"),
            Kind::Bzip2 => format!("{program}: Input file {name} already has {ending} suffix.\n"),
        };
        return complain(said, text, if wanted.kind == Kind::Gzip { 2 } else { 1 });
    } else {
        format!("{name}{ending}")
    };
    if call.files().exists(&call.path(&target)) && !wanted.force {
        let text = match wanted.kind {
            Kind::Gzip => format!("gzip: {target} already exists;\tnot overwritten\n"),
            Kind::Bzip2 => format!("{program}: Output file {target} already exists.\n"),
        };
        return complain(said, text, if wanted.kind == Kind::Gzip { 2 } else { 1 });
    }
    let mut inner = Said::default();
    stream(wanted, &name, &bytes, Some((&base, time)), &mut inner);
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
        let saved = 100.0 * (large as f64 - small as f64) / (large as f64).max(1.0);
        let verb = match (wanted.keep, wanted.unpacks) {
            (true, _) => "created",
            (false, _) => "replaced with",
        };
        said.err.extend(format!("{name}:\t{saved:5.1}% -- {verb} {target}\n").bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
        for kind in [Kind::Gzip, Kind::Bzip2] {
            let packed = pack(&bytes, kind, 6, Some("x"), 1).unwrap();
            assert_eq!(unpack(&packed, kind), Ok(bytes.clone()));
            assert_eq!(unpack(&packed[..packed.len() / 2], kind), Err(Fault::Short));
            assert_eq!(unpack(b"no archive", kind), Err(Fault::Foreign));
        }
        assert_eq!(unpack(&[0x1f, 0x9d, 0x90, 0x61, 0x14, 0], Kind::Gzip), Ok(b"a\n".to_vec()));
        assert_eq!(unpack(&[0x1f, 0x9d, 0x90, 0], Kind::Gzip), Ok(Vec::new()));
    }
}
