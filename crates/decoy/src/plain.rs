//! A port with a static banner, behind which a language model answers each line.

use async_trait::async_trait;
use bytes::Bytes;
use wire::EventKind;

use crate::{
    dialogue::{Contact, Dialogue, Stage},
    lines::Lines,
    oracle::{Ask, Question},
};

/// One connection to a plain port.
pub struct Plain {
    contact: Contact,
    banner: String,
    lines: Lines,
}

impl Plain {
    /// A connection that opens with this banner, word for word; a line end is added if it has none.
    pub fn new(contact: Contact, banner: String) -> Self {
        let lines = Lines::new(contact.limits.line_bytes);
        Self { contact, banner, lines }
    }

    async fn line(&mut self, line: &[u8], stage: &Stage) {
        stage.note(EventKind::command_input(line));
        if line.trim_ascii().is_empty() {
            return;
        }
        let what =
            Ask::Line { banner: self.banner.clone(), line: String::from_utf8_lossy(line).into_owned() };
        let answer = self.contact.oracle.ask(Question::new(what, otherwise(&self.banner))).await;
        let ended = answer.text.ends_with(b"\n");
        if !answer.text.is_empty() {
            stage.say(answer.text);
            if !ended {
                stage.say("\r\n");
            }
        }
    }
}

/// What a daemon says to a line that it does not understand, in the manner of its banner.
fn otherwise(banner: &str) -> Bytes {
    let text: &'static str = match banner.get(..4).unwrap_or(banner) {
        "+OK " | "+OK" => "-ERR Unknown command.\r\n",
        "* OK" => "* BAD Error in IMAP command received by server.\r\n",
        "220 " | "220-" | "200 " | "200-" => "500 Unknown command.\r\n",
        _ => "",
    };
    Bytes::from_static(text.as_bytes())
}

#[async_trait]
impl Dialogue for Plain {
    async fn open(&mut self, stage: &Stage) {
        if !self.banner.is_empty() {
            let end = if self.banner.ends_with('\n') { "" } else { "\r\n" };
            stage.say(format!("{}{end}", self.banner));
        }
    }

    async fn hear(&mut self, mut bytes: &[u8], stage: &Stage) {
        while let Some(line) = self.lines.next(&mut bytes) {
            if line.cut {
                stage
                    .note(EventKind::LimitHit { limit: "line_bytes".into(), value: line.bytes.len() as u64 });
            }
            self.line(&line.bytes, stage).await;
            stage.room().await;
        }
    }

    async fn end(&mut self, stage: &Stage) {
        let rest = self.lines.take_rest().bytes;
        if !rest.is_empty() {
            self.line(&rest, stage).await;
        }
        stage.hang_up();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;
    use crate::{
        oracle::{Answer, Oracle},
        testing,
    };

    struct Parrot(Mutex<Vec<String>>);

    #[async_trait]
    impl Oracle for Parrot {
        async fn ask(&self, question: Question) -> Answer {
            let Ask::Line { banner, line } = question.what else { panic!("asked for no line") };
            self.0.lock().push(line.clone());
            Answer { text: format!("{banner}: {line}").into(), invented: true }
        }
    }

    #[tokio::test]
    async fn each_line_is_noted_and_answered() {
        let parrot = Arc::new(Parrot(Mutex::default()));
        let contact = Contact { oracle: parrot.clone(), ..testing::contact() };
        let (mut plain, stage) = (Plain::new(contact, "hello".to_owned()), Stage::new());
        plain.open(&stage).await;
        for piece in [&b"on"[..], b"e\r\ntwo\n", &[b'x'; 20_000], b"\n"] {
            plain.hear(piece, &stage).await;
        }
        plain.hear(b"rest", &stage).await;
        plain.end(&stage).await;
        let (said, noted) = stage.drain();
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("hello\r\nhello: one\r\nhello: two\r\nhello: xxxx"));
        assert!(said.ends_with("hello: rest\r\n"));
        assert_eq!(testing::inputs(&noted).len(), 4);
        assert_eq!(parrot.0.lock()[2].len(), 8192);
        assert!(noted.iter().any(|kind| matches!(kind, EventKind::LimitHit { .. })));
    }
}
