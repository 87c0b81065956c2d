//! Many buckets at once: those that fail and those that bring something share one writer and never wait for each other in a ring.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixtures;

use std::time::Duration;

use fixtures::bucket::{FakeBucket, Mode};
use fixtures::events::visit;
use fixtures::site;

const EACH: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_noted_while_others_are_being_written() {
    let site = site::embedded("\n[registration]\nallowed_networks = [\"127.0.0.0/8\"]\n").await;
    let mut buckets = Vec::new();
    for n in 0..EACH * 2 {
        let bucket = FakeBucket::start(&format!("CROWDC{n:02}")).await;
        site.enrol(&bucket).await;
        if n % 2 == 0 {
            bucket.set(Mode::RefusesToken);
        } else {
            let visits = (0..6_u64).flat_map(|v| {
                visit(
                    &bucket.name,
                    v * 8 + 1,
                    &format!("00000000{n:02x}{v:02x}"),
                    "192.0.2.1",
                    ["a", "b", "c"],
                )
            });
            bucket.log(visits.collect::<Vec<_>>());
            bucket.state.lock().unwrap().at_once = 8;
        }
        buckets.push(bucket);
    }
    // Far more than it takes, far less than a ring of waiting lasts: five times a minute for the only writer.
    let patience = Duration::from_secs(50);
    for job in ["update_buckets", "extract_logs"] {
        let (_, report) =
            tokio::time::timeout(patience, site.attempt(job)).await.expect("the job stands still");
        assert_eq!(
            (report["answered"].as_u64(), report["troubles"].as_array().map(Vec::len)),
            (Some(EACH as u64), Some(EACH)),
            "{job}: {report}"
        );
    }
    assert_eq!(site.number("SELECT COUNT(*) FROM objects").await, (EACH * 6) as i64);
    assert_eq!(site.number("SELECT COUNT(*) FROM buckets WHERE failures = 2").await, EACH as i64);
}
