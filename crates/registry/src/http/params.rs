//! The part of a URL behind `?`, and the fields of a form.

use std::{convert::Infallible, fmt::Display, ops::RangeInclusive, str::FromStr};

use axum::extract::FromRequestParts;
use http::request::Parts;
use url::form_urlencoded;

use super::failure::Failure;

/// Names and values; of a repeated name the first counts. An empty value counts as absent, as forms send it.
#[derive(Clone, Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `a=b&c=d`. Any bytes are some parameters.
    pub fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).take(64);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.trim().is_empty()).map(|(_, value)| value.trim())
    }

    /// A value as it was sent, blanks included: a password.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A text of at most 255 characters.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            Some(text) if text.chars().count() > 255 => {
                Err(Failure::Wrong(format!("`{name}` must have at most 255 characters")))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// A whole number in a range.
    pub fn number<N: FromStr + PartialOrd + Display>(
        &self,
        name: &str,
        range: RangeInclusive<N>,
    ) -> Result<Option<N>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().ok().filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            Failure::Wrong(format!(
                "`{name}` must be a whole number from {} to {}",
                range.start(),
                range.end()
            ))
        })
    }

    /// A ticked box: `1`, `on` or `true`.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "on" | "true"))
    }

    /// Refuses names that mean nothing here, so that a misspelt filter does not list everything.
    pub fn only(&self, known: &[&str]) -> Result<(), Failure> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(60).collect();
                Err(Failure::Wrong(format!("there is no parameter `{name}`; there are {}", known.join(", "))))
            }
        }
    }

    /// The same parameters with one of them set, for a link to the next page.
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut link = form_urlencoded::Serializer::new(String::new());
        for (n, v) in self.0.iter().filter(|(n, v)| n != name && !v.is_empty()) {
            link.append_pair(n, v);
        }
        link.append_pair(name, value);
        link.finish()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_checked() {
        let params = Params::parse(b"a=1&b=%3Cx%3E&c=&a=2&d=on");
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (Some("1"), Some("<x>"), None));
        assert_eq!(params.number("a", 1..=9).unwrap(), Some(1));
        assert!(params.number("a", 2..=9).is_err() && params.number::<u8>("b", 0..=9).is_err());
        assert!(params.flag("d") && !params.flag("a2"));
        assert!(params.only(&["a", "b", "c", "d"]).is_ok());
        assert!(params.only(&["a", "b", "c"]).unwrap_err().to_string().contains("`d`"));
        assert_eq!(params.with("a", "x&y"), "b=%3Cx%3E&d=on&a=x%26y");
    }
}
