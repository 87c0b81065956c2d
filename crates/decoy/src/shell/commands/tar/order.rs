//! The arguments of `tar`.

use super::super::{Said, patterns::is_like};

/// Programs that an archive goes through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Filter {
    Gzip,
    Bzip2,
    Xz,
}

impl Filter {
    /// By the ending of the archive's name.
    fn of_name(name: &str) -> Option<Self> {
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".gz", ".tgz", ".taz"]) {
            Some(Self::Gzip)
        } else if ends(&[".bz2", ".tbz", ".tbz2", ".tz2"]) {
            Some(Self::Bzip2)
        } else if ends(&[".xz", ".txz"]) {
            Some(Self::Xz)
        } else {
            None
        }
    }
}

/// What is to be done; `D` is `--delete`.
#[derive(Default)]
pub(super) struct Order {
    pub(super) mode: Option<char>,
    pub(super) file: Option<String>,
    pub(super) verbose: bool,
    pub(super) filter: Option<Filter>,
    pub(super) to_stdout: bool,
    pub(super) strip: usize,
    pub(super) folder: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) lists: Vec<String>,
    pub(super) excluded: Vec<String>,
    pub(super) absolute: bool,
    pub(super) keep_old: bool,
    pub(super) dereference: bool,
    pub(super) alone: bool,
    pub(super) remove: bool,
    pub(super) wildcards: bool,
    pub(super) numeric: bool,
    pub(super) full_time: bool,
    pub(super) owner: Option<String>,
    pub(super) group: Option<String>,
    /// What stands for what in names, and whether everywhere: `s/a/b/g`.
    pub(super) transform: Option<(String, String, bool)>,
    auto: bool,
}

impl Order {
    /// Whether a name is left out: a pattern means a whole name or the end of one behind a slash.
    pub(super) fn excludes(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let tails =
            std::iter::once(name).chain(name.match_indices('/').filter_map(|(at, _)| name.get(at + 1..)));
        self.excluded.iter().any(|pattern| {
            let pattern = pattern.trim_end_matches('/');
            tails.clone().any(|tail| is_like(tail, pattern))
        })
    }

    /// A name as `--transform` has it.
    pub(super) fn transformed(&self, name: &str) -> String {
        match &self.transform {
            Some((from, to, true)) => name.replace(from, to),
            Some((from, to, false)) => name.replacen(from, to, 1),
            None => name.to_owned(),
        }
    }
}

/// A refusal that points to the help.
pub(super) fn complain(text: &str, status: i32) -> Said {
    Said::err(format!("tar: {text}\nTry 'tar --help' or 'tar --usage' for more information.\n"), status)
}

/// The last words of tar.
pub(super) fn fatal(text: &str) -> Said {
    Said::err(format!("tar: {text}\ntar: Error is not recoverable: exiting now\n"), 2)
}

/// Long options that take a value and change nothing here.
const VALUED: &[&str] = &[
    "add-file",
    "after-date",
    "backup",
    "blocking-factor",
    "checkpoint-action",
    "clamp-mtime",
    "format",
    "hole-detection",
    "label",
    "level",
    "listed-incremental",
    "mode",
    "mtime",
    "newer",
    "newer-mtime",
    "occurrence",
    "pax-option",
    "quoting-style",
    "record-size",
    "rsh-command",
    "sort",
    "starting-file",
    "suffix",
    "tape-length",
    "to-command",
    "use-compress-program",
    "volno-file",
    "warning",
    "xattrs-exclude",
    "xattrs-include",
];

