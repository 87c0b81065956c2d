//! What `ls` is asked for.

use super::super::{
    Call, Said,
    getopt::{self, Given},
    quoting::{Style, curled},
};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Format {
    Long,
    Single,
    Down,
    Across,
    Commas,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sort {
    Name,
    No,
    Size,
    Time,
    Extension,
    Version,
    Width,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Instant {
    Modified,
    Accessed,
    Changed,
    Born,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Marks {
    No,
    Slash,
    Types,
    All,
}

/// Which names are left out.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Hidden {
    Dotted,
    OwnFolders,
    Nothing,
}

/// How sizes are written.
#[derive(Clone, PartialEq)]
pub(super) enum Scale {
    Human(u64),
    /// In units of so many bytes, with what stands behind the number.
    Units(u64, String),
}

pub(super) struct Plan {
    pub(super) format: Format,
    pub(super) sort: Sort,
    pub(super) reverse: bool,
    pub(super) instant: Instant,
    /// Two forms of a time: of one long past, and of a recent one.
    pub(super) times: (String, String),
    pub(super) marks: Marks,
    pub(super) hidden: Hidden,
    pub(super) ignored: Vec<String>,
    pub(super) style: Style,
    pub(super) question_marks: bool,
    pub(super) width: usize,
    pub(super) tab: usize,
    pub(super) end: char,
    pub(super) owner: bool,
    pub(super) group: bool,
    pub(super) author: bool,
    pub(super) numeric: bool,
    pub(super) inode: bool,
    pub(super) blocks: bool,
    pub(super) context: bool,
    pub(super) recursive: bool,
    pub(super) itself: bool,
    pub(super) follow: bool,
    /// Links on the command line: to anything, and to directories.
    pub(super) follow_operands: bool,
    pub(super) follow_folders: bool,
    pub(super) folders_first: bool,
    pub(super) sizes: Scale,
    pub(super) block_sizes: Scale,
    pub(super) operands: Vec<String>,
}

const FULL_ISO: &str = "%Y-%m-%d %H:%M:%S.%N %z";
/// What `ls` ends with when it refuses.
const TROUBLE: i32 = 2;

pub(super) fn plan(call: &Call<'_>) -> Result<Plan, Said> {
    let given = getopt::cut(call, &[], TROUBLE)?;
    let choose = |option: &str, words: &[&'static [&'static str]]| -> Result<Option<&'static str>, Said> {
        let value = given.value(option);
        value.map(|value| getopt::choice(call, &format!("--{option}"), value, words)).transpose()
    };
    choose("color", WHEN)?;
    choose("hyperlink", WHEN)?;
    let word = choose("format", FORMATS)?;
    let format = format(call, &given, word);
    let long = format == Format::Long;
    let sorts: &[&[&str]] = &[&["none"], &["time"], &["size"], &["extension"], &["version"], &["width"]];
    let word = choose("sort", sorts)?;
    let times: &[&[&str]] = &[
        &["atime", "access", "use"],
        &["ctime", "status"],
        &["birth", "creation"],
        &["mtime", "modification"],
    ];
    let instant = match choose_time(call, &given, times)? {
        Some("atime") => Instant::Accessed,
        Some("ctime") => Instant::Changed,
        Some("birth") => Instant::Born,
        _ => Instant::Modified,
    };
    let sort = sort(&given, word, instant, long);
    let indicators: &[&[&str]] = &[&["none"], &["slash"], &["file-type"], &["classify"]];
    let word = choose("indicator-style", indicators)?;
    let marks = match given.last(&["indicator-style", "classify", "file-type", "p"]) {
        Some("classify") if !matches!(given.value("classify"), Some("never" | "no" | "none")) => Marks::All,
        Some("file-type") => Marks::Types,
        Some("p") => Marks::Slash,
        Some("indicator-style") => match word {
            Some("slash") => Marks::Slash,
            Some("file-type") => Marks::Types,
            Some("classify") => Marks::All,
            _ => Marks::No,
        },
        _ => Marks::No,
    };
    let number = |option: &str, what: &str| -> Result<Option<usize>, Said> {
        let Some(text) = given.value(option) else { return Ok(None) };
        match text.parse::<usize>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Said::err(format!("{}: invalid {what}: {}\n", call.name, curled(text)), TROUBLE)),
        }
    };
    let window = if call.to_terminal { call.session.window().0.max(20) as usize } else { 80 };
    let width = number("width", "line width")?.unwrap_or(window);
    let style = style(call, &given)?;
    let (sizes, block_sizes) = scales(call, &given)?;
    let all = given.last(&["all", "almost-all", "f"]);
    let follow = given.has("dereference");
    let itself = given.has("directory");
    let recursive = given.has("recursive");
    let explicit = given.has("dereference-command-line");
    Ok(Plan {
        format,
        sort,
        reverse: given.has("reverse"),
        instant,
        times: time_style(call, &given)?,
        marks,
        hidden: match all {
            Some("all" | "f") => Hidden::Nothing,
            Some(_) => Hidden::OwnFolders,
            None => Hidden::Dotted,
        },
        ignored: ignored(&given, all.is_none()),
        style,
        question_marks: match given.last(&["hide-control-chars", "show-control-chars"]) {
            Some(last) => last == "hide-control-chars",
            None => call.to_terminal && call.name == "ls",
        },
        width,
        tab: number("tabsize", "tab size")?.unwrap_or(8),
        end: if given.has("zero") { '\0' } else { '\n' },
        owner: !given.has("g"),
        group: !given.has("o") && !given.has("no-group"),
        author: given.has("author"),
        numeric: given.has("numeric-uid-gid"),
        inode: given.has("inode"),
        blocks: given.has("size"),
        context: given.has("context"),
        recursive,
        itself,
        follow,
        follow_operands: follow || explicit,
        follow_folders: given.has("dereference-command-line-symlink-to-dir")
            || !(itself || marks == Marks::All || long),
        folders_first: given.has("group-directories-first"),
        sizes,
        block_sizes,
        operands: given.operands,
    })
}

