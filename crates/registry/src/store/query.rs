//! A statement: text of our own and values that are bound, never the one in the other.

/// The most values one statement may bind; SQLite's limit is 32,766.
pub const MAX_BINDS: usize = 30_000;

/// One bound value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A whole number, a flag, or a time in milliseconds since 1970.
    Int(i64),
    /// A fraction.
    Real(f64),
    /// Text.
    Text(String),
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Int(i64::from(n))
    }
}
impl From<u16> for Value {
    fn from(n: u16) -> Self {
        Self::Int(i64::from(n))
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}
impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Self::Real(n)
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A statement. Its text is made of `&'static str` only, so that no visitor's byte can become SQL.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Query {
    /// Begins a statement.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Binds the next `?`.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends text.
    #[must_use]
    pub fn push(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends `(?,?,…)` and binds its values.
    #[must_use]
    pub fn list(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.text.push('(');
        let mut first = true;
        for value in values {
            self.text.push_str(if first { "?" } else { ",?" });
            first = false;
            self.values.push(value);
        }
        if first {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }

    /// Appends one `(…)` a row, with commas between.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        let mut first = true;
        for row in rows {
            if !first {
                self.text.push(',');
            }
            first = false;
            self = self.list(row);
        }
        self
    }
}
