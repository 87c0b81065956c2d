//! Each provider against a stand-in on loopback: what it sends, and what it makes of answers good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly

mod stand_in;

use std::{error::Error, time::Duration};

use chat::{
    Canned, ChatError, ChatGpt, ChatService, Claude, Conversation, Ollama, Secret, guarded::Timed,
    prices::Price, prices::Prices,
};
use serde_json::json;
use stand_in::{Act, StandIn, claude_answer, conversation, openai_answer};

fn key() -> Secret {
    Secret::new(" sk-secret\n")
}

fn price(model: &str) -> Option<Price> {
    Prices::default().of(model)
}

fn chatgpt(url: &str) -> ChatGpt {
    let first = vec!["static one".to_owned(), "static two".to_owned()];
    ChatGpt::new(url, Some(&key()), "gpt-4o-mini", first, price("gpt-4o-mini")).unwrap()
}

fn claude(url: &str) -> Claude {
    Claude::new(url, &key(), "claude-haiku-5-5", price("claude-haiku-5-5")).unwrap()
}

/// Neither the key nor the prompt may show, however an error is printed.
fn assert_discreet(error: &ChatError) {
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    for secret in ["sk-secret", "uname", "You are", "static one"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// As OpenAI refuses a parameter that a model does not take.
fn refuses(parameter: &str) -> Act {
    let error = json!({"message": "Unsupported parameter", "type": "invalid_request_error",
        "param": parameter, "code": "unsupported_parameter"});
    Act::Answer("400 Bad Request", Vec::new(), json!({ "error": error }).to_string())
}

#[tokio::test]
async fn a_reasoning_model_behind_another_address_is_spoken_to_in_its_own_words() {
    let acts = [refuses("max_tokens"), refuses("temperature"), Act::ok(openai_answer("Linux", 10, 2))];
    let server = StandIn::start(acts).await;
    let service = chatgpt(&server.url);
    let asked = Conversation { temperature: Some(0.2), ..conversation() };
    for _ in 0..2 {
        assert_eq!(service.send_message(&asked).await.unwrap().text, "Linux");
    }
    let seen = server.seen().await;
    let sent: Vec<(bool, bool, bool)> = seen
        .iter()
        .map(|request| {
            ["max_tokens", "max_completion_tokens", "temperature"].map(|name| !request.body[name].is_null())
        })
        .map(|[old, new, temperature]| (old, new, temperature))
        .collect();
    let learnt = (false, true, false);
    assert_eq!(sent, [(true, false, true), (false, true, true), learnt, learnt], "what was learnt stays");
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    for parameter in ["max_tokens", "seed"] {
        let server = StandIn::start([refuses(parameter)]).await;
        let error = chatgpt(&server.url).send_message(&conversation()).await.unwrap_err();
        assert!(
            matches!(&error, ChatError::Refused { status: 400, code, .. } if code.ends_with(parameter)),
            "{error}"
        );
        assert!(server.seen().await.len() <= 2);
        assert_discreet(&error);
    }
}

#[tokio::test]
async fn chatgpt_sends_what_the_interface_wants() {
    let server = StandIn::start([Act::ok(openai_answer("Linux", 1000, 10))]).await;
    for base in [server.url.clone(), format!("{}/v1", server.url), format!("{}/v1/", server.url)] {
        let reply = chatgpt(&base).send_message(&conversation()).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.model.as_str()), ("Linux", "gpt-4o-mini-2024-07-18"));
        assert_eq!((reply.tokens_in, reply.tokens_out, reply.cached), (1000, 10, false));
        assert_eq!(reply.cost_usd, 0.000156, "1000 at 0.15 and 10 at 0.60 per million");
        let seen = server.seen().await;
        assert!(seen[0].head.starts_with("post /v1/chat/completions http/1.1\r\n"), "{}", seen[0].head);
        assert!(seen[0].head.contains("authorization: bearer sk-secret\r\n"));
        assert_eq!(
            seen[0].body,
            json!({
                "model": "gpt-4o-mini", "max_tokens": 100, "temperature": 0.5,
                "messages": [
                    {"role": "system", "content": "static one"}, {"role": "system", "content": "static two"},
                    {"role": "system", "content": "You are a server."}, {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "uptime"}, {"role": "assistant", "content": "up"},
                    {"role": "user", "content": "uname \u{1b}[0m"},
                ],
            })
        );
    }
}

