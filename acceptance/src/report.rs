//! What a measurement found: a table for people, `target/bench/NAME.json` for programs, and its part of BENCHMARKS.md.

use std::fs;

use serde_json::{Value, json};

use crate::{cost, root};

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Name, the same for ever.
    pub key: String,
    /// What was measured.
    pub value: f64,
    /// Unit; empty for shares.
    pub unit: &'static str,
    /// What is aimed at, if anything.
    pub target: Option<Target>,
    /// What the value means or rests on.
    pub note: String,
}

/// What is aimed at.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Reached at this value or above.
    AtLeast(f64),
    /// Reached under this value.
    Below(f64),
    /// Reached at this value or under it.
    AtMost(f64),
}

/// Makes a figure.
pub fn figure(
    key: impl Into<String>,
    value: f64,
    unit: &'static str,
    target: Option<Target>,
    note: impl Into<String>,
) -> Figure {
    Figure { key: key.into(), value, unit, target, note: note.into() }
}

impl Figure {
    fn met(&self) -> Option<bool> {
        self.target.map(|target| match target {
            Target::AtLeast(aim) => self.value >= aim,
            Target::Below(aim) => self.value < aim,
            Target::AtMost(aim) => self.value <= aim,
        })
    }

    fn aim(&self) -> Option<f64> {
        self.target.map(|(Target::AtLeast(aim) | Target::Below(aim) | Target::AtMost(aim))| aim)
    }

    fn shown_aim(&self) -> String {
        match self.target {
            None => String::new(),
            Some(Target::AtLeast(aim)) => format!("at least {aim}"),
            Some(Target::Below(aim)) => format!("below {aim}"),
            Some(Target::AtMost(aim)) => format!("at most {aim}"),
        }
    }

    fn shown_value(&self) -> String {
        match self.value {
            value if value >= 100.0 => format!("{value:.0}"),
            // A session's share of a dollar.
            value if value > 0.0 && value < 0.001 => format!("{value:.7}"),
            value if self.unit.is_empty() && value < 1.0 => format!("{value:.4}"),
            value => format!("{value:.2}"),
        }
    }

    fn shown_met(&self) -> &'static str {
        self.met().map_or("", |met| if met { "yes" } else { "no" })
    }
}

/// Prints the table of measurement `name`, made by `cargo xtask VERB`; writes `target/bench/NAME.json` and, after a full
/// run, the part of BENCHMARKS.md between `<!-- NAME begins -->` and `<!-- NAME ends -->`.
pub fn write(name: &str, verb: &str, figures: &[Figure], quick: bool) {
    let date = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let machine = cost::machine();
    let listed: Vec<Value> = figures
        .iter()
        .map(|figure| {
            let value = (figure.value * 1e8).round() / 1e8;
            json!({"key": figure.key, "value": value, "unit": figure.unit, "target": figure.aim(), "met": figure.met(), "note": figure.note})
        })
        .collect();
    let report = json!({"name": name, "date": date, "machine": machine, "figures": listed});
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into).join("bench");
    fs::create_dir_all(&folder).expect("target/bench");
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, format!("{report:#}\n")).expect("the report");

    println!("\n{name}, {date}, {machine}\n");
    println!("{:<24} {:>10} {:<14} {:<14} {:<4} note", "figure", "value", "unit", "target", "met");
    for figure in figures {
        println!(
            "{:<24} {:>10} {:<14} {:<14} {:<4} {}",
            figure.key,
            figure.shown_value(),
            figure.unit,
            figure.shown_aim(),
            figure.shown_met(),
            figure.note
        );
    }
    println!("\nwritten to {}", path.display());
    if !quick {
        page(name, verb, figures, &date, &machine);
    }
}

/// Replaces the part of BENCHMARKS.md that this measurement owns.
fn page(name: &str, verb: &str, figures: &[Figure], date: &str, machine: &str) {
    let (begin, end) = (format!("<!-- {name} begins -->"), format!("<!-- {name} ends -->"));
    let path = root().join("BENCHMARKS.md");
    let text = fs::read_to_string(&path).expect("BENCHMARKS.md");
    let (before, rest) = text.split_once(&begin).expect("the begin mark in BENCHMARKS.md");
    let (_, after) = rest.split_once(&end).expect("the end mark in BENCHMARKS.md");
    let mut table = format!(
        "\nMade by `cargo xtask {verb}` on {date}; {machine}.\n\n| figure | value | unit | target | met | note |\n|---|---|---|---|---|---|\n"
    );
    for figure in figures {
        let row = [
            figure.key.as_str(),
            &figure.shown_value(),
            figure.unit,
            &figure.shown_aim(),
            figure.shown_met(),
            &figure.note,
        ]
        .join(" | ");
        table.push_str(&format!("| {row} |\n"));
    }
    fs::write(&path, format!("{before}{begin}{table}{end}{after}")).expect("BENCHMARKS.md");
}
