//! What is wanted of a packer, and its long options as letters.

use super::formats::Kind;

pub(super) struct Wanted<'a> {
    pub(super) kind: Kind,
    /// What messages begin with: gzip's other names are scripts that start `gzip`.
    pub(super) program: &'a str,
    pub(super) unpacks: bool,
    pub(super) to_stdout: bool,
    pub(super) force: bool,
    pub(super) keep: bool,
    pub(super) test: bool,
    pub(super) list: bool,
    pub(super) verbose: bool,
    pub(super) quiet: bool,
    pub(super) nameless: bool,
    pub(super) recursive: bool,
    pub(super) ending: String,
    pub(super) level: u32,
    /// How long the longest name is, for what bzip2 lines up.
    pub(super) widest: usize,
}

impl Wanted<'_> {
    /// The status of what is no fault: a file that is passed over.
    pub(super) fn warning(&self) -> i32 {
        if self.kind == Kind::Bzip2 { 1 } else { 2 }
    }
}

const LONG: &[(&str, char)] = &[
    ("ascii", 'a'),
    ("stdout", 'c'),
    ("to-stdout", 'c'),
    ("decompress", 'd'),
    ("uncompress", 'd'),
    ("force", 'f'),
    ("help", 'h'),
    ("keep", 'k'),
    ("list", 'l'),
    ("license", 'L'),
    ("no-name", 'n'),
    ("name", 'N'),
    ("quiet", 'q'),
    ("recursive", 'r'),
    ("suffix", 'S'),
    ("synchronous", ' '),
    ("test", 't'),
    ("verbose", 'v'),
    ("version", 'V'),
    ("fast", '1'),
    ("best", '9'),
    ("rsyncable", ' '),
    ("compress", 'z'),
    ("small", 's'),
    ("extreme", 'e'),
    ("format", 'F'),
    ("threads", 'T'),
    ("check", 'C'),
    ("memlimit", 'M'),
    ("long-help", 'H'),
    ("no-warn", 'Q'),
    ("no-sparse", ' '),
    ("robot", ' '),
    ("single-stream", ' '),
    ("exact", ' '),
];

/// The arguments with long options as letters, or the first that is none.
pub(super) fn shortened(args: &[String]) -> Result<Vec<String>, String> {
    let mut short = Vec::with_capacity(args.len());
    for (at, arg) in args.iter().enumerate() {
        if arg == "--" {
            short.extend(args.iter().skip(at).cloned());
            break;
        }
        let Some(long) = arg.strip_prefix("--") else {
            short.push(arg.clone());
            continue;
        };
        let (name, value) = long.split_once('=').unwrap_or((long, ""));
        let found = LONG.iter().find(|(known, _)| *known == name);
        let found = found.or_else(|| LONG.iter().find(|(known, _)| known.starts_with(name)));
        match found {
            Some((_, ' ')) => {}
            Some((_, letter)) => short.push(format!("-{letter}{value}")),
            None => return Err(long.to_owned()),
        }
    }
    Ok(short)
}
