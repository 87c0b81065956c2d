//! What a bucket may answer instead of its log: each is refused, told, and tried again; nothing is lost or doubled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixtures;

use fixtures::bucket::{FakeBucket, Mode};
use fixtures::events::visit;
use fixtures::site;

const ALLOWED: &str = "\n[registration]\nallowed_networks = [\"127.0.0.0/8\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_answer_is_refused_told_and_tried_again() {
    let site = site::embedded(ALLOWED).await;
    let (bad, good) = (FakeBucket::start("BADBAD01").await, FakeBucket::start("GOODGOO2").await);
    site.enrol(&bad).await;
    site.enrol(&good).await;
    bad.log(visit(&bad.name, 1, "0000000000a1", "192.0.2.1", ["a", "b", "c"]));
    let mut expected = 0;
    for (mode, told) in [
        (Mode::RefusesToken, "refuses its token"),
        (Mode::Truncated, "broke off"),
        (Mode::WrongDigest, "digest is"),
        (Mode::TenGigabytes, "more than 16777216 bytes"),
        (Mode::Endless, "more than 16777216 bytes"),
        (Mode::Bomb, "more than 16777216 bytes"),
        (Mode::BrokenZstd, "cannot be unpacked"),
        (Mode::LinesWithoutSeq, "line 1 has no sequence number"),
        (Mode::WrongHeaders, "first sequence number is 1, not 2"),
        (Mode::Repeats, "has sequence number 1 after 8"),
        (Mode::Redirects, "status 302"),
        (Mode::ServerError, "status 500"),
        (Mode::NotHttp, "no connection"),
        (Mode::UnknownEncoding, "`content-encoding` is missing or wrong"),
        (Mode::Silent, "no whole answer within 4s"),
    ] {
        bad.set(mode.clone());
        good.log(visit(
            &good.name,
            expected * 8 + 1,
            &format!("0000000000b{expected:x}"),
            "192.0.2.2",
            ["d", "e", "f"],
        ));
        expected += 1;
        let (_, report) = site.attempt("extract_logs").await;
        let trouble = report["troubles"][0]["error"].as_str().unwrap_or_default().to_owned();
        assert!(trouble.contains(told), "{mode:?}: {report}");
        assert_eq!(report["troubles"][0]["bucket"], bad.name.as_str());
        // The other is not kept from its turn.
        assert_eq!(
            (report["answered"].as_u64(), report["events"].as_u64()),
            (Some(1), Some(8)),
            "{mode:?}: {report}"
        );
        let row = site.works.store.bucket(&bad.name).await.unwrap().unwrap();
        assert_eq!(
            (row.acked_seq, row.failures, row.last_error.as_deref()),
            (0, expected, Some(trouble.as_str())),
            "{mode:?}"
        );
        assert!(row.next_try_at > registry::time::now_ms(), "{mode:?}: it is left alone for a while");
    }
    assert_eq!(site.number("SELECT COUNT(*) FROM objects").await, 15);
    bad.set(Mode::Honest);
    assert_eq!(site.run("extract_logs").await["events"], 8);
    site.run("parse_logs").await;
    let row = site.works.store.bucket(&bad.name).await.unwrap().unwrap();
    assert_eq!((row.acked_seq, row.failures, row.last_error), (8, 0, None));
    assert_eq!(site.number("SELECT COUNT(*) FROM events").await, 8 * 16);
    assert_eq!(site.number("SELECT COUNT(*) FROM rejects").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_for_a_job_now_gets_every_bucket_called() {
    let site = site::embedded(ALLOWED).await;
    let bucket = FakeBucket::start("BACKBAC1").await;
    site.enrol(&bucket).await;
    bucket.log(visit(&bucket.name, 1, "0000000000a1", "192.0.2.1", ["a", "b", "c"]));
    bucket.set(Mode::RefusesToken);
    let store = &site.works.store;
    let job = registry::jobs::named("extract_logs").unwrap();
    let patience = std::time::Duration::from_secs(30);
    let by_hand = || async {
        // Hours to wait, were it left to the schedule.
        site.sql("UPDATE buckets SET next_try_at = next_try_at + 9000000 WHERE failures > 0").await;
        registry::jobs::scheduler::run_now(job, &site.works, patience).await.unwrap().unwrap().report
    };
    for _ in 0..2 {
        let report = by_hand().await;
        assert_eq!((report["called"].as_u64(), report["answered"].as_u64()), (Some(1), Some(0)), "{report}");
    }
    bucket.set(Mode::Honest);
    assert_eq!(by_hand().await["events"], 8);
    // From the page and the API a job is nudged, and the scheduler claims it.
    store.note_failure(1, "away", registry::time::now_ms() + 9_000_000).await.unwrap();
    assert!(store.claim_job("update_buckets", "scheduled", 1, 0, false).await.unwrap().is_none());
    site.sql("UPDATE jobs SET next_due_at = 0").await;
    assert!(store.claim_job("update_buckets", "scheduled", 9_000_000, 0, false).await.unwrap().is_some());
    assert!(store.callable_buckets(registry::time::now_ms()).await.unwrap().is_empty(), "the schedule waits");
    assert!(store.nudge_job("update_buckets").await.unwrap());
    assert!(store.claim_job("update_buckets", "nudged", 9_000_000, 0, false).await.unwrap().is_some());
    assert_eq!(store.callable_buckets(registry::time::now_ms()).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_certificate_is_refused_before_the_token_is_sent() {
    let site = site::embedded(ALLOWED).await;
    let (bucket, thief) = (FakeBucket::start("CERTCER1").await, FakeBucket::start("THIEFTH2").await);
    site.enrol(&bucket).await;
    bucket.log(visit(&bucket.name, 1, "0000000000a1", "192.0.2.1", ["a", "b", "c"]));
    thief.log(visit(&bucket.name, 1, "0000000000a1", "192.0.2.1", ["x", "y", "z"]));
    // Somebody else answers at its address.
    let port = i64::from(thief.address.port());
    let moved = registry::store::Query::new("UPDATE buckets SET management_port = ?").bind(port);
    site.works.store.engine().execute(moved).await.unwrap();
    let (well, report) = site.attempt("extract_logs").await;
    assert!(!well && report["troubles"][0]["error"].as_str().unwrap().contains("certificate"), "{report}");
    assert!(thief.state.lock().unwrap().asked.is_empty(), "not even a request is sent");
    // It enrols again from its new place, with its old token and its new certificate: then it is called.
    let mut again = bucket.enrolment("");
    again["management_port"] = thief.address.port().to_string().into();
    again["certificate_sha256"] = thief.pin.clone().into();
    assert_eq!(site.post(again.to_string()).await.0, 200);
    let (_, report) = site.attempt("extract_logs").await;
    assert!(report["troubles"][0]["error"].as_str().unwrap().contains("refuses its token"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_allowed_no_more_is_not_called() {
    let site = site::embedded(ALLOWED).await;
    let bucket = FakeBucket::start("ADDRADD1").await;
    site.enrol(&bucket).await;
    site.sql("UPDATE buckets SET ip_address = '169.254.169.254'").await;
    let (_, report) = site.attempt("update_buckets").await;
    assert!(report["troubles"][0]["error"].as_str().unwrap().contains("link-local"), "{report}");
    site.sql("UPDATE buckets SET ip_address = '127.0.0.1', certificate_sha256 = NULL").await;
    assert_eq!(site.run("extract_logs").await["called"], 0);
    assert_eq!(site.run("health_check").await["unpinned"][0], bucket.name.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_buckets_delay_no_other() {
    let site = site::embedded(ALLOWED).await;
    let mut silent = Vec::new();
    for n in 0..8 {
        let bucket = FakeBucket::start(&format!("SLOWSLO{n}")).await;
        bucket.set(Mode::Silent);
        site.enrol(&bucket).await;
        silent.push(bucket);
    }
    let good = FakeBucket::start("ZZZZZZZ9").await;
    good.log(visit(&good.name, 1, "0000000000b0", "192.0.2.2", ["d", "e", "f"]));
    site.enrol(&good).await;
    let (well, report) = site.attempt("extract_logs").await;
    assert!(well && report["answered"] == 1 && report["events"] == 8, "{report}");
    let kept = site.number("SELECT stored_at FROM objects").await;
    let waits =
        site.column("SELECT CONCAT(last_error_at, '') FROM buckets WHERE last_error IS NOT NULL").await;
    assert_eq!(waits.len(), 8);
    // The last in the alphabet did not wait for any of the others.
    assert!(waits.iter().all(|gave_up| gave_up.parse::<i64>().unwrap() > kept), "{kept} {waits:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_was_changed_in_the_archive_is_not_filed() {
    let site = site::embedded(ALLOWED).await;
    let bucket = FakeBucket::start("ROTROTR1").await;
    site.enrol(&bucket).await;
    bucket.log(visit(&bucket.name, 1, "0000000000a1", "192.0.2.1", ["a", "b", "c"]));
    site.run("extract_logs").await;
    let key = site.column("SELECT object_key FROM objects").await.remove(0);
    let archive = &site.works.archive;
    let kept = archive.get(&key, 1 << 20).await.unwrap();
    for wrong in [b"rubbish".to_vec(), zstd::encode_all(b"{}\n".as_slice(), 1).unwrap()] {
        archive.put(&key, wrong.into()).await.unwrap();
        let (well, report) = site.attempt("parse_logs").await;
        assert!(!well && report["troubles"][0]["object"] == key.as_str(), "{report}");
        assert_eq!(site.number("SELECT COUNT(*) FROM events").await, 0);
    }
    // Left to a person after five attempts, and told.
    for _ in 0..3 {
        assert!(!site.attempt("parse_logs").await.0);
    }
    assert!(site.attempt("parse_logs").await.0, "it is tried no more");
    assert!(!site.attempt("health_check").await.0);
    assert_eq!(site.works.store.findings(10).await.unwrap()[0].kind, "object.unreadable");
    assert_eq!(site.works.store.reread_objects(Some(&bucket.name)).await.unwrap(), 1);
    archive.put(&key, kept).await.unwrap();
    assert!(site.attempt("parse_logs").await.0);
    assert_eq!(site.number("SELECT COUNT(*) FROM events").await, 8);
}
