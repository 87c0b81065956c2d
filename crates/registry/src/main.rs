//! `rustbucket-registry`: the command line. Exit status 0 well, 1 failed while running, 2 wrong settings or arguments.

mod arguments;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use arguments::{Arguments, BucketCommand, Command, KeyCommand, TokenCommand, UserCommand};
use clap::Parser as _;
use registry::commands::{self, CommandError};
use registry::config::Config;
use registry::store::Status;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter =
        EnvFilter::try_from_env("RUSTBUCKET_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    let config = match Config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(faults) => return end(2, &faults.to_string()),
    };
    // The HTTPS server and the S3 client ask for a default. Only a second installation fails, and this is the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return end(1, &format!("cannot start: {error}")),
    };
    match runtime.block_on(run(arguments.command, config)) {
        Ok(text) if text.is_empty() => ExitCode::SUCCESS,
        // Whoever closed our output does not want the rest of it.
        Ok(text) => writeln!(std::io::stdout(), "{text}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => end(error.exit_status(), &registry::jobs::chain(&error)),
    }
}

fn end(status: u8, message: &str) -> ExitCode {
    // Without standard error the exit status must do.
    let _ = writeln!(std::io::stderr(), "rustbucket-registry: {message}");
    ExitCode::from(status)
}

async fn run(command: Command, config: Config) -> Result<String, CommandError> {
    match command {
        Command::Serve => commands::serve(Arc::new(config)).await.map(|()| String::new()),
        Command::Check => commands::check(&config).await.map(|()| "the settings are right".to_owned()),
        Command::Migrate => commands::migrate(&config).await,
        Command::RunJob { name } => {
            let (well, report) = commands::run_job(Arc::new(config), &name).await?;
            writeln!(std::io::stdout(), "{report}").map_err(CommandError::Terminal)?;
            if well { Ok(String::new()) } else { Err(CommandError::JobFailed) }
        }
        Command::User(UserCommand::Add { name, role, password_stdin }) => {
            commands::add_user(&config, &name, role, password_stdin).await
        }
        Command::Key(KeyCommand::Create { uses, ttl }) => commands::create_key(&config, uses, ttl).await,
        Command::Token(TokenCommand::Create { role, name }) => {
            commands::create_token(&config, &name, role).await
        }
        Command::Bucket(BucketCommand::List) => commands::buckets(&config).await,
        Command::Bucket(BucketCommand::Approve { name }) => {
            commands::decide_bucket(&config, &name, Status::Active).await
        }
        Command::Bucket(BucketCommand::Reread { name }) => commands::reread(&config, name.as_deref()).await,
        Command::Bucket(BucketCommand::Revoke { name }) => {
            commands::decide_bucket(&config, &name, Status::Revoked).await
        }
    }
}
