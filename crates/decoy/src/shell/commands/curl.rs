//! `curl` 7.88.1, with a transfer that is only played.

use futures::{FutureExt as _, future::BoxFuture};

use super::{
    Call, Options, Said,
    transfer::{self, Url},
};
use crate::shell::io::Out;

/// Letters that take a value.
const VALUED: &str = "oHAdXuTmbceFxwrKEQtyYzCDPUh";
/// Long options that take a value in the next word.
const LONG_VALUED: &[&str] = &[
    "output",
    "header",
    "user-agent",
    "data",
    "data-raw",
    "data-binary",
    "request",
    "user",
    "upload-file",
    "max-time",
    "cookie",
    "cookie-jar",
    "referer",
    "form",
    "proxy",
    "write-out",
    "range",
    "connect-timeout",
    "retry",
    "retry-delay",
    "url",
    "cacert",
    "cert",
    "key",
    "interface",
    "resolve",
    "limit-rate",
    "socks5",
    "socks5-hostname",
    "max-filesize",
];

/// Cuts the arguments; long options with a value in the next word swallow it.
fn cut(call: &Call<'_>) -> (Options, Vec<(String, String)>) {
    let (mut rest, mut values) = (Vec::new(), Vec::new());
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--") {
            Some(long) if LONG_VALUED.contains(&long) => {
                values.push((long.to_owned(), args.next().cloned().unwrap_or_default()));
            }
            _ => rest.push(arg.clone()),
        }
    }
    (Options::of(&rest, VALUED), values)
}

/// The meter, before anything has come.
const BEGUN: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";

/// The meter, as it stands when everything has come.
fn meter(size: usize) -> String {
    format!(
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r100 {size:>5}  100 {size:>5}    0     0  {:>5}      0 --:--:-- --:--:-- --:--:-- {:>5}\n",
        rate(size),
        rate(size)
    )
}

fn rate(size: usize) -> String {
    let speed = size * 3 + 1700;
    if speed < 100_000 { speed.to_string() } else { format!("{}k", speed / 1024) }
}

pub(super) fn curl<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let (options, values) = cut(call);
        let value = |long: &str| values.iter().find(|(name, _)| name == long).map(|(_, value)| value.clone());
        let mut urls = options.operands.clone();
        urls.extend(value("url"));
        if urls.is_empty() {
            return Said::err("curl: try 'curl --help' or 'curl --manual' for more information\n", 2);
        }
        let silent = options.has('s') || options.has_long("silent");
        let loud = options.has('S') || options.has_long("show-error");
        let head = options.has('I') || options.has_long("head");
        let output = options.value('o').map(str::to_owned).or_else(|| value("output"));
        let remote_name = options.has('O') || options.has_long("remote-name");
        let mut said = Said::default();
        for address in urls.iter().take(50) {
            let url = Url::cut(address);
            let to = output.clone().or_else(|| remote_name.then(|| url.name().unwrap_or_default().to_owned()));
            let place = to.as_deref().map(|to| call.path(to)).unwrap_or_default();
            // The meter is shown when the body does not go to the terminal.
            let shows = !silent && (to.as_deref().is_some_and(|to| to != "-") || !call.to_terminal);
            let mut fail = |status: i32, text: String| {
                if shows && status == 6 {
                    said.err.extend_from_slice(BEGUN.as_bytes());
                }
                if !silent || loud {
                    said.err.extend(format!("curl: ({status}) {text}\n").bytes());
                }
                said.status = status;
            };
            if to.as_deref() == Some("") {
                fail(23, "Failed writing received data to disk/application".to_owned());
                continue;
            }
            if url.scheme == "file" {
                match call.files().read(&url.path) {
                    Ok(bytes) => said.out.extend_from_slice(&bytes),
                    Err(_) => fail(37, format!("Couldn't open file {}", url.path)),
                }
                continue;
            }
            if !matches!(url.scheme.as_str(), "http" | "https" | "ftp" | "ftps" | "tftp") {
                fail(1, format!("Protocol \"{}\" not supported or disabled in libcurl", url.scheme));
                continue;
            }
            let own = transfer::own_page(call, &url);
            if own.is_none() && url.resolved().is_none() {
                transfer::record(call, address, &place, None);
                fail(6, format!("Could not resolve host: {}", url.host));
                continue;
            }
            if own.is_none() && url.is_dead() {
                transfer::record(call, address, &place, None);
                fail(7, format!("Failed to connect to {} port {} after 0 ms: Couldn't connect to server", url.host, url.port));
                continue;
            }
            let arrival = transfer::arrival(call, &url);
            transfer::wait(call, arrival.time).await;
            let bytes = own.unwrap_or(arrival.bytes);
            transfer::record(call, address, &place, Some(&bytes));
            let header = format!(
                "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n",
                arrival.kind,
                bytes.len()
            );
            if head || options.has('i') || options.has_long("include") {
                said.out.extend(header.bytes());
            }
            if head {
                continue;
            }
            match to.as_deref() {
                None | Some("-") => said.out.extend_from_slice(&bytes),
                Some(to) => {
                    if let Err(error) = transfer::store(call, to, &bytes) {
                        said.err.extend(format!("Warning: Failed to open the file {to}: {}\n", error.errno_text()).bytes());
                        said.err.extend(b"curl: (23) Failure writing output to destination\n");
                        said.status = 23;
                        continue;
                    }
                }
            }
            if shows {
                let channels = if call.to_terminal { call.session.channels.lock().clone() } else { None };
                match channels {
                    Some((output, _)) => output(Out::Stderr, meter(bytes.len()).as_bytes()),
                    None => said.err.extend(meter(bytes.len()).bytes()),
                }
            }
            if let Some(format) = options.value('w').map(str::to_owned).or_else(|| value("write-out")) {
                let text = format.replace("%{http_code}", "200").replace("%{response_code}", "200").replace("\\n", "\n");
                said.out.extend(text.bytes());
            }
        }
        said
    }
    .boxed()
}
