//! How far one comes with nothing: the same lines answered by something trivial.

use super::{play::Outcome, truth::HOST, units::Unit};

/// What a trivial server says to a line.
pub type Says = fn(&str) -> (String, u32);

/// Name of the figure and what it says.
pub const ALL: &[(&str, Says)] = &[
    ("null_distinct_equal", |_| (String::new(), 0)),
    ("null_not_found_equal", |line| {
        let word = line.split_whitespace().next().unwrap_or_default();
        (format!("bash: line 1: {word}: command not found\n"), 127)
    }),
    ("null_echo_equal", |line| (format!("{line}\n"), 0)),
];

/// What it would have said.
pub fn play(unit: &Unit, says: Says) -> Vec<Outcome> {
    let typed = unit.mode == super::allowed::Mode::Typed;
    unit.lines
        .iter()
        .map(|line| {
            let (said, status) = says(line);
            if typed {
                let said = said.replace("bash: line 1", "-bash");
                Outcome { out: format!("{said}root@{HOST}:~# "), err: String::new(), status: Some(status) }
            } else if status == 127 {
                Outcome { out: String::new(), err: said, status: Some(status) }
            } else {
                Outcome { out: said, err: String::new(), status: Some(status) }
            }
        })
        .collect()
}
