//! Published shell test suites: the share of cases that our shell answers as bash, Cowrie or busybox expect.
//!
//! The cases run in the decoy's own process, which this crate may not name; its example `suites` does it and prints figures.

use std::{path::PathBuf, process::Command};

use acceptance::report::{Figure, Target, figure};

/// Figure, target and what it counts.
const SUITES: [(&str, f64, &str); 3] = [
    ("oils_pass", 0.92, "cases without external helpers"),
    (
        "cowrie_tests_pass",
        1.0,
        "where Cowrie agrees with bash; the others are listed in crates/decoy/tests/spec",
    ),
    ("busybox_pass", 0.90, "that a Debian can answer; the others are listed in crates/decoy/tests/spec"),
];

/// The figures of the suites that are there.
pub fn measure() -> Vec<Figure> {
    let Some(program) = program() else {
        eprintln!("skipped: the example `suites` of the crate decoy is not built");
        return Vec::new();
    };
    let output = Command::new(&program).arg("--json").output().expect("the suites run");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let mut figures = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(row) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let Some((key, target, what)) = SUITES.iter().find(|(key, ..)| row["key"] == *key) else { continue };
        let share = row["value"].as_f64().unwrap_or_default() / 100.0;
        let note = format!("{} of {} {what}", row["passed"], row["of"]);
        figures.push(figure(*key, share, "", Some(Target::AtLeast(*target)), note));
    }
    figures
}

/// The example's program, which `cargo xtask fidelity` builds beside this one.
fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.parent()?.join("examples/suites");
    program.exists().then_some(program)
}
