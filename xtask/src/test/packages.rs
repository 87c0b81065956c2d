//! The Debian packages that the tests need: named first, then installed.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use super::{is_program, step};
use crate::failure::Failure;

/// A program that is started, the package that brings it, and what it is for.
pub type Needed = (&'static str, &'static str, &'static str);

const NEEDED: [Needed; 13] = [
    ("pkg-config", "pkg-config", "finding the library of TLS"),
    ("mariadbd", "mariadb-server", "the store, on MySQL's dialect"),
    ("python3", "python3", "the S3 server"),
    ("chromium", "chromium", "the pages, in a browser"),
    ("chromedriver", "chromium-driver", "the pages, in a browser"),
    ("ssh", "openssh-client", "visits"),
    ("sshpass", "sshpass", "visits"),
    ("curl", "curl", "visits"),
    ("telnet", "telnet", "visits"),
    ("lftp", "lftp", "visits"),
    ("swaks", "swaks", "visits"),
    ("strace", "strace", "what the bucket asks of the kernel"),
    ("taskset", "util-linux", "one core each for server and client"),
];

/// Installs what the tests miss.
pub async fn install() -> Result<(), Failure> {
    let mut needed = NEEDED.to_vec();
    if !has_venv().await {
        // No program of this name exists: it is missing.
        needed.push(("python3-venv", "python3-venv", "the S3 server"));
    }
    if !has_openssl().await {
        // Likewise.
        needed.push(("libssl-dev", "libssl-dev", "TLS as visitors see it"));
    }
    require("The tests need", &needed).await
}

/// Names these packages and installs what is missing.
pub async fn require(who: &str, needed: &[Needed]) -> Result<(), Failure> {
    let missing: Vec<&str> =
        needed.iter().filter(|(program, ..)| !is_program(program)).map(|(_, package, _)| *package).collect();
    let named: Vec<String> =
        needed.iter().map(|(_, package, purpose)| format!("  {package} ({purpose})")).collect();
    println!("{who} these Debian packages:\n{}", named.join("\n"));
    if missing.is_empty() {
        println!("All are installed.");
        return Ok(());
    }
    step(&format!("installing {}", missing.join(" ")));
    if !is_program("apt-get") {
        return Err(Failure::Packages(format!(
            "there is no apt-get here: install {} by hand",
            missing.join(" ")
        )));
    }
    apt(&["update", "-qq"], &[]).await?;
    apt(&["install", "-y", "-qq", "--no-install-recommends"], &missing).await
}

/// Runs apt-get as root, directly or through sudo.
async fn apt(verb: &[&str], packages: &[&str]) -> Result<(), Failure> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else if is_program("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        return Err(Failure::Packages(format!(
            "not root, and no sudo: as root, apt-get install {}",
            packages.join(" ")
        )));
    };
    command
        .args(verb)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let program = format!("apt-get {}", verb.join(" "));
    let status =
        command.status().await.map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Program { program, status, said: String::new() }) }
}

/// Debian's python3 comes without the module that makes virtual environments complete.
async fn has_venv() -> bool {
    let python = python();
    let status = Command::new(python)
        .args(["-c", "import venv, ensurepip"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}

/// OpenSSL with its headers, new enough to be set up as version 3.0.
async fn has_openssl() -> bool {
    let status = Command::new("pkg-config")
        .args(["--exists", "openssl >= 3"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}

/// Debian's own Python if it is there, so that the package `python3-venv` fits to it.
pub fn python() -> &'static str {
    if Path::new("/usr/bin/python3").is_file() { "/usr/bin/python3" } else { "python3" }
}
