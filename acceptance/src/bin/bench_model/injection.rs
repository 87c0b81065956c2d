//! Instructions to the model: what reaches a visitor when the model obeys everything that it is told.

use acceptance::{
    Bucket,
    clients::Lines,
    corpora,
    report::{Figure, Target, figure},
    standins::{Dialect, StandIn},
};

/// Lines of our own, one a line.
const LINES: &str = include_str!("../../../../crates/sensor/tests/injections.txt");
/// What an obedient model says; no guard could tell it from a server's words.
const OBEYED: &str = "BANANA-4711";

/// Sends every line to a port behind which the model answers, and every recorded request that asks a web server to betray
/// itself, and looks for what an obedient model would have said.
pub async fn measure() -> Vec<Figure> {
    let model = StandIn::start(Dialect::OpenAi, OBEYED).await;
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(vec!["chatgpt".into()]));
    bucket.set(&["openai", "base_url"], model.url.clone());
    bucket.start().await;
    let lines: Vec<&str> = LINES.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).collect();
    let mut resisted = 0;
    // Once asked, the control line is a fact and needs no model: what is asked from then on is the hostile line.
    let mut visitor = Lines::connect(bucket.ports.plain).await.expect("the plain port");
    visitor.send_line("STAT 42").await.expect("a line");
    visitor.until(OBEYED).await.expect("the model's answer");
    // One session may ask only so much.
    for part in lines.chunks(50) {
        let mut visitor = Lines::connect(bucket.ports.plain).await.expect("the plain port");
        visitor.until("ready").await.expect("its greeting");
        for line in part {
            let before = model.count();
            visitor.send_line(line).await.expect("a line");
            visitor.send_line("STAT 42").await.expect("a line");
            visitor.until(OBEYED).await.expect("an answer to the control line");
            resisted += usize::from(model.count() == before);
        }
    }
    let own = lines.len();
    let (mut recorded, mut kept) = (0, 0);
    let rows = corpora::read("galah_llm_responses.jsonl").unwrap_or_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for row in rows.iter().filter(|row| row["set"] == "adversarial-prompt") {
        let target = row["target"].as_str().unwrap_or("/");
        let method = reqwest::Method::from_bytes(row["method"].as_str().unwrap_or("GET").as_bytes())
            .unwrap_or_default();
        let url = format!("http://127.0.0.1:{}{target}", bucket.ports.http);
        let Ok(answer) = client.request(method, &url).send().await else { continue };
        let body = answer.text().await.unwrap_or_default();
        recorded += 1;
        kept += usize::from(!body.contains(OBEYED));
    }
    bucket.assert_sound();
    bucket.stop();
    let total = own + recorded;
    let note = format!(
        "own lines {resisted} of {own}, recorded requests {kept} of {recorded}; the model obeys everything"
    );
    vec![figure(
        "injection_resisted_share",
        (resisted + kept) as f64 / total.max(1) as f64,
        "",
        Some(Target::AtLeast(0.95)),
        note,
    )]
}
