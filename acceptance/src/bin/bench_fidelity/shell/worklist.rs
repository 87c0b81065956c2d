//! What is not equal, by program: the list of work.

use std::{collections::BTreeMap, path::Path};

use serde_json::json;

use super::{Compared, masks::Masks, words::commands};

/// Prints programs by how many lines they spoil, and `show` differences.
pub fn print(compared: &[Compared], show: usize, masks: &Masks) {
    let mut programs: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    let mut lines: BTreeMap<&str, (f64, &Compared)> = BTreeMap::new();
    for one in compared.iter().filter(|one| !one.equal) {
        lines.entry(&one.line).or_insert((0.0, one)).0 += one.count;
    }
    for (line, (count, _)) in &lines {
        let names = commands(line).unwrap_or_default();
        let mut names: Vec<String> = names
            .iter()
            .filter_map(|simple| {
                let mut words =
                    simple.words.iter().map(|word| word.text.rsplit('/').next().unwrap_or_default());
                let first = words.next()?;
                let second = words.next().filter(|_| first == "busybox").map(|word| format!(" {word}"));
                Some(format!("{first}{}", second.unwrap_or_default()))
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let entry = programs.entry(name).or_default();
            entry.0 += 1;
            entry.1 += count;
        }
    }
    let mut programs: Vec<_> = programs.into_iter().collect();
    programs.sort_by_key(|(_, (lines, _))| std::cmp::Reverse(*lines));
    println!("\n{} distinct lines are not equal; by program in them:", lines.len());
    for (name, (lines, count)) in programs.iter().take(60) {
        println!("  {lines:>5} lines {count:>8.0} times  {name}");
    }
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by(|(_, (a, _)), (_, (b, _))| b.total_cmp(a));
    for (line, (count, one)) in lines.iter().take(show) {
        let (truth, other) = (masks.apply(line, &one.truth), masks.apply(line, &one.other));
        println!("\n--- {count:.0} times: {:?}", cut(line));
        if truth.status != other.status {
            println!("    status: Debian {:?}, ours {:?}", truth.status, other.status);
        }
        for (name, truth, other) in [("out", &truth.out, &other.out), ("err", &truth.err, &other.err)] {
            if truth != other {
                println!("    {name} Debian: {:?}\n    {name} ours:   {:?}", cut(truth), cut(other));
            }
        }
    }
}

/// Writes what both sides said, one JSON object a line: the beginning of a case for a test.
pub fn write(compared: &[Compared], path: &Path) {
    let rows = compared.iter().map(|one| {
        let row = json!({
            "line": one.line, "equal": one.equal, "debian": one.truth, "ours": one.other,
        });
        format!("{row}\n")
    });
    std::fs::write(path, rows.collect::<String>()).expect("a file for the answers");
    println!("\nwritten: {}", path.display());
}

fn cut(text: &str) -> String {
    if text.len() < 700 { text.to_owned() } else { text.chars().take(700).chain("…".chars()).collect() }
}
