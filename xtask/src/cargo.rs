//! Calls to cargo, with its own progress on the terminal.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use crate::failure::Failure;

/// The top of the repository.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// What cargo sets for the program it runs.
const OURS: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];

/// A cargo command that runs in the repository and dies with us.
pub fn command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).kill_on_drop(true).stdin(Stdio::null());
    // `cargo run` tells us about ourselves; build scripts that look there would be run again at every change of caller.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OURS.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs cargo with these arguments; says which call failed.
pub async fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<(), Failure> {
    let mut command = command();
    command.args(arguments);
    complete(command).await
}

/// Runs a prepared cargo command to its end.
pub async fn complete(mut command: Command) -> Result<(), Failure> {
    let program = shown(&command);
    let status =
        command.status().await.map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Program { program, status, said: String::new() }) }
}

/// Builds and gives the path of each executable by the name of its target.
pub async fn build(arguments: &[&str]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut command = command();
    command
        .arg("build")
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped());
    let program = shown(&command);
    let child = command.spawn().map_err(|source| Failure::Launch { program: program.clone(), source })?;
    let output = child
        .wait_with_output()
        .await
        .map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if !output.status.success() {
        return Err(Failure::Program { program, status: output.status, said: String::new() });
    }
    Ok(executables(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads cargo's JSON messages: one `compiler-artifact` an executable.
fn executables(messages: &str) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        let text = |pointer: &str| message.pointer(pointer).and_then(|value| value.as_str());
        let is_test = message.pointer("/profile/test").and_then(|test| test.as_bool()) == Some(true);
        if let (Some("compiler-artifact"), Some(name), Some(path), false) =
            (text("/reason"), text("/target/name"), text("/executable"), is_test)
        {
            found.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    found
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let arguments = command.as_std().get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("cargo".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargo_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"wire"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"rustbucket"},"executable":"/t/rustbucket"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"rustbucket"},"profile":{"test":true},"executable":"/t/test"}"#,
            "\nnot json\n",
        );
        let found = executables(messages);
        assert_eq!(found.len(), 1);
        assert_eq!(found["rustbucket"], Path::new("/t/rustbucket"));
    }
}
