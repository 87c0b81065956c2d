//! The bucket: listeners, sessions, event log, registration and management port.
