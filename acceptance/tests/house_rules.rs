//! The rules of the house that the compiler does not hold: arrows between crates, one place that stamps, documents that are true.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use acceptance::{binaries, process::complete, root};
use serde_json::Value;
use wire::EventKind;

/// Every source file of the workspace, by its path from the top.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for top in ["crates", "xtask", "acceptance"] {
        walk(&root().join(top), &mut found);
    }
    found.sort();
    let shown = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    found.iter().map(|path| (shown(path), fs::read_to_string(path).unwrap())).collect()
}

/// The sources that become part of a program: no tests, benchmarks, examples or fixtures.
fn product_sources() -> Vec<(String, String)> {
    let is_product = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or_default();
        path.starts_with("crates/")
            && path.contains("/src/")
            && !path.contains("/tests/")
            && !name.starts_with("test")
    };
    sources().into_iter().filter(|(path, _)| is_product(path)).collect()
}

/// The lines of a file that are code of the product: no comments, nothing after the tests begin.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.lines().take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"));
    code.enumerate()
        .map(|(number, line)| (number + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// What cargo knows of the workspace; `resolved` asks for every package that is built here, with its features.
fn metadata(resolved: bool) -> Value {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(["metadata", "--format-version", "1", "--locked"]);
    if resolved {
        command.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    } else {
        command.arg("--no-deps");
    }
    let (status, printed, said) = complete(&mut command);
    assert!(status.success(), "cargo metadata: {said}");
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let arrows: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("wire", [].as_slice()),
        ("settings", &[]),
        ("umac", &[]),
        ("chat", &["settings"]),
        ("decoy", &["wire"]),
        ("sensor", &["wire", "decoy", "chat", "settings"]),
        ("registry", &["wire", "chat", "settings"]),
        ("xtask", &[]),
        ("acceptance", &["wire", "decoy", "sensor", "registry"]),
    ]);
    let metadata = metadata(false);
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        arrows.keys().copied().collect(),
        "a crate more or less: draw its arrows here and in ARCHITECTURE.md"
    );
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let wanted = dependency["name"].as_str().unwrap();
            // Tests of one crate may look at any other; the product may not.
            let of_tests = dependency["kind"] == "dev";
            assert!(
                !names.contains(wanted) || of_tests || arrows[name].contains(&wanted),
                "{name} must not depend on {wanted}"
            );
        }
    }
}

#[test]
fn the_shell_library_has_no_feature() {
    let metadata = metadata(true);
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let shells: Vec<&Value> =
        nodes.iter().filter(|node| node["id"].as_str().unwrap().contains("bashkit@")).collect();
    assert_eq!(shells.len(), 1, "one version of the shell library");
    assert_eq!(shells[0]["features"], serde_json::json!([]), "no network, no real files, no interpreters");
    assert!(
        shells[0]["id"].as_str().unwrap().ends_with("@0.20.2"),
        "its recursion guards are mirrored for this version"
    );
}

#[test]
fn identity_is_stamped_in_one_place() {
    let mut places = BTreeSet::new();
    for (path, text) in product_sources() {
        if path == "crates/wire/src/event.rs" {
            continue;
        }
        // A type position (`-> Stamp {`) makes none.
        if product_lines(&text).any(|(_, line)| line.contains("Stamp {") && !line.contains("-> ")) {
            places.insert(path);
        }
    }
    let (session, writer) = ("crates/sensor/src/session.rs", "crates/sensor/src/event_log/writer.rs");
    assert_eq!(places, [session, writer].map(str::to_owned).into(), "who makes a `wire::Stamp`");
    // The log writes its own gaps: those belong to no visitor, so it can know none.
    let text = fs::read_to_string(root().join(writer)).unwrap();
    assert!(
        text.contains("protocol: Protocol::Rustbucket,"),
        "{writer} stamps the program's own events alone"
    );
    for word in ["peer", "SocketAddr", "IpAddr"] {
        assert!(
            product_lines(&text).all(|(_, line)| !line.contains(word)),
            "{writer} names {word}, and must know no visitor"
        );
    }
}

