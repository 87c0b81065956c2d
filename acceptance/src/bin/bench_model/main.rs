//! `cargo xtask bench model`: what asking a language model costs, and what it lets through.

// A measurement: a step that fails ends the run with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod injection;
mod questions;
mod real;
mod recorded;
mod replay;
mod runtime;

use acceptance::{
    labels,
    report::{self, Figure, Target, figure},
};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Same figures from shorter runs.
    #[arg(long)]
    quick: bool,
    /// Only this part: `injection`, `recorded`, `replay`, `real` or `labels`; BENCHMARKS.md stays as it is.
    #[arg(long)]
    only: Option<String>,
}

fn main() {
    let arguments = Arguments::parse();
    acceptance::init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let wanted = |part: &str| arguments.only.as_deref().is_none_or(|only| only == part);
    let mut figures = runtime.block_on(async {
        let mut figures = Vec::new();
        if wanted("injection") {
            figures.extend(injection::measure().await);
        }
        if wanted("recorded") {
            figures.extend(recorded::measure());
        }
        if wanted("replay") {
            figures.extend(replay::measure(arguments.quick).await);
        }
        if wanted("real") {
            figures.extend(real::measure(arguments.quick).await);
        }
        figures
    });
    if wanted("labels") {
        figures.push(label_accuracy());
    }
    report::write("model", "bench model", &figures, arguments.quick || arguments.only.is_some());
}

/// How well people, scripts and agents are told apart, with bait off.
fn label_accuracy() -> Figure {
    let accuracy = labels::measure().without_bait.accuracy();
    figure(
        "label_accuracy",
        accuracy,
        "",
        Some(Target::AtLeast(0.9)),
        "human, script or agent, bait off; see below",
    )
}
