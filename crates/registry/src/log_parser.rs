//! One line of a bucket's log -> one event, or the reason why it is none. Any bytes are answered, none trusted.

use serde::Deserialize;

use crate::time::parse_timestamp;

/// The longest line that is filed; a longer one is rejected. Both engines hold it, and so does one packet of MySQL.
pub const LINE_LIMIT: usize = 4 * 1024 * 1024;
/// Who a visitor may be taken for.
pub const LABELS: [&str; 3] = ["human", "script", "agent"];
/// Longest `eventid` that is filed.
const EVENTID_LIMIT: usize = 128;
/// Longest session, address, protocol and UUID that is filed.
const NAME_LIMIT: usize = 64;

/// An event as the tables take it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedEvent {
    /// Position in the bucket's log.
    pub seq: u64,
    /// Unique to the event.
    pub event_uuid: String,
    /// What happened.
    pub eventid: String,
    /// The visit.
    pub session: String,
    /// `ssh` and so on.
    pub protocol: String,
    /// The visitor; empty when the event belongs to no visit.
    pub src_ip: String,
    /// The visitor's port.
    pub src_port: u16,
    /// The bucket's port.
    pub dst_port: u16,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// A sentence.
    pub message: String,
    /// Of a login.
    pub username: Option<String>,
    /// Of a login.
    pub password: Option<String>,
    /// Of a command.
    pub input: Option<String>,
    /// Of a file.
    pub shasum: Option<String>,
    /// The client's own name for itself.
    pub client: Option<String>,
    /// Who the visitor was taken for: `human`, `script` or `agent`.
    pub label: Option<String>,
    /// Of a session that ended, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Events the bucket says it lost: first, last, bytes, reason.
    pub gap: Option<(u64, u64, u64, String)>,
}

impl ParsedEvent {
    /// Whether it belongs to a visit.
    pub fn has_session(&self) -> bool {
        self.session != wire::event::NO_SESSION
    }
}

/// The fields this file looks at; every other field stays in the line.
#[derive(Deserialize)]
struct Line {
    seq: u64,
    eventid: String,
    event_uuid: String,
    sensor: String,
    session: String,
    protocol: String,
    src_ip: String,
    src_port: u16,
    dst_port: u16,
    timestamp: String,
    message: String,
    username: Option<String>,
    password: Option<String>,
    input: Option<String>,
    shasum: Option<String>,
    version: Option<serde_json::Value>,
    label: Option<serde_json::Value>,
    duration_ms: Option<u64>,
    from_seq: Option<u64>,
    to_seq: Option<u64>,
    bytes: Option<u64>,
    reason: Option<String>,
    headers: Option<serde_json::Value>,
}

/// Reads one line that `bucket` sent.
pub fn parse_line(line: &[u8], bucket: &str) -> Result<ParsedEvent, String> {
    if line.len() > LINE_LIMIT {
        return Err(format!("the line has {} bytes, more than {LINE_LIMIT}", line.len()));
    }
    let text = std::str::from_utf8(line).map_err(|error| format!("not UTF-8: {error}"))?;
    let line: Line = serde_json::from_str(text).map_err(|error| format!("not an event: {error}"))?;
    let limits = [
        ("eventid", &line.eventid, EVENTID_LIMIT),
        ("event_uuid", &line.event_uuid, NAME_LIMIT),
        ("session", &line.session, NAME_LIMIT),
        ("protocol", &line.protocol, 32),
        ("src_ip", &line.src_ip, NAME_LIMIT),
    ];
    for (name, value, limit) in limits {
        // Behind the bucket's own events stands no visitor.
        let nobody = name == "src_ip" && line.session == wire::event::NO_SESSION;
        if (value.is_empty() && !nobody) || value.len() > limit {
            return Err(format!("`{name}` must have 1 to {limit} bytes, it has {}", value.len()));
        }
    }
    if line.sensor != bucket {
        return Err(format!("`sensor` is {:?}, but the line came from {bucket}", clipped(&line.sensor, 80)));
    }
    if line.seq == 0 || i64::try_from(line.seq).is_err() {
        return Err(format!("`seq` {} is out of range", line.seq));
    }
    let at = parse_timestamp(&line.timestamp)
        .ok_or_else(|| format!("`timestamp` {:?} is not a time", clipped(&line.timestamp, 80)))?;
    let client = match line.eventid.as_str() {
        "cowrie.client.version" => line.version.as_ref().and_then(|v| v.as_str()).map(str::to_owned),
        "rustbucket.http.request" => line.headers.as_ref().and_then(user_agent),
        _ => None,
    };
    let label = line.label.as_ref().and_then(|label| label.as_str());
    let known = |label: &&str| line.eventid == "rustbucket.session.label" && LABELS.contains(label);
    let label = label.filter(known).map(str::to_owned);
    let gap = (line.eventid == "rustbucket.log.gap").then(|| {
        let reason = line.reason.clone().unwrap_or_default();
        (line.from_seq.unwrap_or(0), line.to_seq.unwrap_or(0), line.bytes.unwrap_or(0), reason)
    });
    Ok(ParsedEvent {
        seq: line.seq,
        event_uuid: line.event_uuid,
        eventid: line.eventid,
        session: line.session,
        protocol: line.protocol,
        src_ip: line.src_ip,
        src_port: line.src_port,
        dst_port: line.dst_port,
        at,
        message: line.message,
        username: line.username,
        password: line.password,
        input: line.input,
        shasum: line.shasum.filter(|sum| is_sha256(sum)),
        client: client.map(|text| clipped(&text, 255)),
        label,
        duration_ms: line.duration_ms,
        gap,
    })
}

