//! Arguments as getopt_long(3) cuts them, by the options that a program's own recorded `--help` names.

use super::{Call, Said, quoting::curled, usage};

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Takes {
    Nothing,
    Value,
    /// Only one that is written in the same word.
    Maybe,
}

/// One option: by what it is asked for, and how it may be written.
#[derive(Debug)]
struct Known {
    key: String,
    letters: Vec<(char, Takes)>,
    longs: Vec<(String, Takes)>,
}

/// One option that was given: its first long name or else its letter, and its value.
type One = (String, Option<String>);

/// What was given.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// In the order of the line.
    pub(super) options: Vec<One>,
    pub(super) operands: Vec<String>,
}

impl Given {
    pub(super) fn has(&self, key: &str) -> bool {
        self.options.iter().any(|(known, _)| known == key)
    }

    /// The value that was given last.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| known == key).and_then(|(_, value)| value.as_deref())
    }

    /// Which of these options was given last.
    pub(super) fn last<'a>(&self, keys: &[&'a str]) -> Option<&'a str> {
        let last = self.options.iter().rev().find_map(|(known, _)| keys.iter().find(|key| *key == known))?;
        Some(*last)
    }
}

/// Cuts the arguments. `more` are options that the help is silent about, written as it would; `status` is what the
/// program ends with when it refuses.
pub(super) fn cut(call: &Call<'_>, more: &[&str], status: i32) -> Result<Given, Said> {
    let help = usage::of(call.name, &["--help".to_owned()], false).unwrap_or_default();
    let help = String::from_utf8_lossy(&help.out);
    let mut known: Vec<Known> = Vec::new();
    for line in help.lines().filter_map(option_line).chain(more.iter().copied()) {
        add(&mut known, line);
    }
    let mut given = Given::default();
    let refuse = |what: String| Err(refusal(call, &what, status));
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            given.operands.extend(args.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if matches!(name, "help" | "version")
                && let Some(said) = usage::of(call.name, &[format!("--{name}")], call.applet)
            {
                return Err(said);
            }
            let (key, full, takes) = match find_long(&known, name) {
                Ok(found) => found,
                Err(several) if several.is_empty() => {
                    return refuse(format!("unrecognized option '--{long}'"));
                }
                Err(several) => {
                    let several: Vec<String> = several.iter().map(|name| format!("'--{name}'")).collect();
                    return refuse(format!(
                        "option '--{long}' is ambiguous; possibilities: {}",
                        several.join(" ")
                    ));
                }
            };
            let value = match (takes, value) {
                (Takes::Nothing, Some(_)) => {
                    return refuse(format!("option '--{full}' doesn't allow an argument"));
                }
                (Takes::Value, None) => match args.next() {
                    Some(next) => Some(next.clone()),
                    None => return refuse(format!("option '--{full}' requires an argument")),
                },
                (_, value) => value.map(str::to_owned),
            };
            given.options.push((key.to_owned(), value));
        } else if let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let Some((key, takes)) = find_letter(&known, letter) else {
                    return refuse(format!("invalid option -- '{letter}'"));
                };
                let value = match takes {
                    Takes::Nothing => None,
                    Takes::Value | Takes::Maybe => {
                        let rest: String = letters.by_ref().collect();
                        match (takes, rest.is_empty()) {
                            (_, false) => Some(rest),
                            (Takes::Value, true) => match args.next() {
                                Some(next) => Some(next.clone()),
                                None => return refuse(format!("option requires an argument -- '{letter}'")),
                            },
                            _ => None,
                        }
                    }
                };
                given.options.push((key.to_owned(), value));
            }
        } else {
            given.operands.push(arg.clone());
        }
    }
    Ok(given)
}

/// A line that tells of an option: what stands far to the right goes on about the one before.
fn option_line(line: &str) -> Option<&str> {
    const FARTHEST: usize = 8;
    let text = line.trim_start();
    (text.starts_with('-') && line.len() - text.len() <= FARTHEST).then_some(text)
}

fn refusal(call: &Call<'_>, what: &str, status: i32) -> Said {
    let name = call.name;
    if call.applet {
        return Said::err(format!("{name}: {what}\n{}", usage::applet(name).unwrap_or_default()), 1);
    }
    Said::err(format!("{name}: {what}\n{}", see(name)), status)
}

/// Where there is help.
pub(super) fn see(name: &str) -> String {
    format!("Try '{name} --help' for more information.\n")
}

/// A complaint with where there is help.
pub(super) fn misused(call: &Call<'_>, what: &str, status: i32) -> Said {
    refusal(call, what, status)
}

/// The first operand too many.
pub(super) fn extra(call: &Call<'_>, operand: &str, status: i32) -> Said {
    refusal(call, &format!("extra operand {}", curled(operand)), status)
}

