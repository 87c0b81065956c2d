//! What asking costs, in numbers: counters and histograms for `/metrics`.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use parking_lot::Mutex;

/// Upper ends of the latency buckets, in seconds.
const ENDS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 30.0];
/// The most label pairs: names of models come from settings and providers, never from visitors, but are bounded all the same.
const MOST: usize = 256;

/// Sums by provider or model and by kind.
#[derive(Default)]
pub struct Telemetry(Mutex<State>);

#[derive(Default)]
struct State {
    by_kind: BTreeMap<(String, &'static str), Sums>,
    /// Answers without a call, by kind.
    cached: BTreeMap<&'static str, u64>,
    /// Questions answered by the machine itself, by kind and reason.
    fallbacks: BTreeMap<(&'static str, String), u64>,
    /// What the guard stopped or refused, by direction and reason.
    guard: BTreeMap<(&'static str, &'static str), u64>,
}

#[derive(Default)]
struct Sums {
    calls: u64,
    tokens_in: u64,
    tokens_out: u64,
    usd: f64,
    seconds: f64,
    buckets: [u64; ENDS.len()],
}

impl Telemetry {
    /// A call that a model answered.
    pub fn call(&self, model: &str, kind: &'static str, tokens: (u64, u64), usd: f64, took: Duration) {
        let mut state = self.0.lock();
        if state.by_kind.len() >= MOST && !state.by_kind.contains_key(&(model.to_owned(), kind)) {
            return;
        }
        let sums = state.by_kind.entry((model.to_owned(), kind)).or_default();
        let seconds = took.as_secs_f64();
        sums.calls += 1;
        sums.tokens_in += tokens.0;
        sums.tokens_out += tokens.1;
        sums.usd += usd;
        sums.seconds += seconds;
        for (end, bucket) in ENDS.iter().zip(&mut sums.buckets) {
            *bucket += u64::from(seconds <= *end);
        }
    }

    /// A fact was found.
    pub fn cached(&self, kind: &'static str) {
        *self.0.lock().cached.entry(kind).or_default() += 1;
    }

    /// The question's `otherwise` was used.
    pub fn fallback(&self, kind: &'static str, reason: &str) {
        let mut state = self.0.lock();
        if state.fallbacks.len() < MOST || state.fallbacks.contains_key(&(kind, reason.to_owned())) {
            *state.fallbacks.entry((kind, reason.to_owned())).or_default() += 1;
        }
    }

    /// The guard stopped a question (`in`) or refused an answer (`out`).
    pub fn guard(&self, direction: &'static str, reason: &'static str) {
        *self.0.lock().guard.entry((direction, reason)).or_default() += 1;
    }

    /// All lines in the Prometheus text format. Writing to a `String` has no way to fail.
    pub fn text(&self, facts: (usize, usize)) -> String {
        let state = self.0.lock();
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            write!(out, "# HELP rustbucket_chat_{name} {help}\n# TYPE rustbucket_chat_{name} {kind}\n")
                .unwrap_or_default();
        };
        type Of = fn(&Sums) -> f64;
        let sums: [(&str, &str, Of); 4] = [
            ("calls_total", "Answers of a model.", |sums| sums.calls as f64),
            ("tokens_in_total", "Tokens of prompts.", |sums| sums.tokens_in as f64),
            ("tokens_out_total", "Tokens of answers.", |sums| sums.tokens_out as f64),
            ("usd_total", "US dollars.", |sums| sums.usd),
        ];
        for (name, help, of) in sums {
            head(&mut out, name, "counter", help);
            for ((model, kind), sums) in &state.by_kind {
                let labels = format!("model=\"{}\",kind=\"{kind}\"", escaped(model));
                writeln!(out, "rustbucket_chat_{name}{{{labels}}} {}", of(sums)).unwrap_or_default();
            }
        }
        head(&mut out, "seconds", "histogram", "Time to the whole answer.");
        for ((model, kind), sums) in &state.by_kind {
            let labels = format!("model=\"{}\",kind=\"{kind}\"", escaped(model));
            for (end, bucket) in ENDS.iter().zip(&sums.buckets) {
                writeln!(out, "rustbucket_chat_seconds_bucket{{{labels},le=\"{end}\"}} {bucket}")
                    .unwrap_or_default();
            }
            writeln!(out, "rustbucket_chat_seconds_bucket{{{labels},le=\"+Inf\"}} {}", sums.calls)
                .unwrap_or_default();
            writeln!(out, "rustbucket_chat_seconds_sum{{{labels}}} {}", sums.seconds).unwrap_or_default();
            writeln!(out, "rustbucket_chat_seconds_count{{{labels}}} {}", sums.calls).unwrap_or_default();
        }
        head(&mut out, "cached_total", "counter", "Questions answered by a fact.");
        for (kind, count) in &state.cached {
            writeln!(out, "rustbucket_chat_cached_total{{kind=\"{kind}\"}} {count}").unwrap_or_default();
        }
        head(&mut out, "fallback_total", "counter", "Questions answered by the machine itself.");
        for ((kind, reason), count) in &state.fallbacks {
            writeln!(
                out,
                "rustbucket_chat_fallback_total{{kind=\"{kind}\",reason=\"{}\"}} {count}",
                escaped(reason)
            )
            .unwrap_or_default();
        }
        head(&mut out, "guard_total", "counter", "Questions stopped and answers refused.");
        for ((direction, reason), count) in &state.guard {
            writeln!(
                out,
                "rustbucket_chat_guard_total{{direction=\"{direction}\",reason=\"{reason}\"}} {count}"
            )
            .unwrap_or_default();
        }
        head(&mut out, "facts", "gauge", "Facts kept.");
        writeln!(out, "rustbucket_chat_facts {}", facts.0).unwrap_or_default();
        head(&mut out, "fact_bytes", "gauge", "Bytes of facts kept.");
        writeln!(out, "rustbucket_chat_fact_bytes {}", facts.1).unwrap_or_default();
        out
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_buckets_add_up() {
        let telemetry = Telemetry::default();
        for ms in [10, 300, 700_000] {
            telemetry.call("m\"x", "program", (100, 20), 0.001, Duration::from_millis(ms));
        }
        telemetry.cached("file");
        telemetry.guard("out", "refusal");
        telemetry.fallback("page", "budget");
        let text = telemetry.text((2, 300));
        for line in [
            "rustbucket_chat_calls_total{model=\"m\\\"x\",kind=\"program\"} 3",
            "rustbucket_chat_tokens_in_total{model=\"m\\\"x\",kind=\"program\"} 300",
            "rustbucket_chat_seconds_bucket{model=\"m\\\"x\",kind=\"program\",le=\"0.05\"} 1",
            "rustbucket_chat_seconds_bucket{model=\"m\\\"x\",kind=\"program\",le=\"30\"} 2",
            "rustbucket_chat_seconds_bucket{model=\"m\\\"x\",kind=\"program\",le=\"+Inf\"} 3",
            "rustbucket_chat_cached_total{kind=\"file\"} 1",
            "rustbucket_chat_guard_total{direction=\"out\",reason=\"refusal\"} 1",
            "rustbucket_chat_fallback_total{kind=\"page\",reason=\"budget\"} 1",
            "rustbucket_chat_facts 2",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
    }
}
