//! Visits that were recorded: sessions of bots, line by line, and terminals with the time of every key.

use rand::{RngExt as _, rngs::StdRng};
use sensor::label::Label;
use serde_json::Value;
use wire::EventKind;

use super::{Confusion, Visit, around};
use crate::corpora;

/// Every recorded session of a bot, at the pace of a bot: most send on at once, some sleep between lines, some are slow.
pub fn scripts(random: &mut StdRng, mut judge: impl FnMut(&Visit)) {
    for session in corpora::read("sessions_open.jsonl").unwrap_or_default() {
        let mut visit = Visit::new(None);
        let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
        let client = text("client");
        if !client.is_empty() {
            visit.event(&EventKind::ClientVersion { version: client, version_b64: None });
        }
        let on_terminal = text("protocol") == "telnet" || random.random_bool(0.3);
        if on_terminal {
            visit.terminal();
        }
        let commands: Vec<&str> =
            session["commands"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let manner = random.random::<f64>();
        let sleep: f64 = random.random_range(0.5..5.0);
        // How long the whole took is known for some; it bounds how slow the lines were.
        let most = session["duration"].as_f64().map_or(3.0, |all| all / commands.len().max(1) as f64);
        for line in commands {
            visit.wait(match manner {
                x if x < 0.7 => around(random, 0.12, 0.8).min(most),
                x if x < 0.9 => (sleep * random.random_range(0.98..1.02)).min(most),
                _ => around(random, 0.9, 0.6).min(most),
            });
            if on_terminal { visit.line(line) } else { visit.entered(line, true) }
        }
        judge(&visit);
    }
}

/// Terminals whose keys were recorded with their times. Who pressed keys one by one was a person: that was looked at, key
/// by key, and there are few.
pub fn terminals() -> Option<Confusion> {
    let mut confusion = Confusion::default();
    for recording in corpora::read("tty_open.jsonl")? {
        let mut visit = Visit::new(None);
        visit.terminal();
        let pieces: Vec<(f64, &str)> = recording["events"]
            .as_array()?
            .iter()
            .filter(|event| matches!(event[1].as_str(), Some("in" | "exec")))
            .filter_map(|event| Some((event[0].as_f64()?, event[2].as_str()?)))
            .collect();
        let single = pieces.iter().filter(|(_, text)| text.chars().count() <= 3).count();
        let by_hand = pieces.len() > 10 && single * 5 > pieces.len() * 4;
        let mut line = String::new();
        for (at, text) in pieces {
            visit.clock = at;
            visit.keys(text.as_bytes());
            for c in text.chars() {
                match c {
                    '\r' | '\n' if line.is_empty() => {}
                    '\r' | '\n' => visit.entered(&std::mem::take(&mut line), true),
                    '\u{7f}' => drop(line.pop()),
                    c if c.is_control() => {}
                    c => line.push(c),
                }
            }
        }
        if !line.is_empty() {
            visit.entered(&line, true);
        }
        confusion.add(if by_hand { Label::Human } else { Label::Script }, visit.label());
    }
    Some(confusion)
}
