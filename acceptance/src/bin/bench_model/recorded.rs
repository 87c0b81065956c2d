//! The guard and what language models were recorded to say as web servers, asked by attackers and by people who wanted them to
//! betray themselves: what would have got through.

use std::{collections::BTreeMap, time::SystemTime};

use acceptance::{
    corpora,
    report::{Figure, Target, figure},
};
use decoy::{Ask, machine::Identity};
use sensor::oracle::{
    guard::outgoing::{Outgoing, check},
    templates::Templates,
};

/// Which answers no server gives.
const BETRAYALS: &str = include_str!("betrayals.txt");

/// Puts every recorded answer before the guard, as if our model had given it.
pub fn measure() -> Vec<Figure> {
    let Some(rows) = corpora::read("galah_llm_responses.jsonl") else { return Vec::new() };
    let now = SystemTime::now();
    let identity = Identity::draw(b"recorded answers", now, None, None);
    let sentences = Templates::default().sentences();
    let guard = Outgoing { identity: &identity, now, sentences: &sentences };
    let (mut betrayals, mut stopped, mut fine, mut passed) = (0, 0, 0, 0);
    let mut reasons = BTreeMap::<&str, usize>::new();
    for row in &rows {
        // Some of the models gave no answer at all.
        let Some(body) = row["response_body"].as_str() else { continue };
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let kind = row["response_headers"]["Content-Type"].as_str().unwrap_or("text/html");
        let answer = format!("HTTP/1.1 200 OK\nContent-Type: {kind}\n\n{body}");
        let what = Ask::Page { method: text("method"), target: text("target") };
        let verdict = check(&answer, &what, &guard);
        let name = format!("{} {}", text("request_id"), text("model"));
        if BETRAYALS.lines().any(|line| line == name) {
            betrayals += 1;
            stopped += usize::from(verdict.is_err());
            if verdict.is_ok() {
                eprintln!("let through: {name} {body:?}");
            }
        } else {
            fine += 1;
            passed += usize::from(verdict.is_ok());
            if let Err(reason) = verdict {
                *reasons.entry(reason).or_default() += 1;
                eprintln!("stopped ({reason}): {name} {:?}", body.chars().take(160).collect::<String>());
            }
        }
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    vec![
        figure(
            "guard_out_stopped_share",
            share(stopped, betrayals),
            "",
            Some(Target::AtLeast(0.95)),
            format!("{stopped} of {betrayals} recorded answers of ten models in which one betrays itself"),
        ),
        figure(
            "guard_out_passed_share",
            share(passed, fine),
            "",
            Some(Target::AtLeast(0.8)),
            format!(
                "{passed} of {fine} other recorded answers; stopped for: {} (shape: not what its content type says)",
                reasons.join(", ")
            ),
        ),
    ]
}
