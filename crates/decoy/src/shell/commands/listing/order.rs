//! In which order `ls` shows names.

use std::cmp::Ordering;

use super::{
    Row,
    plan::{Plan, Sort},
};
use crate::machine::files::Kind;

pub(super) fn sort(rows: &mut [Row], plan: &Plan) {
    // Files in C.UTF-8 stand by code point, as their bytes do.
    let by_name = |a: &Row, b: &Row| a.name.cmp(&b.name);
    let by = |a: &Row, b: &Row| -> Ordering {
        let first = match plan.sort {
            Sort::No => return Ordering::Equal,
            Sort::Name => Ordering::Equal,
            Sort::Size => b.size().cmp(&a.size()),
            Sort::Time => b.time(plan.instant).cmp(&a.time(plan.instant)),
            Sort::Extension => extension(&a.name).cmp(extension(&b.name)),
            Sort::Version => version(&a.name, &b.name),
            Sort::Width => a.name.chars().count().cmp(&b.name.chars().count()),
        };
        let both = first.then_with(|| by_name(a, b));
        if plan.reverse { both.reverse() } else { both }
    };
    rows.sort_by(by);
    if plan.folders_first && plan.sort != Sort::No {
        rows.sort_by_key(|row| !row.is_folder);
    }
}

fn extension(name: &str) -> &str {
    name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default()
}

/// filevercmp of gnulib: numbers count as numbers, and what follows a suffix such as `.tar.gz` comes last.
pub(super) fn version(a: &str, b: &str) -> Ordering {
    match (a, b) {
        _ if a == b => return Ordering::Equal,
        ("", _) => return Ordering::Less,
        (_, "") => return Ordering::Greater,
        _ => {}
    }
    for special in [".", ".."] {
        match (a == special, b == special) {
            (true, _) => return Ordering::Less,
            (_, true) => return Ordering::Greater,
            _ => {}
        }
    }
    match (a.starts_with('.'), b.starts_with('.')) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        _ => {}
    }
    let (short_a, short_b) = (without_suffix(a), without_suffix(b));
    let first = parts(short_a.as_bytes(), short_b.as_bytes());
    if first != Ordering::Equal {
        return first;
    }
    parts(a.as_bytes(), b.as_bytes())
}

/// The name without `(\.[A-Za-z~][A-Za-z0-9~]*)*$`.
fn without_suffix(name: &str) -> &str {
    let mut end = name.len();
    while let Some(at) = name.get(..end).and_then(|rest| rest.rfind('.')).filter(|at| *at > 0) {
        let suffix = name.get(at + 1..end).unwrap_or_default();
        let fits = suffix.starts_with(|c: char| c.is_ascii_alphabetic() || c == '~')
            && suffix.chars().all(|c| c.is_ascii_alphanumeric() || c == '~');
        if !fits {
            break;
        }
        end = at;
    }
    name.get(..end).unwrap_or(name)
}

fn rank(byte: Option<&u8>) -> i32 {
    match byte {
        None => -1,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(b'~') => -2,
        Some(byte) => i32::from(*byte) + 256,
    }
}

fn parts(a: &[u8], b: &[u8]) -> Ordering {
    let (mut i, mut j) = (0, 0);
    let is_digit = |text: &[u8], at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    while i < a.len() || j < b.len() {
        while i < a.len() && !is_digit(a, i) || j < b.len() && !is_digit(b, j) {
            let order = rank(a.get(i)).cmp(&rank(b.get(j)));
            if order != Ordering::Equal {
                return order;
            }
            i += 1;
            j += 1;
        }
        let zeros = |text: &[u8], mut at: usize| {
            while text.get(at) == Some(&b'0') {
                at += 1;
            }
            at
        };
        (i, j) = (zeros(a, i), zeros(b, j));
        let mut first = Ordering::Equal;
        while is_digit(a, i) && is_digit(b, j) {
            first = first.then_with(|| a.get(i).cmp(&b.get(j)));
            i += 1;
            j += 1;
        }
        if is_digit(a, i) {
            return Ordering::Greater;
        }
        if is_digit(b, j) {
            return Ordering::Less;
        }
        if first != Ordering::Equal {
            return first;
        }
    }
    Ordering::Equal
}

/// Whether a row counts as a directory: links to one do.
pub(super) fn is_folder(kind: Kind, target: Option<Kind>) -> bool {
    kind == Kind::Dir || target == Some(Kind::Dir)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn numbers_in_names_count() {
        let mut names =
            vec!["f10", "f9", "f1.5", "f1", "a-1.10.tar.gz", "a-1.9.tar.gz", ".x", "f01", "b~", "b"];
        names.sort_by(|a, b| version(a, b).then_with(|| a.cmp(b)));
        assert_eq!(
            names,
            [".x", "a-1.9.tar.gz", "a-1.10.tar.gz", "b~", "b", "f01", "f1", "f1.5", "f9", "f10"]
        );
    }
}
