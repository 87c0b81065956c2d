//! `POST /register_bucket`: every status of the interface, every fault named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixtures;

use fixtures::bucket::FakeBucket;
use fixtures::site::{self, Site};
use registry::store::Status;

const ALLOWED: &str = "allowed_networks = [\"127.0.0.0/8\"]\n";

async fn status(site: &Site, body: &serde_json::Value) -> (u16, String) {
    let (code, answer) = site.post(body.to_string()).await;
    (code, answer["status"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_key_lets_a_bucket_register_and_its_token_speaks_for_it_from_then_on() {
    let site = site::embedded(&format!("[registration]\n{ALLOWED}")).await;
    let bucket = FakeBucket::start("KEYKEYK1").await;
    let unauthorized = (401, "unauthorized".to_owned());
    assert_eq!(status(&site, &bucket.enrolment("")).await, unauthorized);
    assert_eq!(status(&site, &bucket.enrolment("rbk_wrong")).await, unauthorized);
    let key = site.key().await;
    assert_eq!(status(&site, &bucket.enrolment(&key)).await, (200, "pending".into()));
    assert_eq!(site.run("update_buckets").await["called"], 0, "a key alone approves nobody");
    site.works.store.decide_bucket(&bucket.name, Status::Active, "a person").await.unwrap();
    // Again, with new figures and without the key; the row follows.
    let mut again = bucket.enrolment("");
    again["uptime"] = "99".into();
    assert_eq!(status(&site, &again).await, (200, "active".into()));
    let row = site.works.store.bucket(&bucket.name).await.unwrap().unwrap();
    assert_eq!((row.uptime.as_str(), row.management_port), ("99", bucket.address.port()));
    assert_eq!(row.decided_by.as_deref(), Some("a person"));
    assert!(!row.token_sealed.contains(&bucket.token), "the token is not kept as it is");
    // The same name with another token, even with a key.
    let mut other = bucket.enrolment(&key);
    other["token"] = "another-0123456789abcdef0123456789".into();
    assert_eq!(status(&site, &other).await, (409, "name_taken".into()));
    // Shut out.
    site.works.store.decide_bucket(&bucket.name, Status::Revoked, "a test").await.unwrap();
    assert_eq!(status(&site, &bucket.enrolment(&key)).await, (403, "revoked".into()));
    let audit: Vec<String> =
        site.works.store.audit(10).await.unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(audit, ["bucket.revoked", "bucket.active", "bucket.register", "key.add"]);
}

#[tokio::test]
async fn a_key_may_come_in_a_header_and_is_spent() {
    let site = site::embedded(&format!("[registration]\n{ALLOWED}")).await;
    let (one, two) = (FakeBucket::start("USESUSE1").await, FakeBucket::start("USESUSE2").await);
    let store = &site.works.store;
    store.add_registration_key(&registry::password::digest("once"), Some(1), None, "a test").await.unwrap();
    store.add_registration_key(&registry::password::digest("late"), None, Some(1), "a test").await.unwrap();
    assert_eq!(status(&site, &two.enrolment("late")).await.0, 401);
    let send = |bucket: &FakeBucket| {
        let request = site.client.post(format!("{}/register", site.url)).header("X-API-Key", "once");
        request.body(bucket.enrolment("").to_string()).send()
    };
    assert_eq!(send(&one).await.unwrap().status(), 200);
    assert_eq!(send(&two).await.unwrap().status(), 401, "one use, one bucket");
    assert_eq!(send(&one).await.unwrap().status(), 200, "a known bucket needs no key");
    let keys = store.registration_keys().await.unwrap();
    assert!(keys.iter().any(|key| key.uses_left == Some(0)));
    assert!(store.revoke_registration_key(keys[0].id, "a test").await.unwrap());
}

#[tokio::test]
async fn without_keys_a_bucket_waits_for_a_person_and_not_too_many_do() {
    let site =
        site::embedded(&format!("[registration]\nrequire_key = false\nmax_pending = 2\n{ALLOWED}")).await;
    let buckets = [
        FakeBucket::start("PENDPEN1").await,
        FakeBucket::start("PENDPEN2").await,
        FakeBucket::start("PENDPEN3").await,
    ];
    assert_eq!(status(&site, &buckets[0].enrolment("")).await, (200, "pending".into()));
    assert_eq!(status(&site, &buckets[0].enrolment("")).await, (200, "pending".into()));
    assert_eq!(site.run("update_buckets").await["called"], 0, "who waits is not called");
    assert_eq!(status(&site, &buckets[1].enrolment("")).await, (200, "pending".into()));
    assert_eq!(status(&site, &buckets[2].enrolment("")).await, (429, "too_many".into()));
    site.works.store.decide_bucket(&buckets[0].name, Status::Active, "a test").await.unwrap();
    assert_eq!(status(&site, &buckets[0].enrolment("")).await, (200, "active".into()));
    assert_eq!(site.run("update_buckets").await["answered"], 1);
}

#[tokio::test]
async fn whoever_approves_all_approves_all() {
    let site =
        site::embedded(&format!("[registration]\nrequire_key = false\nauto_approve = true\n{ALLOWED}")).await;
    let bucket = FakeBucket::start("AUTOAUT1").await;
    assert_eq!(status(&site, &bucket.enrolment("")).await, (200, "active".into()));
}

#[tokio::test]
async fn keys_and_approval_are_two_settings() {
    let site =
        site::embedded(&format!("[registration]\nrequire_key = true\nauto_approve = true\n{ALLOWED}")).await;
    let bucket = FakeBucket::start("BOTHBOT1").await;
    assert_eq!(status(&site, &bucket.enrolment("")).await, (401, "unauthorized".into()));
    assert_eq!(status(&site, &bucket.enrolment(&site.key().await)).await, (200, "active".into()));
    let row = site.works.store.bucket(&bucket.name).await.unwrap().unwrap();
    assert_eq!(row.decided_by.as_deref(), Some("registration.auto_approve"));
}

#[tokio::test]
async fn faults_are_all_named() {
    let site = site::embedded("").await;
    let (code, answer) =
        site.post("{\"name\":\"x\",\"token\":\"short\",\"ip_address\":\"10.0.0.1\",\"uptime\":7}").await;
    assert_eq!((code, answer["status"].as_str()), (400, Some("invalid")));
    assert_eq!(answer["errors"].as_array().unwrap().len(), 4, "{answer}");
    assert_eq!(site.post("nonsense").await.0, 400);
    assert_eq!(site.post(Vec::new()).await.0, 400);
    assert_eq!(site.post(vec![0xff; 100]).await.0, 400);
    let bucket = FakeBucket::start("LOOPLOO1").await;
    let (code, answer) = site.post(bucket.enrolment("k").to_string()).await;
    assert_eq!(code, 400);
    assert!(answer["errors"][0].as_str().unwrap().contains("127.0.0.1 is loopback"), "{answer}");
    let (code, answer) = site.post(vec![b' '; 1024 * 1024]).await;
    assert_eq!((code, answer["status"].as_str()), (413, Some("too_large")));
    assert_eq!(site.number("SELECT COUNT(*) FROM buckets").await, 0);
}

#[tokio::test]
async fn a_source_that_asks_too_often_is_told_so() {
    let site = site::embedded(&format!("[registration]\nper_minute = 3\n{ALLOWED}")).await;
    for _ in 0..3 {
        assert_eq!(site.post("{}").await.0, 400);
    }
    let (code, answer) = site.post("{}").await;
    assert_eq!((code, answer["status"].as_str()), (429, Some("too_many")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_many_want_at_once_goes_to_one() {
    let site = site::embedded(&format!("[registration]\nrequire_key = false\n{ALLOWED}")).await;
    let bucket = FakeBucket::start("RACERAC1").await;
    let posts = (0..12).map(|n| {
        let mut body = bucket.enrolment("");
        body["token"] = format!("token-{n:02}-0123456789abcdef0123456789").into();
        let site = &site;
        async move { status(site, &body).await.0 }
    });
    let mut codes = futures::future::join_all(posts).await;
    codes.sort_unstable();
    assert_eq!(codes, [vec![200], vec![409; 11]].concat());
}
