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
            kept.keep("registration_key", secret_in(&printed, "key", "a registration key")?)?;
        }
        if kept.get("api_token").is_none() {
            let printed = registry.ask(&["user", "add", ADMIN, "--role", "admin"]).await?;
            kept.keep("password", secret_in(&printed, "password", "a password")?)?;
            // A user that a start before this one made, and did not live to write down, gets no second token.
            let printed = match secret_in(&printed, "token", "an API token") {
                Ok(_) => printed,
                Err(_) => registry.ask(&["token", "create", "--role", "admin"]).await?,
            };
            kept.keep("api_token", secret_in(&printed, "token", "an API token")?)?;
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

/// The secret that a command has printed: behind `NAME: ` on a line of its own, or alone.
fn secret_in<'a>(printed: &'a str, name: &str, wanted: &'static str) -> Result<&'a str, Failure> {
    let named = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let secret = named.unwrap_or(printed).trim();
    if secret.is_empty() || secret.contains(char::is_whitespace) {
        let printed = super::follow::visible(printed, false);
        return Err(Failure::Output { program: "rustbucket-registry".into(), wanted, printed });
    }
    Ok(secret)
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
        let printed = "admin (admin) added\npassword: s3cret\ntoken: rbt_abc\n";
        assert_eq!(secret_in(printed, "password", "p").unwrap(), "s3cret");
        assert_eq!(secret_in(printed, "token", "t").unwrap(), "rbt_abc");
        assert_eq!(secret_in("rbk_abc\n", "key", "k").unwrap(), "rbk_abc");
        assert!(secret_in("two words\n", "key", "k").is_err());
        assert!(secret_in("", "key", "k").is_err());
    }
}
