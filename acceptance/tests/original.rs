//! The original four listeners, word for word, from `examples/original.toml`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use acceptance::{
    Bucket,
    clients::Lines,
    ports,
    standins::{Dialect, StandIn},
};
use toml::Table;

const BANNERS: [(&str, i64, &str); 4] = [
    ("original_ftp", 21, "220 (vsFTPd 3.0.3)"),
    ("original_telnet", 23, ""),
    ("original_smtp", 25, "220 mail.example.com ESMTP Postfix (Ubuntu)"),
    ("original_http", 80, "GET / HTTP/1.1\nHost: example.com"),
];

#[tokio::test]
async fn four_banners_and_a_model_that_was_told_the_static_messages() {
    acceptance::init();
    let model = StandIn::start(Dialect::OpenAi, "uid=0(root) gid=0(root) groups=0(root)").await;
    let example = std::fs::read_to_string(acceptance::root().join("examples/original.toml")).unwrap();
    let settings: Table = example.parse().unwrap();
    let messages: Vec<String> = settings["openai"]["static_messages"]
        .as_table()
        .unwrap()
        .values()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(messages.len(), 2);

    let mut bucket = Bucket::with_settings(settings);
    let free = ports::free(5);
    for ((name, original, _), port) in BANNERS.iter().zip(&free) {
        assert_eq!(bucket.settings["ports"][name]["port"].as_integer(), Some(*original));
        bucket.set(&["ports", name, "port"], i64::from(*port));
    }
    bucket.set(&["general", "listen_address"], "127.0.0.1");
    bucket.set(&["management", "listen_address"], "127.0.0.1");
    bucket.set(&["management", "port"], i64::from(free[4]));
    bucket.set(&["openai", "api_key"], "not-a-key");
    bucket.set(&["openai", "base_url"], format!("{}/v1", model.url));
    bucket.start().await;

    for ((name, _, banner), port) in BANNERS.iter().zip(&free) {
        let mut visitor = Lines::connect(*port).await.unwrap();
        let greeted = visitor.rest(Duration::from_secs(1)).await.unwrap();
        let greeted = String::from_utf8(greeted).unwrap();
        assert_eq!(greeted.trim_end_matches(['\r', '\n']), *banner, "{name}");
        visitor.send_line(&format!("id from {name}")).await.unwrap();
        let answer = visitor.until("groups=0(root)").await.unwrap();
        assert!(answer.contains("uid=0(root)"), "{answer:?}");
    }

    let asked = model.asked();
    assert_eq!(asked.len(), BANNERS.len(), "one question a line: {asked:#?}");
    for (question, (name, ..)) in asked.iter().zip(BANNERS) {
        let said: Vec<String> = question["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| text_of(&message["content"]))
            .collect();
        let position = |wanted: &str| said.iter().position(|text| text.contains(wanted));
        let (first, second, line) =
            (position(&messages[0]), position(&messages[1]), position(&format!("id from {name}")));
        assert!(
            first.is_some() && first < second && second < line,
            "static messages out of order: {said:#?}"
        );
    }
    let typed = bucket.events().iter().filter(|event| event["eventid"] == "cowrie.command.input").count();
    assert_eq!(typed, BANNERS.len());
    bucket.assert_sound();
    bucket.stop();
}

/// The text of a message, which may be a string or a list of parts.
fn text_of(content: &serde_json::Value) -> String {
    match content.as_array() {
        Some(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        None => content.as_str().unwrap_or_default().to_owned(),
    }
}
