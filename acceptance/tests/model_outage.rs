//! Whatever the model's server does, a visitor sees the machine's own answers, in time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use acceptance::{Bucket, bucket::PASSWORD, clients::Ssh};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
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

/// What a server does with every connection.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Takes it and says nothing.
    Silent,
    /// Too many requests.
    Refuses,
    /// One byte a second, for ever.
    Drips,
    /// A page of another server.
    Garbage,
    /// Half an answer.
    Cut,
}

async fn server(way: Way) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 65_536];
                let _request = stream.read(&mut request).await;
                let answer: &[u8] = match way {
                    Way::Silent => {
                        tokio::time::sleep(Duration::from_secs(600)).await;
                        b""
                    }
                    Way::Refuses => {
                        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 2\r\n\r\n{}"
                    }
                    Way::Drips => b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
                    Way::Garbage => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<p>\xff\xfe</p>",
                    Way::Cut => b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"choices\":[{\"mess",
                };
                let mut going = stream.write_all(answer).await.is_ok();
                while going && matches!(way, Way::Drips) {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    going = stream.write_all(b"d").await.is_ok();
                }
            });
        }
    });
    url
}

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
    let nobody = "http://127.0.0.1:9/v1".to_owned();
    let mut servers = vec![("nobody".to_owned(), nobody)];
    for way in [Way::Silent, Way::Refuses, Way::Drips, Way::Garbage, Way::Cut] {
        servers.push((format!("{way:?}"), server(way).await));
    }
    for (name, url) in servers {
        // Many visits: a day of them, as far as the bucket can tell.
        let rounds = if name == "nobody" { 20 } else { 3 };
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
async fn what_was_answered_once_survives_the_outage_and_a_hard_end() {
    acceptance::init();
    let model =
        acceptance::standins::StandIn::start(acceptance::standins::Dialect::OpenAi, "web  db  cache").await;
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
