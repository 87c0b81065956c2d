//! Programs that are installed and that nobody emulates: the question, what it has to agree with, and how the answer is
//! shown.

use std::{collections::HashMap, time::Duration};

use super::{Said, unheard};
use crate::{
    machine::{Access, Kind},
    oracle::{Ask, Excerpt, Grounding, Question},
    shell::{io::Out, session::Session},
};

/// The most of one file that goes into a question, in bytes.
const EXCERPT: usize = 1500;
/// The most files that go into a question.
const FILES: usize = 4;
/// The most of the input that goes into a question, in bytes.
const STDIN: usize = 2000;

/// One call that is asked about.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    pub(super) args: &'a [String],
    pub(super) cwd: &'a str,
    pub(super) vars: Option<&'a HashMap<String, String>>,
    pub(super) stdin: Option<&'a [u8]>,
    pub(super) to_terminal: bool,
}

/// Asks what the program says.
pub(super) async fn ask(session: &Session, asked: &Asked<'_>) -> Said {
    let words: Vec<String> =
        std::iter::once(asked.name.to_owned()).chain(asked.args.iter().cloned()).collect();
    let family = family(asked.name);
    let stdin = asked.stdin.unwrap_or_default();
    let stdin = String::from_utf8_lossy(stdin.get(..stdin.len().min(STDIN)).unwrap_or_default()).into_owned();
    let otherwise = unheard::said(session, asked.name, asked.args);
    let ground = ground(session, asked, family);
    let what = Ask::Program {
        words: words.clone(),
        cwd: if depends_on_place(asked.name) || !ground.files.is_empty() { asked.cwd } else { "" }.to_owned(),
        user: session.user_name(),
        stdin,
    };
    let question = Question { what, ground, otherwise: [&otherwise.out[..], &otherwise.err].concat().into() };
    let answer = session.contact.oracle.ask(question).await;
    if changes_something(asked.args) {
        session.contact.visitor.doings().note(family, &words.join(" "));
    }
    if !answer.invented {
        return otherwise;
    }
    let said = sorted(asked.name, answer.text.to_vec());
    if asked.to_terminal && said.status == 0 { paced(session, said).await } else { said }
}

/// Programs whose state is one.
pub(super) fn family(name: &str) -> &str {
    match name {
        "docker-compose" | "docker-credential-helper" | "ctr" | "containerd" | "podman" => "docker",
        "mysqldump" | "mysqladmin" | "mariadb" | "mariadb-dump" => "mysql",
        "pg_dump" | "createdb" | "dropdb" => "psql",
        "kubeadm" | "helm" => "kubectl",
        "pip3" => "pip",
        other => other,
    }
}

/// Programs that look at where they are started.
fn depends_on_place(name: &str) -> bool {
    matches!(
        name,
        "git"
            | "make"
            | "npm"
            | "yarn"
            | "composer"
            | "docker-compose"
            | "go"
            | "cargo"
            | "terraform"
            | "svn"
            | "hg"
    )
}

/// Verbs after which the same question may have another answer.
fn changes_something(args: &[String]) -> bool {
    const VERBS: [&str; 52] = [
        "add",
        "alter",
        "apply",
        "build",
        "checkout",
        "clean",
        "clone",
        "commit",
        "config",
        "cp",
        "create",
        "delete",
        "disable",
        "down",
        "drop",
        "edit",
        "enable",
        "exec",
        "flush",
        "import",
        "init",
        "insert",
        "install",
        "kill",
        "load",
        "login",
        "merge",
        "mv",
        "patch",
        "prune",
        "pull",
        "purge",
        "push",
        "rebase",
        "remove",
        "rename",
        "reset",
        "restart",
        "rm",
        "rmi",
        "run",
        "scale",
        "set",
        "start",
        "stash",
        "stop",
        "tag",
        "uninstall",
        "up",
        "update",
        "upgrade",
        "write",
    ];
    // `config view`, `config --list`: a look at what stands there.
    const LOOKS: [&str; 9] =
        ["--get", "--list", "-l", "current-context", "get", "get-contexts", "list", "ls", "view"];
    let words: Vec<String> =
        args.iter().flat_map(|arg| arg.split([' ', ';', '\n'])).map(str::to_ascii_lowercase).collect();
    words.iter().enumerate().any(|(at, word)| {
        let looks = || words.get(at + 1).is_none_or(|next| LOOKS.contains(&next.as_str()));
        VERBS.binary_search(&word.as_str()).is_ok() && (word != "config" || !looks())
    })
}

