//! What the programs of Debian 12 say about themselves: `--help`, `--version`, and their refusal of an empty call.
//!
//! The texts are facts, recorded from the real programs by `cargo xtask usage`.

use std::{collections::HashMap, sync::LazyLock};

use super::{Call, Said};

/// Records, each after a byte 1E: name, arguments, standard output, standard error, status, with 1F between; zstd.
const RECORDED: &[u8] = include_bytes!("usage.zst");

/// Where each record lies in the unpacked text, by `name NUL arguments`.
struct Index {
    text: String,
    places: HashMap<String, (usize, usize)>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    // The data is our own: if it were damaged, programs would say less.
    let text =
        zstd::decode_all(RECORDED).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let mut places = HashMap::new();
    let mut at = 0;
    for record in text.split('\u{1e}') {
        if let [name, args, _] = record.splitn(3, '\u{1f}').collect::<Vec<_>>()[..] {
            places.insert(format!("{name}\0{args}"), (at, at + record.len()));
        }
        at += record.len() + 1;
    }
    Index { text, places }
});

/// What a program says to exactly these arguments.
fn recorded(name: &str, args: &str) -> Option<Said> {
    let mut fields = fields(name, args)?;
    let (out, err, status) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Said { out: out.into(), err: err.into(), status: status.parse().ok()? })
}

/// The fields of a record behind its arguments.
fn fields(name: &str, args: &str) -> Option<impl Iterator<Item = &'static str>> {
    let (from, to) = *INDEX.places.get(&format!("{name}\0{args}"))?;
    Some(INDEX.text.get(from..to)?.split('\u{1f}').skip(2))
}

/// What a program says to exactly these arguments, parted by blanks.
pub(super) fn exactly(name: &str, args: &str) -> Option<Said> {
    if args.starts_with("-@") || args.starts_with("--nosuch-option") {
        return None;
    }
    recorded(name, args)
}

/// How a program refuses an option that it does not know. Its help lists those that it does; without one nothing is known.
pub(super) fn refusal(name: &str, args: &[String]) -> Option<Said> {
    // Behind a verb of git stand that verb's options, which its own help does not list.
    if name == "git" && args.first().is_some_and(|arg| !arg.starts_with('-')) {
        return None;
    }
    let help = recorded(name, "--help").filter(|help| help.out.len() + help.err.len() > 80)?;
    let help = [help.out, help.err].concat();
    let help = String::from_utf8_lossy(&help).into_owned();
    let arg = args.iter().take_while(|arg| *arg != "--").find(|arg| arg.starts_with('-') && arg.len() > 1)?;
    let (asked, shown) = match arg.strip_prefix("--") {
        Some(long) => ("--nosuch-option", long.split('=').next()?.to_owned()),
        None => ("-@", arg.chars().nth(1)?.to_string()),
    };
    let known = match arg.strip_prefix("--") {
        Some(_) => help.contains(&format!("--{shown}")) || help.contains(&format!("[no-]{shown}")),
        None => {
            let letter = shown.chars().next()?;
            letter.is_ascii_digit() || mentions(&help, letter)
        }
    };
    if known {
        return None;
    }
    let mut said = recorded(name, asked)?;
    for text in [&mut said.out, &mut said.err] {
        let new = String::from_utf8_lossy(text);
        let new = match asked {
            "-@" => new
                .replace("'@'", &format!("'{shown}'"))
                .replace("-@", &format!("-{shown}"))
                .replace("option @", &format!("option {shown}")),
            _ => new.replace("nosuch-option", &shown),
        };
        *text = new.into_bytes();
    }
    (said.err != recorded(name, asked)?.err || said.out != recorded(name, asked)?.out).then_some(said)
}

/// Whether what a program says of itself names this option.
pub(super) fn names_option(name: &str, option: &str) -> bool {
    let texts = ["--help", "-h", "", "-@"].iter().filter_map(|args| recorded(name, args));
    let mut texts = texts.map(|said| String::from_utf8_lossy(&[said.out, said.err].concat()).into_owned());
    match option.strip_prefix("--") {
        Some(long) => {
            texts.any(|text| text.contains(&format!("--{}", long.split('=').next().unwrap_or(long))))
        }
        None => {
            let letter = option.chars().nth(1);
            letter.is_some_and(|letter| texts.any(|text| mentions(&text, letter)))
        }
    }
}

/// Whether a help names this letter as an option: `-x`, or among several as in `[-abx]`.
pub(super) fn mentions(help: &str, letter: char) -> bool {
    help.match_indices('-').any(|(at, _)| {
        let before = help.get(..at).and_then(|text| text.chars().next_back());
        if before.is_some_and(|c| c.is_alphanumeric() || c == '-') {
            return false;
        }
        let word = help.get(at + 1..).unwrap_or_default();
        let end =
            word.find(|c: char| !c.is_ascii_alphanumeric() && !"@?!#%+".contains(c)).unwrap_or(word.len());
        word.get(..end).is_some_and(|word| word.contains(letter))
    })
}

/// What the called program says to its arguments, if that is a fact about the program.
pub(super) fn said(call: &Call<'_>) -> Option<Said> {
    of(call.name, call.args, call.applet)
}

/// The same by name; `applet`: called as `busybox NAME`.
pub(super) fn of(name: &str, args: &[String], applet: bool) -> Option<Said> {
    let args = match args {
        [] => "",
        [only] => only.as_str(),
        // Whatever else is given, help comes first.
        // busybox looks at a single word alone.
        _ if applet => return None,
        several => several.iter().find(|arg| *arg == "--help" || *arg == "--version")?,
    };
    if !args.is_empty() && !matches!(args, "--help" | "--version" | "-h" | "-V" | "-v") {
        return None;
    }
    if applet { recorded(&format!("busybox {name}"), args) } else { recorded(name, args) }
}

/// What bash tells of one of its own commands.
pub(super) fn topic(name: &str) -> Option<&'static str> {
    fields(&format!("bash-help {name}"), "")?.next()
}

/// What bash tells of each of its own commands, in its order.
pub(super) fn topics() -> impl Iterator<Item = (&'static str, &'static str)> {
    INDEX.text.split('\u{1e}').filter_map(|record| {
        let mut fields = record.split('\u{1f}');
        let name = fields.next()?.strip_prefix("bash-help ")?;
        Some((name, fields.nth(1)?))
    })
}

/// The usage of a busybox applet.
pub(super) fn applet(name: &str) -> Option<String> {
    let text = |name: &str| {
        let said = recorded(&format!("busybox {name}"), "--help")?;
        String::from_utf8(if said.out.is_empty() { said.err } else { said.out }).ok()
    };
    if matches!(name, "egrep" | "fgrep" | "dnsdomainname" | "nuke" | "resume") {
        return text("cat")?.lines().next().map(|first| format!("{first}\n\nNo help available\n"));
    }
    text(name)
}

/// Names of the recorded programs, for tests.
#[cfg(test)]
pub(super) fn count() -> usize {
    INDEX.places.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_know_their_usage() {
        assert!(count() > 1000, "{}", count());
        let text = applet("rm").unwrap();
        assert!(text.contains("Usage: rm [-irf] FILE..."), "{text}");
        let help = of("wget", &[], false).unwrap();
        assert!(help.err.starts_with(b"wget: missing URL"), "{help:?}");
        assert!(of("ls", &["x".to_owned()], false).is_none());
    }
}
