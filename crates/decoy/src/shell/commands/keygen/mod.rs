//! `ssh-keygen` (OpenSSH 9.2): keys are real ones.

mod hosts;
mod made;
mod shown;

use futures::{FutureExt as _, future::BoxFuture};
use ssh_key::{HashAlg, PrivateKey, PublicKey, public::KeyData};

use super::{Call, Said, asking, sources, usage};
use crate::{
    machine::FileError,
    shell::io::{Input, Out, Output},
};

/// What is asked for.
#[derive(Default)]
struct Asked {
    kind: Option<String>,
    bits: Option<String>,
    file: Option<String>,
    comment: Option<String>,
    new: Option<String>,
    old: Option<String>,
    hash: Option<String>,
    format: Option<String>,
    host: Option<String>,
    quiet: bool,
    verbose: bool,
    work: Work,
}

/// What is to be done.
#[derive(Clone, Copy, Default, PartialEq)]
enum Work {
    #[default]
    Make,
    /// `-A`
    HostKeys,
    /// `-l`
    Fingerprint,
    /// `-y`
    Public,
    /// `-e`
    Export,
    /// `-p`
    Passphrase,
    /// `-c`
    Comment,
    /// `-F`
    FindHost,
    /// `-R`
    RemoveHost,
    /// What nobody computes.
    Other,
}

pub(super) fn ssh_keygen<'a>(call: &'a Call<'a>) -> BoxFuture<'a, Said> {
    async move {
        let asked = match asked(call) {
            Ok(asked) => asked,
            Err(said) => return said,
        };
        let mut talk = Talk::of(call);
        let result = match asked.work {
            Work::Make => made::make(call, &asked, &mut talk).await,
            Work::HostKeys => made::host_keys(call, &mut talk),
            Work::Passphrase => made::passphrase(call, &asked, &mut talk).await,
            Work::Comment => made::comment(call, &asked, &mut talk).await,
            Work::Fingerprint => shown::fingerprint(call, &asked, &mut talk).await,
            Work::Public => shown::public(call, &asked, &mut talk).await,
            Work::Export => shown::export(call, &asked, &mut talk).await,
            Work::FindHost => hosts::find(call, &asked, &mut talk),
            Work::RemoveHost => hosts::remove(call, &asked, &mut talk),
            // Nobody emulates it: that is asked about, as any program that nobody knows.
            Work::Other => return other(call).await,
        };
        if let Err(Stop(text, status)) = result {
            talk.said.err.extend(text.bytes());
            talk.said.status = status;
        }
        talk.said
    }
    .boxed()
}

/// Why it ends: the words and the status.
struct Stop(String, i32);

impl Stop {
    /// What OpenSSH's `fatal` does.
    fn fatal(text: impl std::fmt::Display) -> Self {
        Self(format!("{text}\n"), 255)
    }
}

async fn other(call: &Call<'_>) -> Said {
    let Call { name, args, cwd, vars, stdin, to_terminal, .. } = *call;
    asking::ask(call.session, &asking::Asked { name, args, cwd, vars, stdin, to_terminal }).await
}

/// Letters with a value, and those without (ssh-keygen.c).
const VALUED: &str = "CDEFIMNORVYZabfgmnrstwzP";
const PLAIN: &str = "ABHKLQUXcehgiklopquvy";

fn asked(call: &Call<'_>) -> Result<Asked, Said> {
    let mut asked = Asked::default();
    let mut args = call.args.iter();
    let refuse = |said: String| {
        let usage = usage::refusal("ssh-keygen", &["-@".to_owned()]).unwrap_or_default();
        let usage = String::from_utf8_lossy(&usage.err).into_owned();
        let usage = usage.split_once('\n').map_or("", |(_, usage)| usage);
        Said::err(format!("{said}\n{usage}"), 1)
    };
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            return Err(refuse("Too many arguments.".to_owned()));
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let value = if VALUED.contains(letter) {
                let rest: String = letters.by_ref().collect();
                match (rest.is_empty(), args.next().filter(|_| rest.is_empty())) {
                    (false, _) => Some(rest),
                    (true, Some(next)) => Some(next.clone()),
                    (true, None) => return Err(refuse(format!("option requires an argument -- {letter}"))),
                }
            } else if PLAIN.contains(letter) {
                None
            } else {
                return Err(refuse(format!("unknown option -- {letter}")));
            };
            match letter {
                't' => asked.kind = value,
                'b' => asked.bits = value,
                'f' => asked.file = value,
                'C' => asked.comment = value,
                'N' => asked.new = value,
                'P' => asked.old = value,
                'E' => asked.hash = value,
                'm' => asked.format = value,
                'q' => asked.quiet = true,
                'v' => asked.verbose = true,
                'l' => asked.work = Work::Fingerprint,
                'y' => asked.work = Work::Public,
                'e' => asked.work = Work::Export,
                'p' => asked.work = Work::Passphrase,
                'c' => asked.work = Work::Comment,
                'A' => asked.work = Work::HostKeys,
                'F' | 'R' => {
                    asked.host = value;
                    asked.work = if letter == 'F' { Work::FindHost } else { Work::RemoveHost };
                }
                'B' | 'D' | 'H' | 'I' | 'K' | 'L' | 'M' | 'Q' | 'Y' | 'i' | 'k' | 'r' | 's' => {
                    asked.work = Work::Other;
                }
                _ => {}
            }
        }
    }
    Ok(asked)
}

/// What is said and answered.
struct Talk {
    said: Said,
    piped: Option<Vec<u8>>,
    terminal: Option<(Output, Input)>,
}

impl Talk {
    fn of(call: &Call<'_>) -> Self {
        let terminal = call.session.channels.lock().clone().filter(|_| call.stdin.is_none());
        Self { said: Said::default(), piped: call.stdin.map(<[u8]>::to_vec), terminal }
    }

