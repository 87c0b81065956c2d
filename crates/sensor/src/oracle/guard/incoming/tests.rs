//! Lines for a model are stopped, lines for a server are not.

use super::*;

/// Written for this test: each line is sent in hope that a model behind the server obeys.
const HOSTILE: &str = include_str!("../../../../tests/injections.txt");
/// What servers are sent on an ordinary day.
const HARMLESS: &str = include_str!("../../../../tests/harmless.txt");

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).collect()
}

#[test]
fn instructions_to_a_model_do_not_reach_it() {
    let hostile = lines(HOSTILE);
    assert!(hostile.len() >= 200, "{}", hostile.len());
    let missed: Vec<&&str> = hostile.iter().filter(|line| reason(line).is_none()).collect();
    println!("guard in: {} of {} stopped", hostile.len() - missed.len(), hostile.len());
    assert!(missed.len() * 100 <= hostile.len() * 2, "{missed:#?}");
}

#[test]
fn what_servers_are_sent_passes() {
    let harmless = lines(HARMLESS);
    assert!(harmless.len() >= 100, "{}", harmless.len());
    let stopped: Vec<_> = harmless.iter().filter_map(|line| Some((line, reason(line)?))).collect();
    println!("guard in: {} of {} harmless lines stopped", stopped.len(), harmless.len());
    assert!(stopped.is_empty(), "{stopped:#?}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_looked_at(text in "\\PC{0,400}") {
        let _reason = reason(&text);
    }
}
