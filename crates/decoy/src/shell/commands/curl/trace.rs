//! What `curl -v` tells, and heads as `-i` shows them.

use super::{
    super::{
        Call,
        connections::{
            Place,
            web::{Answer, Failure, Request},
        },
        transfer::Url,
    },
    options::Given,
};

/// Far servers behind TLS speak HTTP/2 with curl.
fn is_second(url: &Url) -> bool {
    url.scheme == "https"
}

/// The head in the form that curl shows.
pub(super) fn shown_head(url: &Url, answer: &Answer) -> String {
    if !is_second(url) {
        return answer.sent_head();
    }
    lines(url, answer).iter().map(|line| format!("{line}\r\n")).collect::<String>() + "\r\n"
}

fn lines(url: &Url, answer: &Answer) -> Vec<String> {
    if !is_second(url) {
        return answer.head.clone();
    }
    let fields = answer.head.iter().skip(1).filter(|line| !line.starts_with("Connection"));
    let lower = fields.map(|line| {
        line.split_once(':')
            .map_or_else(|| line.clone(), |(name, value)| format!("{}:{value}", name.to_ascii_lowercase()))
    });
    std::iter::once(format!("HTTP/2 {} ", answer.status)).chain(lower).collect()
}

/// One connection, told as it goes on.
pub(super) struct Trace<'a> {
    given: &'a Given,
    url: &'a Url,
    address: Option<String>,
}

impl<'a> Trace<'a> {
    pub(super) fn of(call: &Call<'_>, given: &'a Given, url: &'a Url) -> Self {
        let address = Place::of(call.session, &url.host, url.port).map(|place| place.address);
        Self { given, url, address }
    }

    fn trying(&self) -> String {
        let address = self.address.as_deref().unwrap_or_default();
        let shown = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        format!("*   Trying {shown}:{}...\n", self.url.port)
    }

    pub(super) fn failed(&self, failure: Failure) -> String {
        let Url { host, port, .. } = self.url;
        let trying = self.trying();
        match failure {
            Failure::NoName => format!("* Could not resolve host: {host}\n* Closing connection 0\n"),
            Failure::Refused => {
                let address = self.address.as_deref().unwrap_or_default();
                format!(
                    "{trying}* connect to {address} port {port} failed: Connection refused\n* Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server\n* Closing connection 0\n"
                )
            }
            Failure::NoRoute => format!(
                "{trying}* connect to {} port {port} failed: No route to host\n* Failed to connect to {host} port {port} after 3062 ms: Couldn't connect to server\n* Closing connection 0\n",
                self.address.as_deref().unwrap_or_default()
            ),
            Failure::TimedOut => format!("{trying}* Connection timed out\n* Closing connection 0\n"),
            Failure::NotHttp => format!(
                "{trying}* Connected to {host} ({}) port {port} (#0)\n* Received HTTP/0.9 when not allowed\n* Closing connection 0\n",
                self.address.as_deref().unwrap_or_default()
            ),
        }
    }

    /// `shows`: the body itself goes to the terminal.
    pub(super) fn told(&self, request: &Request, answer: &Answer, shows: bool) -> String {
        let host = &self.url.host;
        let mut text = self.trying();
        text += &format!(
            "* Connected to {host} ({}) port {} (#0)\n",
            self.address.as_deref().unwrap_or_default(),
            self.url.port
        );
        if is_second(self.url) {
            text += &self.handshake(request);
        }
        let version = if is_second(self.url) { "HTTP/2" } else { "HTTP/1.1" };
        text +=
            &format!("> {} {} {version}\n> Host: {}\n", request.method, self.url.path, self.url.authority());
        for line in &request.headers {
            text += "> ";
            match line.split_once(':').filter(|_| is_second(self.url)) {
                Some((name, value)) => text += &format!("{}:{value}\n", name.to_ascii_lowercase()),
                None => text += &format!("{line}\n"),
            }
        }
        text += "> \n";
        if !request.body.is_empty() && !shows {
            text += &format!("}} [{} bytes data]\n", request.body.len());
        }
        for line in lines(self.url, answer) {
            text += &format!("< {line}\n");
        }
        text += "< \n";
        if !shows && !answer.body.is_empty() {
            text += &format!("{{ [{} bytes data]\n", answer.body.len());
        }
        text + &format!("* Connection #0 to host {host} left intact\n")
    }

    fn handshake(&self, request: &Request) -> String {
        let host = &self.url.host;
        let verified = if self.given.insecure {
            "*  SSL certificate verify result: unable to get local issuer certificate (20), continuing anyway.\n"
        } else {
            "*  SSL certificate verify ok.\n"
        };
        let files = if self.given.insecure {
            ""
        } else {
            "*  CAfile: /etc/ssl/certs/ca-certificates.crt\n*  CApath: /etc/ssl/certs\n"
        };
        let name = if self.url.is_address() { "" } else { host.as_str() };
        let mut text = format!(
            "* ALPN: offers h2,http/1.1\n* TLSv1.3 (OUT), TLS handshake, Client hello (1):\n{files}* TLSv1.3 (IN), TLS handshake, Server hello (2):\n* TLSv1.3 (IN), TLS handshake, Encrypted Extensions (8):\n* TLSv1.3 (IN), TLS handshake, Certificate (11):\n* TLSv1.3 (IN), TLS handshake, CERT verify (15):\n* TLSv1.3 (IN), TLS handshake, Finished (20):\n* TLSv1.3 (OUT), TLS change cipher, Change cipher spec (1):\n* TLSv1.3 (OUT), TLS handshake, Finished (20):\n* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384\n* ALPN: server accepted h2\n* Server certificate:\n*  subject: CN={host}\n"
        );
        if !self.given.insecure && !name.is_empty() {
            text += &format!("*  subjectAltName: host \"{host}\" matched cert's \"{host}\"\n");
        }
        text += "*  issuer: C=US; O=Let's Encrypt; CN=R11\n";
        text += verified;
        text += &format!(
            "* using HTTP/2\n* h2h3 [:method: {}]\n* h2h3 [:path: {}]\n* h2h3 [:scheme: https]\n* h2h3 [:authority: {}]\n",
            request.method,
            self.url.path,
            self.url.authority()
        );
        for line in &request.headers {
            if let Some((name, value)) = line.split_once(':') {
                text += &format!("* h2h3 [{}:{value}]\n", name.to_ascii_lowercase());
            }
        }
        text + "* Using Stream ID: 1 (easy handle 0x55d1c8f4ce90)\n"
    }
}
