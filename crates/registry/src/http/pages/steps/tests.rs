//! Steps of events that are hostile, broken or new.

use super::*;

fn step(eventid: &str, line: Option<&str>) -> Step {
    let event = EventRow {
        seq: 7,
        at: 65_432,
        eventid: eventid.to_owned(),
        message: "CMD: id".to_owned(),
        username: None,
        password: None,
        input: Some("id".to_owned()),
        shasum: None,
        log_id: 1,
        line: line.map(str::to_owned),
    };
    Step::new(&event, 0)
}

#[test]
fn bytes_that_are_no_text_are_shown_as_they_came() {
    let typed =
        step("cowrie.command.input", Some(r#"{"input":"a\ufffd","input_b64":"Yf8=","truncated":true}"#));
    assert_eq!(typed.text.unwrap().to_string(), "a<span class=\"mark\">\\xff</span>");
    assert!(typed.truncated);
    assert_eq!((typed.offset.as_str(), typed.look), ("+1:05.432", Look::Typed));
}

#[test]
fn a_line_that_is_gone_or_broken_leaves_what_the_columns_hold() {
    for line in [None, Some("not json"), Some("[]")] {
        assert_eq!(step("cowrie.command.input", line).text.unwrap().to_string(), "id");
    }
}

#[test]
fn every_event_there_is_has_a_title() {
    // Events without a visitor are in no session.
    let ours = ["rustbucket.start", "rustbucket.stop", "rustbucket.log.gap"];
    for id in wire::EventKind::IDS.iter().filter(|id| !ours.contains(id)) {
        assert_ne!(step(id, Some("{}")).title, "Event", "{id} has no look of its own");
    }
    let unknown = step("cowrie.new.thing", Some(r#"{"message":"m","what":"<b>"}"#));
    assert_eq!(unknown.folded[0].1.to_string(), "{&quot;what&quot;:&quot;&lt;b&gt;&quot;}");
}
