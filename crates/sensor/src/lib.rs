//! The bucket: listeners, sessions, event log, registration and management port.

pub mod admission;
pub mod artifacts;
pub mod birth;
pub mod bucket;
pub mod config;
pub mod event_log;
mod ftp_data;
pub mod handler;
pub mod image;
pub mod label;
mod line;
mod listener;
pub mod management;
pub mod oracle;
mod recording;
pub mod registration;
pub mod remembered;
pub mod session;
pub mod shares;
mod spent;
pub mod ssh;
mod tls;
pub mod vitals;
