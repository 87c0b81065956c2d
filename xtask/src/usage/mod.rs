//! `cargo xtask usage`: records what the programs of the Debian root say about themselves, for `decoy`.
//!
//! They run in namespaces of their own without a network, over a throw-away layer, with few capabilities.

use std::{fs, process::Stdio};

use tokio::process::Command;

use crate::{cargo, debian, failure::Failure};

/// Lays the layer and asks.
const INSIDE: &str = include_str!("inside.sh");
/// The questions.
const ASK: &str = include_str!("ask.py");
/// Where `decoy` reads the answers.
const RECORDED: &str = "crates/decoy/src/shell/commands/usage.zst";

/// What programs and libraries are linked with, read from their files.
const LINKED: &str = include_str!("libraries.py");
/// Where `decoy` reads that.
const LIBRARIES: &str = "crates/decoy/src/shell/commands/libraries.zst";

/// Asks every program and writes down the answers.
pub async fn run() -> Result<(), Failure> {
    let root = debian::root().await?;
    let folder = cargo::target().join("usage");
    fs::create_dir_all(folder.join("layer")).map_err(Failure::file("make", &folder))?;
    for (name, text) in [("inside.sh", INSIDE), ("ask.py", ASK)] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Failure::file("write", &path))?;
    }
    println!("» asking the programs in {} (some minutes)", root.display());
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child=KILL", "sh"])
        .arg(folder.join("inside.sh"))
        .arg(&root)
        .arg(folder.join("layer"))
        .arg(folder.join("ask.py"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let program = "unshare".to_owned();
    let output =
        command.output().await.map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if !output.status.success() {
        let said = format!("\n{}", String::from_utf8_lossy(&output.stderr));
        return Err(Failure::Program { program, status: output.status, said });
    }
    let packed = zstd::encode_all(output.stdout.as_slice(), 19).map_err(Failure::file("pack", RECORDED))?;
    let path = cargo::root().join(RECORDED);
    fs::write(&path, &packed).map_err(Failure::file("write", &path))?;
    println!("{} bytes of answers, {} packed: {}", output.stdout.len(), packed.len(), path.display());
    libraries(&root).await
}

/// Reads what the root's programs and libraries are linked with. Nothing of them is run.
async fn libraries(root: &std::path::Path) -> Result<(), Failure> {
    let program = "python3".to_owned();
    let output = Command::new(&program)
        .args(["-c", LINKED])
        .arg(root)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if !output.status.success() {
        let said = format!("\n{}", String::from_utf8_lossy(&output.stderr));
        return Err(Failure::Program { program, status: output.status, said });
    }
    let packed = zstd::encode_all(output.stdout.as_slice(), 19).map_err(Failure::file("pack", LIBRARIES))?;
    let path = cargo::root().join(LIBRARIES);
    fs::write(&path, &packed).map_err(Failure::file("write", &path))
}
