//! A settings file as a tree of values that know where they stand, with the environment laid over it.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::{Fault, Faults, Section};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of the file, counted from 1.
    Line(usize),
    /// An environment variable.
    Environment(String),
}

/// The whole of the settings.
#[derive(Debug)]
pub struct Tree {
    pub(crate) file: String,
    pub(crate) root: Node,
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) origin: Option<Origin>,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Table(BTreeMap<String, Node>),
    Array(Vec<Node>),
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    /// From the environment: read as whatever is asked for.
    Loose(String),
    /// A date, or a number too large for any setting.
    Unreadable(&'static str),
}

impl Tree {
    /// Reads `text` (of `file`, named in messages) and lays over it every environment variable that begins with
    /// `prefix`: the rest of its name, lower-cased, is the path, with `__` between levels.
    pub fn read(
        file: &str,
        text: &str,
        prefix: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let (table, errors) = DeTable::parse_recoverable(text);
        let line_of = |offset: usize| 1 + text.get(..offset).unwrap_or(text).matches('\n').count();
        let faults = errors
            .iter()
            .map(|error| Fault {
                origin: error.span().map(|span| Origin::Line(line_of(span.start))),
                key: String::new(),
                what: format!("not TOML: {}", error.message().replace('\n', ", ")),
            })
            .collect();
        let mut root = Node { origin: None, value: read_table(table.get_ref(), &line_of) };
        let mut variables: Vec<(String, String)> = environment.into_iter().collect();
        variables.sort();
        for (name, value) in variables {
            if let Some(path) = name.strip_prefix(prefix)
                && path.contains("__")
            {
                let path = path.to_lowercase();
                overlay(&mut root, path.split("__"), &name, value);
            }
        }
        Self { file: file.to_owned(), root, faults }
    }

    /// The top of the file, to be asked for its keys.
    pub fn top(&mut self) -> Section<'_> {
        let Self { root, faults, .. } = self;
        Section::new(
            String::new(),
            std::mem::replace(&mut root.value, Value::Table(BTreeMap::new())),
            None,
            faults,
        )
    }

    /// Adds a fault that only the reader can see, for example a port named twice.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The settings are good, or everything that is wrong with them.
    pub fn finish<T>(mut self, settings: T) -> Result<T, Faults> {
        if self.faults.is_empty() {
            return Ok(settings);
        }
        self.faults.sort();
        self.faults.dedup();
        Err(Faults { file: self.file, faults: self.faults })
    }
}

fn read_table(table: &DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> Value {
    Value::Table(
        table
            .iter()
            .map(|(key, value)| {
                let origin = Some(Origin::Line(line_of(key.span().start)));
                (key.get_ref().to_string(), Node { origin, value: read_value(value.get_ref(), line_of) })
            })
            .collect(),
    )
}

fn read_value(value: &DeValue<'_>, line_of: &impl Fn(usize) -> usize) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Unreadable("a number out of range"), Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Value::Unreadable("a number out of range"), Value::Float)
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Unreadable("a date"),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| Node {
                    origin: Some(Origin::Line(line_of(item.span().start))),
                    value: read_value(item.get_ref(), line_of),
                })
                .collect(),
        ),
        DeValue::Table(table) => read_table(table, line_of),
    }
}

fn overlay<'a>(node: &mut Node, mut path: impl Iterator<Item = &'a str>, variable: &str, value: String) {
    let origin = Some(Origin::Environment(variable.to_owned()));
    match path.next() {
        None => *node = Node { origin, value: Value::Loose(value) },
        Some(key) => {
            if !matches!(node.value, Value::Table(_)) {
                node.value = Value::Table(BTreeMap::new());
            }
            if let Value::Table(table) = &mut node.value {
                let below = table
                    .entry(key.to_owned())
                    .or_insert_with(|| Node { origin, value: Value::Table(BTreeMap::new()) });
                overlay(below, path, variable, value);
            }
        }
    }
}
