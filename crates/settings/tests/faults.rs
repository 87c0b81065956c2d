//! Every fault is named with its line, all at once, and the environment wins over the file.

use std::time::Duration;

use settings::Tree;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_fault_is_named_with_its_line() {
    let text = "[ports]\nssh = { port = 99999 }\nbogus = 1\n[chat]\ntimeout = \"soon\"\ntimeuot = \"8s\"\n[limits]\nmemory = \"many\"\n";
    let mut tree = Tree::read("Config.toml", text, "RUSTBUCKET_", []);
    {
        let mut top = tree.top();
        let mut ports = top.section("ports");
        assert_eq!(ports.section("ssh").number("port", 1..=65535_u16), None);
        drop(ports);
        let mut chat = top.section("chat");
        assert_eq!(chat.time("timeout"), None);
        drop(chat);
        assert_eq!(top.section("limits").size("memory"), None);
    }
    let faults = tree.finish(()).unwrap_err().to_string();
    let lines: Vec<&str> = faults.lines().collect();
    assert_eq!(lines[0], "Config.toml: 5 faults");
    assert_eq!(lines[1], "  line 2: `ports.ssh.port`: must be a whole number from 1 to 65535, not 99999");
    assert_eq!(lines[2], "  line 3: `ports.bogus`: unknown key");
    assert!(lines[3].starts_with("  line 5: `chat.timeout`: must be a time"), "{}", lines[3]);
    assert_eq!(lines[4], "  line 6: `chat.timeuot`: unknown key; did you mean `timeout`?");
    assert!(lines[5].starts_with("  line 8: `limits.memory`: must be a size"), "{}", lines[5]);
}

#[test]
fn the_environment_wins_and_is_named_in_faults() {
    let variables = environment(&[
        ("RUSTBUCKET_CHAT__TIMEOUT", "3s"),
        ("RUSTBUCKET_PORTS__SSH__PORT", "x"),
        ("RUSTBUCKET_PORTS__SSH__ENABLED", "false"),
        ("OTHER_CHAT__TIMEOUT", "9s"),
        ("RUSTBUCKET_CHAT__PROVIDERS", "claude, chatgpt"),
    ]);
    let mut tree = Tree::read("Config.toml", "[chat]\ntimeout = \"8s\"\n", "RUSTBUCKET_", variables);
    {
        let mut top = tree.top();
        let mut chat = top.section("chat");
        assert_eq!(chat.time("timeout"), Some(Duration::from_secs(3)));
        let providers: Vec<String> =
            chat.texts("providers").unwrap().into_iter().map(|found| found.value).collect();
        assert_eq!(providers, ["claude", "chatgpt"]);
        drop(chat);
        let mut ports = top.section("ports");
        let mut ssh = ports.section("ssh");
        assert_eq!(ssh.flag("enabled"), Some(false));
        assert_eq!(ssh.number("port", 1..=65535_u16), None);
    }
    let faults = tree.finish(()).unwrap_err();
    assert_eq!(
        faults.faults[0].to_string(),
        "environment RUSTBUCKET_PORTS__SSH__PORT: `ports.ssh.port`: must be a whole number from 1 to 65535, not a text of 1 characters"
    );
}

#[test]
fn broken_toml_is_a_fault_with_a_line() {
    let mut tree = Tree::read("Registry.toml", "[server]\nlisten = \n", "RUSTBUCKET_", []);
    let _listen = tree.top().section("server").text("listen");
    let faults = tree.finish(()).unwrap_err().to_string();
    assert!(faults.contains("line 2: not TOML"), "{faults}");
}

#[test]
fn messages_come_in_the_order_of_their_numbers() {
    let text = "message10 = \"c\"\nmessage2 = \"b\"\nmessage1 = \"a\"\n";
    let mut tree = Tree::read("Config.toml", text, "RUSTBUCKET_", []);
    let messages: Vec<String> = tree.top().all_texts().into_iter().map(|(_, text)| text).collect();
    assert_eq!(messages, ["a", "b", "c"]);
    assert!(tree.finish(()).is_ok());
}
