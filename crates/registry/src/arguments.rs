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
    /// Keys that let buckets register.
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
        /// For how long, as 12h, 7d or 7 (days); for ever when not given.
        #[arg(long, value_parser = ttl)]
        ttl: Option<Duration>,
    },
}

/// A time above zero; a number alone is days.
fn ttl(text: &str) -> Result<Duration, String> {
    let time = match text.parse::<u64>() {
        Ok(days) => days.checked_mul(86_400).map(Duration::from_secs),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "must be a time above zero such as 12h, 7d or 7 (days)".to_owned())
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
    /// Have the next run of parse_logs read every object again, of one bucket or of all; no row doubles.
    Reread { name: Option<String> },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_days() {
        const DAY: Duration = Duration::from_secs(86_400);
        assert_eq!((ttl("7"), ttl("7d"), ttl("12h")), (Ok(DAY * 7), Ok(DAY * 7), Ok(DAY / 2)));
        for wrong in ["0", "0s", "", "-1", "soon", "99999999999999999999", "18446744073709551615"] {
            assert!(ttl(wrong).is_err(), "{wrong}");
        }
    }
}
