//! Defaults, and faults that are all named at once.

use super::*;

fn read(text: &str) -> Result<Config, Faults> {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let text = format!("[general]\nlog_directory = \"{at}/logs\"\nstate_directory = \"{at}/state\"\n{text}");
    Config::read("Config.toml", &text, [])
}

#[test]
fn defaults_are_the_five_daemons_on_their_own_ports() {
    let config = read("").unwrap();
    let ports: Vec<(&str, u16)> = config.listeners.iter().map(|l| (l.name.as_str(), l.port)).collect();
    assert_eq!(ports, [("ssh", 22), ("telnet", 23), ("ftp", 21), ("smtp", 25), ("http", 80)]);
    assert_eq!(config.management.port, 8443);
}

#[test]
fn a_port_named_twice_is_a_fault_on_its_line() {
    let faults = read("[ports]\nssh = { port = 2222 }\ntelnet = { port = 2222 }\nhttp = { port = 8443 }\n")
        .unwrap_err();
    let text = faults.to_string();
    assert!(
        text.contains("line 6: `ports.telnet`: port 2222 is named twice: `ports.ssh` has it too"),
        "{text}"
    );
    assert!(
        text.contains("line 7: `ports.http`: port 8443 is named twice: `management.port` has it too"),
        "{text}"
    );
}

#[test]
fn a_disabled_port_takes_no_place() {
    let config =
        read("[ports]\nssh = { enabled = false, port = 2222 }\nold = { port = 2222, protocol = \"plain\", banner = \"hi\" }\n")
            .unwrap();
    assert!(config.listeners.iter().all(|listener| listener.name != "ssh"));
    let old = config.listeners.iter().find(|listener| listener.name == "old").unwrap();
    assert_eq!((old.port, old.protocol, old.banner.as_deref()), (2222, Protocol::Plain, Some("hi")));
}

#[test]
fn all_faults_come_at_once() {
    let text = "[ports]\nssh = { port = 70000 }\nodd = { protocol = \"gopher\" }\n[registration]\nrustbucket_registry_url = \"nowhere\"\n[logins]\nalways = [\"root\"]\n[typo]\na = 1\n";
    let faults = read(text).unwrap_err();
    let keys: Vec<&str> = faults.faults.iter().map(|fault| fault.key.as_str()).collect();
    for key in [
        "ports.ssh.port",
        "ports.odd.protocol",
        "ports.odd.port",
        "registration.rustbucket_registry_url",
        "logins.always",
        "typo",
    ] {
        assert!(keys.contains(&key), "{key} is not among {keys:?}");
    }
}
