//! What `curl` is told.

use std::time::Duration;

use super::super::{Call, connections::web::Request};

/// What `curl --help all` lists: letter (or a dot), long name, `v` for one with a value.
const LIST: &str = include_str!("options.txt");
/// The most of a file that is sent along.
const MOST_SENT: usize = 256 * 1024;

/// What one call is told.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) urls: Vec<String>,
    pub(super) output: Option<String>,
    pub(super) remote_name: bool,
    pub(super) silent: bool,
    /// Errors are shown all the same.
    pub(super) loud: bool,
    pub(super) verbose: bool,
    /// Only the head is asked for.
    pub(super) head: bool,
    pub(super) include: bool,
    pub(super) fail: bool,
    pub(super) insecure: bool,
    pub(super) write_out: Option<String>,
    /// Seconds, `--connect-timeout`.
    pub(super) connect_limit: Option<f64>,
    /// Seconds, `-m`.
    whole_limit: Option<f64>,
    values: Vec<(&'static str, String)>,
    gets: bool,
}

impl Given {
    /// Cuts the arguments; what curl says to those that it does not understand.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, String> {
        let (mut urls, mut values, mut set) = (Vec::new(), Vec::new(), Vec::new());
        let mut args = call.args.iter();
        while let Some(arg) = args.next() {
            let mut next = |known: &Known| match args.next() {
                Some(value) => Ok((known.long, value.clone())),
                None => Err(format!("option {arg}: requires parameter")),
            };
            if let Some(long) = arg.strip_prefix("--") {
                let known = Known::by_name(long, arg)?;
                if known.valued { values.push(next(&known)?) } else { set.push(known.long) }
            } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                for (at, letter) in letters.char_indices() {
                    let known = Known::by_letter(letter)?;
                    if !known.valued {
                        set.push(known.long);
                        continue;
                    }
                    match letters.get(at + letter.len_utf8()..).filter(|rest| !rest.is_empty()) {
                        Some(rest) => values.push((known.long, rest.to_owned())),
                        None => values.push(next(&known)?),
                    }
                    break;
                }
            } else {
                urls.push(arg.clone());
            }
        }
        let has = |name: &str| set.contains(&name);
        urls.extend(values.iter().filter(|(name, _)| *name == "url").map(|(_, url)| url.clone()));
        let last = |wanted: &str| {
            values.iter().rev().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone())
        };
        let seconds = |name: &str| match last(name).map(|text| text.parse::<f64>()) {
            None => Ok(None),
            Some(Ok(time)) if time >= 0.0 => Ok(Some(time).filter(|time| *time > 0.0)),
            Some(_) => Err(format!("option {}: expected a proper numerical parameter", shown(call, name))),
        };
        if urls.is_empty() {
            return Err("no URL specified!".to_owned());
        }
        let (connect_limit, whole_limit) = (seconds("connect-timeout")?, seconds("max-time")?);
        Ok(Self {
            urls,
            output: last("output"),
            remote_name: has("remote-name") || has("remote-name-all"),
            silent: has("silent"),
            loud: has("show-error"),
            verbose: has("verbose"),
            head: has("head"),
            include: has("include"),
            fail: has("fail") || has("fail-with-body"),
            insecure: has("insecure"),
            write_out: last("write-out"),
            connect_limit,
            whole_limit,
            gets: has("get"),
            values,
        })
    }

    /// The shorter of both limits.
    pub(super) fn limit(&self) -> Option<Duration> {
        let seconds = [self.connect_limit, self.whole_limit].into_iter().flatten().reduce(f64::min)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn all<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    }

    /// What is to be sent, part by part.
    fn data(&self) -> impl Iterator<Item = &str> {
        let is_data = |name: &str| name.starts_with("data") || name == "json";
        self.values.iter().filter(move |(name, _)| is_data(name)).map(|(_, value)| value.as_str())
    }

    /// The request as curl writes it.
    pub(super) fn request(&self, call: &Call<'_>) -> Request {
        let mut body = Vec::new();
        for part in self.data() {
            if !body.is_empty() {
                body.push(b'&');
            }
            match part.strip_prefix('@') {
                Some("-") => body.extend_from_slice(call.stdin.unwrap_or_default()),
                Some(file) => {
                    let bytes = call.files().read(&call.path(file)).unwrap_or_default();
                    body.extend(bytes.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')));
                }
                None => body.extend_from_slice(part.as_bytes()),
            }
        }
        let upload = self
            .all("upload-file")
            .last()
            .map(|file| call.files().read(&call.path(file)).unwrap_or_default());
        let posts = self.data().next().is_some() && !self.gets || self.all("form").next().is_some();
        let method = match self.all("request").last() {
            Some(method) => method.to_owned(),
            None if self.head => "HEAD".to_owned(),
            None if upload.is_some() => "PUT".to_owned(),
            None if posts => "POST".to_owned(),
            None => "GET".to_owned(),
        };
        let own: Vec<&str> = self.all("header").collect();
        let replaced = |name: &str| {
            own.iter().any(|line| line.split(':').next().is_some_and(|own| own.eq_ignore_ascii_case(name)))
        };
        let mut headers = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !replaced(name) {
                headers.push(format!("{name}: {value}"));
            }
        };
        if let Some(user) = self.all("user").last() {
            use base64::Engine as _;
            add(
                "Authorization",
                &format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(user)),
            );
        }
        if let Some(range) = self.all("range").last() {
            add("Range", &format!("bytes={range}"));
        }
        add("User-Agent", self.all("user-agent").last().unwrap_or("curl/7.88.1"));
        add("Accept", "*/*");
        if let Some(referer) = self.all("referer").last() {
            add("Referer", referer);
        }
        if let Some(cookie) = self.all("cookie").last().filter(|text| text.contains('=')) {
            add("Cookie", cookie);
        }
        let bytes = upload.map_or(body, |bytes| bytes.to_vec());
        // Line ends in a header would be another header.
        headers.extend(
            own.iter().map(|line| line.replace(['\r', '\n'], "")).filter(|line| !line.ends_with(':')),
        );
        let body: Vec<u8> = if self.gets { Vec::new() } else { bytes.into_iter().take(MOST_SENT).collect() };
        if method != "GET" && method != "HEAD" || !body.is_empty() {
            headers.push(format!("Content-Length: {}", body.len()));
            if method == "POST" && !replaced("Content-Type") {
                headers.push("Content-Type: application/x-www-form-urlencoded".to_owned());
            }
        }
        Request { method, headers, body }
    }
}

