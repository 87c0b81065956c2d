//! The measurements: each runs in the acceptance crate, against release builds.

use std::{path::PathBuf, process::Stdio};

use clap::ValueEnum;
use tokio::process::Command;

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
    let program = match what {
        Bench::Visit => "bench_visit",
        Bench::Model => "bench_model",
        Bench::Fleet => return Err(Failure::NotBuilt("bench fleet")),
        Bench::Pages => return Err(Failure::NotBuilt("bench pages")),
        Bench::Tactics => return Err(Failure::NotBuilt("bench tactics")),
    };
    let path = self::program(program).await?;
    let mut command = Command::new(path);
    command
        .env("RUSTBUCKET_TEST_BUILT", "1")
        .current_dir(cargo::root())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if quick {
        command.arg("--quick");
    }
    let status =
        command.status().await.map_err(|source| Failure::Launch { program: program.to_owned(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Program { program: program.to_owned(), status, said: String::new() })
}

/// Builds a measurement together with what it measures, in release; gives its path.
pub async fn program(name: &str) -> Result<PathBuf, Failure> {
    let arguments = ["--release", "--locked", "-p", "sensor", "-p", "registry", "-p", "acceptance", "--bins"];
    let programs = cargo::build(&arguments).await?;
    programs.get(name).cloned().ok_or_else(|| Failure::Output {
        program: "cargo build".into(),
        wanted: "the path of the measurement",
        printed: programs.keys().cloned().collect::<Vec<_>>().join(", "),
    })
}
