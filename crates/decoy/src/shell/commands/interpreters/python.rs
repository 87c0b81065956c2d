//! What python3 says to what every visitor tries first, and to what nobody knows.

use crate::oracle::Exchange;

/// Modules that python3.11 of Debian brings along.
pub(super) const MODULES: [&str; 44] = [
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "binascii",
    "collections",
    "configparser",
    "copy",
    "csv",
    "ctypes",
    "datetime",
    "email",
    "fcntl",
    "functools",
    "getpass",
    "glob",
    "hashlib",
    "http",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "multiprocessing",
    "os",
    "pathlib",
    "pickle",
    "platform",
    "pty",
    "pwd",
    "random",
    "re",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "string",
    "struct",
    "subprocess",
    "sys",
    "time",
    "urllib",
];

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A string literal without escapes, in either quotes: its text.
fn literal(text: &str) -> Option<&str> {
    let inner = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))?;
    (!inner.contains(['\'', '"', '\\', '\n'])).then_some(inner)
}

/// What python says to what every visitor tries first.
pub(super) fn python(statement: &str, _said: &[Exchange]) -> Option<String> {
    if matches!(statement, "exit" | "quit") {
        return Some(format!("Use {statement}() or Ctrl-D (i.e. EOF) to exit\n"));
    }
    let words: Vec<&str> = statement.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    if let ["import", modules @ ..] = words.as_slice() {
        let named = modules.iter().take_while(|word| **word != "as");
        let missing = named
            .map(|module| module.split('.').next().unwrap_or_default())
            .find(|top| MODULES.binary_search(top).is_err());
        return Some(missing.map(no_module).unwrap_or_default());
    }
    if let ["from", module, "import", ..] = words.as_slice() {
        let top = module.split('.').next().unwrap_or_default();
        return Some(if MODULES.binary_search(&top).is_ok() { String::new() } else { no_module(top) });
    }
    if let Some((name, value)) = statement.split_once('=')
        && is_name(name.trim())
        && (literal(value.trim()).is_some() || value.trim().parse::<i64>().is_ok())
    {
        return Some(String::new());
    }
    if let Some(text) = statement.strip_prefix("print(").and_then(|rest| literal(rest.strip_suffix(')')?)) {
        return Some(format!("{text}\n"));
    }
    if let Some(text) = literal(statement) {
        return Some(format!("'{text}'\n"));
    }
    sum(statement).map(|value| format!("{value}\n"))
}

fn no_module(name: &str) -> String {
    format!(
        "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nModuleNotFoundError: No module named '{name}'\n"
    )
}

/// Whole numbers with `+`, `-` and `*`.
fn sum(text: &str) -> Option<i64> {
    if !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '*' | ' ')) || text.contains("**")
    {
        return None;
    }
    let product = |text: &str| {
        text.split('*').try_fold(1_i64, |product, factor| product.checked_mul(factor.trim().parse().ok()?))
    };
    let mut total = 0_i64;
    for (number, part) in text.split('+').enumerate() {
        for (inner, piece) in part.split('-').enumerate() {
            if piece.trim().is_empty() && (inner > 0 || number > 0) {
                return None;
            }
            let value = if piece.trim().is_empty() { 0 } else { product(piece)? };
            total = if inner == 0 { total.checked_add(value)? } else { total.checked_sub(value)? };
        }
    }
    Some(total)
}

/// A name that was never set is unknown; anything else is done in silence, as statements are.
pub(super) fn python_unknown(statement: &str, said: &[Exchange]) -> String {
    let name: String = statement.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    const BUILT_IN: [&str; 24] = [
        "abs", "bytes", "class", "def", "dict", "dir", "exec", "for", "globals", "if", "int", "len", "list",
        "max", "min", "open", "print", "range", "repr", "set", "str", "sum", "try", "while",
    ];
    let is_set = said.iter().any(|exchange| {
        exchange.said.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
    });
    if !is_name(&name) || is_set || BUILT_IN.contains(&name.as_str()) {
        return String::new();
    }
    format!(
        "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nNameError: name '{name}' is not defined\n"
    )
}
