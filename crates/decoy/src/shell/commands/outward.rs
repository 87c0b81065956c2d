//! `ssh`, `scp`, `sftp`, `telnet` and `git clone` to other hosts: nothing leaves the bucket, and the visitor sees what a
//! host far away would do. What they give as a password is theirs to lose.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sha2::{Digest as _, Sha256};

use super::{
    Call, Options, Said,
    accounts::Lines,
    connections::{self, Place, Reach},
    git, repository, transfer,
};
use crate::{machine::Owner, shell::io::Out};

/// What an exchange of keys with a host far away takes.
const KEYS: Duration = Duration::from_millis(310);
/// Options of ssh(1) with a value.
const VALUED: &str = "BbcDEeFIiJLlmOopQRSWw";

/// What the program says; `None` when it is to do nothing outside.
pub(super) async fn play(call: &Call<'_>) -> Option<Said> {
    match call.name {
        "git" if call.args.iter().any(|arg| arg == "clone") => git::clone(call).await,
        "git" => repository::play(call),
        "ssh" | "slogin" if !call.args.is_empty() => ssh(call).await,
        "scp" | "sftp" => copy(call).await,
        "telnet" if !call.args.is_empty() => Some(connections::telnet(call).await),
        "nc" | "netcat" | "nc.openbsd" if !call.args.is_empty() => Some(connections::nc(call).await),
        "traceroute" | "traceroute.db" if !call.args.is_empty() => Some(connections::traceroute(call).await),
        "ftp" | "tnftp" | "pftp" => Some(connections::ftp(call).await),
        "dig" if !call.args.is_empty() => Some(connections::dig(call).await),
        "host" if !call.args.is_empty() => Some(connections::host(call).await),
        "nslookup" if !call.args.is_empty() => Some(connections::nslookup(call).await),
        "whois" if !call.args.is_empty() => Some(connections::whois(call).await),
        "ssh-keyscan" if !call.args.is_empty() => Some(connections::keyscan(call).await),
        _ => None,
    }
}

/// Where a connection goes.
struct Host {
    user: String,
    name: String,
    port: u16,
    /// `None`: no such name.
    place: Option<Place>,
}

impl Host {
    fn of(call: &Call<'_>, target: &str, port: Option<&str>) -> Self {
        let target = target.strip_prefix("ssh://").unwrap_or(target).trim_end_matches('/');
        let (user, name) = target.rsplit_once('@').map_or((None, target), |(user, name)| (Some(user), name));
        let (name, written) = name.rsplit_once(':').unwrap_or((name, ""));
        let port = port.unwrap_or(written).parse().unwrap_or(22);
        Self {
            user: user.map_or_else(|| call.session.user_name(), str::to_owned),
            name: name.to_owned(),
            port,
            place: Place::of(call.session, name, port),
        }
    }

    /// Why nobody answers, in ssh's words.
    async fn silence(&self, call: &Call<'_>, limit: Option<Duration>) -> Option<String> {
        let Some(place) = &self.place else {
            return Some(format!(
                "ssh: Could not resolve hostname {}: Name or service not known\n",
                self.name
            ));
        };
        place.wait(call.session, limit).await;
        let why = match place.reach {
            Reach::Refused => "Connection refused",
            Reach::NoRoute => "No route to host",
            Reach::Silent => "Connection timed out",
            Reach::Own if self.port != 22 => {
                return Some(format!(
                    "kex_exchange_identification: read: Connection reset by peer\nConnection reset by {} port {}\n",
                    place.address, self.port
                ));
            }
            Reach::Own | Reach::Accepted => {
                transfer::wait(call.session, KEYS).await;
                return None;
            }
        };
        Some(format!("ssh: connect to host {} port {}: {why}\n", self.name, self.port))
    }

    /// As it stands in `known_hosts`.
    fn known_name(&self) -> String {
        if self.port == 22 { self.name.clone() } else { format!("[{}]:{}", self.name, self.port) }
    }

    /// The host's key: the same each time, and the machine's own.
    fn key(&self, call: &Call<'_>) -> Vec<u8> {
        let own = self.place.as_ref().filter(|place| place.reach == Reach::Own).and_then(|_| {
            let file = call.files().read("/etc/ssh/ssh_host_ed25519_key.pub").ok()?;
            STANDARD.decode(String::from_utf8_lossy(&file).split_whitespace().nth(1)?).ok()
        });
        own.unwrap_or_else(|| {
            let address = self.place.as_ref().map_or(&self.name, |place| &place.address);
            let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
            blob.extend(Sha256::digest(format!("host key of {address}")));
            blob
        })
    }
}

