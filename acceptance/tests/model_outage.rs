//! Whatever the model's server does, a visitor sees the machine's own answers, in time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    clients::Ssh,
    process::PATIENCE,
    standins::{Dialect, StandIn, Way},
};

/// Lines that need a model.
const LINES: [&str; 6] = [
    "docker ps",
    "docker images | head -1",
    "x=$(docker ps -q); echo \"[$x]\"",
    "kubectl get pods",
    "docker inspect web",
    "perl -v | wc -l",
];

/// What a visitor sees of each line.
async fn seen(url: Option<&str>, rounds: usize) -> (Vec<String>, Bucket) {
    let mut bucket = Bucket::new();
    let names = |names: &[&str]| toml::Value::Array(names.iter().map(|name| (*name).into()).collect());
    bucket.set(&["persona", "programs"], names(&["docker", "kubectl"]));
    if let Some(url) = url {
        bucket.set(&["chat", "providers"], names(&["chatgpt"]));
        bucket.set(&["chat", "timeout"], "1s");
        bucket.set(&["openai", "base_url"], url);
    }
    bucket.start().await;
    let mut shown = Vec::new();
    for _ in 0..rounds {
        let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
        for line in LINES {
            let since = Instant::now();
            let output = ssh.exec(line).await.unwrap();
            assert!(since.elapsed() < Duration::from_secs(20), "{line} took {:?}", since.elapsed());
            shown.push(format!("{line}: {} {} {:?}", output.out, output.err, output.status));
        }
        ssh.leave().await;
    }
    (shown, bucket)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_does_not_show() {
    acceptance::init();
    let (local, mut bucket) = seen(None, 1).await;
    bucket.stop();
    assert!(local[0].contains("CONTAINER ID"), "{local:?}");
    assert!(local.iter().all(|line| !line.contains("command not found")), "{local:?}");
    let mut servers = vec![("nobody", "http://127.0.0.1:9".to_owned())];
    let mut standing = Vec::new();
    for (name, way) in Way::faults() {
        let server = StandIn::doing(Dialect::OpenAi, way).await;
        servers.push((name, server.url.clone()));
        standing.push(server);
    }
    for (name, url) in servers {
        // Many visits: a day of them, as far as the bucket can tell.
        let rounds = if name == "nobody" { 20 } else { 2 };
        let (shown, mut bucket) = seen(Some(&url), rounds).await;
        for (number, line) in shown.iter().enumerate() {
            assert_eq!(line, &local[number % local.len()], "{name}");
        }
        bucket.assert_sound();
        let said = bucket.process().diagnostics();
        let told = said.lines().filter(|line| line.contains("gives no answer")).count();
        assert_eq!(told, 1, "{name}: once for each change, not once for each visitor:\n{said}");
        bucket.stop();
        let events = bucket.events();
        let fallbacks = events
            .iter()
            .filter(|event| event["eventid"] == "rustbucket.chat.answer" && event["fallback"] == true)
            .count();
        assert!(fallbacks >= 4 * rounds, "{name}: every question has its event: {fallbacks}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_told_once() {
    acceptance::init();
    let ill = || Way::Refuses("400 Bad Request", "", "invalid_request_error");
    let model = StandIn::doing(Dialect::OpenAi, ill()).await;
    let (_, mut bucket) = seen(Some(&model.url), 1).await;
    let mut ask = 0;
    let told = |bucket: &mut Bucket| {
        let said = bucket.process().diagnostics();
        let count = |word: &str| said.lines().filter(|line| line.contains(word)).count();
        (count("gives no answer"), count(" answers "))
    };
    assert_eq!(told(&mut bucket), (1, 0));
    for (way, wanted) in [
        (Way::says("web"), (1, 1)),
        (ill(), (2, 1)),
        (Way::Refuses("413 Payload Too Large", "", "request_too_large"), (3, 1)),
        (Way::says("web"), (3, 2)),
    ] {
        model.change(way);
        let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
        for _ in 0..3 {
            ask += 1;
            ssh.exec(&format!("docker top c{ask}")).await.unwrap();
        }
        ssh.leave().await;
        assert_eq!(told(&mut bucket), wanted, "{}", bucket.process().diagnostics());
    }
    bucket.stop();
}

/// Waits until so many askers have left the model.
async fn left(model: &StandIn, wanted: usize) {
    let since = Instant::now();
    while model.left() < wanted {
        assert!(since.elapsed() < PATIENCE, "{} of {wanted} left", model.left());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_interrupts_or_hangs_up_stops_paying() {
    acceptance::init();
    let model =
        StandIn::doing(Dialect::OpenAi, Way::after(Duration::from_secs(300), |_| "late".to_owned())).await;
    let mut bucket = Bucket::new();
    let names = |names: &[&str]| toml::Value::Array(names.iter().map(|name| (*name).into()).collect());
    bucket.set(&["persona", "programs"], names(&["docker"]));
    bucket.set(&["chat", "providers"], names(&["chatgpt"]));
    bucket.set(&["chat", "timeout"], "250s");
    bucket.set(&["openai", "base_url"], model.url.clone());
    bucket.start().await;
    let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    let mut shell = ssh.shell().await.unwrap();
    // No prompt within a second: Ctrl-C.
    let shown = shell.line("docker ps --interrupted", Duration::from_secs(1)).await.unwrap();
    assert!(shown.contains("^C"), "{shown:?}");
    left(&model, 1).await;
    // The terminal is closed in the middle of a pipeline.
    shell.type_bytes(b"docker ps --closed | wc -l\r".to_vec()).await.unwrap();
    while model.count() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(shell);
    ssh.leave().await;
    left(&model, 2).await;
    // The same without a terminal.
    let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    assert!(ssh.exec_within("docker ps --gone", Duration::from_secs(1)).await.is_err());
    ssh.leave().await;
    left(&model, 3).await;
    assert_eq!(model.count(), 3, "nobody asks again for those who left");
    bucket.assert_sound();
    bucket.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_once_survives_the_outage_and_a_hard_end() {
    acceptance::init();
    let model = StandIn::start(Dialect::OpenAi, "web  db  cache").await;
    let mut bucket = Bucket::new();
    let names = |names: &[&str]| toml::Value::Array(names.iter().map(|name| (*name).into()).collect());
    bucket.set(&["persona", "programs"], names(&["docker"]));
    bucket.set(&["chat", "providers"], names(&["chatgpt"]));
    bucket.set(&["openai", "base_url"], format!("{}/v1", model.url));
    bucket.start().await;
    let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ssh.exec("docker ps --names").await.unwrap().out, "web  db  cache\n");
    assert_eq!(ssh.exec("docker ps --names | wc -w").await.unwrap().out, "3\n");
    assert_eq!(ssh.exec("x=$(docker ps --names); echo $x").await.unwrap().out, "web db cache\n");
    assert_eq!(model.asked().len(), 1, "one fact, however it is asked for");
    bucket.kill();
    bucket.set(&["openai", "base_url"], "http://127.0.0.1:9/v1");
    bucket.start().await;
    let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ssh.exec("docker ps --names").await.unwrap().out, "web  db  cache\n");
    bucket.assert_sound();
    bucket.stop();
}
