//! Recorded visits with a model of fixed latency: how often it is asked, on first sight and later, and what that costs.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use acceptance::{
    Bucket,
    bucket::{PASSWORD, Ports},
    clients::Ssh,
    corpora,
    report::{Figure, Target, figure},
    standins::{Dialect, StandIn, Way},
};
use futures::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

/// What the stand-in takes for an answer.
const LATENCY: Duration = Duration::from_millis(200);
/// How long a program may keep the terminal before Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Visits at the same time: few, so that the time of a command is its own.
const AT_ONCE: usize = 3;
/// Programs that wait on purpose, as a network makes them wait: their lines have no time of their own.
const WAITING: [&str; 10] =
    ["wget", "curl", "tftp", "ftpget", "ping", "apt", "apt-get", "nslookup", "ssh", "timeout"];
/// The visits, in an order of their own, are taken for those of a week.
const DAYS: usize = 7;
/// Priced by the list.
const MODEL: &str = "gpt-5.6-luna";

/// Plays the visits twice, from new addresses the second time.
pub async fn measure(quick: bool) -> Vec<Figure> {
    let Some(sessions) = sessions(if quick { 120 } else { 400 }) else { return Vec::new() };
    let model = StandIn::doing(Dialect::OpenAi, Way::after(LATENCY, |_| "done".to_owned())).await;
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(vec!["chatgpt".into()]));
    bucket.set(&["chat", "budget_per_day"], 1000.0);
    bucket.set(&["openai", "base_url"], model.url.clone());
    bucket.set(&["openai", "model"], MODEL);
    bucket.start().await;
    let mut passes = Vec::new();
    for pass in 0..2_usize {
        eprintln!("replay, pass {} of 2: {} visits", pass + 1, sessions.len());
        let before = model.count();
        let mut times = Vec::new();
        let mut days = Vec::new();
        for part in sessions.chunks(sessions.len().div_ceil(DAYS)) {
            let asked = model.count();
            let offset = pass * 20_000 + days.len() * 1_000;
            let took: Vec<Vec<Option<f64>>> = stream::iter(part.iter().enumerate())
                .map(|(number, lines)| play(&bucket.ports, offset + number, lines))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            let part_times: Vec<Option<f64>> = took.into_iter().flatten().collect();
            days.push((model.count() - asked) as f64 / part_times.len().max(1) as f64);
            times.extend(part_times);
        }
        passes.push((model.count() - before, times, days));
    }
    bucket.assert_sound();
    bucket.stop();
    let events = bucket.events();
    let asked: Vec<_> = events
        .iter()
        .filter(|event| event["eventid"] == "rustbucket.chat.answer" && event["tokens_in"].as_u64() > Some(0))
        .collect();
    let tokens: u64 = asked
        .iter()
        .map(|e| e["tokens_in"].as_u64().unwrap_or(0) + e["tokens_out"].as_u64().unwrap_or(0))
        .sum();
    let usd: f64 = asked.iter().filter_map(|event| event["cost_usd"].as_f64()).sum();
    let visits = sessions.len() as f64;
    let share =
        |(count, times, _): &(usize, Vec<Option<f64>>, Vec<f64>)| *count as f64 / times.len().max(1) as f64;
    let curve: Vec<String> = passes[0].2.iter().map(|share| format!("{:.1}", share * 100.0)).collect();
    let mut all: Vec<f64> = passes.iter().flat_map(|(_, times, _)| times.iter().flatten().copied()).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
    let note = format!(
        "{} commands of {} visits; a week of them, per cent that asked by day: {}",
        passes[0].1.len(),
        sessions.len(),
        curve.join(" ")
    );
    vec![
        figure("asked_first_share", share(&passes[0]), "", Some(Target::AtMost(0.05)), note),
        figure(
            "asked_second_share",
            share(&passes[1]),
            "",
            Some(Target::AtMost(0.01)),
            "the same visits from new addresses",
        ),
        figure(
            "asked_last_day_share",
            passes[0].2.last().copied().unwrap_or_default(),
            "",
            None,
            format!(
                "the seventh day of that week; {:.4} on its first",
                passes[0].2.first().copied().unwrap_or_default()
            ),
        ),
        figure("calls_per_session", passes[0].0 as f64 / visits, "", None, "first sight"),
        figure(
            "tokens_per_session",
            tokens as f64 / visits,
            "tokens",
            None,
            "both ways, both passes together",
        ),
        figure(
            "usd_per_session",
            usd / visits,
            "USD",
            None,
            format!("list prices of {MODEL}, both passes together"),
        ),
        figure(
            "command_p50_ms",
            at(0.5),
            "ms",
            None,
            "all commands of both passes but those that wait on purpose",
        ),
        figure(
            "command_p95_ms",
            at(0.95),
            "ms",
            Some(Target::Below(50.0)),
            format!(
                "the stand-in takes {} ms; {} commands wait on purpose, as for a network, or for input",
                LATENCY.as_millis(),
                passes.iter().flat_map(|(_, times, _)| times).filter(|time| time.is_none()).count()
            ),
        ),
        figure(
            "command_p99_ms",
            at(0.99),
            "ms",
            None,
            "all commands of both passes but those that wait on purpose",
        ),
    ]
}

/// Visits that can be typed, evenly taken from all and mixed, so that no day is another's kind: no control characters and nothing that sleeps, which would measure the sleep.
fn sessions(most: usize) -> Option<Vec<Vec<String>>> {
    let mut all = corpora::read("sessions_open.jsonl")?;
    all.sort_by_cached_key(|record| Sha256::digest(record["session_id"].as_str().unwrap_or_default()));
    let visits: Vec<Vec<String>> = all
        .iter()
        .map(|record| corpora::texts(record, "commands"))
        .filter(|lines| !lines.is_empty())
        .filter(|lines| {
            lines.iter().all(|line| {
                !line.trim().is_empty() && !line.chars().any(char::is_control) && !line.contains("sleep")
            })
        })
        .collect();
    let step = (visits.len() / most).max(1);
    Some(visits.into_iter().step_by(step).take(most).collect())
}

/// Milliseconds of each command, where it has a time of its own.
async fn play(ports: &Ports, number: usize, lines: &[String]) -> Vec<Option<f64>> {
    let [high, low] = u16::try_from(number).expect("few visits").to_be_bytes();
    let source = Ipv4Addr::new(127, 30, high, low);
    let mut times = Vec::new();
    let Ok(Some(mut ssh)) = Ssh::log_in_from(source, ports.ssh, "root", PASSWORD).await else { return times };
    let Ok(mut shell) = ssh.shell().await else { return times };
    for line in lines {
        let since = Instant::now();
        let done = shell.line(line, PATIENCE).await.is_some();
        let took = since.elapsed();
        // Nor has a program that waits for its input until Ctrl-C.
        let waits =
            line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| WAITING.contains(&word));
        times.push((took < PATIENCE && !waits).then_some(took.as_secs_f64() * 1000.0));
        if !done {
            break;
        }
    }
    ssh.leave().await;
    times
}
