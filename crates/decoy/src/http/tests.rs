//! HTTP beyond the transcripts: events, bodies, compression, limits, and input that nobody means.

use std::{io::Read as _, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    machine::files::Owner,
    memory::Holding,
    oracle::{Answer, Ask, Oracle, Question},
    testing::{Done, contact, crowded, starvations, visit},
};

async fn talk(contact: &Contact, pieces: &[&[u8]]) -> Done {
    visit(&mut Http::new(contact.clone()), pieces).await
}

fn requests(done: &Done) -> Vec<(&str, &str, u16, u64)> {
    done.noted
        .iter()
        .filter_map(|kind| match kind {
            EventKind::HttpRequest { method, target, status, body_size, .. } => {
                Some((method.as_str(), target.as_str(), *status, *body_size))
            }
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn every_request_is_noted_once_and_its_body_kept() {
    let done = talk(&contact(), &[
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nu=",
        b"a&pPOST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGARBAGE\r\n",
    ]).await;
    assert_eq!(
        requests(&done),
        [("GET", "/", 200, 0), ("POST", "/login", 404, 5), ("POST", "/", 405, 3), ("", "", 400, 0)]
    );
    assert_eq!(
        done.kept.iter().map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>(),
        [&b"u=a&p"[..], b"abc"]
    );
    let EventKind::HttpRequest { raw_b64, .. } = done.noted.last().unwrap() else { panic!("no request") };
    assert_eq!(raw_b64.as_deref(), Some("R0FSQkFHRQ0K"));
    assert_eq!(done.hung_up, Some(0));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_at_once_and_kept_in_part() {
    let mut contact = contact();
    contact.limits.upload_bytes = 10;
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n";
    let done = talk(&contact, &[head, &[b'x'; 64]]).await;
    assert!(done.text().starts_with("HTTP/1.1 413 Request Entity Too Large\r\n"));
    assert_eq!(requests(&done), [("POST", "/", 413, 10)]);
    assert_eq!(done.kept[0].1, b"xxxxxxxxxx");
}

#[tokio::test]
async fn a_file_stored_in_the_web_root_is_served() {
    let contact = contact();
    let files = contact.visitor.files();
    files.write("/var/www/html/x.sh", b"#!/bin/sh\n", &Owner::ROOT, 0o644).unwrap();
    files.write("/var/www/html/secret", b"no", &Owner::ROOT, 0o600).unwrap();
    files.symlink("/etc/passwd", "/var/www/html/link", &Owner::ROOT).unwrap();
    let done = talk(&contact, &[b"GET /x.sh HTTP/1.0\r\n\r\n"]).await;
    assert!(done.text().ends_with("\r\n\r\n#!/bin/sh\n"));
    assert!(
        talk(&contact, &[b"GET /secret HTTP/1.0\r\n\r\n"]).await.text().starts_with("HTTP/1.1 403 Forbidden")
    );
    // The worker follows links, as nginx does; the file is the machine's own.
    assert!(talk(&contact, &[b"GET /link HTTP/1.0\r\n\r\n"]).await.text().contains("root:x:0:0:"));
}

#[tokio::test]
async fn a_compressed_page_unpacks_to_the_page() {
    let contact = contact();
    let plain = talk(&contact, &[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]).await.said;
    let packed = talk(&contact, &[b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"]).await.said;
    let body_of = |said: &[u8]| said[memchr::memmem::find(said, b"\r\n\r\n").unwrap() + 4..].to_vec();
    let mut body = body::Body::chunks();
    let (coded, mut data) = (body_of(&packed), Vec::new());
    assert_eq!(body.take(&mut coded.as_slice(), |piece| data.extend_from_slice(piece)), Progress::Done);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(data.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, body_of(&plain));
    assert!(data.len() < unpacked.len());
}

struct Writer;

#[async_trait]
impl Oracle for Writer {
    async fn ask(&self, question: Question) -> Answer {
        match question.what {
            Ask::Page { method, target } => {
                Answer { text: format!("<p>{method} {target}</p>").into(), invented: true }
            }
            _ => Answer { text: question.otherwise, invented: false },
        }
    }
}

#[tokio::test]
async fn only_pages_of_programs_are_invented() {
    let asked = Contact { oracle: Arc::new(Writer), ..contact() };
    let done = talk(
        &asked,
        &[b"GET /wp-login.php?x=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /nothere HTTP/1.1\r\nHost: x\r\n\r\n"],
    )
    .await;
    assert!(done.text().contains("<p>GET /wp-login.php?x=1</p>"));
    assert_eq!(requests(&done), [("GET", "/wp-login.php?x=1", 200, 0), ("GET", "/nothere", 404, 0)]);
    let silent = talk(&contact(), &[b"GET /wp-login.php HTTP/1.1\r\nHost: x\r\n\r\n"]).await;
    assert!(silent.text().starts_with("HTTP/1.1 404 Not Found"));
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    for begin in [&b"GET /"[..], b"GET / HTTP/1.1\r\nA: "] {
        let mut http = Http::new(contact());
        let stage = Stage::new();
        http.hear(begin, &stage).await;
        for _ in 0..100 {
            http.hear(&[b'a'; 1000], &stage).await;
            assert!(http.held.len() < 40_000);
        }
        let done = Done::take(&stage);
        assert!(done.text().starts_with("HTTP/1.1 4"), "{}", done.text());
        assert_eq!(done.noted.iter().filter(|kind| matches!(kind, EventKind::HttpRequest { .. })).count(), 1);
        assert!(done.noted.iter().any(|kind| matches!(kind, EventKind::LimitHit { .. })));
    }
}

#[tokio::test]
async fn what_was_begun_is_noted_when_the_visitor_goes() {
    let done = talk(&contact(), &[b"\x16\x03\x01"]).await;
    assert_eq!(requests(&done), [("", "", 400, 0)]);
    let done = talk(&contact(), &[b"GET / HT"]).await;
    assert_eq!(requests(&done), [("", "", 0, 0)]);
    let done = talk(&contact(), &[b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"]).await;
    assert_eq!(requests(&done), [("POST", "/", 405, 3)]);
}

fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a HTTP/1.0\r\n",
        "HEAD /docs HTTP/1.1\r\n",
        "Host: x\r\n",
        "\r\n",
        "\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "0\r\n\r\n",
        "Range: bytes=0-1\r\n",
        "Connection: close\r\n",
        "If-None-Match: *\r\n",
        "GET /%2e%2e/ HTTP/1.1\r\n",
    ]);
    prop_oneof![
        4 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

#[tokio::test]
async fn empty_lines_before_a_request_are_not_kept() {
    let (mut http, stage) = (Http::new(contact()), Stage::new());
    http.open(&stage).await;
    for _ in 0..100 {
        http.hear(&b"\r\n".repeat(1000), &stage).await;
        assert!(http.held.is_empty());
    }
    http.hear(b"\r\nGET / HT", &stage).await;
    http.hear(b"TP/1.0\r\n\r\n", &stage).await;
    assert!(Done::take(&stage).text().starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn large_pages_go_out_as_they_are_and_apart() {
    let contact = contact();
    let size = 300 * 1024;
    let write = |name: &str, size: usize| {
        let who = crate::machine::Owner::ROOT;
        contact
            .visitor
            .files()
            .write(&format!("/var/www/html/{name}"), &vec![b'x'; size], &who, 0o644)
            .unwrap();
    };
    write("large.html", size);
    write("small.html", 100 * 1024);
    let get = async |method: &str, name: &str| {
        let request = format!("{method} /{name} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
        let (mut http, stage) = (Http::new(contact.clone()), Stage::new());
        let (hear, mut said) = (async { http.hear(request.as_bytes(), &stage).await }, Vec::new());
        let mut hear = std::pin::pin!(hear);
        loop {
            tokio::select! {
                biased;
                () = &mut hear => break,
                () = tokio::task::yield_now() => said.extend(Done::take(&stage).said),
            }
        }
        said.extend(Done::take(&stage).said);
        String::from_utf8_lossy(&said).into_owned()
    };
    let large = get("GET", "large.html").await;
    assert!(large.contains("Content-Length: 307200\r\n") && !large.contains("gzip"), "{}", &large[..300]);
    assert!(large.ends_with(&"x".repeat(size)));
    let small = get("HEAD", "small.html").await;
    assert!(small.contains("Content-Encoding: gzip\r\n") && small.ends_with("\r\n\r\n"), "{small}");
    assert!(get("GET", "small.html").await.ends_with("\r\n0\r\n\r\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_answers(input in proptest::collection::vec(any_piece(), 0..16), piece in 1usize..40) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let input = input.concat();
        let pieces: Vec<&[u8]> = input.chunks(piece).collect();
        let whole = runtime.block_on(talk(&contact(), &[&input]));
        let cut = runtime.block_on(talk(&contact(), &pieces));
        prop_assert_eq!(whole.text(), cut.text());
        prop_assert_eq!(requests(&whole), requests(&cut));
    }
}

#[tokio::test]
async fn bodies_under_way_share_one_memory() {
    let contact = crowded();
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n";
    let done = talk(&contact, &[head, &[b'x'; 8000], &[b'x'; 22_000]]).await;
    assert_eq!((done.kept[0].1.len(), starvations(&done.noted)), (8000, 1), "kept as far as there was room");
    assert_eq!(contact.visitor.uploads().taken(), 0);
    // While another connection holds it all, a request with a body is not taken.
    let mut other = Holding::new(contact.visitor.uploads());
    assert!(other.reach(8 * 1024));
    let done = talk(&contact, &[head, b"xyz"]).await;
    assert!(done.text().starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{}", done.text());
    assert!(starvations(&done.noted) > 0 && done.kept.is_empty());
    let done = talk(&contact, &[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]).await;
    assert_eq!(requests(&done)[0].2, 200, "who brings nothing is served");
}
