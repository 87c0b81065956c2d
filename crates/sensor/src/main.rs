//! `rustbucket`: runs a bucket, checks its settings, or prints who it is.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use sensor::{
    birth::Birth,
    bucket::{self, Ports, StartError},
    config::Config,
    image::verbs,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// One honeypot: a Linux server that does not exist.
#[derive(Parser)]
#[command(name = "rustbucket", version)]
struct Arguments {
    /// Settings file; `Config.toml` in the working folder if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Serves until SIGINT or SIGTERM (the default).
    Run,
    /// Checks settings and ports, names every fault, starts nothing.
    Check {
        /// Asks every configured model one short question and says what came back.
        #[arg(long)]
        ask: bool,
    },
    /// Prints name and fingerprints.
    Identity,
    /// Makes and shows images: the files of a machine.
    #[command(subcommand)]
    Image(verbs::Verb),
}

/// Wrong settings or arguments, or a port that cannot be had: nothing was started.
const NOT_STARTED: u8 = 2;
/// Failed while running.
const FAILED: u8 = 1;

/// Deep enough for the bounded recursion of the shell (see decoy's `shell::guard`); reserved, not used, until needed.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Verb::Image(verb)) = &arguments.verb {
        return match verbs::act(verb, &mut std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, NOT_STARTED),
        };
    }
    let config = match Config::load(arguments.config.as_deref(), environment()) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(NOT_STARTED);
        }
    };
    // Diagnostics are another stream than the events: stderr.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter(&config.general.log_level)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, FAILED),
    };
    let done = runtime.block_on(act(arguments.verb.unwrap_or(Verb::Run), config));
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// The operator's filter, and silence of libraries that complain about what visitors send, unless they are named.
fn filter(wanted: &str) -> String {
    let named = |library: &str| {
        wanted
            .split(',')
            .any(|part| part.split(['=', ':', '[']).next().is_some_and(|name| name.trim() == library))
    };
    let quiet = [("russh", ",russh=error"), ("russh_sftp", ",russh_sftp=off")];
    let quiet = quiet.into_iter().filter(|(library, _)| !named(library)).map(|(_, directive)| directive);
    std::iter::once(wanted).chain(quiet).collect()
}

/// What is not UTF-8 cannot be a setting.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

async fn act(verb: Verb, config: Config) -> ExitCode {
    match verb {
        Verb::Run => run(config).await,
        // Done before settings are read: it needs none.
        Verb::Image(_) => ExitCode::SUCCESS,
        Verb::Check { ask } => match Birth::check_token(Path::new(""))
            .map_err(StartError::from)
            .and_then(|()| Ports::bind(&config))
        {
            Ok(_ports) => {
                println!("settings are good; every port can be bound");
                if ask { try_out(&config).await } else { ExitCode::SUCCESS }
            }
            Err(error) => fail(&error, NOT_STARTED),
        },
        Verb::Identity => match Birth::load(&config.general.state_directory) {
            Ok(birth) => match bucket::fingerprints(&config, &birth) {
                Ok(lines) => {
                    println!("{lines}");
                    ExitCode::SUCCESS
                }
                Err(error) => fail(&error, NOT_STARTED),
            },
            Err(error) => fail(&StartError::from(error), NOT_STARTED),
        },
    }
}

/// Asks every configured model; succeeds when one answers.
async fn try_out(config: &Config) -> ExitCode {
    let mut answered = false;
    for trial in chat::assembly::try_out(&config.chat).await {
        let who = format!("{} ({})", trial.provider, trial.model);
        match trial.result {
            Ok(reply) => {
                answered = true;
                println!(
                    "{who}: answers as {} in {} ms, {} + {} tokens, {:.6} USD",
                    reply.model,
                    reply.elapsed.as_millis(),
                    reply.tokens_in,
                    reply.tokens_out,
                    reply.cost_usd
                );
            }
            Err(reason) => println!("{who}: {reason}"),
        }
    }
    if answered { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

async fn run(mut config: Config) -> ExitCode {
    match bucket::raise_open_files() {
        Ok(files) => {
            let (most, wanted) =
                (bucket::connections_within(files), &mut config.limits.connections.connections);
            if *wanted > most {
                tracing::warn!(
                    files,
                    wanted,
                    most,
                    "limits.connections is more than the open files allowed carry and is lowered; raise the limit of \
                     open files (LimitNOFILE, ulimit -n) to twice the connections and 512"
                );
                *wanted = most;
            }
        }
        Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
    }
    let started = Birth::load(&config.general.state_directory)
        .map_err(StartError::from)
        .and_then(|birth| Ports::bind(&config).map(|ports| (birth, ports)));
    let (birth, ports) = match started {
        Ok(started) => started,
        Err(error) => return fail(&error, NOT_STARTED),
    };
    let stop = CancellationToken::new();
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                stop.cancel();
            });
        }
        (Err(error), _) | (_, Err(error)) => return fail(&error, FAILED),
    }
    match bucket::serve(config, birth, ports, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, FAILED),
    }
}

/// Says what went wrong, with every cause.
fn fail(error: &dyn std::error::Error, status: u8) -> ExitCode {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    eprintln!("rustbucket: {text}");
    ExitCode::from(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_quiet_unless_named() {
        assert_eq!(filter("info"), "info,russh=error,russh_sftp=off");
        assert_eq!(filter("info, russh=debug"), "info, russh=debug,russh_sftp=off");
        assert_eq!(filter("russh_sftp::server=warn"), "russh_sftp::server=warn,russh=error");
    }
}
