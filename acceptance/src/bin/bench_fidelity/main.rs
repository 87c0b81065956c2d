//! `cargo xtask fidelity`: our answers beside those of the real Debian 12, on what real visitors typed.

// A measurement: a step that fails ends the run with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod daemons;
mod shell;
mod specs;
mod speed;

use std::path::PathBuf;

use acceptance::report::{self, Figure};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What to compare.
#[derive(Parser)]
struct Arguments {
    /// The Debian 12 root to compare with; `cargo xtask fidelity` makes it.
    #[arg(long)]
    root: PathBuf,
    /// A sample of the lines and short runs; BENCHMARKS.md stays as it is.
    #[arg(long)]
    quick: bool,
    /// Prints so many differences, the most frequent lines first.
    #[arg(long, default_value_t = 0)]
    show: usize,
    /// Only lines that hold this text (for work on one program); of the daemons, only this protocol.
    #[arg(long)]
    only: Option<String>,
    /// Only this group of figures: shell, specs, daemons, speed.
    #[arg(long)]
    group: Option<String>,
    /// Only visits whose answers from Debian are kept from an earlier run: quick, for work on the programs.
    #[arg(long)]
    kept: bool,
    /// Plays the lines of this file instead of the recorded ones: each alone, or, behind a line `! typed` and up to the
    /// next line that begins with `!`, one visit at a terminal. A line that is a JSON text may have line ends in it.
    #[arg(long)]
    lines: Option<PathBuf>,
    /// The program `ssh-audit`, to be shown both daemons.
    #[arg(long)]
    ssh_audit: Option<PathBuf>,
    /// Where Cowrie is installed (`pip install` into an environment of its own), to be measured on the same lines.
    #[arg(long)]
    cowrie: Option<PathBuf>,
}

impl Arguments {
    fn wants(&self, group: &str) -> bool {
        self.group.as_deref().is_none_or(|wanted| wanted == group)
    }
}

fn main() {
    let arguments = Arguments::parse();
    let files = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: files, maximum: files }).expect("more open files");
    acceptance::init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let figures = runtime.block_on(measure(&arguments));
    let whole = !arguments.quick
        && arguments.only.is_none()
        && arguments.group.is_none()
        && arguments.lines.is_none()
        && !arguments.kept;
    report::write("fidelity", "fidelity", &figures, !whole);
}

/// One group of figures after the other: each in a file of its own.
async fn measure(arguments: &Arguments) -> Vec<Figure> {
    let mut figures = Vec::new();
    if arguments.wants("shell") {
        figures.extend(shell::measure(arguments).await);
    }
    if arguments.wants("specs") {
        figures.extend(specs::measure());
    }
    // Of daemons, `--only` names one.
    if arguments.wants("daemons") && (arguments.only.is_none() || arguments.group.is_some()) {
        let (audit, only) = (arguments.ssh_audit.as_deref(), arguments.only.as_deref());
        figures.extend(daemons::measure(arguments.show, audit, only).await);
    }
    if arguments.wants("speed") {
        figures.extend(speed::measure(arguments.quick).await);
    }
    figures
}
