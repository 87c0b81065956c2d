//! The settings files that `up` writes for the registry and for each bucket.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use toml::{Table, Value, toml};

use super::ports::{self, BucketPorts};
use crate::failure::Failure;

/// How often the jobs run. Short, so that what a visitor did stands on the pages, with its analysis, three minutes
/// later at the latest; a real registry keeps its defaults.
const SCHEDULE: [(&str, &str); 4] =
    [("update_buckets", "10s"), ("extract_logs", "10s"), ("parse_logs", "15s"), ("analyze_logs", "1m")];

/// Where things are under the data folder.
pub struct Layout {
    /// Absolute.
    pub data: PathBuf,
}

impl Layout {
    /// The registry's folder.
    pub fn registry(&self) -> PathBuf {
        self.data.join("registry")
    }
    /// The registry's settings.
    pub fn registry_settings(&self) -> PathBuf {
        self.registry().join("Registry.toml")
    }
    /// The registry's SQLite file.
    pub fn database(&self) -> PathBuf {
        self.registry().join("registry.db")
    }
    /// The registry's log archive.
    pub fn archive(&self) -> PathBuf {
        self.registry().join("archive")
    }
    /// A bucket's folder, counted from 0.
    pub fn bucket(&self, bucket: usize) -> PathBuf {
        self.data.join(bucket_folder(bucket))
    }
    /// A bucket's settings.
    pub fn bucket_settings(&self, bucket: usize) -> PathBuf {
        self.bucket(bucket).join("Config.toml")
    }
    /// A bucket's event log folder.
    pub fn bucket_logs(&self, bucket: usize) -> PathBuf {
        self.bucket(bucket).join("logs")
    }
    /// What is written for the tools of the tour and for tests.
    pub fn up_json(&self) -> PathBuf {
        self.data.join("up.json")
    }
}

/// `bucket-1` for the first.
pub fn bucket_folder(bucket: usize) -> String {
    format!("bucket-{}", bucket + 1)
}

/// The registry's settings. Claude analyses when there is a key in the environment; otherwise the local analyst does.
pub fn registry(layout: &Layout, claude: bool) -> Table {
    let listen = format!("127.0.0.1:{}", ports::REGISTRY);
    let public_url = format!("http://{listen}");
    let database = format!("sqlite://{}", layout.database().display());
    let archive = format!("file://{}", layout.archive().display());
    let key_file = layout.registry().join("secret.key").display().to_string();
    let provider = if claude { "claude" } else { "local" };
    let mut settings = toml! {
        [registration]
        require_key = true
        auto_approve = true
        allowed_networks = ["127.0.0.0/8"]
    };
    settings.insert("server".into(), table([("listen", listen), ("public_url", public_url)]));
    settings.insert("database".into(), table([("url", database)]));
    settings.insert("storage".into(), table([("url", archive)]));
    settings.insert("schedule".into(), table(SCHEDULE.map(|(job, period)| (job, period.to_owned()))));
    settings.insert("analysis".into(), table([("provider", provider.to_owned())]));
    settings.insert("secrets".into(), table([("key_file", key_file)]));
    settings
}

/// One bucket's settings: loopback only, limits wide enough for a load test from one host.
pub fn bucket(layout: &Layout, bucket: usize, ports: &BucketPorts, key: &str, password: &str) -> Table {
    let folder = layout.bucket(bucket);
    let mut settings = toml! {
        [general]
        log_level = "info"
        listen_address = "127.0.0.1"

        [logins]
        fewest_tries = 2
        most_tries = 5

        [limits]
        connections = 20000
        per_source = 20000
        per_second = 100000
        events_per_hour = 1000000000
        artifacts_per_hour = "64GiB"
    };
    let mut traps = Table::new();
    for (name, port) in &ports.traps {
        let mut trap = Table::new();
        trap.insert("enabled".into(), true.into());
        trap.insert("port".into(), i64::from(*port).into());
        traps.insert((*name).to_owned(), trap.into());
    }
    settings.insert("ports".into(), traps.into());
    let paths = [("log_directory", layout.bucket_logs(bucket)), ("state_directory", folder.join("state"))];
    for (name, path) in paths {
        set(&mut settings, "general", name, path.display().to_string().into());
    }
    set(&mut settings, "logins", "always", Value::Array(vec![format!("root:{password}").into()]));
    let registration = [
        ("rustbucket_registry_url", format!("http://127.0.0.1:{}", ports::REGISTRY)),
        ("registration_key", key.to_owned()),
        ("ip_address", "127.0.0.1".to_owned()),
    ];
    settings.insert("registration".into(), table(registration));
    settings.insert("management".into(), table([("listen_address", "127.0.0.1".to_owned())]));
    set(&mut settings, "management", "port", i64::from(ports.management).into());
    settings
}

/// Writes settings that only we may read: they hold a key and a password.
pub fn write(path: &Path, settings: &Table) -> Result<(), Failure> {
    let text = format!("# Written by `cargo xtask up` at every start.\n\n{settings}");
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(Failure::file("write", path))
}

/// A table of texts.
fn table<const N: usize>(values: [(&str, String); N]) -> Value {
    Value::Table(values.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect())
}

/// Sets one value of a section that exists.
fn set(settings: &mut Table, section: &str, name: &str, value: Value) {
    if let Some(Value::Table(section)) = settings.get_mut(section) {
        section.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_toml_and_quote_odd_folders() {
        let layout = Layout { data: PathBuf::from("/tmp/a \"b\"") };
        let plan = ports::plan(1).unwrap();
        let text = bucket(&layout, 0, &plan[0], "key", "word").to_string();
        let read: Table = text.parse().unwrap();
        assert_eq!(read["general"]["log_directory"].as_str(), Some("/tmp/a \"b\"/bucket-1/logs"));
        assert_eq!(read["ports"]["ssh"]["port"].as_integer(), Some(2222));
        assert_eq!(read["logins"]["always"][0].as_str(), Some("root:word"));
        let read: Table = registry(&layout, false).to_string().parse().unwrap();
        assert_eq!(read["analysis"]["provider"].as_str(), Some("local"));
        assert_eq!(read["schedule"]["extract_logs"].as_str(), Some("10s"));
    }
}
