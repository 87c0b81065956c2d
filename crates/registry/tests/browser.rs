//! A person at a real browser: signs in, looks at the fleet, reads a session, runs a job.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly

mod fixture;
mod webdriver;

use fixture::{BUCKET, PASSWORD, Registry, SESSION, WAITING, client};
use webdriver::Browser;

#[tokio::test]
async fn a_person_does_the_rounds() {
    let registry = Registry::start().await;
    let Some(browser) = Browser::start(client()).await else { return };
    let at = |path: &str| format!("{}{path}", registry.url);

    browser.open(&at("/sessions?protocol=ssh")).await;
    browser.expect("h1", "Sign in").await;
    browser.picture("sign-in").await;
    browser.type_into("#name", "adam").await;
    browser.type_into("#password", "not my password").await;
    browser.click("button.main").await;
    browser.expect("[role=alert]", "do not fit").await;
    // A refused password is the one thing a console reports here.
    let console = browser.console().await;
    assert!(console.iter().all(|line| line.contains("401")), "{console:?}");
    browser.type_into("#password", PASSWORD).await;
    browser.click("button.main").await;
    browser.expect("h1", "Sessions").await;
    assert!(
        browser.url().await.ends_with("/sessions?protocol=ssh"),
        "signing in leads where one wanted to go"
    );
    browser.expect("nav a[aria-current=page]", "Sessions").await;
    browser.picture("sessions").await;

    browser.click(".brand").await;
    browser.expect("h1", "Fleet").await;
    browser.expect("main", BUCKET).await;
    assert_eq!(
        browser.ask("return getComputedStyle(document.querySelector('.tiles')).display").await,
        "grid",
        "the style sheet is there"
    );
    browser.picture("fleet").await;
    browser.click(&format!("button[aria-label='Approve {WAITING}']")).await;
    browser.expect("[role=status]", "approved").await;
    browser.expect("h1", "not reached yet").await;
    browser.picture("bucket").await;
    assert_eq!(registry.store.bucket(WAITING).await.unwrap().unwrap().status.as_str(), "active");

    browser.click("nav a[href='/sessions']").await;
    browser.type_into("#text", "<script>").await;
    browser.click(".filter button").await;
    browser.click(&format!("a[href='/sessions/{BUCKET}/{SESSION}']")).await;
    browser.expect(".steps", "Connected").await;
    let read = browser.text(".steps").await;
    for text in [
        "<script>alert(1)</script>",
        "ESC]0;ownedBEL",
        "U+202Egpj.exe",
        "Login accepted",
        "Wanted a file fetched",
    ] {
        assert!(read.contains(text), "{text} in {read}");
    }
    assert!(!browser.alert().await, "nothing a visitor typed runs");
    assert_eq!(
        browser.ask("return document.querySelectorAll('main img, main script, main svg').length").await,
        0
    );
    let wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(browser.ask(wide).await, true, "no sideways scrolling");
    browser.picture("transcript").await;

    browser.click("nav a[href='/analyses']").await;
    browser.expect("h1", "Analyses").await;
    browser.picture("analyses").await;
    browser.click(".cards h2 a").await;
    assert!(browser.text(".prose").await.contains("Summary <script>alert(9)</script>"));
    browser.picture("analysis").await;
    browser.click("nav a[href='/findings']").await;
    browser.expect("h1", "Findings").await;
    browser.picture("findings").await;
    browser.click("nav a[href='/jobs']").await;
    browser.click("button[aria-label='Run parse_logs now']").await;
    browser.expect("[role=status]", "asked to run").await;
    assert!(registry.store.job("parse_logs").await.unwrap().unwrap().nudged);
    browser.picture("jobs").await;
    browser.click("nav a[href='/people']").await;
    browser.type_into("#token-name", "siem").await;
    browser.click("form[action='/people/tokens'] button").await;
    browser.expect(".secret", "rbt_").await;
    browser.picture("people").await;

    browser.prefer("dark").await;
    for (name, path) in [
        ("fleet-dark", "/"),
        ("transcript-dark", &format!("/sessions/{BUCKET}/{SESSION}")),
        ("jobs-dark", "/jobs"),
    ] {
        browser.open(&at(path)).await;
        browser.picture(name).await;
    }
    browser.resize(420, 900).await;
    for (name, path) in [
        ("fleet-narrow", "/"),
        ("transcript-narrow", &format!("/sessions/{BUCKET}/{SESSION}")),
        ("sessions-narrow", "/sessions"),
    ] {
        browser.open(&at(path)).await;
        assert_eq!(browser.ask(wide).await, true, "{path} fits a narrow window");
        browser.picture(name).await;
    }
    let console = browser.console().await;
    assert!(console.is_empty(), "{console:?}");
    browser.ask("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')").await;
    assert!(!browser.console().await.is_empty(), "the console would have told");
    browser.click(".me button").await;
    browser.expect("h1", "Sign in").await;
    browser.open(&at("/")).await;
    assert!(browser.url().await.contains("/sign-in"), "signed out");
}
