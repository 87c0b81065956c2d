//! The limit of the machine: accepts, waits for so many lines, sends the recorded answer; for SSH a handler that says yes.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use russh::{
    Channel, ChannelId,
    keys::{Algorithm, PrivateKey},
    server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Lines to wait for, and what to say then.
type Answers = Vec<(usize, Vec<u8>)>;

/// What one command answers over SSH.
const OUTPUT: &str =
    "Linux server 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01) x86_64 GNU/Linux\n";

/// Writes down what the bare server needs.
pub fn write(path: &Path, ports: &BTreeMap<String, u16>, answers: &BTreeMap<String, Answers>) {
    let listeners: Vec<Value> = ports
        .iter()
        .map(|(name, port)| {
            let steps = answers.get(name).into_iter().flatten();
            json!({"name": name, "port": port, "answers": steps.map(|(lines, bytes)| json!([lines, hex::encode(bytes)])).collect::<Vec<_>>()})
        })
        .collect();
    std::fs::write(path, Value::from(listeners).to_string()).expect("the script");
}

/// Serves for ever.
pub async fn serve(script: &Path) {
    let listeners: Vec<Value> =
        serde_json::from_slice(&std::fs::read(script).expect("the script")).expect("JSON");
    for listener in listeners {
        let port = u16::try_from(listener["port"].as_u64().unwrap()).unwrap();
        let socket = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        if listener["name"] == "ssh" {
            tokio::spawn(serve_ssh(socket));
            continue;
        }
        let step = |step: &Value| {
            (step[0].as_u64().unwrap() as usize, hex::decode(step[1].as_str().unwrap()).unwrap())
        };
        let answers: Arc<Answers> =
            Arc::new(listener["answers"].as_array().unwrap().iter().map(step).collect());
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let answers = Arc::clone(&answers);
                // A visitor that goes early is its own affair.
                tokio::spawn(async move { answer(stream, &answers).await.ok() });
            }
        });
    }
    std::future::pending::<()>().await;
}

async fn answer(mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut heard = 0;
    for (lines, bytes) in answers {
        while heard < *lines {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            heard += buffer[..count].iter().filter(|byte| **byte == b'\n').count();
        }
        heard -= lines;
        stream.write_all(bytes).await?;
    }
    stream.shutdown().await
}

async fn serve_ssh(socket: TcpListener) {
    let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).expect("a host key");
    let config = Arc::new(Config { keys: vec![key], nodelay: true, ..Config::default() });
    while let Ok((stream, _)) = socket.accept().await {
        let config = Arc::clone(&config);
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true); // as above: the visitor's affair
            if let Ok(session) = russh::server::run_stream(config, stream, Yes).await {
                let _ = session.await; // as above
            }
        });
    }
}

/// Lets everybody in and answers every command with the same line.
struct Yes;

impl Handler for Yes {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, _password: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        session.data(channel, OUTPUT)?;
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }
}