/// What a line of the help says of an option: `-I, --ignore=PATTERN`, `-p DIR, --tmpdir[=DIR]`.
fn add(known: &mut Vec<Known>, line: &str) {
    // `-c  --format=FORMAT` of stat.
    let joined = line.get(2..).and_then(|rest| rest.strip_prefix("  --"));
    let joined = joined.map(|rest| format!("{}, --{rest}", line.get(..2).unwrap_or_default()));
    let line = joined.as_deref().unwrap_or(line);
    let end = line.find("  ").or_else(|| line.find('\t')).unwrap_or(line.len());
    let spec = line.get(..end).unwrap_or_default();
    let (mut letters, mut longs) = (Vec::new(), Vec::new());
    for word in spec.split(", ").map(str::trim) {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            let end = long.find(['[', '=', ' ', ',']).unwrap_or(long.len());
            let takes = match long.get(end..).unwrap_or_default() {
                rest if rest.starts_with("[=") => Takes::Maybe,
                rest if rest.starts_with(['=', ' ']) => Takes::Value,
                _ => Takes::Nothing,
            };
            longs.push((long.get(..end).unwrap_or_default().to_owned(), takes));
        } else if let Some(rest) = word.strip_prefix('-') {
            let Some(letter) = rest.chars().next() else { continue };
            let takes = match rest.get(letter.len_utf8()..).unwrap_or_default() {
                "" => None,
                rest if rest.starts_with('[') => Some(Takes::Maybe),
                rest if rest.starts_with(' ') => Some(Takes::Value),
                _ => continue, // `-NUM`
            };
            letters.push((letter, takes));
        }
    }
    // `-p, --indicator-style=slash`: the letter stands for the value too.
    let is_fixed = |word: &str| {
        word.split_once('=').is_some_and(|(_, value)| value.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let value = longs.iter().any(|(_, takes)| *takes == Takes::Value)
        && !spec.split(", ").any(|word| word.starts_with("--") && is_fixed(word));
    let letters: Vec<(char, Takes)> = letters
        .into_iter()
        .map(|(letter, takes)| (letter, takes.unwrap_or(if value { Takes::Value } else { Takes::Nothing })))
        .collect();
    // `--time` and `--time=WORD` on two lines are one option.
    let mut others = Vec::new();
    for (long, takes) in longs {
        let earlier = known.iter_mut().flat_map(|one| &mut one.longs).find(|(name, _)| *name == long);
        match earlier {
            Some((_, before)) if *before != takes => *before = Takes::Maybe,
            Some(_) => {}
            None => others.push((long, takes)),
        }
    }
    let key = others
        .first()
        .map(|(long, _)| long.clone())
        .or_else(|| letters.first().map(|(letter, _)| letter.to_string()));
    if let Some(key) = key {
        known.push(Known { key, letters, longs: others });
    }
}

fn find_letter(known: &[Known], wanted: char) -> Option<(&str, Takes)> {
    known.iter().find_map(|one| {
        let (_, takes) = one.letters.iter().find(|(letter, _)| *letter == wanted)?;
        Some((one.key.as_str(), *takes))
    })
}

/// The option of this name or of the only one that begins so; otherwise all that do.
fn find_long<'a>(known: &'a [Known], wanted: &str) -> Result<(&'a str, &'a str, Takes), Vec<&'a str>> {
    let all = || known.iter().flat_map(|one| one.longs.iter().map(move |long| (one, long)));
    let as_found =
        |(one, (long, takes)): (&'a Known, &'a (String, Takes))| (one.key.as_str(), long.as_str(), *takes);
    if let Some(exact) = all().find(|(_, (long, _))| long == wanted) {
        return Ok(as_found(exact));
    }
    let found: Vec<_> = all().filter(|(_, (long, _))| long.starts_with(wanted)).collect();
    match found.as_slice() {
        [] => Err(Vec::new()),
        [first, rest @ ..] if rest.iter().all(|other| std::ptr::eq(first.0, other.0)) => Ok(as_found(*first)),
        several => Err(several.iter().map(|(_, (long, _))| long.as_str()).collect()),
    }
}

/// The word of a closed list that `value` is or begins alone; the words of one meaning stand together.
pub(super) fn choice<'a>(
    call: &Call<'_>,
    option: &str,
    value: &str,
    words: &[&'a [&'a str]],
) -> Result<&'a str, Said> {
    let first = |group: &&'a [&'a str]| group.first().copied().unwrap_or_default();
    if let Some(group) = words.iter().find(|group| group.contains(&value)) {
        return Ok(first(group));
    }
    let begun: Vec<_> =
        words.iter().filter(|group| group.iter().any(|word| word.starts_with(value))).collect();
    if let ([only], false) = (begun.as_slice(), value.is_empty()) {
        return Ok(first(only));
    }
    let how = if begun.is_empty() || value.is_empty() && begun.len() < 2 { "invalid" } else { "ambiguous" };
    let mut text = format!("{how} argument {} for {}\nValid arguments are:", curled(value), curled(option));
    for group in words {
        let group: Vec<String> = group.iter().map(|word| curled(word)).collect();
        text += &format!("\n  - {}", group.join(", "));
    }
    Err(refusal(call, &text, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_tells_the_options() {
        let mut known = Vec::new();
        for line in [
            "-a, --all                  do not ignore entries starting with .",
            "    --author               with -l, print the author of each file".trim_start(),
            "-I, --ignore=PATTERN       do not list",
            "-F, --classify[=WHEN]      append indicator",
            "-1                         list one file per line",
            "-p DIR, --tmpdir[=DIR]  interpret TEMPLATE",
            "-q, --style=slash          append",
            "-NUM                      same as --context=NUM",
            "--time            show time",
            "--time=WORD       show time as WORD",
        ] {
            add(&mut known, line);
        }
        assert_eq!(find_letter(&known, 'I'), Some(("ignore", Takes::Value)));
        assert_eq!(find_letter(&known, 'F'), Some(("classify", Takes::Nothing)));
        assert_eq!(find_letter(&known, '1'), Some(("1", Takes::Nothing)));
        assert_eq!(find_letter(&known, 'p'), Some(("tmpdir", Takes::Value)));
        assert_eq!(find_letter(&known, 'q'), Some(("style", Takes::Nothing)));
        assert_eq!(find_letter(&known, 'N'), None);
        assert_eq!(find_long(&known, "auth"), Ok(("author", "author", Takes::Nothing)));
        assert_eq!(find_long(&known, "a"), Err(vec!["all", "author"]));
        assert_eq!(find_long(&known, "time"), Ok(("time", "time", Takes::Maybe)));
    }
}