async fn ssh(call: &Call<'_>) -> Option<Said> {
    let options = Options::of(call.args, VALUED);
    if options.has('V') || options.has_long("help") {
        return None;
    }
    let target = options.operands.first()?;
    let host = Host::of(call, target, options.value('p'));
    transfer::record(call.session, &format!("ssh://{}@{}:{}/", host.user, host.name, host.port), "", None);
    Some(connect(call, &options, &host).await)
}

/// Knocks at a host and is not let in.
async fn connect(call: &Call<'_>, options: &Options, host: &Host) -> Said {
    let given = |name: &str| {
        options.values.iter().filter(|(letter, _)| *letter == 'o').find_map(|(_, text)| {
            let text = text.to_ascii_lowercase().replace('=', " ");
            let (key, given) = text.split_once(' ')?;
            (key == name).then(|| given.trim().to_owned())
        })
    };
    let setting = |name: &str, value: &str| given(name).is_some_and(|given| given == value);
    let limit = given("connecttimeout").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    if let Some(text) = host.silence(call, limit).await {
        return Said::err(text, 255);
    }
    let mut said = Said::default();
    let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
    let mut lines = Lines::of(call, &text);
    let batch = setting("batchmode", "yes");
    let asks = call.session.launch.tty.is_some() && !batch;
    if !is_known(call, host) {
        let trusting =
            setting("stricthostkeychecking", "no") || setting("stricthostkeychecking", "accept-new");
        if !trusting && !asks {
            return Said::err("Host key verification failed.\n", 255);
        }
        if !trusting {
            let address = host.place.as_ref().map_or("", |place| place.address.as_str());
            let shown = if address == host.name { String::new() } else { format!(" ({address})") };
            let print = STANDARD_NO_PAD.encode(Sha256::digest(host.key(call)));
            say(
                call,
                &format!(
                    "The authenticity of host '{}{shown}' can't be established.\nED25519 key fingerprint is SHA256:{print}.\nThis key is not known by any other names.\n",
                    host.known_name()
                ),
            );
            let mut question = "Are you sure you want to continue connecting (yes/no/[fingerprint])? ";
            loop {
                match ask_aloud(call, question).await.as_deref().map(str::trim) {
                    Some("yes") => break,
                    Some("no") | None => return Said::err("Host key verification failed.\n", 255),
                    Some(_) => question = "Please type 'yes', 'no' or the fingerprint: ",
                }
            }
        }
        say(
            call,
            &format!(
                "Warning: Permanently added '{}' (ED25519) to the list of known hosts.\n",
                host.known_name()
            ),
        );
        if !setting("userknownhostsfile", "/dev/null") {
            remember(call, host);
        }
    }
    if asks && !setting("passwordauthentication", "no") {
        let question = format!("{}@{}'s password: ", host.user, host.name);
        for attempt in 0..3 {
            let Some(_) = lines.answer(&question, &mut said).await else { break };
            transfer::wait(call.session, Duration::from_millis(2100)).await;
            if attempt < 2 {
                say(call, "Permission denied, please try again.\n");
            }
        }
    }
    let text = format!("{}@{}: Permission denied (publickey,password).\n", host.user, host.name);
    said.err.extend(text.bytes());
    said.status = 255;
    said
}

/// `scp` and `sftp`: over ssh, and with a last word of their own.
async fn copy(call: &Call<'_>) -> Option<Said> {
    let options = Options::of(call.args, "cDFiJloPSX");
    let target = match call.name {
        "sftp" => options.operands.first()?.clone(),
        _ => options.operands.iter().find(|word| word.contains(':') && !word.starts_with('/'))?.clone(),
    };
    let (target, path) = match target.strip_prefix("scp://").or(target.strip_prefix("sftp://")) {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => target.split_once(':').unwrap_or((&target, "")),
    };
    let host = Host::of(call, target, options.value('P'));
    transfer::record(
        call.session,
        &format!("{}://{}@{}:{}/{path}", call.name, host.user, host.name, host.port),
        "",
        None,
    );
    let mut said = connect(call, &options, &host).await;
    said.err.extend(if call.name == "scp" {
        &b"scp: Connection closed\n"[..]
    } else {
        b"Connection closed.  \nConnection closed\n"
    });
    Some(said)
}

