//! What crosses between the bucket and the registry: events, registration, endpoints.
//!
//! This crate is serde types only. It knows no socket, no file and no database, so both processes
//! can depend on it without either learning to name the other.

pub mod bucket;
pub mod endpoints;
pub mod event;

pub use bucket::{BucketName, BucketState, RegisterAnswer, RegisterBucket, Token, UpdateBucketAnswer};
pub use event::{Event, EventKind, Protocol, Stamp};
