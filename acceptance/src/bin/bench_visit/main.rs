//! `cargo xtask bench visit`: what a visit costs the bucket, beside a bare server that only accepts and answers.

// A measurement: a step that fails ends the run with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bare;
mod figures;
mod script;
mod visits;

use std::{path::PathBuf, thread};

use clap::{Parser, Subcommand};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_setaffinity},
};

#[derive(Parser)]
struct Arguments {
    /// Same figures from shorter runs.
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// The bare server.
    #[command(hide = true)]
    Bare {
        /// Replies and ports, as the measurement wrote them.
        script: PathBuf,
    },
}

fn main() {
    let arguments = Arguments::parse();
    let files = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: files, maximum: files }).expect("more open files");
    if let Some(Role::Bare { script }) = arguments.role {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(bare::serve(&script));
        return;
    }
    acceptance::init();
    let prefix = split_cores();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(figures::measure(arguments.quick, prefix));
}

/// Keeps the first core for the server and the others for us; gives what must stand before the server's command.
fn split_cores() -> Vec<String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 || acceptance::binaries::client("taskset").is_none() {
        eprintln!("server and visitors share the cores: figures are noisier");
        return Vec::new();
    }
    let mut ours = CpuSet::new();
    (1..cores).for_each(|core| ours.set(core));
    sched_setaffinity(None, &ours).expect("cores for the visitors");
    ["taskset", "-c", "0"].map(str::to_owned).to_vec()
}