/// Long options that change nothing here.
const PLAIN: &[&str] = &[
    "acls",
    "anchored",
    "atime-preserve",
    "auto-compress",
    "block-number",
    "check-device",
    "checkpoint",
    "delay-directory-restore",
    "force-local",
    "full-time",
    "hard-dereference",
    "ignore-case",
    "ignore-command-error",
    "ignore-failed-read",
    "ignore-zeros",
    "incremental",
    "index-file",
    "interactive",
    "keep-newer-files",
    "multi-volume",
    "no-acls",
    "no-anchored",
    "no-auto-compress",
    "no-check-device",
    "no-delay-directory-restore",
    "no-ignore-case",
    "no-null",
    "no-overwrite-dir",
    "no-quote-chars",
    "no-same-owner",
    "no-same-permissions",
    "no-selinux",
    "no-unquote",
    "no-wildcards",
    "no-xattrs",
    "null",
    "old-archive",
    "one-file-system",
    "one-top-level",
    "overwrite",
    "overwrite-dir",
    "portability",
    "posix",
    "preserve-order",
    "preserve-permissions",
    "read-full-records",
    "recursion",
    "recursive-unlink",
    "same-order",
    "same-owner",
    "same-permissions",
    "seek",
    "selinux",
    "show-defaults",
    "show-omitted-dirs",
    "show-snapshot-field-ranges",
    "show-stored-names",
    "skip-old-files",
    "sparse",
    "test-label",
    "totals",
    "touch",
    "unlink-first",
    "unquote",
    "utc",
    "verify",
    "wildcards-match-slash",
    "xattrs",
];

/// Long options that something is done for.
const USED: &[&str] = &[
    "absolute-names",
    "append",
    "bunzip2",
    "bzip2",
    "catenate",
    "compare",
    "concatenate",
    "create",
    "delete",
    "dereference",
    "diff",
    "directory",
    "exclude",
    "exclude-from",
    "extract",
    "file",
    "files-from",
    "get",
    "group",
    "gunzip",
    "gzip",
    "keep-old-files",
    "list",
    "no-recursion",
    "numeric-owner",
    "owner",
    "remove-files",
    "strip-components",
    "to-stdout",
    "transform",
    "update",
    "verbose",
    "wildcards",
    "xform",
    "xz",
];

/// Reads the arguments, the first word perhaps without a dash.
pub(super) fn order(args: &[String]) -> Result<Order, Said> {
    let mut order = Order::default();
    let mut args = args.iter();
    let mut first = true;
    while let Some(arg) = args.next() {
        let old = first && !arg.starts_with('-');
        first = false;
        if arg == "--" {
            order.names.extend(args.by_ref().cloned());
        } else if let Some(long) = arg.strip_prefix("--") {
            long_option(&mut order, long, &mut args)?;
        } else if old || arg.starts_with('-') && arg.len() > 1 {
            letters(&mut order, arg.trim_start_matches('-'), old, &mut args)?;
        } else {
            order.names.push(arg.clone());
        }
    }
    if order.auto && order.filter.is_none() {
        order.filter = order.file.as_deref().and_then(Filter::of_name);
    }
    Ok(order)
}

type Args<'a> = std::slice::Iter<'a, String>;

