//! Reading TOML and environment key by key: every key asked for is known, every other is a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use url::Url;

use super::{ENVIRONMENT_PREFIX, Fault};
use crate::time::parse_duration;

type Key<'t> = (Spanned<DeString<'t>>, Spanned<DeValue<'t>>);

/// A document that is being read.
pub(super) struct Reading<'t> {
    text: &'t str,
    table: DeTable<'t>,
    environment: &'t BTreeMap<String, String>,
    /// Paths that were asked for, sections and keys.
    asked: BTreeSet<String>,
    faults: Vec<Fault>,
}

/// One `[section]` of it.
pub(super) struct Section<'r, 't> {
    reading: &'r mut Reading<'t>,
    path: Vec<&'static str>,
}

/// A value as text, and where it stands.
struct Found {
    line: Option<usize>,
    values: Vec<String>,
    is_list: bool,
    origin: String,
}

impl<'t> Reading<'t> {
    pub(super) fn new(text: &'t str, environment: &'t BTreeMap<String, String>) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reading =
            Self { text, table: table.into_inner(), environment, asked: BTreeSet::new(), faults: Vec::new() };
        for error in errors {
            let line = error.span().map(|span| reading.line(span.start));
            reading.faults.push(Fault { line, text: error.message().to_owned() });
        }
        reading
    }

    pub(super) fn section(&mut self, path: &[&'static str]) -> Section<'_, 't> {
        let mut prefix = String::new();
        for part in path {
            prefix = if prefix.is_empty() { (*part).to_owned() } else { format!("{prefix}.{part}") };
            self.asked.insert(prefix.clone());
        }
        Section { reading: self, path: path.to_vec() }
    }

    /// All faults, or none.
    pub(super) fn finish(mut self) -> Result<(), Vec<Fault>> {
        let table = std::mem::take(&mut self.table);
        self.unknown_keys(&table, "");
        for name in self.environment.keys() {
            let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let path = path.to_ascii_lowercase().replace("__", ".");
            if !self.asked.contains(&path) {
                let text = format!("the environment's `{name}` names no setting{}", self.nearest(&path));
                self.faults.push(Fault { line: None, text });
            }
        }
        self.faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }

    fn unknown_keys(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (key, value) in table.iter() {
            let name = key.get_ref();
            let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
            let line = Some(self.line(key.span().start));
            let inner = value.get_ref().as_table();
            // A section is a path that others begin with.
            let is_section = self
                .asked
                .iter()
                .any(|asked| asked.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.')));
            if !self.asked.contains(&path) {
                let text = format!("`{path}` is unknown{}", self.nearest(&path));
                self.faults.push(Fault { line, text });
            } else if let Some(inner) = inner {
                self.unknown_keys(inner, &path);
            } else if is_section {
                self.faults.push(Fault { line, text: format!("`{path}` must be a section") });
            }
        }
    }

    /// The known path that was probably meant.
    fn nearest(&self, path: &str) -> String {
        let distance = |known: &&String| edits(known, path);
        match self.asked.iter().min_by_key(distance) {
            Some(known) if edits(known, path) <= 3 => format!("; did you mean `{known}`?"),
            _ => String::new(),
        }
    }

    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
    }

    fn key(&self, path: &[&str]) -> Option<Key<'t>> {
        let (last, sections) = path.split_last()?;
        let mut table = &self.table;
        for part in sections {
            table = table.get(*part)?.get_ref().as_table()?;
        }
        let (key, value) = table.get_key_value(*last)?;
        Some((key.clone(), value.clone()))
    }
}

/// Single-character edits between two short words.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for ((y, up), diagonal) in b.iter().zip(row.iter().skip(1)).zip(row.iter()) {
            left = (up + 1).min(left + 1).min(diagonal + usize::from(x != *y));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

impl Section<'_, '_> {
    fn full_name(&self, key: &str) -> String {
        format!("{}.{key}", self.path.join("."))
    }

    /// Notes a fault of the section as a whole.
    pub(super) fn fault(&mut self, text: &str) {
        let line = self.reading.key(&self.path).map(|(key, _)| self.reading.line(key.span().start));
        self.reading.faults.push(Fault { line, text: text.to_owned() });
    }

