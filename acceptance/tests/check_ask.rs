//! `rustbucket check --ask`: every provider is tried, and what is wrong with it is said in words; through a proxy and over TLS
//! with an authority of one's own too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{process::Command, sync::Arc};

use acceptance::{
    Bucket, binaries, process,
    standins::{Dialect, StandIn, Way},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// Settings that ask this server alone.
fn bucket(dialect: Dialect, url: &str) -> Bucket {
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(vec![dialect.provider().into()]));
    bucket.set(&["chat", "timeout"], "1500ms");
    // A price, so that a budget can be held for any model.
    bucket.set(&["chat", "prices", "some-model", "input"], 1.0);
    bucket.set(&["chat", "prices", "some-model", "output"], 2.0);
    bucket.set(&[dialect.section(), "base_url"], url);
    bucket.set(&[dialect.section(), "model"], "some-model");
    if dialect != Dialect::Ollama {
        bucket.set(&[dialect.section(), "api_key"], "sk-secret");
    }
    bucket
}

/// Exit status and what was printed.
async fn check(bucket: &Bucket, environment: &[(&str, String)]) -> (Option<i32>, String) {
    bucket.write_settings();
    let mut command = Command::new(binaries::bucket());
    command.args(["check", "--ask", "--config"]).arg(bucket.config()).current_dir(bucket.home());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let (status, out, err) =
        tokio::task::spawn_blocking(move || process::complete(&mut command)).await.unwrap();
    (status.code(), format!("{out}{err}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_found_in_every_dialect() {
    acceptance::init();
    for dialect in Dialect::ALL {
        let model = StandIn::start(dialect, "ready").await;
        let (status, said) = check(&bucket(dialect, &model.url), &[]).await;
        assert_eq!(status, Some(0), "{dialect:?}: {said}");
        let line = format!("{} (some-model): answers as some-model in ", dialect.provider());
        assert!(said.contains(&line) && said.contains(" USD"), "{said}");
        assert_eq!(model.count(), 1);
        for (name, way) in Way::faults() {
            let refused = |status: u16, code: &str| {
                let code = if dialect == Dialect::Ollama { "no code" } else { code };
                format!("refused with status {status} ({code})")
            };
            let wanted = match name {
                "wrong key" => refused(401, "invalid_api_key"),
                "bad request" => refused(400, "invalid_request_error"),
                "no such model" => refused(404, "model_not_found"),
                "too large" => refused(413, "request_too_large"),
                "too many" => "limits the rate of questions".to_owned(),
                "ill" => "failed with status 500".to_owned(),
                "overloaded" => "failed with status 529".to_owned(),
                "cut" => "ended the connection before its answer was complete".to_owned(),
                "stream cut" => "answered with a stream cut short".to_owned(),
                "not UTF-8" | "garbage" => "answered with something that is not its own JSON".to_owned(),
                "silent" | "drips" => "gave no answer within 1.5s".to_owned(),
                other => panic!("{other}: say what is wanted"),
            };
            model.change(way);
            let (status, said) = check(&bucket(dialect, &model.url), &[]).await;
            assert_eq!(status, Some(1), "{dialect:?}, {name}: {said}");
            assert!(said.contains("settings are good"), "{said}");
            let lines: Vec<&str> = said.lines().filter(|line| line.starts_with(dialect.provider())).collect();
            assert_eq!(lines.len(), 1, "{dialect:?}, {name}: said once, with its remedy: {said}");
            assert!(lines[0].contains(&wanted), "{dialect:?}, {name}: {said}");
            assert!(!said.contains("sk-secret"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_be_asked_is_named() {
    acceptance::init();
    let mut none = bucket(Dialect::Claude, "http://127.0.0.1:9");
    none.settings["anthropic"].as_table_mut().unwrap().remove("api_key");
    let (status, said) = check(&none, &[]).await;
    assert_eq!(status, Some(1));
    assert!(said.contains("no key; set anthropic.api_key, ANTHROPIC_API_KEY or CLAUDE_API_KEY"), "{said}");
    let (status, said) = check(&bucket(Dialect::OpenAi, "http://127.0.0.1:9"), &[]).await;
    assert_eq!(status, Some(1));
    assert!(said.contains("cannot be reached") && said.contains("Connection refused"), "{said}");
    // One that answers is enough.
    let model = StandIn::start(Dialect::Ollama, "ready").await;
    let mut both = bucket(Dialect::OpenAi, "http://127.0.0.1:9");
    both.set(&["chat", "providers"], toml::Value::Array(vec!["chatgpt".into(), "ollama".into()]));
    both.set(&["ollama", "base_url"], model.url.clone());
    both.set(&["ollama", "model"], "some-model");
    let (status, said) = check(&both, &[]).await;
    assert_eq!(status, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_environment_is_used_but_not_for_this_machine() {
    acceptance::init();
    // A proxy for plain HTTP gets the request itself, with the whole URL.
    let proxy = StandIn::start(Dialect::OpenAi, "ready").await;
    let far = bucket(Dialect::OpenAi, "http://model.example");
    let through = |name: &'static str| [(name, proxy.url.clone())];
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = proxy.count();
        let (status, said) = check(&far, &through(name)).await;
        assert_eq!(status, Some(0), "{name}: {said}");
        assert_eq!(proxy.count(), before + 1);
        let head = proxy.heads().pop().unwrap();
        assert!(head.starts_with("POST http://model.example/v1/chat/completions HTTP/1.1\r\n"), "{head}");
    }
    let before = proxy.count();
    let mut excepted = through("HTTP_PROXY").to_vec();
    excepted.push(("NO_PROXY", "model.example".to_owned()));
    let (status, said) = check(&far, &excepted).await;
    assert!(status == Some(1) && said.contains("cannot be reached"), "{said}");
    let mut direct = bucket(Dialect::OpenAi, "http://model.example");
    direct.set(&["chat", "proxy_from_environment"], false);
    let (status, said) = check(&direct, &through("HTTP_PROXY")).await;
    assert!(status == Some(1) && said.contains("cannot be reached"), "{said}");
    let here = StandIn::start(Dialect::OpenAi, "ready").await;
    let (status, said) = check(&bucket(Dialect::OpenAi, &here.url), &through("HTTP_PROXY")).await;
    assert_eq!((status, here.count()), (Some(0), 1), "{said}");
    assert_eq!(proxy.count(), before, "nothing that attackers typed went to the proxy");

    // A proxy for HTTPS is asked for a tunnel, and sees nothing but the name.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let first = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.unwrap();
        line
    });
    let (status, _) =
        check(&bucket(Dialect::Claude, "https://model.example"), &[("HTTPS_PROXY", address)]).await;
    assert_eq!(status, Some(1));
    assert_eq!(first.await.unwrap(), "CONNECT model.example:443 HTTP/1.1\r\n");
}

/// Speaks TLS with a certificate of an authority that nobody knows, and hands on to the model; gives the URL and the
/// authority in PEM.
async fn behind_tls(model: &StandIn) -> (String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let inner = model.url.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us hangs up.
            let Ok(mut outside) = acceptor.accept(stream).await else { continue };
            let mut inside = TcpStream::connect(&inner).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut outside, &mut inside).await.ok() });
        }
    });
    (url, pem)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    acceptance::init();
    for dialect in Dialect::ALL {
        let model = StandIn::start(dialect, "ready").await;
        let (url, authority) = behind_tls(&model).await;
        let mut bucket = bucket(dialect, &url);
        let (status, said) = check(&bucket, &[]).await;
        assert_eq!((status, model.count()), (Some(1), 0), "{said}");
        assert!(said.contains("cannot be reached") && said.contains("ertificate"), "{said}");
        std::fs::write(bucket.home().join("ca.pem"), authority).unwrap();
        bucket.set(&["chat", "ca_file"], "ca.pem");
        let (status, said) = check(&bucket, &[]).await;
        assert_eq!((status, model.count()), (Some(0), 1), "{said}");
    }
}
