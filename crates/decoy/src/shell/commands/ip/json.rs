//! JSON as iproute2 writes it.

/// A value.
pub(super) enum Json {
    Number(u64),
    Text(String),
    True,
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl Json {
    /// In one line, or with `-p` in many.
    pub(super) fn write(&self, pretty: bool) -> String {
        let mut text = String::new();
        self.put(&mut text, pretty, 0);
        text + "\n"
    }

    fn put(&self, text: &mut String, pretty: bool, depth: usize) {
        match self {
            Self::Number(number) => text.push_str(&number.to_string()),
            Self::True => text.push_str("true"),
            Self::Text(value) => {
                text.push('"');
                for letter in value.chars() {
                    match letter {
                        '"' | '\\' => text.extend(['\\', letter]),
                        letter if letter.is_control() => {
                            text.push_str(&format!("\\u{:04x}", u32::from(letter)));
                        }
                        letter => text.push(letter),
                    }
                }
                text.push('"');
            }
            Self::List(items) => {
                text.push('[');
                if pretty {
                    text.push(' ');
                }
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        text.push(',');
                    }
                    item.put(text, pretty, depth + 1);
                }
                if pretty && !items.is_empty() {
                    text.push(' ');
                }
                text.push(']');
            }
            Self::Object(fields) => {
                text.push('{');
                for (number, (name, value)) in fields.iter().enumerate() {
                    if number > 0 {
                        text.push(',');
                    }
                    if pretty {
                        text.push_str(&format!("\n{}", "    ".repeat(depth + 1)));
                    }
                    text.push_str(&format!("\"{name}\":{}", if pretty { " " } else { "" }));
                    value.put(text, pretty, depth + 1);
                }
                if pretty && !fields.is_empty() {
                    text.push_str(&format!("\n{}", "    ".repeat(depth)));
                }
                text.push('}');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_objects_are_laid_out_as_by_ip() {
        let route =
            || Json::Object(vec![("dst", "default".into()), ("flags", Json::List(vec!["onlink".into()]))]);
        let both = Json::List(vec![route(), Json::Object(vec![("flags", Json::List(vec![]))])]);
        assert_eq!(both.write(false), "[{\"dst\":\"default\",\"flags\":[\"onlink\"]},{\"flags\":[]}]\n");
        let pretty = "[ {\n        \"dst\": \"default\",\n        \"flags\": [ \"onlink\" ]\n    },{\n        \"flags\": [ ]\n    } ]\n";
        assert_eq!(both.write(true), pretty);
    }
}
