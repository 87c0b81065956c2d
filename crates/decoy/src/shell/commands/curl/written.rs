//! `curl -w`: what is told of a transfer behind it.

use super::super::{
    Call,
    connections::{Place, web::Answer},
    transfer::Url,
};

/// Fills in a format; `value` knows the variables.
fn filled(format: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '%' if rest.starts_with('{') => {
                let Some((name, after)) = rest.get(1..).and_then(|rest| rest.split_once('}')) else {
                    text.push(c);
                    continue;
                };
                rest = after;
                text += &value(name).unwrap_or_default();
            }
            '%' if rest.starts_with('%') => {
                rest = rest.get(1..).unwrap_or_default();
                text.push('%');
            }
            '\\' => {
                let next = rest.chars().next();
                rest = rest.get(next.map_or(0, char::len_utf8)..).unwrap_or_default();
                match next {
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('t') => text.push('\t'),
                    Some(other) => text.extend(['\\', other]),
                    None => text.push('\\'),
                }
            }
            c => text.push(c),
        }
    }
    text
}

/// Behind a transfer that never was.
pub(super) fn nothing(format: &str, address: &str) -> String {
    filled(format, &|name| {
        Some(match name {
            "http_code" | "response_code" | "http_connect" => "000".to_owned(),
            "url" | "url_effective" => full(address),
            name if name.starts_with("time_") => "0.000000".to_owned(),
            name if name.starts_with("size_") || name.starts_with("num_") || name.starts_with("speed_") => {
                "0".to_owned()
            }
            _ => return None,
        })
    })
}

fn full(address: &str) -> String {
    let url = Url::cut(address);
    format!("{}://{}{}", url.scheme, url.authority(), url.path)
}

pub(super) fn told(format: &str, address: &str, url: &Url, call: &Call<'_>, answer: &Answer) -> String {
    let seconds = |share: f64| format!("{:.6}", answer.time.as_secs_f64() * share);
    filled(format, &|name| {
        Some(match name {
            "http_code" | "response_code" => answer.status.to_string(),
            "http_connect" => "000".to_owned(),
            "http_version" => if url.scheme == "https" { "2" } else { "1.1" }.to_owned(),
            "content_type" => answer.field("Content-Type").unwrap_or_default().to_owned(),
            "size_download" => answer.body.len().to_string(),
            "size_header" => answer.sent_head().len().to_string(),
            "size_upload" | "num_redirects" | "speed_upload" | "ssl_verify_result" | "exitcode" => {
                "0".to_owned()
            }
            "num_connects" => "1".to_owned(),
            "method" => "GET".to_owned(),
            "scheme" => url.scheme.to_ascii_uppercase(),
            "url" => address.to_owned(),
            "url_effective" => full(address),
            "remote_port" => url.port.to_string(),
            "remote_ip" => Place::of(call.session, &url.host, url.port)?.address,
            "local_ip" => call.identity().address.to_string(),
            "speed_download" => {
                ((answer.body.len() as f64 / answer.time.as_secs_f64().max(0.001)) as u64).to_string()
            }
            "time_namelookup" => seconds(0.1),
            "time_connect" => seconds(0.3),
            "time_appconnect" => {
                if url.scheme == "https" {
                    seconds(0.6)
                } else {
                    "0.000000".to_owned()
                }
            }
            "time_pretransfer" => seconds(0.6),
            "time_starttransfer" => seconds(0.9),
            "time_redirect" => "0.000000".to_owned(),
            "time_total" => seconds(1.0),
            "errormsg" => String::new(),
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_filled_in() {
        let value = |name: &str| (name == "http_code").then(|| "200".to_owned());
        assert_eq!(filled("%{http_code}\\n%%|%{nosuch}|%{open", &value), "200\n%||%{open");
        assert_eq!(nothing("%{http_code}", "http://192.0.2.1"), "000");
    }
}
