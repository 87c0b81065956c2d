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
        &["key", "create", "--ttl", "0"],
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
    let (code, out, told) = run(folder.path(), &settings, &["serve"]);
    assert_eq!((code, out.as_str()), (2, ""), "{told}");
    assert_eq!(told, err, "serve finds what check finds, and starts nothing");
}

#[test]
fn https_is_served_and_s3_is_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["registry.invalid".to_owned()]).unwrap();
    std::fs::write(folder.path().join("one.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("one.key"), made.signing_key.serialize_pem()).unwrap();
    let tls = format!("{SETTINGS}tls = {{ certificate = \"one.pem\", key = \"one.key\" }}\n");
    let mut child = program(folder.path(), &tls)
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on https://").unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let address: std::net::SocketAddr = address.parse().unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
    let client = client.resolve("registry.invalid", address).build().unwrap();
    let url = format!("https://registry.invalid:{}/register_bucket", address.port());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(client.post(url).body("{}").send()).unwrap().status(), 400);
    let ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(ended.success() && child.wait().unwrap().success());
    // Nobody listens there; that is a fault of the settings, told as one.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let s3 = format!(
        "{SETTINGS}[storage]\nurl = \"s3://honey\"\n[storage.s3]\nendpoint = \"http://{nobody}\"\nregion = \"x\"\n\
         access_key_id = \"id\"\nsecret_access_key = \"key\"\n"
    );
    let (code, _, err) = run(folder.path(), &s3, &["check"]);
    assert!(code == 2 && err.contains("`storage`: "), "{code} {err}");
}

#[test]
fn certificate_and_key_are_parsed_and_must_fit() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let [one, two] =
        [(), ()].map(|()| rcgen::generate_simple_self_signed(vec!["registry.invalid".to_owned()]).unwrap());
    write("one.pem", &one.cert.pem());
    write("one.key", &one.signing_key.serialize_pem());
    write("two.key", &two.signing_key.serialize_pem());
    write("rubbish", "rubbish");
    write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (certificate, key, told) in [
        ("one.pem", "one.key", &[][..]),
        ("one.pem", "two.key", &["`server.tls`: "]),
        ("broken.pem", "one.key", &["`server.tls`: "]),
        ("rubbish", "rubbish", &["`server.tls.certificate`: ", "`server.tls.key`: "]),
        ("one.key", "one.pem", &["`server.tls.certificate`: ", "`server.tls.key`: "]),
    ] {
        let settings = format!("{SETTINGS}tls = {{ certificate = \"{certificate}\", key = \"{key}\" }}\n");
        let (code, _, err) = run(folder.path(), &settings, &["check"]);
        assert_eq!(code, if told.is_empty() { 0 } else { 2 }, "{certificate} {key}: {err}");
        assert_eq!(err.lines().count(), told.len(), "{err}");
        for told in told {
            assert!(err.contains(told), "{told}: {err}");
        }
        if !told.is_empty() {
            assert_eq!(run(folder.path(), &settings, &["serve"]).0, 2);
        }
    }
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
    assert!(ok(&["key", "create", "--ttl", "7"]).starts_with("rbk_"));
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
