//! The verbs of this repository: `cargo xtask up | test | bench | fidelity`.

mod bench;
mod cargo;
mod debian;
mod failure;
mod fidelity;
mod record;
mod test;
mod up;
mod usage;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// The verbs of the Rustbucket repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds both programs, starts a registry and buckets on loopback, and follows what happens until Ctrl-C.
    Up {
        /// Where settings, state, logs, database and archive are kept; used again by the next start.
        #[arg(long, default_value = "./up-data")]
        data: PathBuf,
        /// How many buckets to start; each further one listens 10,000 ports higher.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
        buckets: u16,
        /// Builds from the packages that are already on this machine.
        #[arg(long)]
        offline: bool,
    },
    /// Installs what the tests need, naming it first, and runs every test.
    Test,
    /// Measures, prints a table and writes `target/bench/NAME.json`.
    Bench {
        /// What to measure.
        what: bench::Bench,
        /// A short run: same figures, more noise.
        #[arg(long)]
        quick: bool,
    },
    /// Records what Debian's programs say about themselves (`--help`, `--version`, no arguments) for the decoy.
    Usage,
    /// Builds the shipped image of a Debian 12 server anew, from a root made with debootstrap (as root).
    Image,
    /// Installs the real daemons and records what they answer to the transcripts' visitors.
    Record {
        /// Only these transcripts.
        files: Vec<PathBuf>,
    },
    /// Compares answers with those of the real daemons.
    Fidelity {
        /// A sample; BENCHMARKS.md stays as it is.
        #[arg(long)]
        quick: bool,
        /// Prints so many differences, the most frequent first.
        #[arg(long, default_value_t = 0)]
        show: usize,
        /// Only lines that hold this text.
        #[arg(long)]
        only: Option<String>,
        /// Only this group of figures, such as `shell`, `daemons` or `speed`.
        #[arg(long)]
        group: Option<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse(); // wrong arguments: message on stderr, exit status 2
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("xtask: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match arguments.verb {
            Verb::Up { data, buckets, offline } => up::run(&up::Wanted { data, buckets, offline }).await,
            Verb::Test => test::run().await,
            Verb::Bench { what, quick } => bench::run(what, quick).await,
            Verb::Record { files } => record::run(&files).await,
            Verb::Usage => usage::run().await,
            Verb::Fidelity { quick, show, only, group } => {
                fidelity::run(&fidelity::Wanted { quick, show, only, group }).await
            }
            Verb::Image => debian::image().await,
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nxtask: {}", failure.chain());
            ExitCode::from(failure.exit_status())
        }
    }
}
