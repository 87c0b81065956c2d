//! Answers that come in pieces, in each dialect: whole, cut short, broken off, and from servers that do not stream.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly

mod stand_in;

use chat::{ChatError, ChatGpt, ChatService, Claude, Network, Ollama, Place, Secret, prices::Price};
use serde_json::{Value, json};
use stand_in::{Act, StandIn, claude_answer, conversation, openai_answer};

/// What of a whole stream tells the dialects apart.
struct Dialect {
    name: &'static str,
    /// Events in order, as they go over the wire.
    events: Vec<String>,
    /// An error as an event.
    error: (&'static str, u16),
    /// The same answer, not streamed.
    whole: String,
}

fn sse(event: &Value) -> String {
    format!("data: {event}\n\n")
}

fn dialects() -> [Dialect; 3] {
    let openai = [
        json!({"model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Li"}}]}),
        json!({"choices": [{"index": 0, "delta": {"content": "nux"}, "finish_reason": null}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2}}),
    ];
    let claude = [
        json!({"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Linux"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let ollama = [
        json!({"model": "m", "message": {"role": "assistant", "content": "Li"}, "done": false}),
        json!({"model": "m", "message": {"role": "assistant", "content": "nux"}, "done": false}),
        json!({"model": "m", "message": {"role": "assistant", "content": ""}, "done": true,
            "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 2}),
    ];
    let mut openai: Vec<String> = openai.iter().map(sse).collect();
    openai.push("data: [DONE]\n\n".to_owned());
    let claude = claude.iter().map(|event| format!("event: x\n{}", sse(event))).collect();
    let whole = json!({"model": "m", "message": {"role": "assistant", "content": "Linux"}, "done": true,
        "prompt_eval_count": 10, "eval_count": 2});
    [
        Dialect {
            name: "chatgpt",
            events: openai,
            error: (
                "data: {\"error\":{\"message\":\"x\",\"type\":\"rate_limit_error\",\"code\":null}}\n\n",
                429,
            ),
            whole: openai_answer("Linux", 10, 2),
        },
        Dialect {
            name: "claude",
            events: claude,
            error: (
                "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n",
                529,
            ),
            whole: claude_answer("Linux", 10, 2),
        },
        Dialect {
            name: "ollama",
            events: ollama.iter().map(|event| format!("{event}\n")).collect(),
            error: ("{\"error\":\"model runner has unexpectedly stopped\"}\n", 500),
            whole: whole.to_string(),
        },
    ]
}

fn service(name: &str, base: &str) -> Box<dyn ChatService> {
    let place = Place { base, network: Network::default(), stream: true };
    match name {
        "chatgpt" => Box::new(ChatGpt::new(place, None, "m", Vec::new(), None).unwrap()),
        "claude" => Box::new(Claude::new(place, &Secret::new("k"), "m", None).unwrap()),
        _ => Box::new(Ollama::new(place, "m", Price::FREE).unwrap()),
    }
}

async fn asked(name: &str, act: Act) -> (Result<chat::Reply, ChatError>, Value) {
    let server = StandIn::start([act]).await;
    let answer = service(name, &server.url).send_message(&conversation()).await;
    let request = server.seen().await.remove(0).body;
    (answer, request)
}

/// What every dialect's whole answer says.
fn assert_is_linux(reply: &chat::Reply, dialect: &str) {
    assert_eq!((reply.text.as_str(), reply.tokens_in, reply.tokens_out), ("Linux", 10, 2), "{dialect}");
}

#[tokio::test]
async fn a_whole_stream_is_an_answer() {
    for dialect in dialects() {
        let (answer, request) = asked(dialect.name, Act::stream(dialect.events.concat())).await;
        let reply = answer.unwrap();
        assert_is_linux(&reply, dialect.name);
        assert_eq!(request["stream"], true);
        let wants_usage = request["stream_options"]["include_usage"] == true;
        assert_eq!(wants_usage, dialect.name == "chatgpt", "only there usage has to be asked for");
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_heard_all_the_same() {
    for dialect in dialects() {
        let (answer, _) = asked(dialect.name, Act::ok(dialect.whole)).await;
        let reply = answer.unwrap();
        assert_is_linux(&reply, dialect.name);
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_is_no_answer() {
    for dialect in dialects() {
        let name = dialect.name;
        // The last event that matters is missing, or half of the line of one.
        let enough = if name == "chatgpt" { 2 } else { dialect.events.len() - 1 };
        for cut in [0, 1, enough] {
            let mut text = dialect.events[..cut].concat();
            for rest in ["", "{\"mod", "data: {\"typ"] {
                text.push_str(rest);
                let (answer, _) = asked(name, Act::stream(text.clone())).await;
                let error = answer.unwrap_err();
                assert!(matches!(error, ChatError::Malformed { .. }), "{name} {cut} {rest:?}: {error}");
            }
        }
        let (answer, _) = asked(name, Act::stream("data: \u{1}garbage\n\n{oops\n")).await;
        assert!(matches!(answer, Err(ChatError::Malformed { .. })), "{name}");
        let mut bytes = dialect.events.concat().into_bytes();
        let at = bytes.windows(2).position(|pair| pair == b"Li").unwrap();
        bytes[at] = 0xff;
        let (answer, _) = asked(name, Act::StreamBytes(bytes)).await;
        assert!(matches!(answer, Err(ChatError::Malformed { .. })), "{name}: not UTF-8");
    }
}

#[tokio::test]
async fn an_error_in_a_stream_is_told_and_counted_when_the_answer_had_begun() {
    for dialect in dialects() {
        let (name, (event, status)) = (dialect.name, dialect.error);
        let (answer, _) = asked(name, Act::stream(event)).await;
        let error = answer.unwrap_err();
        match status {
            429 => assert!(matches!(error, ChatError::RateLimited { .. }), "{name}: {error}"),
            _ => assert!(
                matches!(error, ChatError::Failed { status: told, .. } if told == status),
                "{name}: {error}"
            ),
        }
        let (answer, _) = asked(name, Act::stream(format!("{}{event}", dialect.events[0]))).await;
        let error = answer.unwrap_err();
        assert!(
            matches!(error, ChatError::BrokenOff { status: told, .. } if told == status),
            "{name}: {error}"
        );
    }
}