/// What the answer has to agree with.
fn ground(session: &Session, asked: &Asked<'_>, family: &str) -> Grounding {
    let files = session.files();
    let mut ground = Grounding { own: session.contact.visitor.doings().of(family), ..Grounding::default() };
    let who = session.who();
    let named = asked.args.iter().map(|arg| match arg.split_once('=') {
        Some((option, value)) if option.starts_with('-') => value,
        _ => arg.as_str(),
    });
    for name in named.filter(|name| !name.is_empty() && !name.starts_with('-')) {
        let path = files.resolve(asked.cwd, name);
        let Ok(node) = files.stat(&path) else { continue };
        if node.kind != Kind::File || files.may(who.uid, who.gid, &path, Access::Read).is_err() {
            continue;
        }
        let Ok(bytes) = files.read(&path) else { continue };
        if !files.is_of_image(&path) {
            ground.own.push(format!("{path} {} {:016x}", bytes.len(), digest(&bytes)));
        }
        if ground.files.len() < FILES {
            let text = bytes.get(..bytes.len().min(EXCERPT)).unwrap_or_default();
            ground.files.push(Excerpt { path, text: String::from_utf8_lossy(text).into_owned() });
        }
    }
    if !ground.own.is_empty() {
        ground.recent = session.recall.latest();
        const SHOWN: [&str; 6] = ["HOME", "LANG", "PATH", "PWD", "SHELL", "TERM"];
        let vars = asked.vars.into_iter().flatten().filter(|(name, _)| SHOWN.contains(&name.as_str()));
        ground.environment =
            vars.map(|(name, value)| (name.clone(), value.chars().take(200).collect())).collect();
        ground.environment.sort();
    }
    ground
}

/// FNV-1a.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What sounds like a complaint goes to the error channel, with a status to match.
fn sorted(name: &str, text: Vec<u8>) -> Said {
    let shown = String::from_utf8_lossy(&text);
    let first = shown.lines().next().unwrap_or_default();
    let lower = first.to_ascii_lowercase();
    let complains = first.starts_with(&format!("{name}: "))
        || ["error:", "error ", "fatal:", "e: ", "usage: ", "traceback (most"]
            .iter()
            .any(|sign| lower.starts_with(sign))
        || lower.starts_with("cannot connect to ")
        || lower.starts_with("the connection to the server ");
    if complains && shown.lines().count() <= 20 { Said::err(text, 1) } else { Said::out(text) }
}

/// Line by line, as a program at work says it. What is left unsaid comes with the end.
async fn paced(session: &Session, mut said: Said) -> Said {
    const STEP: Duration = Duration::from_millis(6);
    const STEPS: usize = 40;
    let channels = session.channels.lock().clone();
    let Some((output, _)) = channels.filter(|_| said.out.split(|byte| *byte == b'\n').count() > 4) else {
        return said;
    };
    let text = std::mem::take(&mut said.out);
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for piece in lines.chunks(lines.len().div_ceil(STEPS).max(1)) {
        output(Out::Stdout, &piece.concat());
        session.contact.visitor.clock().pass(STEP).await;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_that_change_something_are_told_from_those_that_look() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for line in ["run -d nginx", "rm -f web", "apply -f x.yaml", "-e DROP"] {
            assert!(changes_something(&words(line)), "{line}");
        }
        assert!(changes_something(&["-e".to_owned(), "insert into t values (1)".to_owned()]));
        assert!(changes_something(&words("config set-context x")));
        for line in ["ps -a", "get pods", "log --oneline", "version", "config view", "config --list"] {
            assert!(!changes_something(&words(line)), "{line}");
        }
    }

    #[test]
    fn complaints_go_to_the_error_channel() {
        assert_eq!(sorted("git", b"fatal: not a git repository\n".to_vec()).status, 1);
        assert_eq!(
            sorted("dig", b"dig: couldn't get address\n".to_vec()).err,
            b"dig: couldn't get address\n"
        );
        assert_eq!(sorted("docker", b"CONTAINER ID   IMAGE\n".to_vec()).status, 0);
    }
}
