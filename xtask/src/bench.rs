//! The measurements: each runs in the acceptance crate, against release builds.

use clap::ValueEnum;

use crate::{cargo, failure::Failure};

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Bench {
    /// Complete visits per second per core and protocol, latency of a command, memory.
    Visit,
    /// What the language model costs and adds.
    Model,
    /// A fleet of buckets pulled by one registry.
    Fleet,
    /// The registry's pages.
    Pages,
    /// How well the analysis names what an attacker did.
    Tactics,
}

/// Runs one measurement.
pub async fn run(what: Bench, quick: bool) -> Result<(), Failure> {
    let (package, program) = match what {
        Bench::Visit => ("acceptance", "bench_visit"),
        Bench::Model => return Err(Failure::NotBuilt("bench model")),
        Bench::Fleet => return Err(Failure::NotBuilt("bench fleet")),
        Bench::Pages => return Err(Failure::NotBuilt("bench pages")),
        Bench::Tactics => return Err(Failure::NotBuilt("bench tactics")),
    };
    // The bucket that is measured is a release build too.
    cargo::run(["build", "--release", "--locked", "-p", "sensor", "-p", "registry"]).await?;
    let mut arguments = vec!["run", "--release", "--locked", "-p", package, "--bin", program, "--"];
    if quick {
        arguments.push("--quick");
    }
    cargo::run(arguments).await
}
