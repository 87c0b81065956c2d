//! Web applications: which addresses one would serve, and the page that a model writes for them.

use bytes::Bytes;

use super::{head::Head, pages, serve::Response};
use crate::{
    dialogue::Contact,
    oracle::{Ask, Grounding, Question},
};

/// First folders and front pages of applications that people run behind a web server, by application. An address that
/// begins with one of these is theirs.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "wordpress",
        &[
            "/wp-login.php",
            "/wp-admin",
            "/wp-json",
            "/wp-cron.php",
            "/wp-content/plugins",
            "/xmlrpc.php",
            "/wordpress",
            "/wp/",
            "/blog/wp-",
        ],
    ),
    (
        "phpmyadmin",
        &["/phpmyadmin", "/phpMyAdmin", "/pma", "/PMA", "/mysql/index.php", "/dbadmin", "/myadmin"],
    ),
    (
        "login",
        &[
            "/login.php",
            "/admin.php",
            "/admin/index.php",
            "/admin/login.php",
            "/index.php",
            "/info.php",
            "/phpinfo.php",
            "/user/login.php",
            "/login.action",
            "/index.action",
            "/login.do",
            "/index.jsp",
        ],
    ),
    ("cgi", &["/cgi-bin/"]),
    ("tomcat", &["/manager/html", "/host-manager"]),
    ("jenkins", &["/jenkins"]),
    ("phpunit", &["/vendor/phpunit"]),
];

/// The application that serves this address, if there is one.
pub(super) fn at(path: &str) -> Option<&'static str> {
    let owns = |start: &&str| {
        path.strip_prefix(*start).is_some_and(|rest| {
            rest.is_empty() || start.ends_with(['/', '-']) || rest.starts_with(['/', '?'])
        })
    };
    KNOWN.iter().find(|(_, starts)| starts.iter().any(|start| owns(start))).map(|(name, _)| *name)
}

/// What the application answers: a page of a model, or the page that nginx has for what is not there.
pub(super) async fn page(contact: &Contact, head: &Head<'_>, application: &str) -> Response {
    let mut response = Response::page(404, Some(head));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // HEAD has the head of GET.
    let method = if head.method == b"HEAD" { "GET".to_owned() } else { text(head.method) };
    let target = text(head.target);
    let doings = contact.visitor.doings();
    let ground = Grounding { own: doings.of(application), ..Grounding::default() };
    let what = Ask::Page { method: method.clone(), target: target.clone() };
    let answer = contact.oracle.ask(Question { what, ground, otherwise: response.body.clone() }).await;
    if !matches!(method.as_str(), "GET" | "OPTIONS") {
        doings.note(application, &format!("{method} {target}"));
    }
    if answer.invented {
        write(&mut response, &answer.text);
    }
    response
}

/// Reads what was written: a page, with a status line and headers before it or without.
fn write(response: &mut Response, text: &Bytes) {
    response.status = 200;
    response.body = text.clone();
    let Ok(whole) = std::str::from_utf8(text) else { return };
    let begins = |line: &str| {
        let lower = line.to_ascii_lowercase();
        lower.starts_with("http/1.") || lower.starts_with("status:")
    };
    let first = whole.lines().next().unwrap_or_default();
    if !begins(first) {
        return;
    }
    let status = first.split([' ', ':']).filter_map(|word| word.trim().parse::<u16>().ok()).next();
    response.status = status.filter(|status| pages::is_known(*status)).unwrap_or(200);
    let mut rest = whole.split_once('\n').map_or("", |(_, rest)| rest);
    while let Some((line, after)) = rest.split_once('\n') {
        let line = line.trim();
        let Some((name, value)) = line.split_once(':').filter(|_| !line.is_empty()) else {
            rest = if line.is_empty() { after } else { rest };
            break;
        };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "content-type" => response.content_type = content_type(value),
            "location" if matches!(response.status, 301 | 302) && is_plain(value) => {
                response.location = Some(value.to_owned());
            }
            _ => {}
        }
        rest = after;
    }
    if matches!(response.status, 301 | 302) && response.location.is_none() {
        response.status = 200;
    }
    response.body = Bytes::copy_from_slice(rest.as_bytes());
}

/// Nothing in a header may end its line.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.len() < 512 && value.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

fn content_type(value: &str) -> &'static str {
    match value.split(';').next().unwrap_or_default().trim() {
        "application/json" => "application/json",
        "text/plain" => "text/plain",
        "application/xml" | "text/xml" => "text/xml",
        _ => "text/html",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_applications_are_known_and_others_are_not() {
        for (path, application) in [
            ("/wp-login.php", Some("wordpress")),
            ("/wp-admin/setup.php", Some("wordpress")),
            ("/phpmyadmin/index.php", Some("phpmyadmin")),
            ("/pmax", None),
            ("/shell.php", None),
            ("/", None),
            ("/cgi-bin/luci", Some("cgi")),
        ] {
            assert_eq!(at(path), application, "{path}");
        }
    }

    #[test]
    fn status_and_headers_are_read_and_bounded() {
        let read = |text: &str| {
            let mut response = Response::page(404, None);
            write(&mut response, &Bytes::copy_from_slice(text.as_bytes()));
            (response.status, response.content_type, response.location, response.body)
        };
        let page = read("<h1>x</h1>\n");
        assert_eq!((page.0, &page.3[..]), (200, &b"<h1>x</h1>\n"[..]));
        let moved = read("HTTP/1.1 302 Found\r\nLocation: /wp-login.php\r\nX-Evil: 1\r\n\r\n");
        assert_eq!((moved.0, moved.2.as_deref()), (302, Some("/wp-login.php")));
        let json = read("Status: 401\nContent-Type: application/json; charset=utf-8\n\n{\"code\":1}\n");
        assert_eq!((json.0, json.1, &json.3[..]), (401, "application/json", &b"{\"code\":1}\n"[..]));
        assert_eq!(read("HTTP/1.1 999 Strange\n\nx").0, 200);
        assert_eq!(read("HTTP/1.1 302 Found\nLocation: a b\n\nx").0, 200);
    }
}
