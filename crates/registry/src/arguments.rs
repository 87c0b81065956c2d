//! What may stand on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use registry::store::Role;

/// The registry of a fleet of Rustbucket decoys.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Arguments {
    /// The settings; `Registry.toml` when not given, and the defaults when that is not there.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the jobs and serve the pages.
    Serve,
    /// Check the settings and what they name; start nothing.
    Check,
    /// Make or update the tables.
    Migrate,
    /// Run one job now and print its report.
    RunJob { name: String },
    /// People who may sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Keys that let buckets in.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Tokens for programs that use the API.
    #[command(subcommand)]
    Token(TokenCommand),
    /// The fleet.
    #[command(subcommand)]
    Bucket(BucketCommand),
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Add a user, or give a known one a new password; it is printed once.
    Add {
        name: String,
        /// viewer, analyst or admin.
        #[arg(long)]
        role: Role,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a registration key; it is printed once.
    Create {
        /// For how many buckets; any number when not given.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        uses: Option<u32>,
        /// For how long, as 12h or 7d; for ever when not given.
        #[arg(long, value_parser = humantime::parse_duration)]
        ttl: Option<Duration>,
    },
}

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make an API token; it is printed once.
    Create {
        /// viewer, analyst or admin.
        #[arg(long)]
        role: Role,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
    },
}

#[derive(Subcommand)]
pub enum BucketCommand {
    /// Every bucket.
    List,
    /// Let one in.
    Approve { name: String },
    /// Shut one out.
    Revoke { name: String },
}
