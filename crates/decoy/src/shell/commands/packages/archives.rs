//! Where packages come from: what the machine's own `sources.list(5)` says.

use super::super::Call;

const LIST: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

/// One suite of one archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Without a slash at the end.
    pub(super) address: String,
    /// As `bookworm-updates`.
    pub(super) suite: String,
    /// The first component, as `main`.
    pub(super) component: String,
}

/// Every suite once, in the order of the files.
pub(super) fn all(call: &Call<'_>) -> Vec<Source> {
    let read = |path: &str| {
        let text = call.files().read(path).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    };
    let mut found = of_list(&read(LIST));
    let mut parts = call.files().list(PARTS).unwrap_or_default();
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    for part in parts {
        let text = || read(&format!("{PARTS}/{}", part.name));
        if part.name.ends_with(".list") {
            found.extend(of_list(&text()));
        } else if part.name.ends_with(".sources") {
            found.extend(of_stanzas(&text()));
        }
    }
    let mut sources: Vec<Source> = Vec::new();
    for source in found {
        if !sources.iter().any(|known| known.address == source.address && known.suite == source.suite) {
            sources.push(source);
        }
    }
    sources
}

fn source(address: &str, suite: &str, component: &str) -> Source {
    Source {
        address: address.trim_end_matches('/').to_owned(),
        suite: suite.to_owned(),
        component: component.to_owned(),
    }
}

/// `deb [option=value] ADDRESS SUITE COMPONENT…`
fn of_list(text: &str) -> Vec<Source> {
    let of_line = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        if words.next()? != "deb" {
            return None;
        }
        let mut address = words.next()?;
        if address.starts_with('[') {
            while !address.ends_with(']') {
                address = words.next()?;
            }
            address = words.next()?;
        }
        Some(source(address, words.next()?, words.next().unwrap_or_default()))
    };
    text.lines().filter_map(of_line).collect()
}

/// Stanzas of `Types`, `URIs`, `Suites` and `Components` (deb822).
fn of_stanzas(text: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            let line = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_default().split_whitespace()
        };
        if !field("Types").any(|kind| kind == "deb") || field("Enabled").any(|word| word == "no") {
            continue;
        }
        for address in field("URIs") {
            let component = field("Components").next().unwrap_or_default();
            found.extend(field("Suites").map(|suite| source(address, suite, component)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_stanzas_are_read() {
        let list = "# a comment\ndeb-src http://a.example/debian x main\ndeb [arch=amd64 signed-by=/k] http://a.example/debian/ x main contrib # here\ndeb http://b.example/\n";
        assert_eq!(of_list(list), [source("http://a.example/debian", "x", "main")]);
        let stanzas = "Types: deb deb-src\nURIs: http://a.example/debian\nSuites: x x-updates\nComponents: main\n\nTypes: deb\nURIs: http://c.example\nSuites: y\nEnabled: no\n";
        let wanted = [
            source("http://a.example/debian", "x", "main"),
            source("http://a.example/debian", "x-updates", "main"),
        ];
        assert_eq!(of_stanzas(stanzas), wanted);
    }
}