/// On the terminal at once; these programs do not write it to their output.
fn say(call: &Call<'_>, text: &str) {
    if let Some((output, _)) = call.session.channels.lock().clone() {
        output(Out::Stderr, text.as_bytes());
    }
}

/// A question whose answer is shown as it is typed.
async fn ask_aloud(call: &Call<'_>, question: &str) -> Option<String> {
    say(call, question);
    let (_, input) = call.session.channels.lock().clone()?;
    let line = input.read_line().await;
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())
}

fn known_hosts(call: &Call<'_>) -> String {
    format!("{}/.ssh/known_hosts", call.var("HOME").unwrap_or_else(|| "/root".to_owned()))
}

fn is_known(call: &Call<'_>, host: &Host) -> bool {
    let text = call.files().read(&known_hosts(call)).unwrap_or_default();
    let key = STANDARD_NO_PAD.encode(host.key(call));
    String::from_utf8_lossy(&text).lines().any(|line| line.contains(&key))
}

fn remember(call: &Call<'_>, host: &Host) {
    let path = known_hosts(call);
    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let who: Owner = call.session.who();
    // Debian hashes the names (ssh_config: HashKnownHosts yes): 20 bytes of salt and the name under it.
    let salt = Sha256::digest(format!("{} {:?}", host.name, call.now()));
    let hashed = Sha256::digest([&salt[..], host.known_name().as_bytes()].concat());
    let short =
        |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes.get(..20).unwrap_or_default());
    let line = format!(
        "|1|{}|{} ssh-ed25519 {}\n",
        short(&salt),
        short(&hashed),
        STANDARD_NO_PAD.encode(host.key(call))
    );
    let written = call
        .files()
        .make_dir_all(folder, &who, 0o700)
        .and_then(|()| call.files().append(&path, line.as_bytes(), &who, 0o600));
    if let Err(error) = written {
        say(call, &format!("Failed to add the host to the list of known hosts ({path}).\n"));
        tracing::debug!(?error, "a host is not remembered");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use crate::shell::{
        Input, Output,
        tests::{said, shell},
    };

    #[tokio::test]
    async fn a_clone_lies_there_afterwards_and_its_address_is_recorded() {
        let mut shell = shell("root");
        let (text, finished) =
            said(&mut shell, "cd /tmp && git clone -q https://git.example.org/a/miner.git && ls -1 miner")
                .await;
        assert_eq!((text.as_str(), finished.status), ("LICENSE\nREADME.md\n", 0));
        let text = said(&mut shell, "git clone https://git.example.org/a/miner.git").await.0;
        assert_eq!(text, "fatal: destination path 'miner' already exists and is not an empty directory.\n");
        let text = said(&mut shell, "git clone https://nowhere.invalid/x").await.0;
        assert_eq!(
            text,
            "Cloning into 'x'...\nfatal: unable to access 'https://nowhere.invalid/x': Could not resolve host: nowhere.invalid\n"
        );
    }

    #[tokio::test]
    async fn another_host_asks_for_a_password_and_refuses_it() {
        let mut shell = shell("root");
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&text);
        let output: Output = Arc::new(move |_, bytes: &[u8]| sink.lock().extend_from_slice(bytes));
        let input = Input::default();
        input.push(b"yes\none\ntwo\nthree\n", 1000);
        let finished = shell.run("ssh admin@198.51.100.9", &output, &input).await;
        let text = String::from_utf8_lossy(&text.lock()).into_owned();
        assert!(
            text.starts_with("The authenticity of host '198.51.100.9' can't be established.\n"),
            "{text}"
        );
        assert_eq!(text.matches("admin@198.51.100.9's password: ").count(), 3, "{text}");
        assert!(text.ends_with("admin@198.51.100.9: Permission denied (publickey,password).\n"), "{text}");
        assert_eq!(finished.status, 255);
        assert_eq!(said(&mut shell, "wc -l < /root/.ssh/known_hosts").await.0, "1\n");
        let closed = said(&mut shell, "ssh -o BatchMode=yes 198.51.100.9 id").await.0;
        assert_eq!(
            closed, "root@198.51.100.9: Permission denied (publickey,password).\n",
            "the host is known now"
        );
    }
}
