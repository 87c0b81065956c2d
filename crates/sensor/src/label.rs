//! Human, script or agent: what a visit's timing, corrections, commands and taste for bait say about who came.
//!
//! [`Watch`] sees a visit as it goes on and keeps counts, never the whole of it; [`Watch::verdict`] weighs them. Every
//! weight has its reason in words, so that a person can judge the judgement. No model is asked, and no clock but the
//! visit's own is read, so that recorded visits are judged as live ones are (`cargo xtask bench model`, `label_accuracy`).

mod bait;
mod habits;
mod pace;
mod watch;

pub use bait::Bait;
pub use watch::Watch;

/// Who a visitor is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// Somebody at a keyboard.
    Human,
    /// A program that does what it was written to do, whatever it is answered.
    Script,
    /// A program that a language model steers.
    Agent,
}

impl Label {
    /// As events say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Script => "script",
            Self::Agent => "agent",
        }
    }
}

/// A label with what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Who.
    pub label: Label,
    /// From 0 (it could as well be another) to 1, in hundredths.
    pub confidence: f64,
    /// What was seen that speaks for it, weightiest first.
    pub reasons: Vec<String>,
}

/// What was seen, and whom it speaks for.
pub(crate) struct Evidence {
    label: Label,
    weight: u32,
    reason: String,
}

/// Everything seen, to be weighed.
#[derive(Default)]
pub(crate) struct Scales(Vec<Evidence>);

impl Scales {
    /// Adds one observation.
    pub(crate) fn add(&mut self, label: Label, weight: u32, reason: impl Into<String>) {
        self.0.push(Evidence { label, weight, reason: reason.into() });
    }

    /// Who it was. Without evidence a script, as most visitors are.
    pub(crate) fn weigh(mut self) -> Verdict {
        let sum = |label| -> u32 { self.0.iter().filter(|e| e.label == label).map(|e| e.weight).sum() };
        let mut sums = [Label::Script, Label::Agent, Label::Human].map(|label| (sum(label), label));
        // A tie goes to the first, the commonest.
        sums.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let [(best, label), (second, _), _] = sums;
        self.0.retain(|evidence| evidence.label == label);
        self.0.sort_by_key(|evidence| std::cmp::Reverse(evidence.weight));
        let mut reasons: Vec<String> = self.0.into_iter().map(|evidence| evidence.reason).collect();
        if reasons.is_empty() {
            reasons.push("nothing that a person or a model would do".to_owned());
        }
        let confidence = f64::from(best - second) / f64::from(best + second + 1);
        Verdict { label, confidence: (confidence * 100.0).round() / 100.0, reasons }
    }
}

#[cfg(test)]
mod tests;