const WHEN: &[&[&str]] = &[&["always", "yes", "force"], &["never", "no", "none"], &["auto", "tty", "if-tty"]];
const FORMATS: &[&[&str]] =
    &[&["verbose", "long"], &["commas"], &["horizontal", "across"], &["vertical"], &["single-column"]];

fn format(call: &Call<'_>, given: &Given, word: Option<&str>) -> Format {
    let mut format = None;
    for (option, _) in &given.options {
        format = match option.as_str() {
            "l" | "g" | "o" | "numeric-uid-gid" | "full-time" => Some(Format::Long),
            "C" => Some(Format::Down),
            "x" => Some(Format::Across),
            "m" => Some(Format::Commas),
            // No effect behind -l.
            "1" | "zero" if format != Some(Format::Long) => Some(Format::Single),
            "format" => match word {
                Some("verbose") => Some(Format::Long),
                Some("commas") => Some(Format::Commas),
                Some("horizontal") => Some(Format::Across),
                Some("vertical") => Some(Format::Down),
                _ => Some(Format::Single),
            },
            _ => format,
        };
    }
    format.unwrap_or(match call.name {
        "dir" => Format::Down,
        "vdir" => Format::Long,
        _ if call.to_terminal => Format::Down,
        _ => Format::Single,
    })
}

fn choose_time(
    call: &Call<'_>,
    given: &Given,
    words: &[&'static [&'static str]],
) -> Result<Option<&'static str>, Said> {
    Ok(match given.last(&["time", "u", "c"]) {
        Some("u") => Some("atime"),
        Some("c") => Some("ctime"),
        Some(_) => {
            // The last group is taken and not told of in 9.1.
            let value = given.value("time").unwrap_or_default();
            if value.is_empty() || !"mtime".starts_with(value) && !"modification".starts_with(value) {
                Some(getopt::choice(call, "--time", value, words.get(..3).unwrap_or_default())?)
            } else {
                Some("mtime")
            }
        }
        None => None,
    })
}

fn sort(given: &Given, word: Option<&str>, instant: Instant, long: bool) -> Sort {
    match given.last(&["sort", "S", "t", "U", "f", "v", "X"]) {
        Some("S") => Sort::Size,
        Some("t") => Sort::Time,
        Some("U" | "f") => Sort::No,
        Some("v") => Sort::Version,
        Some("X") => Sort::Extension,
        Some(_) => match word {
            Some("none") => Sort::No,
            Some("time") => Sort::Time,
            Some("size") => Sort::Size,
            Some("extension") => Sort::Extension,
            Some("version") => Sort::Version,
            _ => Sort::Width,
        },
        None if instant != Instant::Modified && !long => Sort::Time,
        None => Sort::Name,
    }
}

