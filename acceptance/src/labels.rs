//! How well visitors are told apart: recorded scripts and terminals, typists and agents made up here; a confusion table.
//!
//! `cargo run --release -p acceptance --bin bench_labels` prints it; the figure `label_accuracy` of `cargo xtask bench model`
//! is [`measure`]'s. The clock is the visits' own, so that hours of typing are judged in a moment.

mod agents;
mod recorded;
mod typists;

use std::{fmt, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sensor::label::{Bait, Label, Watch};
use wire::EventKind;

/// Visitors of each kind that are made up.
const MADE_UP: usize = 500;

/// The labels, in the order of the table.
const LABELS: [Label; 3] = [Label::Human, Label::Script, Label::Agent];

/// How often who was taken for whom.
#[derive(Clone, Debug, Default)]
pub struct Confusion {
    /// By what they were, then by what they were taken for, in the order human, script, agent.
    counts: [[usize; 3]; 3],
}

impl Confusion {
    fn add(&mut self, was: Label, taken_for: Label) {
        let at = |label| LABELS.iter().position(|known| *known == label).expect("a label");
        self.counts[at(was)][at(taken_for)] += 1;
    }

    /// The share of one kind that was recognised.
    pub fn recall(&self, kind: Label) -> f64 {
        let at = LABELS.iter().position(|known| *known == kind).expect("a label");
        self.counts[at][at] as f64 / self.counts[at].iter().sum::<usize>().max(1) as f64
    }

    /// The mean of the three shares: it does not matter that there are most scripts.
    pub fn accuracy(&self) -> f64 {
        LABELS.iter().map(|kind| self.recall(*kind)).sum::<f64>() / 3.0
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| was \\ taken for | human | script | agent | recognised |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for (kind, row) in LABELS.iter().zip(self.counts) {
            let [human, script, agent] = row;
            let share = self.recall(*kind);
            writeln!(f, "| {} | {human} | {script} | {agent} | {share:.3} |", kind.as_str())?;
        }
        Ok(())
    }
}

/// What was measured.
pub struct Measured {
    /// With bait off, as it is unless somebody switches it on.
    pub without_bait: Confusion,
    /// With bait on.
    pub with_bait: Confusion,
    /// Where recordings were taken from; none without the corpora.
    pub recorded: Option<Confusion>,
}

/// One visit as the watch sees it.
pub(crate) struct Visit {
    watch: Watch,
    /// Seconds since it began.
    clock: f64,
}

impl Visit {
    fn new(bait: Option<Bait>) -> Self {
        Self { watch: Watch::new(bait), clock: 0.0 }
    }

    fn at(&self) -> Duration {
        Duration::from_secs_f64(self.clock)
    }

    fn wait(&mut self, seconds: f64) {
        self.clock += seconds.max(0.0);
    }

    fn event(&mut self, kind: &EventKind) {
        self.watch.event(self.at(), kind);
    }

    fn terminal(&mut self) {
        self.event(&EventKind::LogOpen { ttylog: String::new() });
    }

    /// Bytes in one piece.
    fn keys(&mut self, bytes: &[u8]) {
        self.watch.keys(self.at(), bytes);
    }

    /// The line that the keys made, and whether the machine had such a command.
    fn entered(&mut self, line: &str, known: bool) {
        self.event(&EventKind::command_input(line.as_bytes()));
        if !known {
            let name = line.split_ascii_whitespace().next().unwrap_or_default();
            self.event(&EventKind::command_failed(name.as_bytes()));
        }
    }

    /// A whole line in one piece.
    fn line(&mut self, line: &str) {
        self.keys(format!("{line}\n").as_bytes());
        self.entered(line, true);
    }

    fn label(&self) -> Label {
        self.watch.verdict().map_or(Label::Script, |verdict| verdict.label)
    }
}

/// A number about `median`, now and then far above it (log-normal).
fn around(random: &mut StdRng, median: f64, spread: f64) -> f64 {
    // Twelve uniform numbers make a normal one.
    let normal: f64 = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    median * (normal * spread).exp()
}

/// One of these.
fn one<'a>(random: &mut StdRng, of: &[&'a str]) -> &'a str {
    of[random.random_range(0..of.len())]
}

/// Judges everybody.
pub fn measure() -> Measured {
    let [without_bait, with_bait] = [false, true].map(|bait| {
        let mut random = StdRng::seed_from_u64(20_261_121);
        let mut confusion = Confusion::default();
        let draw = |bait: bool| bait.then(Bait::draw);
        for _ in 0..MADE_UP {
            confusion.add(Label::Human, typists::visit(&mut random, draw(bait)).label());
            confusion.add(Label::Agent, agents::visit(&mut random, draw(bait)).label());
        }
        recorded::scripts(&mut random, |visit| confusion.add(Label::Script, visit.label()));
        confusion
    });
    Measured { without_bait, with_bait, recorded: recorded::terminals() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_visitors_are_told_apart() {
        let measured = measure();
        println!("{}\n{}", measured.without_bait, measured.with_bait);
        assert!(measured.without_bait.recall(Label::Human) > 0.8, "{}", measured.without_bait);
        assert!(measured.without_bait.recall(Label::Agent) > 0.7, "{}", measured.without_bait);
        assert!(
            measured.with_bait.recall(Label::Agent) >= measured.without_bait.recall(Label::Agent),
            "bait can only help"
        );
        let Some(recorded) = measured.recorded else { return };
        println!("{recorded}");
        assert!(measured.without_bait.recall(Label::Script) > 0.9, "{}", measured.without_bait);
        assert!(recorded.recall(Label::Human) > 0.7, "{recorded}");
    }
}
