//! Section 6: HTTP.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::{Findings, ask};

/// How the SHA-256 of known front pages begin.
const PAGES: &[&str] = &["c59e04f4", "d405fe3c", "351190a7", "576137c8", "1118635a"];

/// Every row of the section.
pub async fn look(port: u16, findings: &mut Findings) {
    let get = async |target: &str| {
        ask(port, &[format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()])
            .await
    };
    let body =
        |answer: &str| answer.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned());
    let strange = ask(port, &[b"GET / HTTP/1337\r\nHost: x\r\n\r\n"]).await;
    findings.fires_on("HTTP-01", &strange, &["aiohttp", "Bad status line"]);
    let verb = ask(port, &[b"AAAA / HTTP/1.1\r\nHost: x\r\n\r\n"]).await;
    findings.fires_on(
        "HTTP-02",
        &verb,
        &["<?xml", "501", "Allow: OPTIONS, GET, HEAD, POST\r\nContent-Length: 0"],
    );
    let elastic = get("/_cluster/settings").await;
    findings.fires_on("HTTP-03", &elastic, &["index_not_found_exception", "Green Goblin", "89d3241"]);
    let front = get("/").await;
    let hash = hex::encode(Sha256::digest(body(&front)));
    findings.fires_if("HTTP-04", PAGES.iter().any(|page| hash.starts_with(page)), hash.clone());
    findings.fires_on("HTTP-04", &front, &["Project Gutenberg"]);
    findings.fires_if("HTTP-05", !front.contains("\r\nServer: nginx/1.22.1\r\n"), "not Debian 12's nginx");
    let mut statuses = BTreeSet::new();
    let mut bodies = BTreeSet::new();
    for target in [
        "/nothing-here",
        "/phpmyadmin/",
        "/.env",
        "/.git/config",
        "/admin/",
        "/../../etc/passwd",
        "/wp-login.php",
    ] {
        let answer = get(target).await;
        statuses.insert(answer.get(9..12).unwrap_or_default().to_owned());
        findings.fires_on("HTTP-06", &answer, &["root:x:0:0"]);
        bodies.insert(body(&answer));
    }
    findings.fires_if(
        "HTTP-06",
        statuses.contains("200"),
        format!("nothing is there, and it says {statuses:?}"),
    );
    bodies.insert(body(&front));
    findings.fires_if("HTTP-06", bodies.len() < 2, "one page for every path");
    let large = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(10_000));
    let wrong = [
        verb,
        ask(port, &[b"GET / HTTP/9.9\r\nHost: x\r\n\r\n"]).await,
        ask(port, &[large.as_bytes()]).await,
    ];
    let kinds: BTreeSet<&str> =
        wrong.iter().map(|answer| answer.split("\r\n\r\n").last().unwrap_or_default()).collect();
    findings.fires_if("HTTP-07", kinds.len() < 2, format!("{kinds:?}"));
    findings.fires_on("HTTP-08", &front, &["Citrix", "Cisco", "T-Pot"]);
    for target in ["/wp-login.php", "/.git/", "/.env"] {
        let length = get(target).await.len();
        findings.fires_if("HTTP-09", length > 64 * 1024, format!("{target}: {length} bytes"));
    }
}
