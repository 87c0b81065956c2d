//! Secrets that `up` makes once and keeps beside the data, so that a second start is the same fleet.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rand::RngExt as _;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// The name of the dashboard's first user.
pub const ADMIN: &str = "admin";

/// The file and what stands in it: dashboard password, API token, registration key, one password a bucket.
pub struct Kept {
    path: PathBuf,
    values: Map<String, Value>,
}

impl Kept {
    /// Reads the file; empty when there is none.
    pub fn open(data: &Path) -> Result<Self, Failure> {
        let path = data.join("secrets.json");
        let values = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Failure::Damaged { path: path.clone(), fault: error.to_string() })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
            Err(source) => return Err(Failure::File { doing: "read", path, source }),
        };
        Ok(Self { path, values })
    }

    /// A secret that was kept.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// Keeps a secret at once.
    pub fn keep(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.values.insert(name.to_owned(), json!(value));
        write_private(&self.path, &Value::Object(self.values.clone()))
    }

    /// The password that a bucket accepts at the first try; made once.
    pub fn bucket_password(&mut self, bucket: &str) -> Result<String, Failure> {
        if let Some(password) = self.get(bucket) {
            return Ok(password.to_owned());
        }
        let password = easy_password();
        self.keep(bucket, &password)?;
        Ok(password)
    }
}

/// Writes JSON that only we may read, whole or not at all.
pub fn write_private(path: &Path, value: &Value) -> Result<(), Failure> {
    let draft = path.with_extension("json.new");
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    let write = || {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(Failure::file("write", path))
}

/// Ten letters and digits that are hard to misread.
fn easy_password() -> String {
    const LETTERS: &[u8] = b"abcdefghkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    (0..10)
        .filter_map(|_| LETTERS.get(rng.random_range(0..LETTERS.len())))
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again() {
        let folder = std::env::temp_dir().join(format!("rustbucket-kept-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let first = Kept::open(&folder).unwrap().bucket_password("bucket-1").unwrap();
        assert_eq!(first.len(), 10);
        assert_eq!(Kept::open(&folder).unwrap().bucket_password("bucket-1").unwrap(), first);
        fs::write(folder.join("secrets.json"), "{").unwrap();
        assert!(Kept::open(&folder).is_err(), "a damaged file is not taken for an empty one");
        fs::remove_dir_all(&folder).unwrap();
    }
}
