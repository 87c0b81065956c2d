//! `wget`: GNU Wget 1.21.3, and beside it busybox 1.35, with a transfer that is only played.

mod applet;
mod progress;

use chrono::{DateTime, Utc};
use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Options, Said,
    connections::{
        Place,
        web::{self, Failure, Request},
    },
    transfer::{self, Url},
};
use applet::applet;
use progress::{progress, short, sized, tell};

/// Letters that take a value.
const VALUED: &str = "OPoaUTteilDAXRBQwIG";

pub(super) fn wget<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        if call.applet {
            return applet(call).await;
        }
        let options = call.options(VALUED);
        if options.operands.is_empty() && options.value('i').is_none() {
            return Said::err(
                "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
                1,
            );
        }
        let mut said = Said::default();
        let mut urls = options.operands.clone();
        if let Some(list) = options.value('i') {
            let bytes = call.files().read(&call.path(list)).unwrap_or_default();
            urls.extend(String::from_utf8_lossy(&bytes).split_whitespace().take(20).map(str::to_owned));
        }
        let (mut files, mut total) = (0, 0);
        for url in urls.iter().take(50) {
            if let Some(bytes) = one(call, &options, url, &mut said).await {
                files += 1;
                total += bytes;
            }
        }
        let quiet = options.has('q') || options.has_long("quiet");
        if files > 1 && !quiet {
            let now: DateTime<Utc> = call.now().into();
            let text = format!(
                "FINISHED --{}--\nTotal wall clock time: {files}.{}s\nDownloaded: {files} files, {} in 0.01s (3.71 MB/s)\n",
                now.format("%Y-%m-%d %H:%M:%S"),
                total % 10,
                short(total)
            );
            tell(call, &mut said, &text);
        }
        said
    }
    .boxed()
}

