//! One visit over SSH, the same way on both sides.

use std::time::Duration;

use acceptance::clients::Ssh;
use serde::{Deserialize, Serialize};

use super::{allowed::Mode, units::Unit};

/// What one line gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Standard output; at a terminal everything that was shown after the line was accepted.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit status, as the server or `echo $?` tells it.
    pub status: Option<u32>,
}

/// Longest that one line may take.
const PATIENCE: Duration = Duration::from_secs(12);
/// What bash sends when it has accepted a line, and before its next prompt.
const ACCEPTED: &str = "\x1b[?2004l\r";
const PROMPTED: &str = "\x1b[?2004h";

/// Plays all visits, so many at once.
pub async fn all<F: Future<Output = Option<Vec<Outcome>>>>(
    units: &[Unit],
    name: &str,
    at_once: usize,
    play: impl Fn(Unit) -> F,
) -> Vec<Option<Vec<Outcome>>> {
    super::in_order(units.iter().cloned(), units.len(), name, at_once, play).await
}

/// Plays a visit on a connection that is logged in.
pub async fn on(mut ssh: Ssh, unit: &Unit) -> Option<Vec<Outcome>> {
    if unit.mode == Mode::Exec {
        let line = unit.lines.first()?;
        let output = ssh.exec_within(line, PATIENCE).await.ok()?;
        ssh.leave().await;
        return Some(vec![Outcome { out: output.out, err: output.err, status: output.status }]);
    }
    let mut shell = ssh.shell_of(1000, 50).await.ok()?;
    let mut outcomes = Vec::new();
    for line in &unit.lines {
        let Some(shown) = shell.line(line, PATIENCE).await else {
            // Its last words, if the shell has ended.
            outcomes.push(Outcome { out: after_echo(&shell.take_shown()), ..Outcome::default() });
            break;
        };
        let shown = after_echo(&shown);
        let status = shell.line("echo $?", PATIENCE).await.map(|shown| after_echo(&shown));
        let status = status.and_then(|shown| shown.trim().lines().next()?.trim().parse().ok());
        outcomes.push(Outcome { out: shown, err: String::new(), status });
        if shell.has_ended() {
            break;
        }
    }
    ssh.leave().await;
    Some(outcomes)
}

/// What stands between the echo of the line and the next prompt. The prompt is compared too, without its brackets.
fn after_echo(shown: &str) -> String {
    let after = shown
        .split_once(ACCEPTED)
        .map_or_else(|| shown.split_once("\r\n").map_or(shown, |(_, rest)| rest), |(_, rest)| rest);
    after.replace(PROMPTED, "").replace("\r\n", "\n")
}