/// One option that curl knows.
struct Known {
    long: &'static str,
    valued: bool,
}

impl Known {
    fn all() -> impl Iterator<Item = (&'static str, Self)> {
        LIST.lines().filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, Self { long: words.next()?, valued: words.next().is_some() }))
        })
    }

    fn by_letter(letter: char) -> Result<Self, String> {
        Self::all()
            .find(|(known, _)| letter != '.' && known.chars().eq([letter]))
            .map(|(_, option)| option)
            .ok_or_else(|| format!("option -{letter}: is unknown"))
    }

    /// A long option may be shortened to what means no other.
    fn by_name(name: &str, arg: &str) -> Result<Self, String> {
        let mut near = Vec::new();
        for (_, option) in Self::all() {
            if option.long == name
                || name.strip_prefix("no-").is_some_and(|name| !option.valued && option.long == name)
            {
                // What is switched off was off.
                let long = if option.long == name { option.long } else { "disable" };
                return Ok(Self { long, ..option });
            }
            if option.long.starts_with(name) {
                near.push(option);
            }
        }
        match near.pop() {
            Some(option) if near.is_empty() => Ok(option),
            Some(_) => Err(format!("option {arg}: is ambiguous")),
            None => Err(format!("option {arg}: is unknown")),
        }
    }
}

/// An option as the visitor wrote it.
fn shown(call: &Call<'_>, long: &str) -> String {
    let letter = Known::all().find(|(_, option)| option.long == long).map_or(".", |(letter, _)| letter);
    let short = format!("-{letter}");
    if call.args.iter().any(|arg| arg.starts_with(&short)) { short } else { format!("--{long}") }
}