#[tokio::test]
async fn claude_sends_what_the_interface_wants() {
    let server = StandIn::start([Act::ok(claude_answer("Linux", 1000, 10))]).await;
    let reply = claude(&server.url).send_message(&conversation()).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.tokens_in, reply.tokens_out), ("Linux", 1000, 10));
    assert_eq!(reply.cost_usd, 0.000105);
    let seen = server.seen().await;
    assert!(seen[0].head.starts_with("post /v1/messages http/1.1\r\n"));
    assert!(seen[0].head.contains("x-api-key: sk-secret\r\n"));
    assert!(seen[0].head.contains("anthropic-version: 2023-06-01\r\n"));
    assert_eq!(
        seen[0].body,
        json!({
            "model": "claude-haiku-5-5", "max_tokens": 100, "thinking": {"type": "disabled"},
            "system": [{"type": "text", "text": "You are a server."}, {"type": "text", "text": "Be brief."}],
            "messages": [
                {"role": "user", "content": "uptime"}, {"role": "assistant", "content": "up"},
                {"role": "user", "content": "uname \u{1b}[0m"},
            ],
        })
    );
}

#[tokio::test]
async fn ollama_sends_what_the_interface_wants() {
    let answer = json!({"model": "llama3.2", "message": {"role": "assistant", "content": "Linux"}, "done": true,
        "prompt_eval_count": 26, "eval_count": 3});
    let server = StandIn::start([Act::ok(answer.to_string())]).await;
    for base in [server.url.clone(), format!("{}/v1/", server.url), format!("{}/api", server.url)] {
        let ollama = Ollama::new(&base, "llama3.2", Price::FREE).unwrap();
        let reply = ollama.send_message(&conversation()).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.tokens_in, reply.tokens_out), ("Linux", 26, 3));
        assert_eq!(reply.cost_usd, 0.0);
        let seen = server.seen().await;
        assert!(seen[0].head.starts_with("post /api/chat http/1.1\r\n"));
        assert_eq!(seen[0].body["stream"], json!(false));
        assert_eq!(seen[0].body["options"], json!({"num_predict": 100, "temperature": 0.5}));
        assert_eq!(seen[0].body["messages"][0], json!({"role": "system", "content": "You are a server."}));
    }
}

#[tokio::test]
async fn every_bad_answer_has_its_own_error() {
    type Check = fn(&ChatError) -> bool;
    let with = |line, name, value: &str| Act::Answer(line, vec![(name, value.to_owned())], "{}".to_owned());
    let cases: Vec<(Act, Check)> = vec![
        (
            Act::status("401 Unauthorized"),
            |e| matches!(e, ChatError::Refused { status: 401, code, .. } if code == "some_error"),
        ),
        (Act::status("404 Not Found"), |e| matches!(e, ChatError::Refused { status: 404, .. })),
        (with("302 Found", "location", "http://127.0.0.1:1/"), |e| {
            matches!(e, ChatError::Refused { status: 302, .. })
        }),
        (
            with("429 Too Many Requests", "retry-after", "7"),
            |e| matches!(e, ChatError::RateLimited { retry_after: Some(wait), .. } if wait.as_secs() == 7),
        ),
        (Act::status("429 Too Many Requests"), |e| {
            matches!(e, ChatError::RateLimited { retry_after: None, .. })
        }),
        (Act::status("500 Internal Server Error"), |e| {
            matches!(e, ChatError::Failed { status: 500, retry_after: None, .. })
        }),
        (
            with("529 Overloaded", "retry-after", "3"),
            |e| matches!(e, ChatError::Failed { status: 529, retry_after: Some(wait), .. } if wait.as_secs() == 3),
        ),
        (Act::Cut("{\"model\":".to_owned()), |e| matches!(e, ChatError::Interrupted { .. })),
        (Act::ok("<html>it works</html>"), |e| matches!(e, ChatError::Malformed { .. })),
        (Act::ok(""), |e| matches!(e, ChatError::Malformed { .. })),
        (Act::ok("{}"), |e| matches!(e, ChatError::Malformed { .. })),
        (Act::ok("[]"), |e| matches!(e, ChatError::Malformed { .. })),
        (Act::Endless, |e| matches!(e, ChatError::Malformed { .. })),
        (Act::Silent, |e| matches!(e, ChatError::Timeout { .. })),
    ];
    for (number, (act, check)) in cases.into_iter().enumerate() {
        let server = StandIn::start([act]).await;
        let after = Duration::from_millis(if number == 13 { 200 } else { 20_000 });
        let services: [Box<dyn ChatService>; 3] = [
            Box::new(Timed::new(chatgpt(&server.url), after)),
            Box::new(Timed::new(claude(&server.url), after)),
            Box::new(Timed::new(Ollama::new(&server.url, "m", Price::FREE).unwrap(), after)),
        ];
        for service in services {
            let error = service.send_message(&conversation()).await.unwrap_err();
            assert!(check(&error), "case {number}, {}: {error:?}", service.name());
            assert_discreet(&error);
        }
        assert_eq!(
            server.seen().await.len(),
            3,
            "case {number}: nothing is retried, no redirect is followed"
        );
    }
}

