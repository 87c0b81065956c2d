//! A small WebDriver client: enough of the W3C protocol to drive a headless Chromium as a person would.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Stdio,
    time::Duration,
};

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

const DRIVER: &str = "/usr/bin/chromedriver";
const BROWSER: &str = "/usr/bin/chromium";
/// The name under which WebDriver hands out elements (W3C WebDriver, 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How often and how long to look for something that is not there yet: 20 s in all.
const PATIENCE: usize = 200;
const PAUSE: Duration = Duration::from_millis(100);

pub struct Browser {
    client: reqwest::Client,
    session: String,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None`, with a word on the console, where there is no Chromium; a failure where there must be one.
    pub async fn start(client: reqwest::Client) -> Option<Self> {
        if !Path::new(DRIVER).exists() || !Path::new(BROWSER).exists() {
            assert!(
                std::env::var_os("RUSTBUCKET_BROWSER").is_none(),
                "RUSTBUCKET_BROWSER is set, but {DRIVER} or {BROWSER} is missing (packages chromium, chromium-driver)"
            );
            eprintln!("skipped: no {DRIVER} and {BROWSER} (packages chromium, chromium-driver)");
            return None;
        }
        let mut driver = Command::new(DRIVER)
            .args(["--port=0", "--log-level=WARNING"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port: u16 = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says its port before it ends");
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim_end_matches('.').trim().parse().unwrap();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir().unwrap();
        let mut args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--window-size=1360,900",
        ]
        .map(str::to_owned)
        .to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": BROWSER, "args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "ignore",
        }}});
        let base = format!("http://127.0.0.1:{port}/session");
        let answer = client.post(&base).json(&wanted).send().await.unwrap().json::<Value>().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}"));
        Some(Self { client, session: format!("{base}/{id}"), _driver: driver, _profile: profile })
    }

    async fn call(&self, path: &str, body: Value) -> Result<Value, Value> {
        let answer = self.client.post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap();
        let good = answer.status().is_success();
        let value = answer.json::<Value>().await.unwrap()["value"].take();
        if good { Ok(value) } else { Err(value) }
    }

    async fn read(&self, path: &str) -> Result<Value, Value> {
        let answer = self.client.get(format!("{}/{path}", self.session)).send().await.unwrap();
        let good = answer.status().is_success();
        let value = answer.json::<Value>().await.unwrap()["value"].take();
        if good { Ok(value) } else { Err(value) }
    }

    pub async fn open(&self, url: &str) {
        self.call("url", json!({ "url": url })).await.unwrap();
    }

    async fn try_find(&self, css: &str) -> Result<String, Value> {
        let found = self.call("element", json!({"using": "css selector", "value": css})).await?;
        Ok(found[ELEMENT].as_str().unwrap().to_owned())
    }

    /// An element, as soon as the page has it.
    async fn find(&self, css: &str) -> String {
        let mut found = self.try_find(css).await;
        for _ in 0..PATIENCE {
            if found.is_ok() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            found = self.try_find(css).await;
        }
        found.unwrap_or_else(|e| panic!("{css}: {}", e["message"]))
    }

    /// Waits until an element reads like this; a click may still be on its way to the next page.
    pub async fn expect(&self, css: &str, part: &str) {
        let mut text = String::new();
        for _ in 0..PATIENCE {
            if let Ok(element) = self.try_find(css).await
                && let Ok(read) = self.read(&format!("element/{element}/text")).await
            {
                text = read.as_str().unwrap_or_default().to_owned();
                if text.contains(part) {
                    return;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("{css} does not say `{part}` but `{text}` at {}", self.url().await);
    }

    pub async fn click(&self, css: &str) {
        self.act(css, async |element| self.call(&format!("{element}/click"), json!({})).await).await;
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        self.act(css, async |element| self.call(&format!("{element}/value"), json!({ "text": text })).await)
            .await;
    }

    /// What a person reads there.
    pub async fn text(&self, css: &str) -> String {
        let read = self.act(css, async |element| self.read(&format!("{element}/text")).await).await;
        read.as_str().unwrap().to_owned()
    }

    /// Does something with an element. One that goes with its page between being found and being used, because an earlier
    /// click was still on its way, was not touched: it is looked for again.
    async fn act(&self, css: &str, deed: impl AsyncFn(String) -> Result<Value, Value>) -> Value {
        for _ in 0..PATIENCE {
            match deed(format!("element/{}", self.find(css).await)).await {
                Err(error) if is_gone(&error) => tokio::time::sleep(PAUSE).await,
                done => return done.unwrap_or_else(|error| panic!("{css}: {}", error["message"])),
            }
        }
        panic!("{css} never stays on the page at {}", self.url().await);
    }

    pub async fn url(&self) -> String {
        self.read("url").await.unwrap().as_str().unwrap().to_owned()
    }

    /// Runs a script as a developer would in the console.
    pub async fn ask(&self, script: &str) -> Value {
        self.call("execute/sync", json!({"script": script, "args": []})).await.unwrap()
    }

    /// Whether a page managed to open a dialogue.
    pub async fn alert(&self) -> bool {
        self.read("alert/text").await.is_ok()
    }

    /// What the console says since the last time.
    pub async fn console(&self) -> Vec<String> {
        let log = self.call("se/log", json!({"type": "browser"})).await.unwrap();
        log.as_array()
            .unwrap()
            .iter()
            .map(|entry| format!("{}: {}", entry["level"], entry["message"]))
            .collect()
    }

    /// Prefers dark pages from now on, or light ones.
    pub async fn prefer(&self, scheme: &str) {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": media});
        self.call("goog/cdp/execute", command).await.unwrap();
    }

    pub async fn resize(&self, width: u32, height: u32) {
        self.call("window/rect", json!({"width": width, "height": height})).await.unwrap();
    }

    /// Keeps a picture of the whole page where `RUSTBUCKET_SCREENSHOTS` says, if it says so.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("RUSTBUCKET_SCREENSHOTS") else { return };
        let command = json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": true}});
        let answer = self.call("goog/cdp/execute", command).await.unwrap();
        let png = base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
    }
}

/// A test that fails must not leave a Chromium behind, which outlives its driver: the session is ended first.
impl Drop for Browser {
    fn drop(&mut self) {
        let Some((host, path)) = self.session.trim_start_matches("http://").split_once('/') else { return };
        let Ok(mut driver) = TcpStream::connect(host) else { return };
        let request = format!("DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let asked = driver
            .set_read_timeout(Some(Duration::from_secs(10)))
            .and_then(|()| driver.write_all(request.as_bytes()));
        // The answer comes when the browser is gone; what it says does not matter here, nor that it may not come.
        let _ = asked.and_then(|()| driver.read(&mut [0; 1024]));
    }
}

/// Whether the element went with its page: where that happens in the middle of an answer, the driver has other words for it.
fn is_gone(error: &Value) -> bool {
    error["error"] == "stale element reference"
        || error["message"].as_str().is_some_and(|text| text.contains("does not belong to the document"))
}
