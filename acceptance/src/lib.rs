//! Both programs as real processes in private folders, real clients to visit them, and stand-ins for the models.
//!
//! Everything listens on loopback, on free ports, and is ended by its own process id.

// A harness for tests and measurements: a step that fails ends the test with its reason, which is what `expect` does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod binaries;
pub mod browser;
pub mod bucket;
pub mod clients;
pub mod corpora;
pub mod cost;
pub mod labels;
pub mod ports;
pub mod process;
pub mod real;
pub mod registry;
pub mod report;
pub mod signatures;
pub mod standins;
pub mod tables;

pub use browser::Browser;
pub use bucket::Bucket;
pub use registry::Registry;

/// Installs the one cryptography provider; every test that speaks HTTP or TLS calls it first.
pub fn init() {
    // An error means that another test of this process was faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The top of the repository.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}
