//! The registry: it enrols buckets, pulls their logs into an archive, files them in tables, has them analysed, and shows all of it.
//!
//! The way of an event: `jobs::extract_logs` asks a bucket (`pull`), checks the answer and keeps it (`log_archive`);
//! `jobs::parse_logs` reads it (`log_parser`) and files it (`store`); `jobs::analyze_logs` has it read; `http` shows it.

pub mod analysis;
pub mod commands;
pub mod config;
pub mod http;
pub mod jobs;
pub mod log_archive;
pub mod log_parser;
pub mod password;
pub mod pull;
pub mod secret;
pub mod store;
pub mod time;
pub mod vault;

pub use config::Config;
pub use store::Store;
