//! One table of the settings: asked for its keys one by one; what is left over when it goes is unknown.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use crate::{
    Fault, Origin,
    tree::{Node, Value},
};

/// A table that is being read. Dropping it reports the keys that nobody asked for.
pub struct Section<'a> {
    path: String,
    entries: BTreeMap<String, Node>,
    faults: &'a mut Vec<Fault>,
    known: Vec<String>,
    /// Where the table stands.
    pub origin: Option<Origin>,
}

/// A value and where it stood.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Where it stood.
    pub origin: Option<Origin>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(
        path: String,
        value: Value,
        origin: Option<Origin>,
        faults: &'a mut Vec<Fault>,
    ) -> Self {
        let entries = match value {
            Value::Table(entries) => entries,
            other => {
                let what = format!("must be a table, not {}", name_of(&other));
                faults.push(Fault { origin: origin.clone(), key: path.clone(), what });
                BTreeMap::new()
            }
        };
        Self { path, entries, faults, known: Vec::new(), origin }
    }

    /// Whether the key is there and has not been read yet.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The keys that have not been read yet.
    pub fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// A table below; empty when absent.
    pub fn section(&mut self, key: &str) -> Section<'_> {
        let path = self.path_of(key);
        let (value, origin) = match self.take(key) {
            Some(node) => (node.value, node.origin),
            None => (Value::Table(BTreeMap::new()), None),
        };
        Section::new(path, value, origin, self.faults)
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.found_text(key).map(|found| found.value)
    }

    /// A text and where it stands.
    pub fn found_text(&mut self, key: &str) -> Option<Found<String>> {
        let node = self.take(key)?;
        match node.value {
            Value::Text(value) | Value::Loose(value) => Some(Found { value, origin: node.origin }),
            other => self.wrong(key, node.origin, "a text", &other),
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let node = self.take(key)?;
        match node.value {
            Value::Flag(flag) => Some(flag),
            Value::Loose(ref text) if text == "true" => Some(true),
            Value::Loose(ref text) if text == "false" => Some(false),
            other => self.wrong(key, node.origin, "true or false", &other),
        }
    }

    /// A whole number within a range.
    pub fn number<N>(&mut self, key: &str, range: RangeInclusive<N>) -> Option<N>
    where
        N: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        self.found_number(key, range).map(|found| found.value)
    }

    /// A whole number within a range, and where it stands.
    pub fn found_number<N>(&mut self, key: &str, range: RangeInclusive<N>) -> Option<Found<N>>
    where
        N: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let node = self.take(key)?;
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let number = match &node.value {
            Value::Integer(number) => Some(*number),
            Value::Loose(text) => text.parse().ok(),
            _ => None,
        };
        match number.and_then(|number| N::try_from(number).ok()).filter(|number| range.contains(number)) {
            Some(value) => Some(Found { value, origin: node.origin }),
            None => self.wrong(key, node.origin, &wanted, &node.value),
        }
    }

    /// A number that is not negative, for example an amount in USD; a text such as `"5.00"` too.
    pub fn amount(&mut self, key: &str) -> Option<f64> {
        let node = self.take(key)?;
        let amount = match &node.value {
            Value::Integer(number) => i32::try_from(*number).ok().map(f64::from),
            Value::Float(number) => Some(*number),
            Value::Loose(text) | Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        match amount.filter(|amount| amount.is_finite() && *amount >= 0.0) {
            Some(amount) => Some(amount),
            None => self.wrong(key, node.origin, "an amount such as 5.00", &node.value),
        }
    }

    /// A time such as `"8s"`, `"5m"`, `"1h 30m"`.
    pub fn time(&mut self, key: &str) -> Option<Duration> {
        self.parsed(key, "a time such as \"30s\", \"5m\" or \"4h\"", |text| {
            humantime::parse_duration(text).ok()
        })
    }

    /// A time that may not be zero.
    pub fn time_above_zero(&mut self, key: &str) -> Option<Duration> {
        self.parsed(key, "a time above zero such as \"30s\", \"5m\" or \"4h\"", |text| {
            humantime::parse_duration(text).ok().filter(|time| !time.is_zero())
        })
    }

    /// A size in bytes: `"64MiB"`, or a plain whole number.
    pub fn size(&mut self, key: &str) -> Option<u64> {
        self.size_within(key, 0..=u64::MAX, "a size such as \"64MiB\" or \"2GiB\"")
    }

    /// A size in bytes that must lie in `range`; `wanted` says what would.
    pub fn size_within(&mut self, key: &str, range: RangeInclusive<u64>, wanted: &str) -> Option<u64> {
        let node = self.take(key)?;
        let size = match &node.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Text(text) | Value::Loose(text) => {
                text.parse::<bytesize::ByteSize>().ok().map(|size| size.as_u64())
            }
            _ => None,
        };
        match size.filter(|size| range.contains(size)) {
            Some(size) => Some(size),
            None => self.wrong(key, node.origin, wanted, &node.value),
        }
    }

    /// Anything that is written as text and parsed, for example an address.
    pub fn parse<T: FromStr>(&mut self, key: &str, wanted: &str) -> Option<T> {
        self.parsed(key, wanted, |text| text.parse().ok())
    }

    /// A text that must pass `read`; `wanted` says what would.
    pub fn parsed<T>(&mut self, key: &str, wanted: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let node = self.take(key)?;
        let value = match &node.value {
            Value::Text(text) | Value::Loose(text) => read(text),
            _ => None,
        };
        match value {
            Some(value) => Some(value),
            None => self.wrong(key, node.origin, wanted, &node.value),
        }
    }

    /// A list of texts; from the environment, separated by commas.
    pub fn texts(&mut self, key: &str) -> Option<Vec<Found<String>>> {
        let node = self.take(key)?;
        match node.value {
            Value::Loose(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Found { value: item.to_owned(), origin: node.origin.clone() })
                    .collect(),
            ),
            Value::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    match item.value {
                        Value::Text(value) => texts.push(Found { value, origin: item.origin }),
                        other => {
                            let _none: Option<()> = self.wrong(key, item.origin, "a list of texts", &other);
                        }
                    }
                }
                Some(texts)
            }
            other => self.wrong(key, node.origin, "a list of texts", &other),
        }
    }

    /// Every remaining key with a text value, in the order of their names with numbers counted as numbers
    /// (`message2` before `message10`).
    pub fn all_texts(&mut self) -> Vec<(String, String)> {
        let mut keys = self.keys();
        keys.sort_by_key(|key| {
            let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
            let number = key.get(stem.len()..).and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0);
            (stem.to_owned(), number)
        });
        keys.into_iter().filter_map(|key| self.text(&key).map(|text| (key, text))).collect()
    }

    /// Reports a fault of this table that only the reader can see.
    pub fn fault(&mut self, key: &str, origin: Option<Origin>, what: impl Into<String>) {
        let key = self.path_of(key);
        self.faults.push(Fault { origin, key, what: what.into() });
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        self.known.push(key.to_owned());
        self.entries.remove(key)
    }

    fn path_of(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    fn wrong<T>(&mut self, key: &str, origin: Option<Origin>, wanted: &str, got: &Value) -> Option<T> {
        let what = format!("must be {wanted}, not {}", name_of(got));
        self.fault(key, origin, what);
        None
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        for (key, node) in std::mem::take(&mut self.entries) {
            let what = match nearest(&key, &self.known) {
                Some(known) => format!("unknown key; did you mean `{known}`?"),
                None => "unknown key".to_owned(),
            };
            self.fault(&key, node.origin, what);
        }
    }
}

/// What stands there, for a message. A text is not shown: it may be a secret.
fn name_of(value: &Value) -> String {
    match value {
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Text(text) | Value::Loose(text) => format!("a text of {} characters", text.chars().count()),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Unreadable(what) => (*what).to_owned(),
    }
}

/// The known key that differs in at most two letters.
fn nearest<'k>(key: &str, known: &'k [String]) -> Option<&'k String> {
    known
        .iter()
        .map(|candidate| (distance(key, candidate), candidate))
        .filter(|(d, _)| *d <= 2)
        .min()
        .map(|(_, k)| k)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above_left), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above_left + usize::from(x != *y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
