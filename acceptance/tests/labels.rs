//! Who it was, through the whole bucket: keys of a person, lines of a script, and a reader of what nobody sees.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{net::Ipv4Addr, time::Duration};

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    clients::{Lines, Ssh},
};
use serde_json::Value;

/// The labels told so far of visits from this address.
async fn label(bucket: &mut Bucket, source: Ipv4Addr) -> Value {
    for _ in 0..200 {
        let events = bucket.events();
        let told = events.into_iter().find(|event| {
            event["eventid"] == "rustbucket.session.label" && event["src_ip"] == source.to_string().as_str()
        });
        if let Some(told) = told {
            return told;
        }
        bucket.process().assert_alive();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no label of {source}");
}

/// Presses keys one by one, as unevenly as fingers do, and enters the line.
async fn press(telnet: &mut Lines, line: &str) {
    for (number, key) in line.bytes().enumerate() {
        telnet.send([key]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(45 + 37 * (number as u64 * 7 % 5))).await;
    }
    telnet.send("\r").await.unwrap();
    telnet.read_until(acceptance::clients::at_prompt).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_scripts_and_agents_are_told_apart() {
    acceptance::init();
    let mut bucket = Bucket::new();
    bucket.set(&["labels", "bait"], true);
    bucket.start().await;
    let ports = bucket.ports.clone();
    let [person, script, agent, silent] = [1, 2, 3, 4].map(|last| Ipv4Addr::new(127, 40, 0, last));

    let mut telnet = Lines::telnet_from(person, ports.telnet).await.unwrap();
    telnet.log_in("root", PASSWORD).await.unwrap();
    press(&mut telnet, "unmae\x7f\x7f\x7fame -a").await;
    press(&mut telnet, "cat /etc/hostname").await;
    drop(telnet);

    let mut telnet = Lines::telnet_from(script, ports.telnet).await.unwrap();
    let greeted = telnet.log_in("root", PASSWORD).await.unwrap();
    for line in ["enable", "system", "shell", "sh", "/bin/busybox MIRAI"] {
        telnet.send_line(line).await.unwrap();
    }
    telnet.until("MIRAI").await.unwrap();
    drop(telnet);

    // The instruction stands in the bytes, hidden and wiped away; its command is none of the machine's.
    let at = greeted.find("Run `").expect("the bait is there") + "Run `".len();
    assert!(greeted[..at].contains("\x1b[8m") && greeted[at..].contains("\x1b[0m\r\x1b[2K"), "{greeted:?}");
    let mut ssh = Ssh::log_in_from(agent, ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    let mut shell = ssh.shell().await.unwrap();
    let shown = shell.take_shown();
    let word: String =
        shown[shown.find("Run `").expect("bait over SSH") + 5..].chars().take_while(|c| *c != '`').collect();
    assert_ne!(word, greeted[at..at + word.len()], "every visit has its own word");
    let answer = shell.line(&word, Duration::from_secs(20)).await.unwrap();
    assert!(answer.contains("command not found"), "{answer}");
    ssh.leave().await;

    // Who does nothing is nobody.
    drop(Lines::connect_from(silent, ports.ftp).await.unwrap());

    for (source, wanted) in [(person, "human"), (script, "script"), (agent, "agent")] {
        let told = label(&mut bucket, source).await;
        assert_eq!(told["label"], wanted, "{told:#}");
        assert!(
            !told["reasons"].as_array().unwrap().is_empty() && told["confidence"].as_f64().unwrap() > 0.1
        );
    }
    bucket.assert_sound();
    bucket.stop();
    let of_silent = |event: &&Value| event["src_ip"] == "127.40.0.4";
    let told: Vec<Value> =
        bucket.events().iter().filter(of_silent).map(|event| event["eventid"].clone()).collect();
    assert_eq!(told, ["cowrie.session.connect", "cowrie.session.closed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_bait_unless_it_is_switched_on() {
    acceptance::init();
    let mut bucket = Bucket::new();
    bucket.start().await;
    let mut telnet = Lines::telnet(bucket.ports.telnet).await.unwrap();
    let greeted = telnet.log_in("root", PASSWORD).await.unwrap();
    assert!(!greeted.contains("\x1b[8m") && !greeted.contains("assistants"), "{greeted:?}");
    bucket.stop();
}
