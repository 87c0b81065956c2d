//! Static files below the web root, with nginx's conditions, ranges and redirects.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::{
    dialogue::Contact,
    machine::{Attributes, Files, Kind, files::Access},
};

use super::{
    Scheme, applications,
    gzip::gzip,
    head::Head,
    pages, ranges,
    target::{self, Target},
    types,
};

/// `root` of Debian's default site.
const ROOT: &str = "/var/www/html";
/// `index` of Debian's default site.
const INDEX: [&str; 3] = ["index.html", "index.htm", "index.nginx-debian.html"];
/// User and group of the worker, `www-data`.
const WORKER: (u32, u32) = (33, 33);
/// `gzip_min_length`.
const SHORTEST_GZIP: usize = 20;
/// Pages larger than this go out as they are: each request would be paid for with work.
const LONGEST_GZIP: usize = 256 * 1024;

/// What is sent back.
pub(super) struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Bytes,
    pub modified: Option<SystemTime>,
    pub etag: Option<String>,
    pub location: Option<String>,
    pub range: Option<String>,
    /// Several ranges: what divides them.
    pub boundary: Option<String>,
    pub accept_ranges: bool,
    pub gzip: bool,
    /// The connection ends even though the head promises that it stays (nginx after 412).
    pub abrupt: bool,
    /// The head promises the end of the connection.
    pub close: bool,
    /// A file was found: the request's body is read before it is sent.
    pub reads_body: bool,
}

impl Response {
    /// nginx's own page for a status.
    pub fn page(status: u16, head: Option<&Head<'_>>) -> Self {
        let padded =
            head.is_some_and(|head| head.number >= 10 && pages::is_padded(head.header("user-agent")));
        Self {
            status,
            content_type: "text/html",
            body: pages::page(status, padded).into(),
            modified: None,
            etag: None,
            location: None,
            range: None,
            boundary: None,
            accept_ranges: false,
            gzip: false,
            abrupt: false,
            // ngx_http_special_response_handler switches keep-alive off for these.
            close: matches!(status, 400 | 413 | 414 | 494 | pages::TO_HTTPS | 500 | 501 | 505),
            reads_body: false,
        }
    }
}

/// The response to a head that nginx's checks let through.
pub(super) async fn respond(contact: &Contact, scheme: Scheme, head: &Head<'_>) -> Response {
    let Some(Target { path, query }) = target::clean(head.path) else {
        return Response::page(400, Some(head));
    };
    let found = find(contact, scheme, head, &path, query.as_deref());
    if let Found::File(file, _) = &found {
        contact.know(file).await;
    }
    let application = applications::at(&path).filter(|_| matches!(found, Found::Status(404)));
    if let Some(application) = application {
        let mut response = applications::page(contact, head, application).await;
        pack(&mut response, head);
        return response;
    }
    let mut response = match found {
        Found::File(file, attributes) => match contact.visitor.files().read(&file) {
            Ok(_) if !matches!(head.method, b"GET" | b"HEAD") => Response::page(405, Some(head)),
            Ok(bytes) => {
                let mut response = static_file(head, &file, &attributes, bytes);
                response.reads_body = true;
                response
            }
            Err(_) => Response::page(404, Some(head)),
        },
        Found::Status(status) => Response::page(status, Some(head)),
        Found::Folder(location) => {
            let mut response = Response::page(301, Some(head));
            response.location = Some(location);
            response
        }
    };
    pack(&mut response, head);
    response
}

fn pack(response: &mut Response, head: &Head<'_>) {
    if matches!(response.status, 200 | 403 | 404) && response.content_type == "text/html" && wants_gzip(head)
    {
        compress(response, head.method == b"HEAD");
    }
}

enum Found {
    File(String, Attributes),
    /// A folder without its slash: where to go instead.
    Folder(String),
    Status(u16),
}

/// `try_files $uri $uri/ =404`.
fn find(contact: &Contact, scheme: Scheme, head: &Head<'_>, path: &str, query: Option<&str>) -> Found {
    let files = contact.visitor.files();
    let full = format!("{ROOT}{path}");
    let Ok(attributes) = files.stat(full.trim_end_matches('/')) else { return Found::Status(404) };
    if !attributes.is_dir() {
        return if path.ends_with('/') { Found::Status(404) } else { file(files, full, attributes) };
    }
    if !path.ends_with('/') {
        if !matches!(head.method, b"GET" | b"HEAD" | b"POST") {
            return Found::Status(405);
        }
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let (name, port) = if scheme == Scheme::Https { ("https", 443) } else { ("http", 80) };
        let authority = authority(contact, head, port);
        return Found::Folder(format!("{name}://{authority}{}/{query}", escaped(path)));
    }
    for index in INDEX {
        let full = format!("{full}{index}");
        if let Ok(attributes) = files.stat(&full)
            && !attributes.is_dir()
        {
            return file(files, full, attributes);
        }
    }
    if matches!(head.method, b"GET" | b"HEAD" | b"POST") { Found::Status(403) } else { Found::Status(405) }
}

fn file(files: &Files, full: String, attributes: Attributes) -> Found {
    if attributes.kind != Kind::File {
        Found::Status(404)
    } else if files.may(WORKER.0, WORKER.1, &full, Access::Read).is_err() {
        Found::Status(403)
    } else {
        Found::File(full, attributes)
    }
}

