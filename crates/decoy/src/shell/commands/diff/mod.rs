//! `diff` (diffutils 3.8): files and folders.

mod script;
mod shapes;
mod side;

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use self::{
    script::Change,
    shapes::{Paper, Shape},
};
use super::{
    Call, Said, dates, finding,
    getopt::{self, Given},
    sources,
};
use crate::machine::FileError;

/// The most files of one call.
const MOST: usize = 20_000;

/// What counts as a difference.
#[derive(Default)]
struct Rules {
    case: bool,
    all_blanks: bool,
    blanks: bool,
    ends: bool,
    tabs: bool,
    blank_lines: bool,
    like: Vec<regex::bytes::Regex>,
}

impl Rules {
    /// A line as it is compared.
    fn seen(&self, line: &[u8]) -> Vec<u8> {
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        let ignores = self.all_blanks || self.blanks || self.ends;
        let mut seen = Vec::with_capacity(line.len());
        let mut column = 0;
        for byte in whole {
            let is_blank = byte.is_ascii_whitespace();
            match byte {
                _ if is_blank && self.all_blanks => {}
                _ if is_blank && self.blanks => {
                    if seen.last() != Some(&b' ') {
                        seen.push(b' ');
                    }
                }
                b'\t' if self.tabs => {
                    let to = column / 8 * 8 + 8;
                    seen.extend(std::iter::repeat_n(b' ', to - column));
                    column = to;
                    continue;
                }
                byte if self.case => seen.push(byte.to_ascii_lowercase()),
                byte => seen.push(*byte),
            }
            column += 1;
        }
        if ignores {
            while seen.last().is_some_and(u8::is_ascii_whitespace) {
                seen.pop();
            }
        }
        // A missing end of line is a difference, unless blanks are none.
        if !ignores && line.len() == whole.len() {
            seen.push(0);
            seen.push(b'\n');
        }
        seen
    }

    /// Whether a change is only of lines that do not count.
    fn passes(&self, change: &Change, old: &[&[u8]], new: &[&[u8]]) -> bool {
        if !self.blank_lines && self.like.is_empty() {
            return false;
        }
        let is_nothing = |line: &&[u8]| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let blank = if self.all_blanks || self.blanks || self.ends {
                line.trim_ascii().is_empty()
            } else {
                line.is_empty()
            };
            self.blank_lines && blank || self.like.iter().any(|pattern| pattern.is_match(line))
        };
        let all = |lines: &[&[u8]], (from, count): (usize, usize)| {
            lines.get(from..from + count).unwrap_or_default().iter().all(is_nothing)
        };
        all(old, change.old) && all(new, change.new)
    }
}

/// One of the two files.
struct Half {
    shown: String,
    label: String,
    bytes: Bytes,
}

struct Work<'a> {
    call: &'a Call<'a>,
    given: Given,
    rules: Rules,
    shape: Shape,
    paper: Paper,
    labels: Vec<String>,
    excluded: Vec<regex::Regex>,
    /// The options as they were typed.
    options: String,
    said: Said,
    seen: usize,
}

pub(super) fn diff(call: &Call<'_>) -> Said {
    let args = with_numbers(call.args);
    let call = &Call { args: &args, ..*call };
    let mut given = match getopt::cut(call, &["-L, --label=LABEL", "-h"], 2) {
        Ok(given) => given,
        Err(mut said) => {
            said.err = String::from_utf8_lossy(&said.err).replacen("\nTry '", "\ndiff: Try '", 1).into();
            return said;
        }
    };
    let help = "diff: Try 'diff --help' for more information.\n";
    let operands = std::mem::take(&mut given.operands);
    let [left, right] = match operands.as_slice() {
        [left, right] => [left.clone(), right.clone()],
        [_, _, extra, ..] => return Said::err(format!("diff: extra operand '{extra}'\n{help}"), 2),
        _ => {
            let last = args.last().map_or("diff", String::as_str);
            return Said::err(format!("diff: missing operand after '{last}'\n{help}"), 2);
        }
    };
    let rules = Rules {
        case: given.has("ignore-case"),
        all_blanks: given.has("ignore-all-space"),
        blanks: given.has("ignore-space-change"),
        ends: given.has("ignore-trailing-space"),
        tabs: given.has("ignore-tab-expansion"),
        blank_lines: given.has("ignore-blank-lines"),
        like: values(&given, "ignore-matching-lines")
            .filter_map(|text| regex::bytes::Regex::new(text).ok())
            .collect(),
    };
    let mut operand_words: Vec<&String> = operands.iter().collect();
    let mut options: Vec<&str> = Vec::new();
    for arg in call.args.iter().rev() {
        match operand_words.iter().rposition(|operand| *operand == arg && !arg.starts_with('-')) {
            Some(at) if at + 1 == operand_words.len() => {
                operand_words.pop();
            }
            _ => options.push(arg),
        }
    }
    options.reverse();
    let mut work = Work {
        call,
        rules,
        shape: Shape::of(&given),
        paper: Paper::of(call, &given),
        labels: values(&given, "label").map(str::to_owned).collect(),
        excluded: values(&given, "exclude").filter_map(finding::glob).collect(),
        options: options.iter().map(|option| format!(" {option}")).collect(),
        given,
        said: Said::default(),
        seen: 0,
    };
    let status = work.both(&left, &right, true);
    work.said.status = status;
    work.said
}

