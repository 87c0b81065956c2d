//! The bucket: listeners, sessions, event log, registration and management port.

pub mod artifacts;
pub mod birth;
pub mod event_log;
pub mod management;
pub mod registration;
pub mod vitals;
