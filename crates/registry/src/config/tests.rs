//! Settings: the defaults, the example, and every fault with its line.

use super::*;

fn parse(text: &str) -> Result<Config, Faults> {
    Config::parse("Registry.toml", text, [])
}

fn faults(text: &str) -> Vec<String> {
    parse(text).unwrap_err().faults.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_set_is_the_embedded_registry() {
    let config = parse("").unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.server.public_url, "http://127.0.0.1:8000/");
    assert_eq!(config.database, DatabaseUrl::Sqlite("./data/registry.db".into()));
    assert_eq!(config.storage, Storage::Folder("./data/archive".into()));
    assert_eq!(config.schedule.analyze_logs, Duration::from_secs(4 * 3600));
    assert!(config.registration.require_key && !config.registration.auto_approve);
    assert_eq!((config.pull.concurrency, config.pull.max_response), (256, 64 * 1024 * 1024));
    assert_eq!(config.analysis.provider, Provider::Claude);
}

#[test]
fn the_example_is_right_and_names_every_setting() {
    let example = include_str!("../../../../Registry.example.toml");
    parse(example).unwrap();
    // With every comment that holds a setting opened, it still holds: the example names no setting wrongly.
    let opened: String =
        example.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
    let config = parse(&opened).unwrap();
    assert!(config.server.tls.is_some() && config.analysis.chat.ollama.base_url.is_some());
    for key in [
        "listen",
        "public_url",
        "tls",
        "trusted_proxies",
        "url",
        "endpoint",
        "region",
        "access_key_id",
        "secret_access_key",
        "update_buckets",
        "extract_logs",
        "parse_logs",
        "analyze_logs",
        "health_check",
        "retention",
        "require_key",
        "auto_approve",
        "allowed_networks",
        "max_pending",
        "per_minute",
        "concurrency",
        "connect_timeout",
        "timeout",
        "max_response",
        "max_rounds",
        "provider",
        "budget_per_day",
        "max_tokens",
        "prices",
        "api_key",
        "model",
        "base_url",
        "events_days",
        "archive_days",
        "key_file",
    ] {
        assert!(opened.lines().any(|line| line.trim_start().starts_with(key)), "{key} is not in the example");
    }
}

#[test]
fn every_fault_is_named_at_once_with_its_line() {
    let found = faults(
        "[server]\nlisten = \"127.0.0.1:99999\"\ntrusted_proxies = [\"ten\"]\n\n[databse]\nurl = \"x\"\n[storage]\nurl = \"ftp://x\"\n\
         [schedule]\nextract_logs = \"soon\"\n[pull]\nconcurency = 3\nmax_response = \"1TiB\"\n[analysis]\nprovider = \"oracle\"\n\
         budget_per_day = \"-1\"\n[registration]\nrequire_key = \"perhaps\"\n",
    );
    let expected = [
        "line 2: `server.listen`: must be an address and a port",
        "line 3: `server.trusted_proxies`: `ten` is not a network",
        "line 5: `databse`: unknown key; did you mean `database`?",
        "line 8: `storage.url`: must be \"file://PATH\"",
        "line 10: `schedule.extract_logs`: must be a time",
        "line 12: `pull.concurency`: unknown key; did you mean `concurrency`?",
        "line 13: `pull.max_response`: must be a size",
        "line 15: `analysis.provider`: must be",
        "line 16: `analysis.budget_per_day`: must be an amount",
        "line 18: `registration.require_key`: must be true or false",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} / {expected}");
    }
}

#[test]
fn a_size_may_be_a_plain_number_of_bytes() {
    for written in ["1048576", "\"1048576\"", "\"1MiB\""] {
        let config = parse(&format!("[pull]\nmax_response = {written}\n")).unwrap();
        assert_eq!(config.pull.max_response, 1024 * 1024, "{written}");
    }
    for wrong in ["1000", "\"2GiB\"", "-5", "true"] {
        let found = faults(&format!("[pull]\nmax_response = {wrong}\n"));
        assert!(
            found.len() == 1 && found[0].starts_with("line 2: `pull.max_response`: must be a size"),
            "{wrong}: {found:?}"
        );
    }
}

#[test]
fn broken_toml_and_wrong_shapes_are_named() {
    assert!(faults("[server]\nlisten = = 3\n")[0].starts_with("line 2: "));
    assert!(faults("server = 3\n")[0].starts_with("line 1: `server`: must be a table"));
    assert!(faults("[database]\nurl = [\"a\"]\n")[0].starts_with("line 2: `database.url`: must be"));
    assert_eq!(
        faults("[server.tls]\nkey = \"k\"\n"),
        ["line 1: `server.tls`: needs both `certificate` and `key`"]
    );
    assert!(faults("[server]\nlisten=\"127.0.0.1:1\"\nlisten=\"127.0.0.1:2\"\n")[0].starts_with("line 3: "));
    assert!(faults("[database]\nurl = \"mysql://root@localhost/\"\n")[0].contains("/database"));
    assert!(faults("[storage]\nurl = \"s3://bucket/../x\"\n")[0].contains("PREFIX"));
    assert!(faults("[storage.s3]\naccess_key_id = \"x\"\n")[0].contains("needs both"));
}

#[test]
fn the_environment_wins_and_is_checked() {
    let with =
        |text: &str, name: &str, value: &str| Config::parse("x", text, [(name.to_owned(), value.to_owned())]);
    let config =
        with("[server]\nlisten=\"127.0.0.1:1\"", "RUSTBUCKET_REGISTRY__SERVER__LISTEN", "127.0.0.1:2")
            .unwrap();
    assert_eq!(config.server.listen.port(), 2);
    let config =
        with("", "RUSTBUCKET_REGISTRY__REGISTRATION__ALLOWED_NETWORKS", "10.0.0.0/8, 127.0.0.1").unwrap();
    assert_eq!(config.registration.allowed_networks.len(), 2);
    let wrong = with("", "RUSTBUCKET_REGISTRY__SERVER__LISTN", "x").unwrap_err();
    assert_eq!(
        wrong.faults[0].to_string(),
        "environment RUSTBUCKET_REGISTRY__SERVER__LISTN: `server.listn`: unknown key; did you mean `listen`?"
    );
    let key = with("", "CLAUDE_API_KEY", "sk-secret").unwrap();
    assert_eq!(key.analysis.chat.anthropic.api_key.as_ref().map(chat::Secret::reveal), Some("sk-secret"));
    assert!(!format!("{key:?}").contains("sk-secret"));
}