/// The host that a redirect names: the one asked for, else our address; with the port unless it is the `usual` one.
fn authority(contact: &Contact, head: &Head<'_>, usual: u16) -> String {
    let asked = head.host.or_else(|| head.header("host")).map(String::from_utf8_lossy);
    let host = match &asked {
        Some(host) => without_port(host).to_ascii_lowercase(),
        None => contact.local.ip().to_canonical().to_string(),
    };
    let port = contact.local.port();
    if port == usual { host } else { format!("{host}:{port}") }
}

fn without_port(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

/// Nothing in a redirect may end its line.
fn escaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            0..=0x20 | 0x7f..=0xff | b'%' | b'?' | b'#' | b'"' => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

fn static_file(head: &Head<'_>, path: &str, attributes: &Attributes, bytes: Bytes) -> Response {
    let modified = attributes.mtime;
    let seconds = modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let etag = format!("\"{seconds:x}-{:x}\"", bytes.len());
    match condition(head, &etag, seconds) {
        Some(412) => {
            let mut response = Response::page(412, Some(head));
            response.abrupt = true;
            return response;
        }
        Some(status) => {
            let mut response = Response::page(status, Some(head));
            (response.body, response.modified, response.etag) = (Bytes::new(), Some(modified), Some(etag));
            return response;
        }
        None => {}
    }
    let mut response = Response {
        status: 200,
        content_type: types::of(path),
        body: bytes,
        modified: Some(modified),
        etag: Some(etag),
        location: None,
        range: None,
        boundary: None,
        accept_ranges: true,
        gzip: false,
        abrupt: false,
        close: false,
        reads_body: true,
    };
    // A compressed page has no ranges, and nginx decides on compression first.
    let compressed =
        response.content_type == "text/html" && wants_gzip(head) && is_compressed(response.body.len());
    if let Some(range) = head.header("range").filter(|_| !compressed && if_range(head, &response, seconds)) {
        ranges::apply(&mut response, range, head);
    }
    response
}

/// 304 or 412 if a condition of the request says so (ngx_http_not_modified_filter_module).
fn condition(head: &Head<'_>, etag: &str, modified: u64) -> Option<u16> {
    // A date that is none lies before every file (NGX_ERROR is -1).
    if head.header("if-unmodified-since").is_some_and(|text| date(text).is_none_or(|since| modified > since))
    {
        return Some(412);
    }
    if let Some(list) = head.header("if-match")
        && !etag_in(list, etag, false)
    {
        return Some(412);
    }
    let (since, none) = (head.header("if-modified-since"), head.header("if-none-match"));
    if since.is_none() && none.is_none() {
        return None;
    }
    // `if_modified_since exact`
    if since.is_some_and(|since| date(since) != Some(modified)) {
        return None;
    }
    if none.is_some_and(|list| !etag_in(list, etag, true)) {
        return None;
    }
    Some(304)
}

/// What follows the date is not looked at.
fn date(text: &[u8]) -> Option<u64> {
    let text = text.split(|&byte| byte == b';').next()?;
    let time = httpdate::parse_http_date(std::str::from_utf8(text).ok()?).ok()?;
    time.duration_since(SystemTime::UNIX_EPOCH).ok().as_ref().map(Duration::as_secs)
}

fn etag_in(list: &[u8], etag: &str, weak: bool) -> bool {
    list == b"*"
        || list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
            let tag = if weak { tag.strip_prefix(b"W/").unwrap_or(tag) } else { tag };
            tag == etag.as_bytes()
        })
}

fn if_range(head: &Head<'_>, response: &Response, modified: u64) -> bool {
    match head.header("if-range") {
        None => true,
        Some(tag) if tag.first() == Some(&b'"') => response.etag.as_deref().map(str::as_bytes) == Some(tag),
        Some(time) => date(time) == Some(modified),
    }
}

/// `gzip on` for HTTP/1.1 without a proxy between (`gzip_proxied off`).
fn wants_gzip(head: &Head<'_>) -> bool {
    if head.number < 11 || head.header("via").is_some() {
        return false;
    }
    let Some(accepted) = head.header("accept-encoding") else { return false };
    let accepted = accepted.to_ascii_lowercase();
    accepted.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).any(|coding| {
        let mut parts = coding.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        parts.next() == Some(b"gzip")
            && !parts.any(|q| matches!(q, b"q=0" | b"q=0.0" | b"q=0.00" | b"q=0.000"))
    })
}

fn is_compressed(size: usize) -> bool {
    (SHORTEST_GZIP..=LONGEST_GZIP).contains(&size)
}

/// Compresses the page; for HEAD only its headers say so.
fn compress(response: &mut Response, only_head: bool) {
    if !is_compressed(response.body.len()) {
        return;
    }
    if only_head {
        return mark_compressed(response);
    }
    response.body = gzip(&response.body).into();
    mark_compressed(response);
}

fn mark_compressed(response: &mut Response) {
    response.gzip = true;
    response.accept_ranges = false;
    response.etag = response.etag.take().map(|etag| format!("W/{etag}"));
}
