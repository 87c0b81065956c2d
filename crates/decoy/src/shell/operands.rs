//! Which commands read their standard input, told from their words.

use super::keys::Wants;

/// Programs that read standard input when they are given no file: letters that take a value, and how many operands come
/// before the files.
const FILTERS: &[(&str, &str, usize)] = &[
    ("awk", "Ffv", 1),
    ("base32", "w", 0),
    ("base64", "w", 0),
    ("bunzip2", "", 0),
    ("bzcat", "", 0),
    ("bzip2", "", 0),
    ("cat", "", 0),
    ("cksum", "a", 0),
    ("column", "cst", 0),
    ("cut", "bcdf", 0),
    ("egrep", "efABCm", 1),
    ("expand", "t", 0),
    ("factor", "", 0),
    ("fgrep", "efABCm", 1),
    ("fmt", "wgp", 0),
    ("fold", "w", 0),
    ("gawk", "Ffv", 1),
    ("grep", "efABCm", 1),
    ("gunzip", "S", 0),
    ("gzip", "S", 0),
    ("hd", "nsl", 0),
    ("head", "cn", 0),
    ("hexdump", "efns", 0),
    ("iconv", "fto", 0),
    ("mawk", "Ffv", 1),
    ("md5sum", "", 0),
    ("nl", "bdfhilnsvw", 0),
    ("numfmt", "d", 0),
    ("od", "ANjtSw", 0),
    ("paste", "d", 0),
    ("rev", "", 0),
    ("sed", "efl", 1),
    ("sha1sum", "", 0),
    ("sha224sum", "", 0),
    ("sha256sum", "", 0),
    ("sha384sum", "", 0),
    ("sha512sum", "", 0),
    ("shuf", "ino", 0),
    ("sort", "kotST", 0),
    ("split", "abCln", 0),
    ("strings", "nt", 0),
    ("sum", "", 0),
    ("tac", "s", 0),
    ("tail", "cns", 0),
    ("tsort", "", 0),
    ("unexpand", "t", 0),
    ("uniq", "fsw", 0),
    ("unxz", "", 0),
    ("uudecode", "o", 0),
    ("uuencode", "", 1),
    ("wc", "", 0),
    ("xxd", "cglnos", 0),
    ("xz", "", 0),
    ("xzcat", "", 0),
    ("zcat", "", 0),
];

/// Programs that read standard input whatever their operands are.
const ALWAYS: &[&str] = &["mapfile", "patch", "readarray", "tr", "xargs"];

/// Programs for which only the operand `-` is standard input.
const BY_DASH: &[&str] = &["cmp", "comm", "diff", "join", "tar"];

/// Whether the text has the name of a program in it that may read: only then it is worth parsing.
pub(super) fn names_a_reader(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        matches!(word, "read" | "bash" | "sh" | "dash" | "ash" | "cpio" | "dc" | "dd")
            || ALWAYS.contains(&word)
            || BY_DASH.contains(&word)
            || filter(word).is_some()
    })
}

/// The files that a program is about to read: its operands behind patterns and scripts, without standard input.
pub(super) fn files<'a>(name: &str, args: &'a [String]) -> Vec<&'a str> {
    let Some((_, valued, before)) = filter(name) else { return Vec::new() };
    let cut = Operands::of(args.iter().map(|arg| Some(arg.as_str())), valued, *before);
    cut.words.into_iter().skip(cut.before).flatten().filter(|word| *word != "-").collect()
}

fn filter(name: &str) -> Option<&'static (&'static str, &'static str, usize)> {
    FILTERS.binary_search_by(|(known, ..)| (*known).cmp(name)).ok().and_then(|at| FILTERS.get(at))
}

/// What a command takes from standard input; a word that is not known before it runs is `None`.
pub(super) fn wants(words: &[Option<String>], on_terminal: bool) -> Option<Wants> {
    let (name, args) = words.split_first()?;
    let name = name.as_deref()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let has = |sign: &str| args.iter().any(|arg| arg.as_deref() == Some(sign));
    match name {
        // Programs that run what stands behind them.
        "command" | "builtin" | "exec" | "nohup" | "busybox" | "setsid" | "nice" | "sudo" | "env" => {
            let skipped = args
                .iter()
                .take_while(|arg| {
                    arg.as_deref()
                        .is_some_and(|arg| arg.starts_with('-') || name == "env" && arg.contains('='))
                })
                .count();
            let looks = name == "command" && (has("-v") || has("-V"));
            return if looks { None } else { wants(args.get(skipped..)?, on_terminal) };
        }
        "read" => {
            let by_descriptor = args
                .iter()
                .flatten()
                .any(|arg| arg.starts_with('-') && !arg.starts_with("--") && arg.contains('u'));
            let to_end = args.iter().flatten().any(|arg| arg.starts_with("-d") || arg == "-rd");
            return match (by_descriptor, to_end && !on_terminal) {
                (true, _) => None,
                (false, true) => Some(Wants::All),
                (false, false) => Some(Wants::Line),
            };
        }
        "sh" | "bash" | "dash" | "ash" => {
            let script = args.iter().any(|arg| arg.as_deref().is_none_or(|arg| !arg.starts_with(['-', '+'])));
            let reads =
                !on_terminal && (has("-s") || !script) && !has("-c") && !has("--version") && !has("--help");
            return reads.then_some(Wants::All);
        }
        "cpio" => return Some(Wants::All),
        "dd" => {
            let from_file = args.iter().any(|arg| arg.as_deref().is_none_or(|arg| arg.starts_with("if=")));
            return (!from_file).then_some(Wants::All);
        }
        "dc" => return args.is_empty().then_some(Wants::All),
        _ => {}
    }
    if args.iter().flatten().any(|arg| matches!(arg.as_str(), "--help" | "--version")) {
        return None;
    }
    if ALWAYS.contains(&name) {
        // xargs with -a, mapfile with -u and patch with a file read something else.
        let other = match name {
            "xargs" => "-a",
            "patch" => "-i",
            _ => "-u",
        };
        return (!has(other)).then_some(Wants::All);
    }
    if BY_DASH.contains(&name) {
        return has("-").then_some(Wants::All);
    }
    let program = args.iter().flatten().find(|arg| !arg.starts_with('-'));
    if name.ends_with("awk") && program.is_some_and(|program| only_begins(program)) {
        return None;
    }
    let (_, valued, before) = filter(name)?;
    let cut = Operands::of(args.iter().map(Option::as_deref), valued, *before);
    (cut.dash || cut.words.len() <= cut.before).then_some(Wants::All)
}

