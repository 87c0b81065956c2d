//! The shapes of questions and answers in each dialect.

use serde_json::{Value, json};

use super::Dialect;

/// The model that is asked for.
pub(super) fn model(request: &Value) -> String {
    request["model"].as_str().unwrap_or("stand-in").to_owned()
}

/// A token for each four bytes of all that was said.
pub(super) fn tokens(request: &Value) -> usize {
    let texts = |list: &Value| -> usize {
        let parts = list.as_array().into_iter().flatten();
        parts.filter_map(|part| part["content"].as_str().or(part["text"].as_str())).map(str::len).sum()
    };
    (texts(&request["messages"]) + texts(&request["system"])) / 4 + 20
}

/// An answer, to be put in the shape of each interface.
pub(super) struct Said {
    pub text: String,
    pub tokens_in: usize,
    pub model: String,
}

impl Said {
    fn tokens_out(&self) -> usize {
        self.text.len() / 4 + 1
    }

    /// In one piece.
    pub fn whole(&self, dialect: Dialect) -> Value {
        let (tokens_in, tokens_out, text) = (self.tokens_in, self.tokens_out(), &self.text);
        match dialect {
            Dialect::Claude => json!({
                "id": "msg_standin", "type": "message", "role": "assistant", "model": self.model,
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out},
            }),
            Dialect::OpenAi => json!({
                "id": "chatcmpl-standin", "object": "chat.completion", "created": 1_700_000_000, "model": self.model,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
            }),
            Dialect::Ollama => json!({
                "model": self.model, "message": {"role": "assistant", "content": text}, "done": true,
                "done_reason": "stop", "prompt_eval_count": tokens_in, "eval_count": tokens_out,
            }),
        }
    }

    /// The same as a stream: the text in two pieces.
    pub fn events(&self, dialect: Dialect) -> Vec<String> {
        let middle = (0..=self.text.len() / 2).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let (first, second) = self.text.split_at(middle);
        let (tokens_in, tokens_out) = (self.tokens_in, self.tokens_out());
        let events = match dialect {
            Dialect::OpenAi => {
                let piece = |delta: Value, reason: Value| {
                    json!({"id": "chatcmpl-standin", "object": "chat.completion.chunk", "model": self.model,
                        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
                };
                vec![
                    piece(json!({"role": "assistant", "content": first}), Value::Null),
                    piece(json!({"content": second}), Value::Null),
                    piece(json!({}), json!("stop")),
                    json!({"model": self.model, "choices": [],
                        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out}}),
                ]
            }
            Dialect::Claude => {
                let piece = |text: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
                vec![
                    json!({"type": "message_start", "message": {"model": self.model,
                        "usage": {"input_tokens": tokens_in, "output_tokens": 1}}}),
                    json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                    piece(first),
                    piece(second),
                    json!({"type": "content_block_stop", "index": 0}),
                    json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                        "usage": {"output_tokens": tokens_out}}),
                    json!({"type": "message_stop"}),
                ]
            }
            Dialect::Ollama => {
                let piece = |text: &str| json!({"model": self.model, "message": {"role": "assistant", "content": text}, "done": false});
                let mut last = self.whole(dialect);
                last["message"]["content"] = json!("");
                vec![piece(first), piece(second), last]
            }
        };
        let mut lines: Vec<String> = match dialect {
            Dialect::Ollama => events.iter().map(|event| format!("{event}\n")).collect(),
            _ => events.iter().map(|event| format!("data: {event}\n\n")).collect(),
        };
        if dialect == Dialect::OpenAi {
            lines.push("data: [DONE]\n\n".to_owned());
        }
        lines
    }
}
