//! Recorded visits of real attackers, as data: never run, never fetched.

use std::path::PathBuf;

use serde_json::Value;

/// The folder of recordings: `RUSTBUCKET_CORPORA`, or `shared/corpora` beside the repository.
pub fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("RUSTBUCKET_CORPORA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| crate::root().join("../shared/corpora"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("no recordings (RUSTBUCKET_CORPORA names a folder of them): skipped");
    None
}

/// The records of one file; `None` when there are no recordings here.
pub fn read(name: &str) -> Option<Vec<Value>> {
    let path = folder()?.join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(text.lines().map(|line| serde_json::from_str(line).expect("one record a line")).collect())
}

/// A list of texts in a record.
pub fn texts(record: &Value, field: &str) -> Vec<String> {
    let list = record[field].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}