/// Whether an awk program is one `BEGIN` block: it ends without reading.
fn only_begins(program: &str) -> bool {
    let Some(block) = program.trim().strip_prefix("BEGIN") else { return false };
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in block.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let rest = block.get(at + 1..).unwrap_or_default();
                    return rest.trim_matches([' ', '\n', '\t', ';']).is_empty()
                        && !block.contains("getline");
                }
            }
            _ => {}
        }
    }
    false
}

/// The operands of a filter.
struct Operands<'a> {
    /// A word that is not known before it runs is `None`.
    words: Vec<Option<&'a str>>,
    /// How many of them come before the files.
    before: usize,
    /// Standard input is among the files.
    dash: bool,
}

impl<'a> Operands<'a> {
    fn of(args: impl Iterator<Item = Option<&'a str>>, valued: &str, mut before: usize) -> Self {
        let (mut words, mut dash, mut ended) = (Vec::new(), false, false);
        let mut args = args;
        while let Some(arg) = args.next() {
            match arg {
                Some("--") if !ended => ended = true,
                Some("-" | "/dev/stdin") => {
                    words.push(arg);
                    dash = true;
                }
                Some(option) if option.starts_with('-') && !ended => {
                    let Some(letters) = option.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
                        if ["--expression", "--regexp", "--file"].iter().any(|long| option.starts_with(long))
                        {
                            before = 0;
                        }
                        continue;
                    };
                    let Some(at) = letters.find(|letter| valued.contains(letter)) else { continue };
                    let value = letters.get(at + 1..).filter(|rest| !rest.is_empty());
                    let letter = letters.get(at..=at).unwrap_or_default();
                    let value = value.or_else(|| args.next().flatten());
                    // `-e SCRIPT` and `-f FILE` stand for the first operand.
                    if before > 0 && matches!(letter, "e" | "f") {
                        before = 0;
                        dash |= letter == "f" && value == Some("-");
                    }
                }
                word => words.push(word),
            }
        }
        Self { words, before, dash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: &str, on_terminal: bool) -> Option<Wants> {
        let words: Vec<Option<String>> =
            line.split(' ').map(|word| (!word.starts_with('$')).then(|| word.to_owned())).collect();
        wants(&words, on_terminal)
    }

    #[test]
    fn the_table_can_be_searched() {
        assert!(FILTERS.is_sorted_by_key(|(name, ..)| *name));
    }

    #[test]
    fn what_reads_is_told_from_its_words() {
        for line in [
            "sed s/a/b/",
            "grep -e x -e y",
            "sort",
            "sort -k 2",
            "wc -l",
            "tr a b",
            "head -n 3",
            "awk {print}",
            "busybox sed -n p",
            "/bin/sed p -",
            "tar xf -",
            "bash -s",
            "sh",
            "env A=b sort",
            "od -t x1",
            "cut -d: -f1",
        ] {
            assert_eq!(wanted(line, false), Some(Wants::All), "{line}");
        }
        for line in [
            "sed s/a/b/ file",
            "grep x $f",
            "sort f",
            "wc -l /etc/passwd",
            "head -n 3 f",
            "awk -f p f",
            "tar xf a",
            "bash x.sh",
            "sh -c x",
            "command -v sed",
            "ls",
            "echo -",
            "dd if=/dev/zero",
            "od --help",
            "read -u 3 x",
            "awk BEGIN{print(1)}",
            "grep -f p f",
        ] {
            assert_eq!(wanted(line, false), None, "{line}");
        }
        assert_eq!(wanted("read -r x", true), Some(Wants::Line));
        assert_eq!(wanted("sh", true), None);
    }

    #[test]
    fn only_files_are_looked_up() {
        let read = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            files(&words[0], &words[1..]).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(read("grep -m 3 root /etc/passwd"), ["/etc/passwd"]);
        assert_eq!(read("grep -e root /etc/passwd /etc/shadow"), ["/etc/passwd", "/etc/shadow"]);
        assert_eq!(read("head -n 3 a - b"), ["a", "b"]);
        assert_eq!(read("sed -i s/a/b/ x"), ["x"]);
        assert_eq!(read("cat -- -x"), ["-x"]);
        assert!(read("tr a b").is_empty());
    }
}
