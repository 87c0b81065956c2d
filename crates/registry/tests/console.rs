//! Pages and API over HTTP: who may do what, what hostile data looks like, how signing in works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly

mod fixture;

use fixture::{BUCKET, HOSTILE, PASSWORD, Registry, SESSION, WAITING, client};
use registry::{
    http::{
        console::routes,
        route::{Caller, Face, Route},
    },
    store::Role,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

/// Who walks the table.
#[derive(Clone, Debug)]
enum Walker {
    Nobody,
    Browser(Role),
    Program(Role),
    Bucket,
}

fn path_of(route: &Route, registry: &Registry) -> String {
    let name = if route.path.contains("jobs") { "parse_logs" } else { WAITING };
    let id = if route.path.contains("analyses") { registry.analysis.to_string() } else { "1".to_owned() };
    route
        .path
        .replace("{name}", name)
        .replace("{bucket}", BUCKET)
        .replace("{session}", SESSION)
        .replace("{id}", &id)
        .replace("{sha256}", &"cd".repeat(32))
        .replace("{seq}", "1")
}

async fn walk(registry: &Registry, route: &Route, walker: &Walker) -> reqwest::Response {
    let url = format!("{}{}", registry.url, path_of(route, registry));
    let mut request = client().request(route.method.clone(), url);
    let mut form =
        vec![("name", "new".to_owned()), ("role", "viewer".to_owned()), ("password", PASSWORD.to_owned())];
    match walker {
        Walker::Nobody => {}
        Walker::Browser(role) => {
            let name = ["vera", "anna", "adam"][*role as usize];
            let (cookie, csrf) = registry.sign_in(name).await;
            request = request.header(header::COOKIE, cookie);
            form.push(("csrf", csrf));
        }
        Walker::Program(role) => request = request.bearer_auth(registry.token(*role).await),
        Walker::Bucket => request = request.bearer_auth("a-bucket-token-of-32-characters-or-more"),
    }
    if route.method == Method::POST {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn every_route_lets_in_whom_its_table_row_names() {
    let registry = Registry::start().await;
    let roles = [Role::Viewer, Role::Analyst, Role::Admin];
    let mut walkers = vec![Walker::Nobody, Walker::Bucket];
    walkers.extend(roles.map(Walker::Browser));
    walkers.extend(roles.map(Walker::Program));
    let routes = routes();
    assert!(routes.len() > 30);
    for route in &routes {
        for walker in &walkers {
            let what = format!("{} {} as {walker:?}", route.method, route.path);
            let answer = walk(&registry, route, walker).await;
            let status = answer.status();
            assert!(!status.is_server_error(), "{what}: {status}");
            let role = match walker {
                Walker::Browser(role) => Some(*role),
                Walker::Program(role) if route.face == Face::Api => Some(*role),
                _ => None,
            };
            let to_sign_in = answer
                .headers()
                .get(header::LOCATION)
                .is_some_and(|l| l.to_str().unwrap().starts_with("/sign-in?"));
            match (route.caller.role(), role) {
                _ if route.caller == Caller::LocalOrViewer => assert_eq!(status, StatusCode::OK, "{what}"),
                (None, _) => assert!(!to_sign_in && status != StatusCode::FORBIDDEN, "{what}: {status}"),
                (Some(_), None) if route.face == Face::Page => assert!(to_sign_in, "{what}: {status}"),
                (Some(_), None) => assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}"),
                (Some(least), Some(role)) if role < least => {
                    assert_eq!(status, StatusCode::FORBIDDEN, "{what}")
                }
                (Some(_), Some(_)) => {
                    let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
                    assert!(!to_sign_in && !refused, "{what}: {status}");
                }
            }
        }
    }
}

async fn page(registry: &Registry, path: &str) -> String {
    let (cookie, _) = registry.sign_in("adam").await;
    let url = format!("{}{path}", registry.url);
    let answer = client().get(url).header(header::COOKIE, cookie).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn hostile_text_is_text_on_every_page() {
    let registry = Registry::start().await;
    let transcript = format!("/sessions/{BUCKET}/{SESSION}");
    let analysis = format!("/analyses/{}", registry.analysis);
    let paths = [
        "/",
        &format!("/buckets/{BUCKET}"),
        "/sessions",
        &transcript,
        "/analyses",
        &analysis,
        "/findings",
        "/artifacts",
        "/sessions?label=human",
        "/jobs",
        "/jobs/extract_logs",
        "/people",
        "/sessions?text=%3Cscript%3E%22%27&bucket=%22%3E%3Cimg%20src%3Dx%3E",
        "/?text=%3C/title%3E%3Cscript%3E",
    ];
    for path in paths {
        let html = page(&registry, path).await;
        for bad in [
            "<script",
            "<img src=x",
            "<svg",
            "onerror=alert(3)>",
            "<b>",
            "<i>lib",
            "\u{1b}",
            "\0",
            "\u{202e}",
            "\u{200b}",
            "\u{fffd}",
        ] {
            assert!(!html.contains(bad), "{bad:?} on {path}");
        }
        assert!(!html.contains("style=") && !html.contains("onclick"), "inline style or script on {path}");
    }
    let html = page(&registry, &transcript).await;
    for good in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<span class=\"mark\">ESC</span>[2J",
        "<span class=\"mark\">U+202E</span>gpj.exe",
        "nul<span class=\"mark\">NUL</span>here",
        "bytes <span class=\"mark\">\\xff</span>",
        "p<span class=\"mark\">\\xff</span><span class=\"mark\">\\xfe</span><span class=\"mark\">ESC</span>[0m",
        "Login accepted",
        "The visitor sent more than the bucket keeps",
    ] {
        assert!(html.contains(good), "{good}");
    }
    let order: Vec<_> = HOSTILE.iter().map(|_| ()).zip(html.match_indices("class=\"step typed\"")).collect();
    assert_eq!(order.len(), HOSTILE.len(), "every command is there");
}

#[tokio::test]
async fn answers_forbid_what_pages_do_not_need() {
    let registry = Registry::empty().await;
    for path in ["/sign-in", "/", "/api/buckets", "/nothing", "/static/style.css"] {
        let answer = client().get(format!("{}{path}", registry.url)).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(
            header("content-security-policy").starts_with("default-src 'none'; style-src 'self';"),
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control") == "no-store", path != "/static/style.css", "{path}");
    }
}

#[tokio::test]
async fn empty_pages_say_what_to_do_next() {
    let registry = Registry::empty().await;
    assert!(page(&registry, "/").await.contains("rustbucket_registry_url"));
    assert!(page(&registry, "/sessions").await.contains("extract_logs"));
    assert!(page(&registry, "/analyses").await.contains("analyze_logs"));
    assert!(page(&registry, "/findings").await.contains("Nothing needs your eye"));
}

async fn try_password(registry: &Registry, name: &str, password: &str) -> reqwest::Response {
    let fields = [("name", name), ("password", password), ("next", "/sessions?text=x")];
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    client().post(format!("{}/sign-in", registry.url)).body(body).send().await.unwrap()
}

#[tokio::test]
async fn a_password_gives_a_cookie_that_signing_out_ends() {
    let registry = Registry::empty().await;
    let answer = try_password(&registry, "vera", PASSWORD).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/sessions?text=x");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict;"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let get = async |cookie: &str| {
        client().get(format!("{}/", registry.url)).header(header::COOKIE, cookie).send().await.unwrap()
    };
    let html = get(&cookie).await.text().await.unwrap();
    let csrf = html.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let out = async |csrf: String| {
        let request = client().post(format!("{}/sign-out", registry.url)).header(header::COOKIE, &cookie);
        request.body(format!("csrf={csrf}")).send().await.unwrap().status()
    };
    assert_eq!(out("wrong".to_owned()).await, StatusCode::FORBIDDEN);
    assert_eq!(get(&cookie).await.status(), StatusCode::OK);
    assert_eq!(out(csrf).await, StatusCode::SEE_OTHER);
    assert_eq!(get(&cookie).await.status(), StatusCode::SEE_OTHER, "the cookie opens nothing any more");
}

#[tokio::test]
async fn wrong_passwords_have_to_wait() {
    let registry = Registry::empty().await;
    for name in ["vera", "nobody", "vera", "x", "' OR 1=1 --"] {
        let answer = try_password(&registry, name, "wrong password").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(!answer.headers().contains_key(header::SET_COOKIE));
    }
    let answer = try_password(&registry, "vera", PASSWORD).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let registry = Registry::start().await;
    let (cookie, csrf) = registry.sign_in("adam").await;
    let approve = async |path: &str, headers: &[(&'static str, &str)], body: String| {
        let mut request = client().post(format!("{}{path}", registry.url)).header(header::COOKIE, &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap().status()
    };
    let page = format!("/buckets/{WAITING}/approve");
    let api = format!("/api/buckets/{WAITING}/approve");
    let good = format!("csrf={csrf}");
    assert_eq!(approve(&page, &[], String::new()).await, StatusCode::FORBIDDEN);
    assert_eq!(
        approve(&page, &[("sec-fetch-site", "cross-site")], good.clone()).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        approve(&page, &[("origin", "https://evil.example")], good.clone()).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(approve(&api, &[], String::new()).await, StatusCode::FORBIDDEN);
    assert_eq!(registry.store.bucket(WAITING).await.unwrap().unwrap().status.as_str(), "pending");
    assert_eq!(approve(&page, &[], "x".repeat(100_000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(approve(&page, &[], good).await, StatusCode::SEE_OTHER);
    let bucket = registry.store.bucket(WAITING).await.unwrap().unwrap();
    assert_eq!((bucket.status.as_str(), bucket.decided_by.as_deref()), ("active", Some("adam")));
    assert_eq!(
        approve(&api.replace("approve", "revoke"), &[("x-csrf-token", &csrf)], String::new()).await,
        StatusCode::OK
    );
    assert_eq!(registry.store.bucket(WAITING).await.unwrap().unwrap().status.as_str(), "revoked");
}

async fn api(registry: &Registry, method: Method, path: &str) -> (StatusCode, Value) {
    let token = registry.token(Role::Admin).await;
    let request = client().request(method, format!("{}{path}", registry.url)).bearer_auth(token);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_api_tells_what_the_pages_show() {
    let registry = Registry::start().await;
    let get = async |path: &str| {
        let (status, body) = api(&registry, Method::GET, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    };
    let buckets = get("/api/buckets?limit=1").await;
    assert_eq!(
        (buckets["items"][0]["name"].as_str(), buckets["next"].as_str()),
        (Some(BUCKET), Some(BUCKET))
    );
    assert!(!buckets.to_string().contains("sealed"), "no token, sealed or not");
    let rest = get(&format!("/api/buckets?after={BUCKET}")).await;
    assert_eq!((rest["items"][0]["name"].as_str(), rest["next"].as_str()), (Some(WAITING), None));
    let sessions = get("/api/sessions?protocol=ssh&login=1&text=%3Cscript%3E").await;
    assert_eq!(sessions["items"][0]["session"], SESSION);
    assert_eq!(get("/api/sessions?text=100%25").await["items"], json!([]));
    let session = get(&format!("/api/sessions/{SESSION}")).await;
    assert_eq!(session["commands"], 1 + HOSTILE.len() + 1);
    let typed: Vec<&str> = session["transcript"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["eventid"] == "cowrie.command.input")
        .map(|event| event["event"]["input"].as_str().unwrap())
        .collect();
    assert_eq!(typed[1..=HOSTILE.len()], *HOSTILE, "in order and unchanged");
    let first = get(&format!("/api/sessions/{BUCKET}/{SESSION}?limit=3")).await;
    assert_eq!(first["transcript"]["next"], "3");
    let events = get("/api/events?eventid=cowrie.login.failed").await;
    assert_eq!(events["items"][0]["event"]["password"], "<b>123</b>");
    let next = events["next"].as_str().unwrap();
    assert_eq!(
        get(&format!("/api/events?eventid=cowrie.login.failed&after={next}")).await["items"],
        json!([])
    );
    let analyses = get("/api/analyses").await;
    assert_eq!(analyses["items"][0]["model"], "claude-sonnet-5-5");
    let analysis = get(&format!("/api/analyses/{}", registry.analysis)).await;
    assert_eq!(analysis["facts"]["sessions"], 1);
    assert_eq!(get("/api/jobs/extract_logs").await["last_report"]["bytes"], 4711);
    assert_eq!(get("/api/findings").await["gaps"][0]["from_seq"], 77);
    let (status, _) = api(&registry, Method::POST, "/api/jobs/parse_logs/run").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert!(registry.store.job("parse_logs").await.unwrap().unwrap().nudged);
}

#[tokio::test]
async fn wrong_requests_are_named_in_json() {
    let registry = Registry::start().await;
    for (method, path, status, word) in [
        (Method::GET, "/api/sessions?bukcet=x", 400, "bukcet"),
        (Method::GET, "/api/sessions?from=yesterday", 400, "from"),
        (Method::GET, "/api/sessions?limit=0", 400, "limit"),
        (Method::GET, "/api/sessions?after=x", 400, "after"),
        (Method::GET, "/api/events?limit=1001", 400, "limit"),
        (Method::GET, "/api/buckets?status=odd", 400, "status"),
        (Method::GET, "/api/buckets/none", 404, "bucket"),
        (Method::GET, "/api/sessions/none/none", 404, "session"),
        (Method::GET, "/api/analyses/x", 404, "analysis"),
        (Method::POST, "/api/jobs/none/run", 404, "job"),
        (Method::POST, "/api/buckets/none/approve", 404, "bucket"),
        (Method::GET, "/api/none", 404, "address"),
        (Method::DELETE, "/api/buckets", 405, "method"),
    ] {
        let (got, body) = api(&registry, method, path).await;
        assert_eq!(got.as_u16(), status, "{path}");
        assert!(
            body["error"].is_string() && body["message"].as_str().unwrap().contains(word),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_for_viewers() {
    let registry = Registry::start().await;
    let url = format!("{}/metrics", registry.url);
    let text = client().get(&url).send().await.unwrap().text().await.unwrap();
    for line in [
        "rustbucket_buckets{state=\"active\"} 1",
        "rustbucket_buckets{state=\"pending\"} 1",
        "rustbucket_sessions_stored 1",
        "rustbucket_job_runs{job=\"extract_logs\"} 1",
        "# TYPE rustbucket_bucket_contact_age_seconds gauge",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    let names: Vec<&str> =
        text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(['{', ' ']).next().unwrap()).collect();
    assert!(names.iter().all(|name| name.starts_with("rustbucket_")), "{names:?}");
    let forwarded = client().get(&url).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forwarded.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let token = registry.token(Role::Viewer).await;
    let forwarded = client().get(&url).header("x-forwarded-for", "203.0.113.9").bearer_auth(token);
    assert_eq!(forwarded.send().await.unwrap().status(), StatusCode::OK);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            client().get(format!("{}{path}", registry.url)).send().await.unwrap().status(),
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn long_lists_are_read_page_by_page() {
    let registry = Registry::empty().await;
    for number in 0..205 {
        fixture::add_bucket(
            &registry.store,
            &format!("rustbucket-n{number:07}"),
            registry::store::Status::Active,
        )
        .await;
    }
    let mut seen = Vec::new();
    let mut path = "/".to_owned();
    loop {
        let html = page(&registry, &path).await;
        seen.extend(
            html.split("<th scope=\"row\"><a href=\"/buckets/")
                .skip(1)
                .map(|s| s.split('"').next().unwrap().to_owned()),
        );
        let Some(next) = html.split("<a rel=\"next\" href=\"").nth(1) else { break };
        path = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!(seen.len(), 205);
    assert!(seen.is_sorted());
}

/// The registry's answer to an analyst's program.
async fn ask(registry: &Registry, path: &str) -> reqwest::Response {
    let token = registry.token(Role::Analyst).await;
    client().get(format!("{}{path}", registry.url)).bearer_auth(token).send().await.unwrap()
}

#[tokio::test]
async fn captured_files_and_recordings_are_saved_and_never_shown() {
    let registry = Registry::start().await;
    let sum = "cd".repeat(32);
    let path = format!("/api/artifacts/{sum}");
    assert_eq!(ask(&registry, &path).await.status(), StatusCode::NOT_FOUND, "the archive has not got it yet");
    let html = "<html><script>alert(1)</script>";
    registry.archive.put(&registry.archive.artifact_key(&sum), html.into()).await.unwrap();
    let bucket = registry.store.bucket(BUCKET).await.unwrap().unwrap();
    let wanted = registry.store.wanted_artifacts(bucket.id, i64::MAX, 9).await.unwrap();
    let wanted = wanted.iter().find(|wanted| wanted.sha256 == sum).unwrap();
    registry.store.note_artifact_stored(wanted.id, html.len() as u64).await.unwrap();

    let answer = ask(&registry, &path).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("content-disposition"), format!("attachment; filename=\"{sum}.bin\""));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.text().await.unwrap(), html);
    for bad in ["x", "..%2f..%2fsecret.key", &"CD".repeat(32), &format!("{sum}%0d%0aSet-Cookie:%20a=b")] {
        let status = ask(&registry, &format!("/api/artifacts/{bad}")).await.status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{bad}");
    }
    let list: Value = ask(&registry, "/api/artifacts").await.json().await.unwrap();
    assert_eq!((&list["items"][0]["sha256"], &list["items"][0]["state"]), (&json!(sum), &json!("stored")));
    assert!(page(&registry, "/artifacts").await.contains(&format!("href=\"/artifacts/{sum}\"")));

    // The transcript shows the terminal as text, and offers the recording itself.
    let shown = page(&registry, &format!("/sessions/{BUCKET}/{SESSION}")).await;
    let what = shown.split("What the terminal showed").nth(1).expect("the terminal is shown");
    assert!(
        what.contains("&lt;script&gt;alert(9)") && what.contains("red<span class=\"mark\">U+202E"),
        "{what}"
    );
    assert!(!what.split("</details>").next().unwrap().contains("[31m"), "{what}");
    assert!(shown.contains("Taken for") && shown.contains("typed key by key"));
    let at = shown.find("/recordings/").expect("a link to the recording");
    let seq: String = shown[at + 12..].chars().take_while(char::is_ascii_digit).collect();
    let answer = ask(&registry, &format!("/api/sessions/{BUCKET}/{SESSION}/recordings/{seq}")).await;
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(name, format!("attachment; filename=\"{SESSION}-{seq}.cast\""));
    assert!(answer.text().await.unwrap().starts_with("{\"version\":2}\n[0.5,\"o\","));
}

#[tokio::test]
async fn sessions_are_found_by_who_it_was() {
    let registry = Registry::start().await;
    for (label, count) in [("human", 1), ("script", 0), ("agent", 0)] {
        let found: Value =
            ask(&registry, &format!("/api/sessions?label={label}")).await.json().await.unwrap();
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{label}");
    }
    let all: Value = ask(&registry, "/api/sessions").await.json().await.unwrap();
    assert_eq!(all["items"][0]["label"], "human");
}
