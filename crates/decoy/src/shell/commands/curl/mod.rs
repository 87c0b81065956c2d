//! `curl` 7.88.1: transfers with the machine's own web server, and others that are only played.

mod options;
mod trace;
mod written;

use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};

use self::{options::Given, trace::Trace};
use super::{
    Call, Said,
    connections::web::{self, Answer, Failure, NO_ROUTE},
    transfer::{self, Url},
};
use crate::shell::io::Out;

/// The most addresses of one call, and the most steps from one address to the next.
const MOST: usize = 50;

/// The meter, before anything has come.
const BEGUN: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";

/// The meter, as it stands when everything has come.
fn meter(size: usize) -> String {
    let rate = size * 3 + 1700;
    let rate = if rate < 100_000 { rate.to_string() } else { format!("{}k", rate / 1024) };
    format!(
        "{BEGUN}\r100 {size:>5}  100 {size:>5}    0     0  {rate:>5}      0 --:--:-- --:--:-- --:--:-- {rate:>5}\n",
    )
}

pub(super) fn curl<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information\n";
        if call.args.is_empty() {
            return Said::err(TRY, 2);
        }
        let given = match Given::of(call) {
            Ok(given) => given,
            Err(text) => return Said::err(format!("curl: {text}\n{TRY}"), 2),
        };
        let mut said = Said::default();
        for address in given.urls.iter().take(MOST) {
            if let Err((status, text)) = one(call, &given, address, &mut said).await {
                if !given.silent || given.loud {
                    said.err.extend(format!("curl: ({status}) {text}\n").bytes());
                }
                said.status = status;
            }
        }
        said
    }
    .boxed()
}

/// One address; what went wrong, by its number and in words.
async fn one(call: &Call<'_>, given: &Given, address: &str, said: &mut Said) -> Result<(), (i32, String)> {
    let url = Url::cut(address);
    let to = match &given.output {
        Some(to) => Some(to.clone()),
        None if given.remote_name => Some(url.name().unwrap_or_default().to_owned()),
        None => None,
    };
    let place = to.as_deref().map(|to| call.path(to)).unwrap_or_default();
    if to.as_deref() == Some("") {
        return Err((23, "Failed writing received data to disk/application".to_owned()));
    }
    if url.scheme == "file" {
        let bytes =
            call.files().read(&url.path).map_err(|_| (37, format!("Couldn't open file {}", url.path)))?;
        said.out.extend_from_slice(&bytes);
        return Ok(());
    }
    if matches!(url.scheme.as_str(), "telnet" | "dict" | "gopher" | "ldap") {
        transfer::record(call.session, address, "", None);
        return Err((
            7,
            format!(
                "Failed to connect to {} port {} after 1 ms: Couldn't connect to server",
                url.host, url.port
            ),
        ));
    }
    if !matches!(url.scheme.as_str(), "http" | "https" | "ftp" | "ftps" | "tftp") {
        return Err((1, format!("Protocol \"{}\" not supported or disabled in libcurl", url.scheme)));
    }
    let request = given.request(call);
    let answer = match web::ask(call, &url, &request, given.limit()).await {
        Ok(answer) => answer,
        Err(failure) => {
            transfer::record(call.session, address, &place, None);
            if given.verbose {
                said.err.extend(Trace::of(call, given, &url).failed(failure).bytes());
            }
            if let Some(format) = &given.write_out {
                said.out.extend(written::nothing(format, address).bytes());
            }
            let failed = reason(failure, given, &url);
            // The meter has been begun when the name is asked for.
            if failed.0 == 6
                && !given.silent
                && (to.as_deref().is_some_and(|to| to != "-") || !call.to_terminal)
            {
                said.err.extend_from_slice(BEGUN.as_bytes());
            }
            return Err(failed);
        }
    };
    if given.verbose {
        said.err.extend(
            Trace::of(call, given, &url).told(&request, &answer, to.is_none() && call.to_terminal).bytes(),
        );
    }
    let seen = Some(&answer.body).filter(|_| request.method != "HEAD");
    transfer::record(call.session, address, &place, seen.map(|bytes| &bytes[..]));
    let fails = given.fail && answer.status >= 400;
    if given.include || given.head {
        said.out.extend(trace::shown_head(&url, &answer).bytes());
    }
    if !given.head && !fails {
        deliver(call, given, to.as_deref(), &answer, said)?;
    }
    if let Some(format) = &given.write_out {
        said.out.extend(written::told(format, address, &url, call, &answer).bytes());
    }
    if fails {
        return Err((22, format!("The requested URL returned error: {}", answer.status)));
    }
    Ok(())
}

/// Puts the body where it is to go.
fn deliver(
    call: &Call<'_>,
    given: &Given,
    to: Option<&str>,
    answer: &Answer,
    said: &mut Said,
) -> Result<(), (i32, String)> {
    let to = to.filter(|to| *to != "-");
    match to {
        None => said.out.extend_from_slice(&answer.body),
        Some(to) => {
            if let Err(error) = transfer::store(call, to, &answer.body) {
                said.err.extend(
                    format!("Warning: Failed to open the file {to}: {}\n", error.errno_text()).bytes(),
                );
                return Err((23, "Failure writing output to destination".to_owned()));
            }
        }
    }
    // The meter is shown when the body does not go to the terminal.
    if !given.silent && (to.is_some() || !call.to_terminal) {
        let channels = if call.to_terminal { call.session.channels.lock().clone() } else { None };
        match channels {
            Some((output, _)) => output(Out::Stderr, meter(answer.body.len()).as_bytes()),
            None => said.err.extend(meter(answer.body.len()).bytes()),
        }
    }
    Ok(())
}

/// curl's number and words for what kept it from an answer.
fn reason(failure: Failure, given: &Given, url: &Url) -> (i32, String) {
    let connect = |milliseconds: u128, why: &str| {
        format!("Failed to connect to {} port {} after {milliseconds} ms: {why}", url.host, url.port)
    };
    let limit = given.limit().unwrap_or(Duration::ZERO).as_millis() + 1;
    match failure {
        Failure::NoName => (6, format!("Could not resolve host: {}", url.host)),
        Failure::Refused => (7, connect(0, "Couldn't connect to server")),
        Failure::NoRoute => (7, connect(NO_ROUTE.as_millis(), "Couldn't connect to server")),
        Failure::TimedOut if given.connect_limit.is_some() => (28, connect(limit, "Timeout was reached")),
        Failure::TimedOut => (28, format!("Connection timed out after {limit} milliseconds")),
        Failure::NotHttp if url.scheme == "https" => {
            (35, "error:0A00010B:SSL routines::wrong version number".to_owned())
        }
        Failure::NotHttp => (1, "Received HTTP/0.9 when not allowed".to_owned()),
    }
}
