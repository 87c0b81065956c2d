//! What was spent today, on disk before it is spent: a restart, also a hard one, does not refill a purse.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use chat::{Purse, Usd};

/// Continues with what the file says and writes down every change.
///
/// # Errors
/// The file cannot be read or written. One that holds something else counts as empty.
pub fn keep(purse: &Arc<Purse>, path: &Path) -> io::Result<()> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let mut numbers = text.split_whitespace().map(str::parse::<u64>);
            match (numbers.next(), numbers.next()) {
                (Some(Ok(day)), Some(Ok(nanos))) => purse.restore(day, Usd::from_nanos(nanos)),
                _ if text.trim().is_empty() => {}
                _ => {
                    tracing::warn!(path = %path.display(), "what was spent today cannot be read; counting begins anew")
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let shown = path.display().to_string();
    purse.watch(move |day, committed| {
        if let Err(error) = write(&file, day, committed) {
            tracing::error!(path = %shown, %error, "what is spent today could not be written down");
        }
    });
    Ok(())
}

/// One write of always the same length, so that no other number is ever there.
fn write(file: &File, day: u64, committed: Usd) -> io::Result<()> {
    file.write_all_at(format!("{day:020} {:020}\n", committed.nanos()).as_bytes(), 0)
}

#[cfg(test)]
mod tests {
    use chat::{
        Canned, ChatService as _, Conversation, Message, Role,
        guarded::{Budgeted, Priced},
    };

    use super::*;

    struct Dear(Canned);

    #[async_trait::async_trait]
    impl chat::ChatService for Dear {
        async fn send_message(&self, conversation: &Conversation) -> Result<chat::Reply, chat::ChatError> {
            let reply = self.0.send_message(conversation).await?;
            Ok(chat::Reply { cost_usd: 0.04, ..reply })
        }

        fn name(&self) -> &str {
            "dear"
        }
    }

    impl Priced for Dear {
        fn cost_at_most(&self, _: &Conversation) -> Option<Usd> {
            Usd::from_dollars(0.05)
        }
    }

    #[tokio::test]
    async fn a_restart_does_not_refill_the_purse() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spent");
        let message = Message { role: Role::User, content: "x".to_owned() };
        let question =
            Conversation { system: vec![], messages: vec![message], max_tokens: 1, temperature: None };
        let limit = Usd::from_dollars(0.2).unwrap();
        let mut answered = 0;
        for _ in 0..10 {
            // Each turn is a new process.
            let purse = Arc::new(Purse::daily("day", limit));
            keep(&purse, &path).unwrap();
            let service =
                Budgeted::new(Dear(Canned::answering(|_| Ok("y".to_owned()))), vec![Arc::clone(&purse)]);
            answered += usize::from(service.send_message(&question).await.is_ok());
            assert!(purse.spent().1 <= limit);
        }
        assert_eq!(answered, 4, "0.04 four times, and then 0.05 is more than is left");
        std::fs::write(&path, "nonsense").unwrap();
        let purse = Arc::new(Purse::daily("day", limit));
        keep(&purse, &path).unwrap();
        assert_eq!(purse.spent().1, Usd::ZERO);
    }
}
