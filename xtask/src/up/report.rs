//! What is told once everything answers: `up.json` for programs, a page of text for people.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{kept::ADMIN, ports::BucketPorts};

/// The registry, from outside.
pub struct RegistrySeen {
    /// Dashboard and API.
    pub url: String,
    /// Its settings file.
    pub config: PathBuf,
    /// The SQLite file.
    pub database: PathBuf,
    /// The folder of the log archive.
    pub archive: PathBuf,
    /// The first password of [`ADMIN`].
    pub password: String,
    /// Bearer token of the API.
    pub api_token: String,
    /// Process id.
    pub pid: u32,
    /// The executable.
    pub binary: PathBuf,
}

/// A bucket, from outside.
pub struct Bucket {
    /// `rustbucket-…`.
    pub name: String,
    /// Its folder under the data folder.
    pub folder: String,
    /// Where it listens.
    pub ports: BucketPorts,
    /// What `root` gets in with at the first try.
    pub password: String,
    /// Its event log folder.
    pub logs: PathBuf,
    /// Its settings file.
    pub config: PathBuf,
    /// Process id.
    pub pid: u32,
}

/// The content of `up.json`.
pub fn up_json(registry: &RegistrySeen, buckets: &[Bucket]) -> Value {
    let bucket = |bucket: &Bucket| {
        let mut ports: serde_json::Map<String, Value> =
            bucket.ports.traps.iter().map(|(name, port)| ((*name).to_owned(), json!(port))).collect();
        ports.insert("management".into(), json!(bucket.ports.management));
        json!({
            "name": bucket.name,
            "config": bucket.config,
            "ports": ports,
            "accepted_login": {"user": "root", "password": bucket.password},
            "log_directory": bucket.logs,
            "pid": bucket.pid,
        })
    };
    json!({
        "registry": {
            "url": registry.url,
            "config": registry.config,
            "database": registry.database,
            "archive": registry.archive,
            "user": ADMIN,
            "password": registry.password,
            "api_token": registry.api_token,
            "pid": registry.pid,
            "binary": registry.binary,
        },
        "buckets": buckets.iter().map(bucket).collect::<Vec<_>>(),
    })
}

/// Prints where to connect and what to do.
pub fn print(registry: &RegistrySeen, buckets: &[Bucket], claude: bool) {
    for bucket in buckets {
        let (port, password) = (|name| bucket.ports.of(name), &bucket.password);
        println!("\n{}  ({})  login root / {password}", bucket.name, bucket.folder);
        println!("  SSH     ssh -p {} -o UserKnownHostsFile=/dev/null root@127.0.0.1", port("ssh"));
        println!("  Telnet  telnet 127.0.0.1 {}", port("telnet"));
        println!("  FTP     lftp -u root,{password} -p {} 127.0.0.1", port("ftp"));
        println!("  SMTP    swaks --server 127.0.0.1:{} --to root", port("smtp"));
        println!("  HTTP    curl -i http://127.0.0.1:{}/", port("http"));
    }
    let analyst =
        if claude { "Claude analyses" } else { "no API key: the local analyst writes the analyses" };
    println!("\ndashboard  {}  user {ADMIN}  one-time password {}", registry.url, registry.password);
    println!("           {analyst}; logs are fetched every 10 s, analysed every minute");
    println!(
        "nudge      {} run-job extract_logs --config {}   (then parse_logs, analyze_logs)",
        registry.binary.display(),
        registry.config.display()
    );
    println!("events follow; Ctrl-C stops everything\n");
}