fn values<'a>(given: &'a Given, key: &'a str) -> impl Iterator<Item = &'a str> {
    given.options.iter().filter(move |(known, _)| known == key).filter_map(|(_, value)| value.as_deref())
}

/// `-u5` and `-5` as they are written today.
fn with_numbers(args: &[String]) -> Vec<String> {
    let mut made = Vec::new();
    let mut style = "unified";
    for arg in args {
        let letters = arg.strip_prefix('-').filter(|rest| !rest.starts_with('-')).unwrap_or_default();
        let digits = letters.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let front = letters.strip_suffix(digits).unwrap_or_default();
        let is_count = !digits.is_empty()
            && digits.chars().all(|c| c.is_ascii_digit())
            && !front.contains(['U', 'C', 'W', 'I', 'F', 'L', 'x', 'X', 'S', 'D']);
        if !is_count {
            made.push(arg.clone());
            continue;
        }
        if front.contains('c') || args.iter().any(|arg| arg == "-c") && !front.contains('u') {
            style = "context";
        }
        if !front.is_empty() {
            made.push(format!("-{front}"));
        }
        made.push(format!("--{style}={digits}"));
    }
    made
}

impl Work<'_> {
    fn complain(&mut self, name: &str, error: FileError) -> i32 {
        self.said.err.extend(format!("diff: {name}: {}\n", error.errno_text()).bytes());
        2
    }

    fn is_dir(&self, name: &str) -> bool {
        name != "-" && self.call.files().is_dir(&self.call.path(name))
    }

    /// Whether nothing has this name, which `-N` takes for an empty file.
    fn is_absent(&self, name: &str) -> bool {
        name != "-" && self.call.files().stat(&self.call.path(name)).is_err()
    }

    /// Compares what two names name; the status.
    fn both(&mut self, left: &str, right: &str, top: bool) -> i32 {
        self.seen += 1;
        if self.seen > MOST {
            return 2;
        }
        let fills = self.given.has("new-file") || !top && self.given.has("unidirectional-new-file");
        let mut trouble = 0;
        if !(fills && self.is_absent(left) != self.is_absent(right)) {
            for name in [left, right] {
                if self.is_absent(name) {
                    trouble = self.complain(name, FileError::NotFound);
                }
            }
        }
        if trouble != 0 {
            return trouble;
        }
        match (self.is_dir(left), self.is_dir(right)) {
            (true, true) => return self.folders(left, right),
            (true, false) if fills && self.is_absent(right) => return self.folders(left, right),
            (false, true) if fills && self.is_absent(left) => return self.folders(left, right),
            (true, false) if top => {
                let base = right.rsplit('/').next().unwrap_or(right);
                return self.both(&format!("{}/{base}", left.trim_end_matches('/')), right, false);
            }
            (false, true) if top => {
                let base = left.rsplit('/').next().unwrap_or(left);
                return self.both(left, &format!("{}/{base}", right.trim_end_matches('/')), false);
            }
            (false, false) => {}
            (is_left, _) => {
                let what = |is_dir: bool| if is_dir { "directory" } else { "regular file" };
                let text = format!(
                    "File {left} is a {} while file {right} is a {}\n",
                    what(is_left),
                    what(!is_left)
                );
                self.said.out.extend(text.bytes());
                return 1;
            }
        }
        let (Some(old), Some(new)) = (self.half(left, 0), self.half(right, 1)) else { return 2 };
        self.files(&old, &new, top)
    }

    fn half(&mut self, name: &str, number: usize) -> Option<Half> {
        let absent = self.is_absent(name);
        let bytes = match sources::read(self.call, name) {
            Ok(bytes) => bytes,
            Err(_) if absent => Bytes::new(),
            Err(error) => {
                self.complain(name, error);
                return None;
            }
        };
        let label = match self.labels.get(number) {
            Some(label) => label.clone(),
            None => {
                let node = self.call.files().stat(&self.call.path(name)).ok();
                let time = match node {
                    Some(node) => node.mtime,
                    None if absent => std::time::UNIX_EPOCH,
                    None => self.call.now(),
                };
                let form = "%Y-%m-%d %H:%M:%S.%N +0000";
                format!("{name}\t{}", dates::written(form, time.into()))
            }
        };
        Some(Half { shown: name.to_owned(), label, bytes })
    }

    /// Two folders, name by name.
    fn folders(&mut self, left: &str, right: &str) -> i32 {
        let names = |work: &Self, folder: &str| -> Result<BTreeSet<String>, FileError> {
            let path = work.call.path(folder);
            if work.is_absent(folder) {
                return Ok(BTreeSet::new());
            }
            let who = work.call.session.who();
            work.call.files().may(who.uid, who.gid, &path, crate::machine::Access::Read)?;
            let entries = work.call.files().list(&path)?.into_iter().map(|entry| entry.name);
            Ok(entries.filter(|name| !work.excluded.iter().any(|one| one.is_match(name))).collect())
        };
        let (old, new) = match (names(self, left), names(self, right)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(error), _) => return self.complain(left, error),
            (_, Err(error)) => return self.complain(right, error),
        };
        let deep = self.given.has("recursive");
        let join = |folder: &str, name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
        let mut status = 0;
        for name in old.union(&new) {
            let (here, there) = (join(left, name), join(right, name));
            let (in_old, in_new) = (old.contains(name), new.contains(name));
            let fills = self.given.has("new-file") || !in_old && self.given.has("unidirectional-new-file");
            let one = if (!in_old || !in_new) && !fills {
                let folder = if in_old { left } else { right };
                self.said.out.extend(format!("Only in {folder}: {name}\n").bytes());
                1
            } else if self.is_dir(&here) && self.is_dir(&there) && !deep {
                self.said.out.extend(format!("Common subdirectories: {here} and {there}\n").bytes());
                0
            } else if !deep && (self.is_dir(&here) || self.is_dir(&there)) && fills {
                let folder = if in_old { left } else { right };
                self.said.out.extend(format!("Only in {folder}: {name}\n").bytes());
                1
            } else {
                self.both(&here, &there, false)
            };
            status = status.max(one);
        }
        status
    }

    fn files(&mut self, old: &Half, new: &Half, top: bool) -> i32 {
        let is_binary = |bytes: &[u8]| bytes.get(..bytes.len().min(4096)).unwrap_or_default().contains(&0);
        let brief = self.given.has("brief");
        let binary = !self.given.has("text") && (is_binary(&old.bytes) || is_binary(&new.bytes));
        if old.bytes == new.bytes {
            return self.identical(old, new);
        }
        if binary && !brief {
            self.said.out.extend(format!("Binary files {} and {} differ\n", old.shown, new.shown).bytes());
            return 2;
        }
        let (left, right) = (lines(&old.bytes), lines(&new.bytes));
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut numbers = |lines: &[&[u8]]| -> Vec<usize> {
            let mut number = |line: &&[u8]| {
                let next = known.len();
                *known.entry(self.rules.seen(line)).or_insert(next)
            };
            lines.iter().map(&mut number).collect()
        };
        let (a, b) = (numbers(&left), numbers(&right));
        let changes = script::changes(&a, &b);
        let counted = changes.iter().any(|change| !self.rules.passes(change, &left, &right));
        if !counted {
            if self.shape == Shape::Side && !self.given.has("suppress-common-lines") {
                let text = side::written(&self.given, &changes, &left, &right);
                self.said.out.extend(text);
            }
            return self.identical(old, new);
        }
        if brief {
            self.said.out.extend(format!("Files {} and {} differ\n", old.shown, new.shown).bytes());
            return 1;
        }
        if !top {
            self.said.out.extend(format!("diff{} {} {}\n", self.options, old.shown, new.shown).bytes());
        }
        let text = if self.shape == Shape::Side {
            side::written(&self.given, &changes, &left, &right)
        } else {
            let ignored: Vec<bool> =
                changes.iter().map(|change| self.rules.passes(change, &left, &right)).collect();
            self.paper.written(self.shape, (&old.label, &new.label), &changes, &ignored, &left, &right)
        };
        self.said.out.extend(text);
        1
    }

    fn identical(&mut self, old: &Half, new: &Half) -> i32 {
        if self.given.has("report-identical-files") {
            self.said.out.extend(format!("Files {} and {} are identical\n", old.shown, new.shown).bytes());
        }
        0
    }
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}