#[test]
fn every_event_is_documented_and_every_documented_event_exists() {
    let document = fs::read_to_string(root().join("EVENTS.md")).unwrap();
    let headings: Vec<&str> =
        document.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    let documented: BTreeSet<&str> = headings.iter().copied().collect();
    assert_eq!(documented.len(), headings.len(), "an event is documented twice");
    assert_eq!(documented, EventKind::IDS.iter().copied().collect());

    // The example under each heading is that event, as the programs read and write it, with no field too many.
    let examples: Vec<Value> = document
        .split("```json\n")
        .skip(1)
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    let ids: Vec<&str> = examples.iter().map(|example| example["eventid"].as_str().unwrap()).collect();
    assert_eq!(ids, headings, "one example under each heading");
    for example in examples {
        let kind: EventKind =
            serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{error} in {example}"));
        let written = serde_json::to_value(&kind).unwrap();
        assert_eq!(written, example, "the example is what is written");
        for field in written.as_object().unwrap().keys().filter(|field| *field != "eventid") {
            assert!(
                document.contains(&format!("| `{field}` |")),
                "field {field} of {} is not documented",
                kind.id()
            );
        }
    }
}

#[test]
fn example_settings_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    // Port numbers below 1024 need rights that a test does not have: they are moved through the environment, as CONTRACT allows.
    let free = acceptance::ports::free(6);
    let names = ["SSH", "TELNET", "FTP", "SMTP", "HTTP"];
    for example in ["Config.example.toml", "examples/original.toml"] {
        let mut command = Command::new(binaries::bucket());
        command.args(["check", "--config"]).arg(root().join(example)).current_dir(folder.path());
        for (name, port) in names.iter().zip(&free) {
            command.env(format!("RUSTBUCKET_PORTS__{name}__PORT"), port.to_string());
        }
        command.env("RUSTBUCKET_MANAGEMENT__PORT", free[5].to_string());
        command
            .env("RUSTBUCKET_GENERAL__LISTEN_ADDRESS", "127.0.0.1")
            .env("RUSTBUCKET_MANAGEMENT__LISTEN_ADDRESS", "127.0.0.1");
        let plain = [("ORIGINAL_FTP", 0), ("ORIGINAL_TELNET", 1), ("ORIGINAL_SMTP", 2), ("ORIGINAL_HTTP", 3)];
        if example.contains("original") {
            let more = acceptance::ports::free(4);
            for (name, at) in plain {
                command.env(format!("RUSTBUCKET_PORTS__{name}__PORT"), more[at].to_string());
            }
        }
        let (status, printed, said) = complete(&mut command);
        assert!(status.success(), "rustbucket check of {example} ended with {status}:\n{printed}{said}");
    }
    let mut command = Command::new(binaries::registry());
    command.args(["check", "--config"]).arg(root().join("Registry.example.toml")).current_dir(folder.path());
    let (status, printed, said) = complete(&mut command);
    assert!(status.success(), "rustbucket-registry check ended with {status}:\n{printed}{said}");
}

#[test]
fn the_decoy_names_nothing_outside_itself() {
    let forbidden = [
        "std::fs",
        "tokio::fs",
        "std::process",
        "tokio::process",
        "std::env",
        "env!(",
        "std::os::unix::net",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "SystemTime::now",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "std::io::stdin",
        "std::io::stdout",
        "std::thread::sleep",
        "tokio::time::sleep",
        "reqwest",
        "include_str!(\"/",
        "include_bytes!(\"/",
    ];
    // Time comes in at one place.
    let clock = "crates/decoy/src/machine/clock.rs";
    for (path, text) in
        product_sources().into_iter().filter(|(path, _)| path.starts_with("crates/decoy/") && path != clock)
    {
        for (number, line) in product_lines(&text) {
            // Words in a string are what the machine shows, not what it does.
            let code: String = line.split('"').step_by(2).collect();
            for word in forbidden {
                assert!(
                    !code.contains(word),
                    "{path}:{number} names {word}: the only door out is `Oracle`, time is `Clock`"
                );
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 12,
            "{path} must open with one `//!` line saying what it is for"
        );
    }
}

#[test]
fn no_file_is_named_for_nothing() {
    for (path, _) in sources() {
        let name = Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
        let empty = ["common", "utils", "util", "helpers", "helper", "manager", "misc"];
        assert!(!empty.contains(&name.as_str()), "{path}: that name says nothing");
    }
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let (status, listed, said) = complete(Command::new("git").current_dir(root()).args(["ls-files", "-z"]));
    if !status.success() {
        eprintln!("not a git checkout ({}): skipped", said.trim());
        return;
    }
    // In two pieces, so that this file does not name them itself.
    let paths = [
        concat!("/wo", "rk/"),
        concat!("/tmp/", "wt/"),
        concat!(".cargo/", "registry/src"),
        concat!("/tmp/", "bash_jobs"),
    ];
    for file in listed.split('\0').filter(|file| !file.is_empty()) {
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        for path in paths {
            assert!(!text.contains(path), "{file} names {path}");
        }
    }
}