fn long_option(order: &mut Order, long: &str, args: &mut Args<'_>) -> Result<(), Said> {
    let (word, value) =
        long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
    let all = || [VALUED, PLAIN, USED].into_iter().flatten().copied();
    let found: Vec<&str> = match all().find(|name| *name == word) {
        Some(exact) => vec![exact],
        None => all().filter(|name| name.starts_with(word)).collect(),
    };
    let [name] = found.as_slice() else {
        return Err(complain(&format!("unrecognized option '--{long}'"), 64));
    };
    let mut value = || {
        value
            .clone()
            .or_else(|| args.next().cloned())
            .ok_or_else(|| complain(&format!("option '--{name}' requires an argument"), 64))
    };
    match *name {
        "extract" | "get" => set_mode(order, 'x')?,
        "create" => set_mode(order, 'c')?,
        "list" => set_mode(order, 't')?,
        "append" => set_mode(order, 'r')?,
        "update" => set_mode(order, 'u')?,
        "catenate" | "concatenate" => set_mode(order, 'A')?,
        "compare" | "diff" => set_mode(order, 'd')?,
        "delete" => set_mode(order, 'D')?,
        "file" => order.file = Some(value()?),
        "directory" => order.folder = Some(value()?),
        "files-from" => order.lists.push(value()?),
        "exclude" => order.excluded.push(value()?),
        "owner" => order.owner = Some(value()?),
        "group" => order.group = Some(value()?),
        "strip-components" => {
            let text = value()?;
            order.strip =
                text.parse().map_err(|_| complain(&format!("{text}: Invalid number of elements"), 2))?;
        }
        "transform" | "xform" => order.transform = transform(&value()?),
        "verbose" => order.verbose = true,
        "gzip" | "gunzip" => order.filter = Some(Filter::Gzip),
        "bzip2" | "bunzip2" => order.filter = Some(Filter::Bzip2),
        "xz" => order.filter = Some(Filter::Xz),
        "auto-compress" => order.auto = true,
        "to-stdout" => order.to_stdout = true,
        "absolute-names" => order.absolute = true,
        "dereference" => order.dereference = true,
        "keep-old-files" => order.keep_old = true,
        "no-recursion" => order.alone = true,
        "numeric-owner" => order.numeric = true,
        "remove-files" => order.remove = true,
        "wildcards" => order.wildcards = true,
        "full-time" => order.full_time = true,
        name if VALUED.contains(&name) || name == "exclude-from" => drop(value()?),
        _ => {}
    }
    Ok(())
}

fn letters(order: &mut Order, word: &str, old: bool, args: &mut Args<'_>) -> Result<(), Said> {
    let letters: Vec<char> = word.chars().collect();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        at += 1;
        match letter {
            'x' | 'c' | 't' | 'r' | 'u' | 'A' | 'd' => set_mode(order, letter)?,
            'v' => order.verbose = true,
            'z' => order.filter = Some(Filter::Gzip),
            'j' => order.filter = Some(Filter::Bzip2),
            'J' => order.filter = Some(Filter::Xz),
            'O' => order.to_stdout = true,
            'P' => order.absolute = true,
            'k' => order.keep_old = true,
            'h' => order.dereference = true,
            'a' => order.auto = true,
            'f' | 'C' | 'T' | 'X' | 'b' | 'I' | 'H' | 'K' | 'L' | 'N' | 'V' | 'g' | 'F' => {
                let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
                let value = if old || rest.is_empty() {
                    args.next().cloned()
                } else {
                    at = letters.len();
                    Some(rest)
                };
                let Some(value) = value else {
                    let text = if old {
                        format!("Old option '{letter}' requires an argument.")
                    } else {
                        format!("option requires an argument -- '{letter}'")
                    };
                    return Err(complain(&text, if old { 2 } else { 64 }));
                };
                match letter {
                    'f' => order.file = Some(value),
                    'C' => order.folder = Some(value),
                    'T' => order.lists.push(value),
                    _ => {}
                }
            }
            'p' | 'm' | 'o' | 'U' | 'w' | 'W' | 'S' | 's' | 'i' | 'B' | 'l' | 'n' | 'R' | 'G' | 'M' => {}
            other => return Err(complain(&format!("invalid option -- '{other}'"), 64)),
        }
    }
    Ok(())
}

/// `s/from/to/g` without signs that mean more than themselves.
fn transform(text: &str) -> Option<(String, String, bool)> {
    let rest = text.strip_prefix('s')?;
    let sign = rest.chars().next()?;
    let mut parts = rest.get(sign.len_utf8()..)?.split(sign);
    let (from, to, flags) = (parts.next()?, parts.next()?, parts.next()?);
    Some((from.to_owned(), to.to_owned(), flags.contains('g'))).filter(|(from, ..)| !from.is_empty())
}

fn set_mode(order: &mut Order, mode: char) -> Result<(), Said> {
    if order.mode.is_some_and(|known| known != mode) {
        return Err(complain(
            "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option",
            2,
        ));
    }
    order.mode = Some(mode);
    Ok(())
}
