//! What `ps` is asked for: options with a dash, without one, and long.

use super::super::{Call, Said, users};
use super::columns::{self, Shown, named};

/// What is asked for.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) every: bool,
    /// BSD `a` and `x`.
    pub(super) others: bool,
    pub(super) without_tty: bool,
    pub(super) bsd: bool,
    /// With a terminal, but not session leaders (`-a`).
    pub(super) dash_a: bool,
    pub(super) columns: Option<Vec<Shown>>,
    pub(super) users: Vec<String>,
    pub(super) pids: Vec<u32>,
    pub(super) names: Vec<String>,
    pub(super) by_list: bool,
    pub(super) wide: bool,
    pub(super) headings: bool,
    pub(super) forest: bool,
    /// `-H`: the tree without its branches.
    pub(super) indents: bool,
    pub(super) sort: Vec<String>,
    pub(super) style: Style,
    threads: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Plain,
    Bsd,
    BsdUser,
    BsdLong,
    BsdJobs,
    Full,
    ExtraFull,
    Long,
    Jobs,
}

fn refusal(text: &str) -> Said {
    let usage = "\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n";
    Said::err(format!("error: {text}\n{usage}"), 1)
}

/// Columns of `-o`.
fn listed(text: &str) -> Result<Vec<Shown>, Said> {
    let mut columns = Vec::new();
    // Each with a heading of its own: commas part them as ever.
    let parts: Vec<&str> = text.split(',').collect();
    let of_its_own = |part: &&str| {
        part.split_once('=').is_some_and(|(name, _)| named(&name.to_lowercase(), None).is_some())
    };
    if parts.len() > 1 && parts.iter().all(of_its_own) {
        for part in parts {
            columns.extend(listed(part)?);
        }
        return Ok(columns);
    }
    let (names, heading) =
        text.split_once('=').map_or((text, None), |(names, heading)| (names, Some(heading)));
    let words: Vec<&str> = names.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    for (at, word) in words.iter().enumerate() {
        let heading = heading.filter(|_| at + 1 == words.len());
        match named(&word.to_lowercase(), heading) {
            Some(column) => columns.push(column),
            None => return Err(refusal(&format!("unknown user-defined format specifier \"{word}\""))),
        }
    }
    Ok(columns)
}

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Said> {
    let mut asked = Asked { headings: true, ..Asked::default() };
    let mut args = call.args.iter().peekable();
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            let mut value = || value.clone().or_else(|| args.next().cloned()).unwrap_or_default();
            match name {
                "sort" => asked.sort = value().split(',').map(str::to_owned).collect(),
                "no-headers" | "no-headings" | "no-heading" | "noheader" => asked.headings = false,
                "headers" | "deselect" | "cumulative" => {}
                "forest" => asked.forest = true,
                "pid" | "ppid" => asked.pids.extend(numbers(&value())),
                "user" | "User" => asked.users.extend(value().split(',').map(str::to_owned)),
                "format" => asked.columns.get_or_insert_default().extend(listed(&value())?),
                "cols" | "columns" | "width" | "rows" | "lines" | "tty" | "group" => drop(value()),
                "version" | "help" => {}
                _ => return Err(refusal("unknown gnu long option")),
            }
            continue;
        }
        let word = arg.trim_start_matches('-');
        // `-aux`: there is no user `x`, so that it is meant as BSD options (procps(1)).
        let is_bsd = word.contains("ux") && word.chars().all(|letter| "auxwfe".contains(letter));
        let dashed = arg.starts_with('-') && !is_bsd;
        let letters: Vec<char> = word.chars().collect();
        if !dashed && letters.iter().all(char::is_ascii_digit) && !letters.is_empty() {
            asked.pids.extend(arg.parse::<u32>());
            asked.by_list = true;
            asked.style = Style::Bsd;
            continue;
        }
        let mut at = 0;
        while let Some(letter) = letters.get(at).copied() {
            at += 1;
            let takes = if dashed { "oOpuUCtgGsqN" } else { "oOpUtk" };
            let value = if takes.contains(letter) {
                let rest: String = letters.get(at..).unwrap_or_default().iter().collect();
                at = letters.len();
                if rest.is_empty() { args.next().cloned() } else { Some(rest) }
            } else {
                None
            };
            option(&mut asked, dashed, letter, value)?;
        }
    }
    Ok(asked)
}