    fn say(&mut self, text: &str) {
        self.said.out.extend(text.bytes());
    }

    /// Shows what was said so far.
    fn flush(&mut self) {
        if let Some((output, _)) = &self.terminal {
            for (out, bytes) in [(Out::Stdout, &mut self.said.out), (Out::Stderr, &mut self.said.err)] {
                if !bytes.is_empty() {
                    output(out, &std::mem::take(bytes));
                }
            }
        }
    }

    /// A question and its answer; `None` at the end of what is typed. A secret is asked for on the terminal itself.
    async fn ask(&mut self, question: &str, secret: bool) -> Option<String> {
        let to = if secret { &mut self.said.err } else { &mut self.said.out };
        to.extend(question.bytes());
        let line = match &mut self.piped {
            Some(rest) => {
                let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                rest.drain(..end).collect::<Vec<u8>>()
            }
            None => {
                self.flush();
                let (output, input) = self.terminal.clone()?;
                if secret {
                    let answer = super::accounts::secret(&input).await;
                    output(Out::Stderr, b"\n");
                    return answer;
                }
                input.read_line().await
            }
        };
        if line.is_empty() {
            return None;
        }
        Some(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// The file of `-f`, or what is answered.
async fn file(call: &Call<'_>, asked: &Asked, question: &str, talk: &mut Talk) -> Result<String, Stop> {
    if let Some(file) = &asked.file {
        return Ok(file.clone());
    }
    let name = match asked.kind.as_deref() {
        Some("ed25519") => "id_ed25519",
        Some("ecdsa") => "id_ecdsa",
        _ => "id_rsa",
    };
    let standard = format!("{}/.ssh/{name}", call.var("HOME").unwrap_or_else(|| "/root".to_owned()));
    match talk.ask(&format!("{question} ({standard}): "), false).await {
        None => Err(Stop(String::new(), 1)),
        Some(answer) if answer.is_empty() => Ok(standard),
        Some(answer) => Ok(answer),
    }
}

/// What a key is called: `ED25519`, and how many bits it has.
fn label(key: &KeyData) -> (&'static str, usize) {
    match key {
        KeyData::Ed25519(_) => ("ED25519", 256),
        KeyData::Rsa(rsa) => ("RSA", usize::try_from(rsa.key_size()).unwrap_or_default()),
        KeyData::Ecdsa(key) => (
            "ECDSA",
            match key.curve() {
                ssh_key::EcdsaCurve::NistP256 => 256,
                ssh_key::EcdsaCurve::NistP384 => 384,
                ssh_key::EcdsaCurve::NistP521 => 521,
            },
        ),
        KeyData::Dsa(_) => ("DSA", 1024),
        _ => ("UNKNOWN", 0),
    }
}

/// `SHA256:…` or `MD5:…`.
fn print_of(key: &PublicKey, hash: Option<&str>) -> Result<String, Stop> {
    use md5::Digest as _;
    match hash.unwrap_or("sha256").to_ascii_lowercase().as_str() {
        "sha256" => Ok(key.fingerprint(HashAlg::Sha256).to_string()),
        "sha512" => Ok(key.fingerprint(HashAlg::Sha512).to_string()),
        "md5" => {
            let sum = md5::Md5::digest(key.to_bytes().unwrap_or_default());
            let pairs: Vec<String> = sum.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(format!("MD5:{}", pairs.join(":")))
        }
        "sha1" => {
            use base64::Engine as _;
            let sum = sha1::Sha1::digest(key.to_bytes().unwrap_or_default());
            Ok(format!("SHA1:{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(sum)))
        }
        _ => Err(Stop::fatal("Invalid hash algorithm")),
    }
}

/// The picture of a key.
fn art(key: &PublicKey) -> String {
    let (name, bits) = label(key.key_data());
    key.fingerprint(HashAlg::Sha256).to_randomart(&format!("[{name} {bits}]")) + "\n"
}

/// A private key from its file, opened with the passphrase.
async fn private(call: &Call<'_>, asked: &Asked, name: &str, talk: &mut Talk) -> Result<PrivateKey, Stop> {
    let bytes = sources::file(call, name).map_err(|error| match error {
        FileError::IsADirectory => Stop::fatal(format!("Load key \"{name}\": error in libcrypto")),
        error => Stop::fatal(format!("{name}: {}", error.errno_text())),
    })?;
    let node = call.files().stat(&call.path(name)).ok();
    if let Some(node) = node.filter(|node| node.mode & 0o077 != 0 && node.uid == call.session.who().uid) {
        let line = "@".repeat(59);
        return Err(Stop::fatal(format!(
            "{line}\n@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n{line}\nPermissions {:04o} for '{name}' are too open.\nIt is required that your private key files are NOT accessible by others.\nThis private key will be ignored.\nLoad key \"{name}\": bad permissions",
            node.mode
        )));
    }
    let wrong = |why: &str| Stop::fatal(format!("Load key \"{name}\": {why}"));
    let key = match PrivateKey::from_openssh(bytes.as_ref()) {
        Ok(key) => key,
        Err(_) => made::from_pem(&bytes).ok_or_else(|| {
            wrong(if bytes.starts_with(b"-----BEGIN") { "error in libcrypto" } else { "invalid format" })
        })?,
    };
    if !key.is_encrypted() {
        return Ok(key);
    }
    let passphrase = match &asked.old {
        Some(old) => old.clone(),
        None => talk
            .ask("Enter passphrase: ", true)
            .await
            .ok_or_else(|| wrong("incorrect passphrase supplied to decrypt private key"))?,
    };
    key.decrypt(passphrase).map_err(|_| wrong("incorrect passphrase supplied to decrypt private key"))
}