    /// An environment variable with a name of its own.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.reading.environment.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn find(&mut self, key: &'static str) -> Option<Found> {
        let path = self.full_name(key);
        self.reading.asked.insert(path.clone());
        let variable = format!("{ENVIRONMENT_PREFIX}{}", path.to_ascii_uppercase().replace('.', "__"));
        if let Some(value) = self.variable(&variable) {
            let values =
                value.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
            let origin = format!("`{path}` (from the environment's {variable})");
            let mut found = Found { line: None, values, is_list: true, origin };
            if !matches!(key, "allowed_networks" | "trusted_proxies") {
                (found.values, found.is_list) = (vec![value], false);
            }
            return Some(found);
        }
        let full: Vec<&str> = self.path.iter().copied().chain([key]).collect();
        let (name, value) = self.reading.key(&full)?;
        let line = Some(self.reading.line(name.span().start));
        let origin = format!("`{path}`");
        let text = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            _ => None,
        };
        match value.get_ref() {
            DeValue::Array(list) => match list.iter().map(|item| text(item.get_ref())).collect() {
                Some(values) => Some(Found { line, values, is_list: true, origin }),
                None => {
                    self.reading
                        .faults
                        .push(Fault { line, text: format!("{origin} must be a list of strings") });
                    None
                }
            },
            other => match text(other) {
                Some(value) => Some(Found { line, values: vec![value], is_list: false, origin }),
                None => {
                    self.reading
                        .faults
                        .push(Fault { line, text: format!("{origin} must be a single value") });
                    None
                }
            },
        }
    }

    fn single(&mut self, key: &'static str) -> Option<(Option<usize>, String, String)> {
        let found = self.find(key)?;
        if found.is_list {
            let text = format!("{} must be a single value", found.origin);
            self.reading.faults.push(Fault { line: found.line, text });
            return None;
        }
        Some((found.line, found.values.into_iter().next().unwrap_or_default(), found.origin))
    }

    /// A value that `parse` understands; the message of `parse` follows the name of the key. None after a fault.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let faults = self.reading.faults.len();
        match self.single(key) {
            Some((line, value, origin)) => match parse(&value) {
                Ok(value) => Some(value),
                Err(text) => {
                    self.reading.faults.push(Fault { line, text: format!("{origin} {text}") });
                    None
                }
            },
            None if self.reading.faults.len() > faults => None,
            None => parse(default).ok(),
        }
    }

    /// Text, or none when it is not set or empty.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<String> {
        self.single(key).map(|(_, value, _)| value).filter(|value| !value.is_empty())
    }

    /// A path.
    pub(super) fn path(&mut self, key: &'static str, default: &str) -> PathBuf {
        self.optional(key).unwrap_or_else(|| default.to_owned()).into()
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let word = if default { "true" } else { "false" };
        self.parsed(key, word, |text| text.parse().map_err(|_| "must be `true` or `false`".to_owned()))
            .unwrap_or(default)
    }

    /// A whole number.
    pub(super) fn number(&mut self, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let parse = |text: &str| {
            let number = text.parse::<u32>().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
        };
        self.parsed(key, &default.to_string(), parse).unwrap_or(default)
    }

    /// A duration of a second or more.
    pub(super) fn duration(&mut self, key: &'static str, default: &str) -> Duration {
        let parse = |text: &str| {
            let duration = parse_duration(text)
                .filter(|d| *d >= Duration::from_secs(1) && *d <= Duration::from_secs(366 * 86_400));
            duration.ok_or_else(|| {
                format!(
                    "is `{text}`; it must be a duration of one second to a year, as `30s`, `5m`, `4h` or `1d`"
                )
            })
        };
        self.parsed(key, default, parse).unwrap_or(Duration::from_secs(60))
    }

    /// A size in bytes.
    pub(super) fn size(&mut self, key: &'static str, default: &str, range: RangeInclusive<u64>) -> u64 {
        let parse = |text: &str| {
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let (number, unit) = text.split_at(digits);
            let factor = match unit.trim() {
                "" | "B" => 1_u64,
                "KiB" => 1024,
                "MiB" => 1024 * 1024,
                "GiB" => 1024 * 1024 * 1024,
                _ => 0,
            };
            let bytes =
                number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).filter(|n| range.contains(n));
            bytes.ok_or_else(|| {
                format!(
                    "is `{text}`; it must be a size from {} to {} bytes, as `64MiB`",
                    range.start(),
                    range.end()
                )
            })
        };
        self.parsed(key, default, parse).unwrap_or(*range.start())
    }

    /// A URL of one of the schemes.
    pub(super) fn url(&mut self, key: &'static str, schemes: &[&str]) -> Option<Url> {
        let (line, value, origin) = self.single(key)?;
        if value.is_empty() {
            return None;
        }
        match Url::parse(&value) {
            Ok(url) if schemes.contains(&url.scheme()) && url.host().is_some() => return Some(url),
            _ => {}
        }
        let text = format!("{origin} must be a URL that begins with {}://", schemes.join(":// or "));
        self.reading.faults.push(Fault { line, text });
        None
    }

    /// A list of networks or addresses.
    pub(super) fn networks(&mut self, key: &'static str) -> Vec<IpNet> {
        let Some(found) = self.find(key) else { return Vec::new() };
        if !found.is_list {
            let text = format!("{} must be a list, as `[\"10.0.0.0/8\"]`", found.origin);
            self.reading.faults.push(Fault { line: found.line, text });
            return Vec::new();
        }
        let mut networks = Vec::new();
        for value in found.values {
            match value.parse::<IpNet>().or_else(|_| value.parse::<std::net::IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => {
                    let text =
                        format!("{}: `{value}` is not a network, as `10.0.0.0/8` or `::1/128`", found.origin);
                    self.reading.faults.push(Fault { line: found.line, text });
                }
            }
        }
        networks
    }
}