/// One address; gives the bytes that came.
async fn one(call: &Call<'_>, options: &Options, address: &str, said: &mut Said) -> Option<usize> {
    let quiet = options.has('q') || options.has_long("quiet");
    let brief = options.letters.windows(2).any(|pair| pair == ['n', 'v']) || options.has_long("no-verbose");
    let loud = |call: &Call<'_>, said: &mut Said, text: &str| {
        if !quiet && !brief {
            tell(call, said, text);
        }
    };
    let url = Url::cut(address);
    let stamp = |call: &Call<'_>| DateTime::<Utc>::from(call.now()).format("%Y-%m-%d %H:%M:%S").to_string();
    if !matches!(url.scheme.as_str(), "http" | "https" | "ftp" | "ftps") {
        tell(
            call,
            said,
            &format!("{address}: Unsupported scheme {}.\n", super::quoting::curled(&url.scheme)),
        );
        said.status = 1;
        return None;
    }
    let long_value =
        |name: &str| options.long.iter().find_map(|long| long.strip_prefix(name)?.strip_prefix('='));
    let named = options.value('O').or_else(|| long_value("output-document"));
    let folder = options.value('P').or_else(|| long_value("directory-prefix"));
    let to = match named {
        Some(file) => file.to_owned(),
        None => free_name(call, options, folder, url.name().unwrap_or("index.html")),
    };
    loud(call, said, &format!("--{}--  {}://{}{}\n", stamp(call), url.scheme, url.authority(), url.path));
    let Some(place) = Place::of(call.session, &url.host, url.port) else {
        transfer::record(call.session, address, &call.path(&to), None);
        let host = &url.host;
        loud(call, said, &format!("Resolving {host} ({host})... failed: Name or service not known.\n"));
        tell(call, said, &format!("wget: unable to resolve host address {}\n", super::quoting::curled(host)));
        said.status = 4;
        return None;
    };
    let ip = &place.address;
    if !url.is_address() {
        let further = if ip == "::1" { ", 127.0.0.1" } else { "" };
        loud(call, said, &format!("Resolving {0} ({0})... {ip}{further}\n", url.host));
    }
    let peer = |ip: &str| match url.is_address() {
        true => format!("{}:{}", url.host, url.port),
        false => format!("{} ({})|{ip}|:{}", url.host, url.host, url.port),
    };
    loud(call, said, &format!("Connecting to {}... ", peer(ip)));
    let answer = match web::ask(call, &url, &request(options), None).await {
        Ok(answer) => answer,
        Err(failure) => {
            transfer::record(call.session, address, &call.path(&to), None);
            let text = match failure {
                Failure::Refused if ip == "::1" => format!(
                    "failed: Connection refused.\nConnecting to {}... failed: Connection refused.\n",
                    peer("127.0.0.1")
                ),
                Failure::Refused => "failed: Connection refused.\n".to_owned(),
                Failure::NotHttp => {
                    "connected.\nHTTP request sent, awaiting response... Read error (Connection reset by peer) in headers.\nGiving up.\n\n"
                        .to_owned()
                }
                Failure::NoName | Failure::NoRoute | Failure::TimedOut => {
                    "failed: No route to host.\n".to_owned()
                }
            };
            loud(call, said, &text);
            said.status = 4;
            return None;
        }
    };
    let bytes = answer.body.clone();
    let kind = answer.field("Content-Type").unwrap_or("text/html").split(';').next().unwrap_or_default();
    let size = bytes.len();
    loud(call, said, "connected.\n");
    if url.scheme == "ftp" {
        let name = url.name().unwrap_or_default();
        loud(
            call,
            said,
            &format!(
                "Logging in as anonymous ... Logged in!\n==> SYST ... done.    ==> PWD ... done.\n==> TYPE I ... done.  ==> CWD not needed.\n==> SIZE {name} ... {size}\n==> PASV ... done.    ==> RETR {name} ... done.\nLength: {} (unauthoritative)\n",
                sized(size)
            ),
        );
    } else {
        let head = if options.has('S') || options.has_long("server-response") {
            answer.head.iter().fold("\n".to_owned(), |text, line| text + "  " + line + "\n")
        } else {
            format!(" {} {}\n", answer.status, answer.reason())
        };
        loud(call, said, &format!("HTTP request sent, awaiting response...{head}"));
        if answer.status >= 400 {
            let text = format!("{} ERROR {}: {}.\n", stamp(call), answer.status, answer.reason());
            if brief && !quiet {
                tell(call, said, &format!("{address}:\n{text}"));
            }
            loud(call, said, &format!("{text}\n"));
            transfer::record(call.session, address, &call.path(&to), None);
            said.status = 8;
            return None;
        }
        loud(call, said, &format!("Length: {} [{kind}]\n", sized(size)));
    }
    if options.has_long("spider") {
        transfer::record(call.session, address, "", None);
        loud(call, said, "Remote file exists.\n\n");
        return None;
    }
    transfer::record(
        call.session,
        address,
        &if to == "-" { String::new() } else { call.path(&to) },
        Some(&bytes),
    );
    if to == "-" {
        loud(call, said, "Saving to: \u{2018}STDOUT\u{2019}\n\n");
        said.out.extend_from_slice(&bytes);
    } else {
        if let Err(error) = transfer::store(call, &to, &bytes) {
            tell(call, said, &format!("{to}: {}\n", error.errno_text()));
            if named.is_none() {
                tell(
                    call,
                    said,
                    &format!("\nCannot write to {} ({}).\n", super::quoting::curled(&to), error.errno_text()),
                );
            }
            said.status = if named.is_some() { 1 } else { 3 };
            return None;
        }
        loud(call, said, &format!("Saving to: \u{2018}{to}\u{2019}\n\n"));
    }
    let shown = if to == "-" { "-" } else { to.as_str() };
    let rate = 0.9 + (size % 700) as f64 / 100.0;
    loud(call, said, &progress(call, shown, size));
    let verb = if to == "-" { "written to stdout".to_owned() } else { format!("\u{2018}{to}\u{2019} saved") };
    if brief && !quiet {
        let text = format!(
            "{} URL:{}://{}{} [{size}/{size}] -> \"{shown}\" [1]\n",
            stamp(call),
            url.scheme,
            url.authority(),
            url.path
        );
        tell(call, said, &text);
    }
    loud(call, said, &format!("\n{} ({rate:.2} MB/s) - {verb} [{size}/{size}]\n\n", stamp(call)));
    Some(size)
}

/// The name that is not taken yet: `x`, `x.1`, `x.2`.
fn free_name(call: &Call<'_>, options: &Options, folder: Option<&str>, name: &str) -> String {
    let path =
        folder.map_or_else(|| name.to_owned(), |folder| format!("{}/{name}", folder.trim_end_matches('/')));
    let keeps =
        options.has('c') || options.has('N') || options.letters.windows(2).any(|pair| pair == ['n', 'c']);
    if keeps || !call.files().exists(&call.path(&path)) {
        return path;
    }
    (1..100)
        .map(|number| format!("{path}.{number}"))
        .find(|path| !call.files().exists(&call.path(path)))
        .unwrap_or(path)
}

/// The request as wget writes it.
fn request(options: &Options) -> Request {
    let agent = options.value('U').unwrap_or("Wget/1.21.3").replace(['\r', '\n'], "");
    let agent = format!("User-Agent: {agent}");
    let headers = [&agent, "Accept: */*", "Accept-Encoding: identity", "Connection: Keep-Alive"];
    Request {
        method: if options.has_long("spider") { "HEAD" } else { "GET" }.to_owned(),
        headers: headers.map(str::to_owned).into(),
        body: Vec::new(),
    }
}
