//! Real sessions: every line of a sample is answered, none ends the process or hangs.
//!
//! The corpora are found by `RUSTBUCKET_CORPORA`, or beside the repository; without them this test says so and passes.

#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod visit;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use visit::{Visit, on_a_trap_thread};

/// Lines of this many sessions are replayed, spread over the whole file.
const SESSIONS: usize = 400;

fn sessions() -> Option<Vec<Vec<String>>> {
    let folder = std::env::var_os("RUSTBUCKET_CORPORA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora")));
    let text = std::fs::read_to_string(folder.join("sessions_open.jsonl")).ok()?;
    let all: Vec<Vec<String>> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .map(|session| {
            let commands =
                session.get("commands").and_then(|commands| commands.as_array()).cloned().unwrap_or_default();
            commands.iter().filter_map(|command| command.as_str().map(str::to_owned)).collect()
        })
        .filter(|commands: &Vec<String>| !commands.is_empty())
        .collect();
    let most =
        std::env::var("RUSTBUCKET_SESSIONS").ok().and_then(|most| most.parse().ok()).unwrap_or(SESSIONS);
    let step = (all.len() / most).max(1);
    Some(all.into_iter().step_by(step).collect())
}

#[test]
fn real_sessions_are_answered() {
    let Some(sessions) = sessions() else {
        eprintln!("no corpora here: set RUSTBUCKET_CORPORA to replay real sessions");
        return;
    };
    on_a_trap_thread(move |runtime| {
        runtime.block_on(async {
            let (mut lines, mut unknown, mut late) = (0_usize, 0_usize, Vec::new());
            for commands in &sessions {
                let mut visit = Visit::new("root", true);
                for line in commands.iter().take(60) {
                    let start = Instant::now();
                    let ended = tokio::time::timeout(Duration::from_secs(2), visit.run(line)).await;
                    lines += 1;
                    if start.elapsed() > Duration::from_millis(300) {
                        late.push((start.elapsed(), line.chars().take(120).collect::<String>()));
                    }
                    match ended {
                        Ok((_, _, finished)) if finished.exited => break,
                        Ok((_, _, finished)) => unknown += usize::from(!finished.not_found.is_empty()),
                        Err(_) => {}
                    }
                }
            }
            eprintln!(
                "{} sessions, {lines} lines, {unknown} with an unknown command, {} late",
                sessions.len(),
                late.len()
            );
            for (time, line) in late.iter().take(20) {
                eprintln!("  {time:?} {line:?}");
            }
            assert!(lines >= sessions.len());
            assert!(late.len() * 20 < lines, "more than one line in twenty was late");
        });
    });
}