#[tokio::test]
async fn claude_is_told_what_to_keep_for_the_next_question() {
    let long = "A server has many facts. ".repeat(400);
    let asked = |system: Vec<String>| async {
        let server = StandIn::start([Act::ok(claude_answer("Linux", 10, 1))]).await;
        let conversation = chat::Conversation { system, ..conversation() };
        claude(&server.url).send_message(&conversation).await.unwrap();
        server.seen().await.remove(0).body["system"].clone()
    };
    let marked = json!({"type": "ephemeral"});
    let system = asked(vec![long.clone(), "Be brief.".to_owned()]).await;
    assert_eq!(system[0].get("cache_control"), None);
    assert_eq!(system[1]["cache_control"], marked, "everything up to the last instruction is kept");
    let system = asked(vec!["Too short to be kept.".to_owned()]).await;
    assert_eq!(system[0].get("cache_control"), None);
    // What is read from and written to the cache is counted, at its own price.
    let usage = json!({"input_tokens": 100, "cache_creation_input_tokens": 1000, "cache_read_input_tokens": 2000,
        "output_tokens": 10});
    let body = json!({"model": "m", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn", "usage": usage});
    let server = StandIn::start([Act::ok(body.to_string())]).await;
    let reply = claude(&server.url).send_message(&conversation()).await.unwrap();
    assert_eq!(reply.tokens_in, 3100);
    let price = price("claude-haiku-5-5").unwrap();
    assert_eq!(reply.cost_usd, price.cost(100 + 1250 + 200, 10).dollars());
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = chatgpt(&url).send_message(&conversation()).await.unwrap_err();
    assert!(matches!(error, ChatError::Unreachable { .. }), "{error:?}");
    assert_discreet(&error);
    assert!(!format!("{error:?}").contains(&url), "the address is not shown either");
}

#[tokio::test]
async fn a_refusal_by_the_model_is_no_answer() {
    let refused = json!({"model": "m", "choices": [{"message": {"content": null, "refusal": "I cannot"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1}});
    let filtered = json!({"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]});
    for body in [refused, filtered] {
        let server = StandIn::start([Act::ok(body.to_string())]).await;
        let error = chatgpt(&server.url).send_message(&conversation()).await.unwrap_err();
        assert!(matches!(error, ChatError::Declined { .. }), "{error:?}");
    }
    let body =
        json!({"content": [], "stop_reason": "refusal", "usage": {"input_tokens": 10, "output_tokens": 1}});
    let server = StandIn::start([Act::ok(body.to_string())]).await;
    let error = claude(&server.url).send_message(&conversation()).await.unwrap_err();
    assert!(matches!(error, ChatError::Declined { .. }), "{error:?}");
}

#[tokio::test]
async fn without_usage_the_upper_bound_is_the_cost() {
    let body = json!({"choices": [{"message": {"content": "x"}}]});
    let server = StandIn::start([Act::ok(body.to_string())]).await;
    let reply = chatgpt(&server.url).send_message(&conversation()).await.unwrap();
    assert_eq!((reply.tokens_in, reply.tokens_out, reply.model.as_str()), (0, 0, "gpt-4o-mini"));
    assert!(reply.cost_usd > 0.000_06, "{}", reply.cost_usd);
}

#[tokio::test]
async fn an_empty_conversation_is_not_asked() {
    let server = StandIn::start([Act::Silent]).await;
    let empty = chat::Conversation { messages: Vec::new(), ..conversation() };
    let services: [Box<dyn ChatService>; 2] = [Box::new(chatgpt(&server.url)), Box::new(claude(&server.url))];
    for service in services {
        assert!(matches!(service.send_message(&empty).await, Err(ChatError::Empty)));
    }
    assert!(server.seen().await.is_empty());
}

#[tokio::test]
async fn canned_follows_its_script_and_then_falls_silent() {
    let canned = Canned::scripted([Ok("one".to_owned())]);
    assert_eq!(canned.send_message(&conversation()).await.unwrap().text, "one");
    assert!(matches!(canned.send_message(&conversation()).await, Err(ChatError::NoKey { .. })));
    assert_eq!(canned.asked(), [conversation(), conversation()]);
}

#[test]
fn nothing_said_is_printed_by_debug() {
    let shown = format!("{:?} {:?} {:?}", conversation(), conversation().messages, key());
    assert!(!shown.contains("uname") && !shown.contains("sk-secret"), "{shown}");
}