/// The `User-Agent` among `[["name","value"],…]`.
fn user_agent(headers: &serde_json::Value) -> Option<String> {
    headers.as_array()?.iter().find_map(|pair| {
        let name = pair.get(0)?.as_str()?;
        name.eq_ignore_ascii_case("user-agent").then(|| pair.get(1)?.as_str().map(str::to_owned)).flatten()
    })
}

/// Whether the text is a SHA-256 in lower-case hex, and therefore a safe path.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The first `limit` characters.
pub fn clipped(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BUCKET: &str = "rustbucket-AbCd1234";

    fn line() -> serde_json::Value {
        serde_json::json!({
            "eventid": "cowrie.login.failed", "message": "login attempt [root/1] failed", "username": "root", "password": "1",
            "timestamp": "2026-11-21T20:01:02.000001Z", "sensor": BUCKET, "uuid": "u", "session": "0123456789ab",
            "src_ip": "192.0.2.1", "src_port": 40000, "dst_ip": "192.0.2.2", "dst_port": 22, "protocol": "ssh",
            "seq": 7, "boot_id": "b", "event_uuid": "e-7", "schema": 1
        })
    }

    fn reason(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut value = line();
        change(&mut value);
        parse_line(value.to_string().as_bytes(), BUCKET).unwrap_err()
    }

    #[test]
    fn an_event_of_the_wire_is_read() {
        let event = parse_line(line().to_string().as_bytes(), BUCKET).unwrap();
        assert_eq!(
            (event.seq, event.eventid.as_str(), event.username.as_deref()),
            (7, "cowrie.login.failed", Some("root"))
        );
        assert_eq!((event.src_port, event.dst_port, event.at % 1_000_000), (40000, 22, 1));
    }

    #[test]
    fn an_unknown_event_of_a_newer_bucket_is_read() {
        let mut value = line();
        value["eventid"] = "rustbucket.next.year".into();
        value["unheard_of"] = serde_json::json!({"a": [1, 2]});
        assert_eq!(parse_line(value.to_string().as_bytes(), BUCKET).unwrap().eventid, "rustbucket.next.year");
    }

    #[test]
    fn the_buckets_own_events_have_no_visitor() {
        let mut value = line();
        value["eventid"] = "rustbucket.start".into();
        value["session"] = wire::event::NO_SESSION.into();
        (value["src_ip"], value["dst_ip"]) = ("".into(), "".into());
        (value["src_port"], value["dst_port"]) = (0.into(), 0.into());
        let event = parse_line(value.to_string().as_bytes(), BUCKET).unwrap();
        assert_eq!((event.src_ip.as_str(), event.has_session()), ("", false));
    }

    #[test]
    fn a_line_that_is_no_event_says_why() {
        assert!(reason(|v| drop(v.as_object_mut().unwrap().remove("seq"))).contains("missing field `seq`"));
        assert!(reason(|v| v["seq"] = 0.into()).contains("out of range"));
        assert!(reason(|v| v["seq"] = u64::MAX.into()).contains("out of range"));
        assert!(reason(|v| v["sensor"] = "rustbucket-other000".into()).contains("came from"));
        assert!(reason(|v| v["timestamp"] = "yesterday".into()).contains("is not a time"));
        assert!(reason(|v| v["session"] = "x".repeat(65).into()).contains("`session` must have 1 to 64"));
        assert!(reason(|v| v["src_ip"] = "".into()).contains("`src_ip`"));
        assert!(
            reason(|v| {
                v["session"] = wire::event::NO_SESSION.into();
                v["src_ip"] = "x".repeat(65).into();
            })
            .contains("`src_ip`")
        );
        assert!(parse_line(b"{\"eventid\": \"\xff\"}", BUCKET).unwrap_err().contains("UTF-8"));
        assert!(parse_line(&vec![b' '; LINE_LIMIT + 1], BUCKET).unwrap_err().contains("more than"));
    }

    #[test]
    fn the_name_of_a_client_is_found() {
        let mut value = line();
        value["eventid"] = "rustbucket.http.request".into();
        value["headers"] = serde_json::json!([["Host", "x"], ["user-agent", "curl/8"], []]);
        assert_eq!(
            parse_line(value.to_string().as_bytes(), BUCKET).unwrap().client.as_deref(),
            Some("curl/8")
        );
        value["headers"] = serde_json::json!([[], "x", 3]);
        assert_eq!(parse_line(value.to_string().as_bytes(), BUCKET).unwrap().client, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(event) = parse_line(&bytes, BUCKET) {
                prop_assert!(event.seq > 0);
            }
        }

        #[test]
        fn any_change_of_an_event_is_answered(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
            let mut bytes = line().to_string().into_bytes();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            if let Ok(event) = parse_line(&bytes, BUCKET) {
                prop_assert!(event.session.len() <= NAME_LIMIT && event.eventid.len() <= EVENTID_LIMIT);
            }
        }

        #[test]
        fn text_of_a_visitor_comes_through(input in "\\PC*") {
            let mut value = line();
            value["eventid"] = "cowrie.command.input".into();
            value["input"] = input.clone().into();
            let event = parse_line(value.to_string().as_bytes(), BUCKET).unwrap();
            prop_assert_eq!(event.input, Some(input));
        }
    }
}
