//! The registry that `up` runs: prepared by its own commands, then started and asked.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};

use super::{
    PATIENCE, POLL,
    kept::{ADMIN, Kept},
    ports,
    processes::{Processes, output},
    report::RegistrySeen,
    settings::Layout,
};
use crate::failure::Failure;

/// One registry: its program and its settings.
pub struct Registry {
    program: PathBuf,
    folder: PathBuf,
    settings: PathBuf,
}

impl Registry {
    /// Makes tables, the first user and a registration key, unless an earlier start did.
    pub async fn prepare(program: &Path, layout: &Layout, kept: &mut Kept) -> Result<Self, Failure> {
        let registry = Self {
            program: program.to_owned(),
            folder: layout.registry(),
            settings: layout.registry_settings(),
        };
        registry.ask(&["migrate"]).await?;
        if kept.get("registration_key").is_none() {
            let printed = registry.ask(&["key", "create"]).await?;
            kept.keep("registration_key", &word_after(&printed, "key", "registration key")?)?;
        }
        if kept.get("password").is_none() {
            let printed = registry.ask(&["user", "add", ADMIN, "--role", "admin"]).await?;
            kept.keep("password", &word_after(&printed, "password", "one-time password")?)?;
            kept.keep("api_token", &word_after(&printed, "token", "API token")?)?;
        }
        Ok(registry)
    }

    /// Starts serving; gives the process id.
    pub fn start(&self, processes: &mut Processes) -> Result<u32, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--config"]).arg(&self.settings);
        processes.start("the registry", &mut command, &self.folder, self.folder.join("diagnostics.log"))
    }

    /// Waits until it answers `/healthz` with 200.
    pub async fn answers(&self) -> Result<(), Failure> {
        let since = Instant::now();
        while !is_healthy().await {
            if since.elapsed() > PATIENCE {
                let late = format!(
                    "the registry does not answer on port {} after {} s",
                    ports::REGISTRY,
                    PATIENCE.as_secs()
                );
                return Err(Failure::Late(late));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until a bucket is active; approves it when it waits for a person.
    pub async fn admits(&self, bucket: &str) -> Result<(), Failure> {
        let since = Instant::now();
        loop {
            let list = self.ask(&["bucket", "list"]).await?;
            let line = list.lines().find(|line| line.contains(bucket)).unwrap_or_default();
            let has = |state: &str| line.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == state);
            if has("active") {
                return Ok(());
            }
            if has("pending") {
                self.ask(&["bucket", "approve", bucket]).await?;
            }
            if since.elapsed() > PATIENCE {
                return Err(Failure::Late(format!("{bucket} did not register: the registry lists {line:?}")));
            }
            sleep(POLL * 3).await;
        }
    }

    /// What people and programs need to know of it.
    pub fn seen(&self, layout: &Layout, kept: &Kept, pid: u32) -> RegistrySeen {
        let secret = |name| kept.get(name).unwrap_or_default().to_owned();
        RegistrySeen {
            url: format!("http://127.0.0.1:{}", ports::REGISTRY),
            config: self.settings.clone(),
            database: layout.database(),
            archive: layout.archive(),
            password: secret("password"),
            api_token: secret("api_token"),
            pid,
            binary: self.program.clone(),
        }
    }

    /// Runs one of its commands to the end.
    async fn ask(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--config").arg(&self.settings).current_dir(&self.folder);
        output(&mut command).await
    }
}

/// The last word of the line that speaks of `name`, or the whole output if it is one word.
fn word_after(printed: &str, name: &str, wanted: &'static str) -> Result<String, Failure> {
    let line = printed.lines().rev().find(|line| line.to_ascii_lowercase().contains(name));
    let only = || Some(printed.trim()).filter(|text| !text.is_empty() && !text.contains(char::is_whitespace));
    let word = line.filter(|line| line.trim().contains(char::is_whitespace));
    let word = word.and_then(|line| line.split_ascii_whitespace().last()).or_else(only);
    word.map(str::to_owned).ok_or_else(|| Failure::Output {
        program: "rustbucket-registry".into(),
        wanted,
        printed: super::follow::visible(printed, false),
    })
}

/// One `GET /healthz`.
async fn is_healthy() -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, ports::REGISTRY)).await.ok()?;
        let request = format!(
            "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            ports::REGISTRY
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.ok()?;
        Some(head.ends_with(b" 200"))
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Some(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_what_the_registry_prints() {
        let printed = "user admin (admin)\nPassword (shown once): s3cret\nAPI token: rbt_abc\n";
        assert_eq!(word_after(printed, "password", "p").unwrap(), "s3cret");
        assert_eq!(word_after(printed, "token", "t").unwrap(), "rbt_abc");
        assert_eq!(word_after("rbk_only\n", "key", "k").unwrap(), "rbk_only");
        assert!(word_after("two words\n", "key", "k").is_err());
    }
}
