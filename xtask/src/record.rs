//! `cargo xtask record`: the real daemons, asked again; their answers go into the transcripts that our tests replay.

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;

use crate::{cargo, failure::Failure, test::packages};

/// The daemons, the packages that bring them, and what they are for.
pub const DAEMONS: &[packages::Needed] = &[
    ("python3", "python3", "plays the visitor"),
    ("sshd", "openssh-server", "SSH"),
    ("vsftpd", "vsftpd", "FTP"),
    ("postconf", "postfix", "SMTP"),
    ("saslpasswd2", "sasl2-bin", "SMTP logins"),
    ("nginx", "nginx-light", "HTTP"),
    ("telnetd", "inetutils-telnetd", "Telnet"),
    ("make-ssl-cert", "ssl-cert", "certificates"),
    ("ssh", "openssh-client", "visits"),
    ("sshpass", "sshpass", "visits"),
];

/// Installs the daemons, naming them first, and records the answers to these transcripts, or to all.
pub async fn run(files: &[PathBuf]) -> Result<(), Failure> {
    packages::require("The recording needs", DAEMONS).await?;
    let script = cargo::root().join("crates/decoy/tests/transcripts/record.py");
    let status = Command::new(packages::python())
        .arg(script)
        .args(files)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|source| Failure::Launch { program: "record.py".into(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Program { program: "record.py".into(), status, said: String::new() })
}