/// Users that nobody knows, and keys that nothing can be sorted by.
pub(super) fn unknown(call: &Call<'_>, asked: &Asked) -> Option<Said> {
    let known = |name: &String| name.parse::<u32>().is_ok() || users::named(call, name).is_some();
    if !asked.users.iter().filter(|name| !name.is_empty()).all(known) {
        return Some(refusal("user name does not exist"));
    }
    let sortable = |key: &String| columns::is_sortable(&key.trim_start_matches(['-', '+']).to_lowercase());
    (!asked.sort.iter().all(sortable)).then(|| refusal("unknown sort specifier"))
}

fn numbers(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.split([',', ' ']).filter_map(|word| word.parse().ok())
}

fn option(asked: &mut Asked, dashed: bool, letter: char, value: Option<String>) -> Result<(), Said> {
    if matches!(letter, 'o' | 'O' | 'p' | 'C' | 't' | 'U') && value.is_none()
        || matches!(letter, 'u') && dashed && value.is_none()
    {
        return Err(refusal(match letter {
            'o' | 'O' => "format specification must follow -o",
            'p' => "list of process IDs must follow -p",
            'C' => "list of command names must follow -C",
            _ => "list must follow the option",
        }));
    }
    let value = value.unwrap_or_default();
    if letter == 't' && value.starts_with("pts/") && value != "pts/0" {
        return Err(refusal("TTY could not be found"));
    }
    match (dashed, letter) {
        (_, 'o') => asked.columns.get_or_insert_default().extend(listed(&value)?),
        (_, 'O') => {
            let list = asked.columns.get_or_insert_default();
            list.extend(named("pid", None));
            list.extend(listed(&value)?);
            for name in ["s", "tname", "time", "args"] {
                list.extend(named(name, None));
            }
        }
        (_, 'p' | 'q')
            if value.split([',', ' ']).any(|word| !word.is_empty() && word.parse::<u32>().is_err()) =>
        {
            return Err(refusal("process ID list syntax error"));
        }
        (_, 'p' | 'q') => {
            asked.pids.extend(numbers(&value));
            asked.by_list = true;
        }
        (true, 'u') | (_, 'U') => {
            asked.users.extend(value.split(',').map(str::to_owned));
            asked.by_list = true;
        }
        (true, 'C') => {
            asked.names.extend(value.split(',').map(str::to_owned));
            asked.by_list = true;
        }
        (_, 'k') => asked.sort = value.split(',').map(str::to_owned).collect(),
        (_, 't' | 'g' | 'G' | 's' | 'N') => {}
        (true, 'e' | 'A') => asked.every = true,
        (true, 'a' | 'd') => asked.dash_a = true,
        (true, 'f') => asked.style = Style::Full,
        (true, 'F') => asked.style = Style::ExtraFull,
        (true, 'l') => asked.style = Style::Long,
        (true, 'j') => asked.style = Style::Jobs,
        (true, 'H') | (false, 'f') => {
            asked.forest = true;
            asked.indents = dashed;
            asked.bsd |= !dashed;
        }
        (true, 'L' | 'T' | 'm') => asked.threads = true,
        (_, 'w') => {
            asked.wide = true;
            asked.bsd |= !dashed;
        }
        (true, 'y' | 'M' | 'Z' | 'c') | (false, 'e' | 'c' | 'n' | 'S' | 'r' | 'T' | 'm' | 'H' | 'L') => {
            asked.bsd |= !dashed
        }
        (_, 'h') => {
            asked.headings = false;
            asked.bsd |= !dashed;
        }
        (_, 'x') => (asked.without_tty, asked.bsd) = (true, true),
        (false, 'a') => {
            asked.others = true;
            asked.bsd = true;
        }
        (false, 'u') => (asked.style, asked.bsd) = (Style::BsdUser, true),
        (false, 'l') => (asked.style, asked.bsd) = (Style::BsdLong, true),
        (false, 'j') => (asked.style, asked.bsd) = (Style::BsdJobs, true),
        (false, 'v' | 'X') => asked.bsd = true,
        (true, _) => return Err(refusal("unsupported SysV option")),
        (false, _) => return Err(refusal("unsupported option (BSD syntax)")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        assert_eq!(
            listed("pid,comm=X").unwrap_or_default().last().map(|(heading, ..)| heading.as_str()),
            Some("X")
        );
        assert!(listed("nonsense").is_err());
        let mut asked = Asked::default();
        for letter in "aux".chars() {
            assert!(option(&mut asked, false, letter, None).is_ok());
        }
        assert!(asked.others && asked.without_tty && asked.style == Style::BsdUser);
    }
}
