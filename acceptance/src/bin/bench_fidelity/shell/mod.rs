//! The shell: the same lines in a throw-away Debian and on a bucket, compared byte for byte.

mod allowed;
mod baselines;
mod cowrie;
mod masks;
mod ours;
mod play;
mod truth;
mod units;
mod words;
mod worklist;

use std::{collections::BTreeMap, sync::Arc};

use acceptance::report::{Figure, Target, figure};
use futures::StreamExt as _;

use crate::Arguments;
use masks::Masks;
use play::Outcome;
use units::Unit;

/// One line in one place: what both said, and whether it is the same.
pub struct Compared {
    /// The line.
    pub line: String,
    /// How often visitors typed it there.
    pub count: f64,
    /// What Debian says.
    pub truth: Outcome,
    /// What the other says.
    pub other: Outcome,
    /// Equal behind the masks.
    pub equal: bool,
}

/// Plays everything on both sides.
pub async fn measure(arguments: &Arguments) -> Vec<Figure> {
    let truth = Arc::new(truth::Truth::open(&arguments.root));
    let mut units = match &arguments.lines {
        Some(path) => units::own(path),
        None => {
            let Some(corpora) = acceptance::corpora::folder() else { return Vec::new() };
            units::read(&corpora, &truth.allowed(), arguments)
        }
    };
    if arguments.kept {
        units.retain(|unit| truth.knows(unit));
    }
    let lines: usize = units.iter().map(|unit| unit.lines.len()).sum();
    eprintln!("{} visits with {lines} lines pass the allow-list", units.len());

    eprintln!("asking Debian");
    let answers = play::all(&units, "Debian", 3, |unit| {
        let truth = Arc::clone(&truth);
        async move { truth.play(&unit).await }
    })
    .await;
    eprintln!("asking the bucket");
    let mut bucket = ours::start().await;
    let port = bucket.ports.ssh;
    let given = play::all(&units, "the bucket", 3, |unit| async move { ours::play(port, &unit).await }).await;
    bucket.assert_sound();
    bucket.stop();

    let masks = Masks::read();
    let compared = compare(&units, &answers, &given, &masks);
    worklist::print(&compared, arguments.show, &masks);
    if arguments.lines.is_some() {
        worklist::write(&compared, &truth.folder().join("lines.jsonl"));
    }
    let (distinct, weighted) = shares(&compared);
    let note = format!("{} distinct lines, {} visits", distinct_count(&compared), units.len());
    let mut figures = vec![
        figure("shell_distinct_equal", distinct, "", Some(Target::AtLeast(0.97)), note.clone()),
        figure("shell_weighted_equal", weighted, "", Some(Target::AtLeast(0.99)), note),
    ];
    if let Some(venv) = &arguments.cowrie {
        eprintln!("asking Cowrie");
        // It needs a tenth of a second for a line: visits at even distances must do.
        let step = units.len().div_ceil(COWRIE_VISITS).max(1);
        let some: Vec<Unit> = units.iter().step_by(step).cloned().collect();
        let truth: Vec<_> = answers.iter().step_by(step).cloned().collect();
        let beside: Vec<_> = given.iter().step_by(step).cloned().collect();
        let cowrie = cowrie::Cowrie::start(venv).await;
        let port = cowrie.port;
        let given =
            play::all(&some, "Cowrie", 3, |unit| async move { cowrie::play(port, &unit).await }).await;
        cowrie.stop();
        let (distinct, weighted) = shares(&compare(&some, &truth, &given, &masks));
        let (ours, _) = shares(&compare(&some, &truth, &beside, &masks));
        let note = format!(
            "Cowrie from PyPI on {} of the visits, by count {weighted:.3}; ours on these {ours:.3}",
            some.len()
        );
        figures.push(figure("cowrie_distinct_equal", distinct, "", None, note));
    }
    for (name, says) in baselines::ALL {
        let given: Vec<_> = units.iter().map(|unit| Some(baselines::play(unit, *says))).collect();
        let (distinct, _) = shares(&compare(&units, &answers, &given, &masks));
        figures.push(figure(*name, distinct, "", None, "the same lines"));
    }
    figures
}

/// How many visits are paid to Cowrie.
const COWRIE_VISITS: usize = 250;

/// Lines for which both sides have an answer.
fn compare(
    units: &[Unit],
    truth: &[Option<Vec<Outcome>>],
    other: &[Option<Vec<Outcome>>],
    masks: &Masks,
) -> Vec<Compared> {
    let mut compared = Vec::new();
    for ((unit, truth), other) in units.iter().zip(truth).zip(other) {
        let Some(truth) = truth else { continue };
        for (index, line) in unit.lines.iter().enumerate() {
            // A visit that Debian ended is over.
            let Some(truth) = truth.get(index) else { break };
            let other = other.as_ref().and_then(|other| other.get(index)).cloned().unwrap_or_default();
            let equal = masks.apply(line, truth) == masks.apply(line, &other);
            compared.push(Compared {
                line: line.clone(),
                count: unit.count,
                truth: truth.clone(),
                other,
                equal,
            });
        }
    }
    compared
}

/// Share of distinct lines and share by count. A line in several places counts by the share of them that are equal.
fn shares(compared: &[Compared]) -> (f64, f64) {
    let mut places: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let (mut all, mut equal) = (0.0, 0.0);
    for one in compared {
        let place = places.entry(&one.line).or_default();
        place.0 += 1.0;
        all += one.count;
        if one.equal {
            place.1 += 1.0;
            equal += one.count;
        }
    }
    let sum: f64 = places.values().map(|(places, equal)| equal / places).sum();
    (sum / (places.len() as f64).max(1.0), equal / all.max(1.0))
}

fn distinct_count(compared: &[Compared]) -> usize {
    compared.iter().map(|one| one.line.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}

/// Runs `work` for every item, so many at once, in order; says now and then how far it is.
async fn in_order<I, T, F: Future<Output = T>>(
    items: impl Iterator<Item = I>,
    total: usize,
    name: &str,
    at_once: usize,
    work: impl Fn(I) -> F,
) -> Vec<T> {
    let mut done = Vec::with_capacity(total);
    let mut stream = futures::stream::iter(items.map(work)).buffered(at_once);
    while let Some(result) = stream.next().await {
        done.push(result);
        if done.len().is_multiple_of(500) {
            eprintln!("  {name}: {} of {total}", done.len());
        }
    }
    done
}
