//! Where the two programs are: built once, beside the test that asks.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The bucket's program.
pub fn bucket() -> PathBuf {
    folder().join("rustbucket")
}

/// The registry's program.
pub fn registry() -> PathBuf {
    folder().join("rustbucket-registry")
}

/// The folder of the profile that this test was built with, with both programs in it.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("the path of this test");
        // target/PROFILE/deps/test-hash, or target/PROFILE/program
        let above = test.parent().expect("a folder");
        let folder = if above.ends_with("deps") { above.parent().expect("a profile") } else { above };
        // `cargo xtask test` has just built everything; a test that is run alone may find old programs, or none.
        if std::env::var_os("RUSTBUCKET_TEST_BUILT").is_none() {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo
                .current_dir(crate::root())
                .args(["build", "--quiet", "--locked", "-p", "sensor", "-p", "registry"]);
            // As in xtask: build scripts must not take our package for theirs.
            for (name, _) in std::env::vars_os() {
                if ["CARGO_PKG_", "CARGO_MANIFEST_"]
                    .iter()
                    .any(|ours| name.to_string_lossy().starts_with(ours))
                {
                    cargo.env_remove(name);
                }
            }
            if folder.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.status().expect("cargo").success(), "cargo build failed");
        }
        folder.to_owned()
    })
}

/// Whether a client program is installed; a test that wants one and does not find it says so and goes on.
pub fn client(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("{name} is not installed: its part of the test is skipped");
    }
    found
}
