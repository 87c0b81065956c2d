//! The program itself: its exit statuses and what it prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn program(folder: &Path, settings: &str) -> Command {
    let file = folder.join("Registry.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rustbucket-registry"));
    command
        .arg("--config")
        .arg(file)
        .current_dir(folder)
        .env_remove("ANTHROPIC_API_KEY")
        .env_remove("CLAUDE_API_KEY");
    command
}

fn run(folder: &Path, settings: &str, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = program(folder, settings).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

const SETTINGS: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";

#[test]
fn wrong_settings_and_arguments_are_2_with_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = run(folder.path(), "[sever]\n[pull]\nconcurrency = 0\n", &["serve"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("line 1: `sever`") && err.contains("line 3: `pull.concurrency`"), "{err}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was started");
    let mut missing = Command::new(env!("CARGO_BIN_EXE_rustbucket-registry"));
    assert_eq!(
        missing.args(["--config", "/nowhere/Registry.toml", "check"]).output().unwrap().status.code(),
        Some(2)
    );
    for wrong in [
        &["frobnicate"][..],
        &["run-job", "nothing"],
        &["user", "add", "x", "--role", "king"],
        &["bucket", "approve", "nobody"],
        &["key", "create", "--uses", "0"],
    ] {
        assert_eq!(run(folder.path(), SETTINGS, wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn check_names_everything_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        run(folder.path(), SETTINGS, &["check"]),
        (0, "the settings are right\n".into(), String::new())
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    let settings = format!(
        "[server]\nlisten = \"{}\"\ntls = {{ certificate = \"none.pem\", key = \"none.key\" }}\n[database]\nurl = \"sqlite://file/x.db\"\n\
         [storage]\nurl = \"file://file/archive\"\n[secrets]\nkey_file = \"file\"\n",
        taken.local_addr().unwrap()
    );
    let (code, _, err) = run(folder.path(), &settings, &["check"]);
    assert_eq!(code, 2);
    for setting in [
        "server.listen",
        "server.tls.certificate",
        "server.tls.key",
        "database.url",
        "storage",
        "secrets.key_file",
    ] {
        assert!(err.contains(&format!("`{setting}`: ")), "{setting}: {err}");
    }
    assert_eq!(run(folder.path(), &settings, &["serve"]).0, 1, "a taken port stops the start");
}

#[test]
fn people_keys_and_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let ok = |arguments: &[&str]| {
        let (code, out, err) = run(folder.path(), SETTINGS, arguments);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        out
    };
    assert!(ok(&["migrate"]).contains("applied first") && ok(&["migrate"]).contains("nothing to do"));
    let added = ok(&["user", "add", "ann", "--role", "admin"]);
    let words: Vec<&str> = added.split_whitespace().collect();
    assert!(
        matches!(words.as_slice(), ["ann", "(admin)", "added", "password:", p, "token:", t] if p.len() == 20 && t.starts_with("rbt_")),
        "{added}"
    );
    let changed = ok(&["user", "add", "ann", "--role", "viewer"]);
    assert!(changed.contains("password: ") && !changed.contains("token: "), "{changed}");
    assert!(ok(&["token", "create", "--role", "viewer"]).starts_with("rbt_"));
    assert!(ok(&["key", "create", "--uses", "3", "--ttl", "12h"]).starts_with("rbk_"));
    assert!(ok(&["bucket", "list"]).starts_with("NAME"));
    let report: serde_json::Value = serde_json::from_str(&ok(&["run-job", "parse_logs"])).unwrap();
    assert_eq!(report["objects"], 0);
    let mut child = program(folder.path(), SETTINGS)
        .args(["user", "add", "ben", "--role", "viewer", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a long enough password\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"ben (viewer) added\n");
}

#[test]
fn serve_says_where_it_listens_and_ends_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program(folder.path(), SETTINGS)
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(b"POST /register_bucket HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").unwrap();
    let mut status = String::new();
    BufReader::new(&socket).read_line(&mut status).unwrap();
    assert_eq!(status, "HTTP/1.1 400 Bad Request\r\n");
    drop(socket);
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
