//! A person at the registry's pages, as a browser without a screen: signs in, keeps the cookie, reads what is shown.

use reqwest::{Client, StatusCode, header, redirect};

/// A browser that is signed in.
pub struct Browser {
    client: Client,
    url: String,
    cookie: String,
}

impl Browser {
    /// Signs in through the form.
    pub async fn sign_in(url: &str, name: &str, password: &str) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        let pairs = [("name", name), ("password", password), ("next", "/")]
            .map(|(key, value)| format!("{key}={}", encoded(value)));
        let answer = client
            .post(format!("{url}/sign-in"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, url)
            .body(pairs.join("&"))
            .send()
            .await
            .expect("the sign-in page");
        assert!(answer.status().is_redirection(), "sign-in answered {}", answer.status());
        let cookie = answer.headers().get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Self { client, url: url.to_owned(), cookie }
    }

    /// Reads a page as a person sees it: entities are characters again, tags stay.
    pub async fn page(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie);
        let answer = request.send().await.expect("a page");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy =
            answer.headers().get(header::CONTENT_SECURITY_POLICY).expect("a content security policy");
        let policy = policy.to_str().expect("text").to_owned();
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{policy}");
        let text = answer.text().await.expect("text");
        assert!(!text.contains("<script"), "a script on {path}");
        readable(&text)
    }
}

/// Percent-encodes all but letters and digits (RFC 3986, 2.1).
pub fn encoded(text: &str) -> String {
    let one = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(one).collect()
}

/// Turns the entities of HTML that templates write back into characters.
fn readable(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|end| *end < 10);
        let character = end.and_then(|end| {
            let name = &rest[1..end];
            let number = name
                .strip_prefix("#x")
                .map(|hex| u32::from_str_radix(hex, 16))
                .or_else(|| name.strip_prefix('#').map(str::parse));
            match (name, number) {
                (_, Some(number)) => char::from_u32(number.ok()?),
                ("amp", _) => Some('&'),
                ("lt", _) => Some('<'),
                ("gt", _) => Some('>'),
                ("quot", _) => Some('"'),
                ("apos", _) => Some('\''),
                _ => None,
            }
        });
        match (character, end) {
            (Some(character), Some(end)) => {
                text.push(character);
                rest = &rest[end + 1..];
            }
            _ => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read() {
        assert_eq!(readable("a &lt;b&gt; &amp;&amp; &#39;c&#x27; & d"), "a <b> && 'c' & d");
        assert_eq!(encoded("a b/é"), "a%20b%2F%C3%A9");
    }
}
