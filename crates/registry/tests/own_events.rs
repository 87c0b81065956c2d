//! What a bucket says of itself (start, stop, lost events) is filed like everything else, and is no visit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixtures;

use fixtures::bucket::FakeBucket;
use fixtures::events::line;
use fixtures::site;
use wire::event::NO_SESSION;
use wire::{EventKind, Protocol};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buckets_own_events_are_filed_and_are_no_visit() {
    let site = site::embedded("\n[registration]\nallowed_networks = [\"127.0.0.0/8\"]\n").await;
    let bucket = FakeBucket::start("OWNOWNO1").await;
    site.enrol(&bucket).await;
    let kinds = [
        EventKind::Start { version: "0.1.0".into(), listeners: vec!["ssh:22".into()] },
        EventKind::LogGap { from_seq: 40, to_seq: 44, bytes: 5000, reason: "the disk was full".into() },
        EventKind::Stop { reason: "SIGTERM".into() },
    ];
    // As the sensor stamps them: no visitor, no address.
    let own = |(kind, seq)| {
        let text = line(&bucket.name, seq, NO_SESSION, "", Protocol::Rustbucket, kind);
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        (value["dst_ip"], value["src_port"], value["dst_port"]) = ("".into(), 0.into(), 0.into());
        value.to_string()
    };
    bucket.log(kinds.into_iter().zip(1..).map(own).collect::<Vec<_>>());
    site.run("extract_logs").await;
    let report = site.run("parse_logs").await;
    assert_eq!((report["events"].as_u64(), report["rejects"].as_u64()), (Some(3), Some(0)), "{report}");
    assert_eq!(
        site.column("SELECT eventid FROM events WHERE src_ip = '' ORDER BY seq").await,
        ["rustbucket.start", "rustbucket.log.gap", "rustbucket.stop"]
    );
    assert_eq!(site.number("SELECT COUNT(*) FROM logs").await, 3);
    assert_eq!(site.number("SELECT COUNT(*) FROM sessions").await, 0);
    let gaps = site.column("SELECT CONCAT(from_seq, '-', to_seq, ' ', source, ' ', reason) FROM gaps").await;
    assert_eq!(gaps, ["40-44 bucket the disk was full"]);
}