fn style(call: &Call<'_>, given: &Given) -> Result<Style, Said> {
    const STYLES: &[&[&str]] = &[
        &["literal"],
        &["shell"],
        &["shell-always"],
        &["shell-escape"],
        &["shell-escape-always"],
        &["c"],
        &["c-maybe"],
        &["escape"],
        &["locale"],
        &["clocale"],
    ];
    let last = given.last(&["quoting-style", "quote-name", "escape", "literal", "zero"]);
    Ok(match last {
        Some("quote-name") => Style::C(false),
        Some("escape") => Style::Escape,
        Some("literal" | "zero") => Style::Literal,
        Some(_) => {
            let value = given.value("quoting-style").unwrap_or_default();
            let word = getopt::choice(call, "--quoting-style", value, STYLES)?;
            Style::named(word).unwrap_or(Style::Literal)
        }
        None if call.name != "ls" => Style::Escape,
        None if call.to_terminal => Style::ShellEscape(false),
        None => Style::Literal,
    })
}

/// How sizes and blocks are written.
fn scales(call: &Call<'_>, given: &Given) -> Result<(Scale, Scale), Said> {
    let (bytes, kibibytes) = (Scale::Units(1, String::new()), Scale::Units(1024, String::new()));
    Ok(match given.last(&["human-readable", "si", "block-size", "kibibytes"]) {
        Some("human-readable") => (Scale::Human(1024), Scale::Human(1024)),
        Some("si") => (Scale::Human(1000), Scale::Human(1000)),
        Some("block-size") => {
            let text = given.value("block-size").unwrap_or_default();
            let Some(scale) = scale(text) else {
                let text = format!("{}: invalid --block-size argument {}\n", call.name, curled(text));
                return Err(Said::err(text, TROUBLE));
            };
            (scale.clone(), scale)
        }
        _ => (bytes, kibibytes),
    })
}

/// `K`, `1K`, `KB`, `4096`, `human-readable`.
fn scale(text: &str) -> Option<Scale> {
    match text {
        "human-readable" => return Some(Scale::Human(1024)),
        "si" => return Some(Scale::Human(1000)),
        _ => {}
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let count: u64 = if number.is_empty() { 1 } else { number.parse().ok()? };
    let mut letters = unit.chars();
    let Some(letter) = letters.next() else {
        return Some(Scale::Units(count, String::new())).filter(|_| count > 0);
    };
    let power = "KMGTPE".find(letter.to_ascii_uppercase())? as u32 + 1;
    let base: u64 = match letters.as_str() {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    let scale = base.checked_pow(power)?.checked_mul(count)?;
    let shown = match (number.is_empty(), base) {
        (false, _) => String::new(),
        (true, 1000) if power == 1 => "kB".to_owned(),
        (true, _) => unit.to_owned(),
    };
    Some(Scale::Units(scale, shown)).filter(|_| scale > 0)
}

fn time_style(call: &Call<'_>, given: &Given) -> Result<(String, String), Said> {
    let same = |form: &str| (form.to_owned(), form.to_owned());
    let locale = || ("%b %e  %Y".to_owned(), "%b %e %H:%M".to_owned());
    let text = match given.last(&["time-style", "full-time"]) {
        Some("full-time") => return Ok(same(FULL_ISO)),
        Some(_) => given.value("time-style").unwrap_or_default().to_owned(),
        None => call.var("TIME_STYLE").unwrap_or_else(|| "locale".to_owned()),
    };
    if let Some(form) = text.strip_prefix('+') {
        return Ok(match form.split_once('\n') {
            Some((old, recent)) => (old.to_owned(), recent.to_owned()),
            None => same(form),
        });
    }
    let word = text.strip_prefix("posix-").map_or(text.as_str(), |_| "locale");
    Ok(match word {
        "full-iso" => same(FULL_ISO),
        "long-iso" => same("%Y-%m-%d %H:%M"),
        "iso" => ("%Y-%m-%d ".to_owned(), "%m-%d %H:%M".to_owned()),
        "locale" => locale(),
        _ if !given.has("time-style") => locale(),
        _ => {
            return Err(getopt::misused(
                call,
                &format!(
                    "invalid argument {} for {}\nValid arguments are:\n  - [posix-]full-iso\n  - [posix-]long-iso\n  - [posix-]iso\n  - [posix-]locale\n  - +FORMAT (e.g., +%H:%M) for a 'date'-style format",
                    curled(&text),
                    curled("time style")
                ),
                TROUBLE,
            ));
        }
    })
}

/// Patterns of names that are not shown; those of `--hide` only when nothing else is said about hidden ones.
fn ignored(given: &Given, hides: bool) -> Vec<String> {
    let mut patterns: Vec<String> = given
        .options
        .iter()
        .filter(|(option, _)| option == "ignore" || option == "hide" && hides)
        .filter_map(|(_, value)| value.clone())
        .collect();
    if given.has("ignore-backups") {
        patterns.extend(["*~", ".*~"].map(str::to_owned));
    }
    patterns
}
