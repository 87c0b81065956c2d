//! `wget`, `curl`, `tftp`, `ftpget`: nothing is ever fetched; the wish is recorded and the network fails.

use chrono::{DateTime, Utc};
use wire::EventKind;

use super::{Call, Said};

/// Records what was to be fetched and where it was to go.
fn record(call: &Call<'_>, url: &str, to: &str) {
    (call.session.launch.notes)(EventKind::FileDownload {
        url: url.to_owned(),
        outfile: String::new(),
        shasum: String::new(),
        destfile: to.to_owned(),
        duplicate: false,
    });
}

/// An address on the web, cut: scheme, host, port, path.
fn cut(url: &str) -> (&str, String, u16, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) =
        rest.split_once('/').map_or((rest, "/".to_owned()), |(host, path)| (host, format!("/{path}")));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let default = match scheme {
        "https" => 443,
        "ftp" => 21,
        _ => 80,
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() => (name, port.parse().unwrap_or(default)),
        _ => (host, default),
    };
    (scheme, host.to_owned(), port, path)
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

/// The machine's own web server: what it serves is the web root.
fn own_page(call: &Call<'_>, host: &str, port: u16, path: &str) -> Option<bytes::Bytes> {
    let own = ["localhost", "127.0.0.1", "0.0.0.0"].contains(&host)
        || host == call.identity().hostname
        || host == call.identity().address.to_string()
        || host == call.session.contact.local.ip().to_string();
    if !own || port != 80 {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or("/");
    let file = call.files().resolve("/var/www/html", path.trim_start_matches('/'));
    if !file.starts_with("/var/www/html") {
        return None;
    }
    if call.files().is_dir(&file) {
        let names = ["index.html", "index.htm", "index.nginx-debian.html"];
        return names.iter().find_map(|name| call.files().read(&format!("{file}/{name}")).ok());
    }
    call.files().read(&file).ok()
}

/// GNU Wget 1.21.3.
pub(super) fn wget(call: &Call<'_>) -> Said {
    let options = call.options("OPoaUTteilDAXR");
    if options.has('V') || options.has_long("version") {
        return Said::out(
            "GNU Wget 1.21.3 built on linux-gnu.\n\n-cares +digest -gpgme +https +ipv6 +iri +large-file -metalink +nls \n+ntlm +opie +psl +ssl/gnutls \n",
        );
    }
    if options.operands.is_empty() {
        return Said::err(
            "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
            1,
        );
    }
    let quiet = options.has('q') || options.has_long("quiet");
    let mut said = Said::default();
    for url in &options.operands {
        let (scheme, host, port, path) = cut(url);
        let name = path
            .rsplit('/')
            .next()
            .and_then(|name| name.split('?').next())
            .filter(|name| !name.is_empty())
            .unwrap_or("index.html");
        let to = match (options.value('O'), options.value('P')) {
            (Some(file), _) => file.to_owned(),
            (None, Some(dir)) => format!("{}/{name}", dir.trim_end_matches('/')),
            (None, None) => name.to_owned(),
        };
        record(call, url, &call.path(&to));
        let time: DateTime<Utc> = call.now().into();
        let shown = format!(
            "{scheme}://{}{path}",
            if port == 80 && scheme == "http"
                || port == 443 && scheme == "https"
                || port == 21 && scheme == "ftp"
            {
                host.clone()
            } else {
                format!("{host}:{port}")
            }
        );
        let head = format!("--{}--  {shown}\n", time.format("%Y-%m-%d %H:%M:%S"));
        let text = if let Some(page) = own_page(call, &host, port, &path) {
            if to == "-" {
                said.out.extend_from_slice(&page);
            } else if let Err(error) = call.files().write(&call.path(&to), &page, &call.session.who(), 0o644)
            {
                said.err.extend(format!("{to}: {}\n", error.errno_text()).bytes());
                said.status = 3;
                continue;
            }
            format!(
                "{head}Connecting to {host}:{port}... connected.\nHTTP request sent, awaiting response... 200 OK\nLength: {0} [text/html]\nSaving to: \u{2018}{to}\u{2019}\n\n     0K                                                       100% 41.2M=0s\n\n{1} (41.2 MB/s) - \u{2018}{to}\u{2019} saved [{0}/{0}]\n\n",
                page.len(),
                time.format("%Y-%m-%d %H:%M:%S")
            )
        } else if is_address(&host) {
            said.status = 4;
            format!("{head}Connecting to {host}:{port}... failed: Connection timed out.\nGiving up.\n\n")
        } else {
            said.status = 4;
            format!(
                "{head}Resolving {host} ({host})... failed: Temporary failure in name resolution.\nwget: unable to resolve host address \u{2018}{host}\u{2019}\n"
            )
        };
        if !quiet {
            said.err.extend(text.bytes());
        }
    }
    said
}

/// curl 7.88.1.
pub(super) fn curl(call: &Call<'_>) -> Said {
    let options = call.options("oHAdXuTmbceFxwrKE");
    if options.has('V') || options.has_long("version") {
        return Said::out(
            "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.16 zlib/1.2.13 brotli/1.0.9 zstd/1.5.4 libidn2/2.3.3 libpsl/0.21.2 (+libidn2/2.3.3) libssh2/1.10.0 nghttp2/1.52.0 librtmp/2.3 OpenLDAP/2.5.13\nRelease-Date: 2023-02-20, security patched: 7.88.1-10+deb12u12\nProtocols: dict file ftp ftps gopher gophers http https imap imaps ldap ldaps mqtt pop3 pop3s rtmp rtsp scp sftp smb smbs smtp smtps telnet tftp\nFeatures: alt-svc AsynchDNS brotli GSS-API HSTS HTTP2 HTTPS-proxy IDN IPv6 Kerberos Largefile libz NTLM NTLM_WB PSL SPNEGO SSL threadsafe TLS-SRP UnixSockets zstd\n",
        );
    }
    if options.operands.is_empty() {
        return Said::err("curl: try 'curl --help' or 'curl --manual' for more information\n", 2);
    }
    let (silent, loud) =
        (options.has('s') || options.has_long("silent"), options.has('S') || options.has_long("show-error"));
    let mut said = Said::default();
    for url in &options.operands {
        let (scheme, host, port, path) = cut(url);
        let name = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("index.html");
        let to = options.value('o').map(str::to_owned).or_else(|| options.has('O').then(|| name.to_owned()));
        record(call, url, &to.as_deref().map(|to| call.path(to)).unwrap_or_default());
        if scheme == "file" {
            match call.files().read(&path) {
                Ok(bytes) => said.out.extend_from_slice(&bytes),
                Err(_) => {
                    said.err.extend(format!("curl: (37) Couldn't open file {path}\n").bytes());
                    said.status = 37;
                }
            }
            continue;
        }
        if let Some(page) = own_page(call, &host, port, &path) {
            if options.has('I') {
                said.out.extend(format!("HTTP/1.1 200 OK\r\nServer: nginx/{}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n", call.identity().nginx, page.len()).bytes());
            } else if let Some(to) = &to {
                if let Err(error) = call.files().write(&call.path(to), &page, &call.session.who(), 0o644) {
                    said.err.extend(
                        format!("Warning: Failed to open the file {to}: {}\n", error.errno_text()).bytes(),
                    );
                    said.status = 23;
                }
            } else {
                said.out.extend_from_slice(&page);
            }
            continue;
        }
        let (number, text) = if is_address(&host) {
            (
                28,
                format!(
                    "Failed to connect to {host} port {port} after 129870 ms: Couldn't connect to server"
                ),
            )
        } else {
            (6, format!("Could not resolve host: {host}"))
        };
        let number = if number == 28 && !options.has_long("connect-timeout") && options.value('m').is_none() {
            28
        } else {
            number
        };
        if !silent || loud {
            said.err.extend(format!("curl: ({number}) {text}\n").bytes());
        }
        said.status = number;
    }
    said
}

/// tftp-hpa 5.2, and busybox's way of calling it.
pub(super) fn tftp(call: &Call<'_>) -> Said {
    let options = call.options("rlbc");
    let get = call.args.windows(2).find_map(|pair| match pair {
        [word, file] if word == "get" || word == "-r" => Some(file.clone()),
        _ => None,
    });
    let file = options.value('r').map(str::to_owned).or(get);
    let host = options.operands.iter().find(|word| *word != "get" && Some(*word) != file.as_ref());
    let (Some(host), Some(file)) = (host, &file) else {
        return if call.args.is_empty() {
            Said::nothing(0)
        } else {
            Said::err("usage: tftp host-name [port]\n", 64)
        };
    };
    let to = options.value('l').unwrap_or(file);
    record(call, &format!("tftp://{host}/{file}"), &call.path(to));
    Said::out("Transfer timed out.\n\n")
}

/// busybox's ftpget.
pub(super) fn ftpget(call: &Call<'_>) -> Said {
    let options = call.options("upP");
    let [host, rest @ ..] = options.operands.as_slice() else { return Said::nothing(1) };
    let local = rest.first().map_or("", String::as_str);
    let remote = rest.get(1).map_or(local, String::as_str);
    record(call, &format!("ftp://{host}/{remote}"), &call.path(local));
    Said::err(format!("ftpget: can't connect to remote host ({host}): Connection timed out\n"), 1)
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn addresses_are_cut() {
        assert_eq!(cut("http://192.0.2.1:8080/a/b.sh"), ("http", "192.0.2.1".into(), 8080, "/a/b.sh".into()));
        assert_eq!(cut("example.org"), ("http", "example.org".into(), 80, "/".into()));
        assert_eq!(cut("ftp://u:p@example.org/x"), ("ftp", "example.org".into(), 21, "/x".into()));
    }
}
