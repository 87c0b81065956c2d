//! `cargo xtask test`: installs what the tests need, then runs every check there is.

mod moto;
pub mod packages;

use std::{ffi::OsStr, path::Path};

use crate::{cargo, failure::Failure};
pub use packages::python;

/// Runs everything; names every check that failed.
pub async fn run() -> Result<(), Failure> {
    packages::install().await?;
    let moto = moto::install().await?;

    // One build for all: the library tests, the acceptance tests and the two programs they start.
    step("building everything");
    cargo::run(["build", "--workspace", "--lib", "--bins", "--tests", "--locked"]).await?;
    let mut failed = Vec::new();
    check(&mut failed, "cargo fmt", "rustfmt", &["fmt", "--all", "--check"]).await;
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    check(&mut failed, "cargo clippy", "cargo-clippy", &clippy).await;
    step("cargo deny");
    if let Err(failure) = deny().await {
        eprintln!("{}", failure.chain());
        failed.push("cargo deny".to_owned());
    }
    step("cargo test");
    if let Err(failure) = tests(&moto).await {
        eprintln!("{}", failure.chain());
        failed.push("cargo test".to_owned());
    }
    if failed.is_empty() {
        println!("\nall checks passed");
        return Ok(());
    }
    Err(Failure::Checks(failed))
}

/// Licences, sources, and what must not be part of the programs; advisories need the network and are left to a person.
async fn deny() -> Result<(), Failure> {
    let mut command = tokio::process::Command::new(moto::cargo_deny());
    command.args(["--locked", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    command.current_dir(cargo::root()).kill_on_drop(true);
    cargo::complete(command).await
}

/// The tests, told where the programs and the S3 server are.
async fn tests(moto: &Path) -> Result<(), Failure> {
    let mut command = cargo::command();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    command.env("RUSTBUCKET_TEST_MOTO", moto).env("RUSTBUCKET_TEST_BUILT", "1");
    cargo::complete(command).await
}

/// Runs a check whose component may not be part of this toolchain.
async fn check(failed: &mut Vec<String>, name: &str, component: &str, arguments: &[&str]) {
    step(name);
    if !is_program(component) {
        println!("{component} is not part of this toolchain: skipped");
        return;
    }
    if let Err(failure) = cargo::run(arguments).await {
        eprintln!("{}", failure.chain());
        failed.push(name.to_owned());
    }
}

/// Whether a program lies in `PATH` or where Debian keeps its daemons.
fn is_program(name: impl AsRef<OsStr>) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin".into(), "/sbin".into()]);
    folders.iter().any(|folder| folder.join(name.as_ref()).is_file())
}

fn step(text: &str) {
    println!("» {text}");
}
