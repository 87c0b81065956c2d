//! `git clone` (2.39): a repository that seems to come over the network. Other verbs are asked about.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{
    Call, Options, Said,
    transfer::{self, Url},
};
use crate::shell::io::Out;

/// Options of `git clone` that take a value.
const VALUED: &str = "bcjou";

/// Plays a clone; `None` for what is none.
pub(super) async fn clone(call: &Call<'_>) -> Option<Said> {
    let at = call.args.iter().position(|arg| arg == "clone")?;
    // Options with a value of their own word.
    let mut args = call.args.get(at + 1..)?.to_vec();
    while let Some(at) = args.iter().position(|arg| {
        matches!(arg.as_str(), "--depth" | "--branch" | "--origin" | "--config" | "--reference")
    }) {
        args.drain(at..(at + 2).min(args.len()));
    }
    let options = Options::of(&args, VALUED);
    let Some(address) = options.operands.first() else {
        return Some(Said::err(
            "fatal: You must specify a repository to clone.\n\nusage: git clone [<options>] [--] <repo> [<dir>]\n",
            129,
        ));
    };
    let name =
        address.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default().trim_end_matches(".git");
    let folder = options.operands.get(1).map_or(name, String::as_str);
    if !address.contains("://") && !address.contains('@') {
        let text = if call.files().exists(&call.path(address)) {
            None
        } else {
            Some(format!("fatal: repository '{address}' does not exist\n"))
        };
        return text.map(|text| Said::err(text, 128));
    }
    let to = call.path(folder);
    if call.files().list(&to).is_ok_and(|names| !names.is_empty()) {
        return Some(Said::err(
            format!("fatal: destination path '{folder}' already exists and is not an empty directory.\n"),
            128,
        ));
    }
    let quiet = options.has('q') || options.has_long("quiet");
    let say = |text: String| {
        let channels = call.session.channels.lock().clone();
        if let Some((output, _)) = channels.filter(|_| !quiet) {
            output(Out::Stderr, text.as_bytes());
        }
    };
    say(format!("Cloning into '{folder}'...\n"));
    let url = Url::cut(&address.replacen("git@", "ssh://", usize::from(!address.contains("://"))));
    let missing = url.resolved().is_none();
    transfer::record(call.session, address, &to, None);
    if missing {
        return Some(Said::err(
            format!("fatal: unable to access '{address}': Could not resolve host: {}\n", url.host),
            128,
        ));
    }
    if url.scheme == "ssh" {
        return Some(Said::err(
            "Host key verification failed.\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
            128,
        ));
    }
    if url.is_dead() {
        transfer::wait(call.session, Duration::from_secs(20)).await;
        return Some(Said::err(
            format!(
                "fatal: unable to access '{address}': Failed to connect to {} port {} after 20013 ms: Couldn't connect to server\n",
                url.host, url.port
            ),
            128,
        ));
    }
    let digest = Sha256::digest(address.trim_end_matches(".git"));
    let seed = digest.iter().take(6).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    progress(call, &options, seed, &say).await;
    Some(match lay_out(call, &to, address, name, seed) {
        Ok(()) => Said::nothing(0),
        Err(error) => Said::err(
            format!("fatal: could not create work tree dir '{folder}': {}\n", error.errno_text()),
            128,
        ),
    })
}

/// What a server and the unpacking say on a terminal.
async fn progress(call: &Call<'_>, options: &Options, seed: u64, say: &impl Fn(String)) {
    let objects = 40 + seed % 2400;
    let shallow = options.long.iter().any(|long| long.starts_with("depth"));
    let objects = if shallow { objects / 6 + 10 } else { objects };
    let deltas = objects * 4 / 9;
    let shown = call.to_terminal || options.has_long("progress");
    let pause = |milliseconds: u64| transfer::wait(call.session, Duration::from_millis(milliseconds));
    pause(420).await;
    if !shown {
        pause(objects / 2).await;
        return;
    }
    say(format!("remote: Enumerating objects: {objects}, done.\x1b[K\n"));
    for (what, total) in [("Counting", objects), ("Compressing", objects / 2)] {
        for part in [25, 50, 75] {
            say(format!("remote: {what} objects: {part:>3}% ({}/{total})\x1b[K\r", total * part / 100));
            pause(30).await;
        }
        say(format!("remote: {what} objects: 100% ({total}/{total}), done.\x1b[K\n"));
    }
    say(format!(
        "remote: Total {objects} (delta {deltas}), reused {} (delta {}), pack-reused 0\x1b[K\n",
        objects / 3,
        deltas / 2
    ));
    let kib = objects * 23 + seed % 700;
    let size = if kib < 1024 { format!("{kib}.00 KiB") } else { format!("{:.2} MiB", kib as f64 / 1024.0) };
    let speed = format!("{:.2} MiB/s", 4.0 + (seed % 700) as f64 / 100.0);
    for part in [12, 37, 68, 91] {
        say(format!("Receiving objects: {part:>3}% ({}/{objects})\r", objects * part / 100));
        pause(60 + kib / 100).await;
    }
    say(format!("Receiving objects: 100% ({objects}/{objects}), {size} | {speed}, done.\n"));
    say(format!("Resolving deltas:  47% ({}/{deltas})\r", deltas * 47 / 100));
    pause(40).await;
    say(format!("Resolving deltas: 100% ({deltas}/{deltas}), done.\n"));
}

/// The folder that a clone leaves: its head, its settings, and a few files.
fn lay_out(
    call: &Call<'_>,
    to: &str,
    address: &str,
    name: &str,
    seed: u64,
) -> Result<(), crate::machine::FileError> {
    let (files, who) = (call.files(), call.session.who());
    let folder = 0o777 & !call.session.umask();
    let plain = 0o666 & !call.session.umask();
    let parent = to.rsplit_once('/').map_or("/", |(parent, _)| parent);
    files.may(
        who.uid,
        who.gid,
        if parent.is_empty() { "/" } else { parent },
        crate::machine::Access::Write,
    )?;
    for path in [
        "",
        "/.git",
        "/.git/refs/heads",
        "/.git/refs/tags",
        "/.git/refs/remotes/origin",
        "/.git/objects/pack",
        "/.git/objects/info",
        "/.git/hooks",
        "/.git/info",
        "/.git/logs/refs/heads",
    ] {
        files.make_dir_all(&format!("{to}{path}"), &who, folder)?;
    }
    let head: String =
        Sha256::digest(format!("head {seed}")).iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    let title: String = name.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
    let branch = if seed.is_multiple_of(3) { "main" } else { "master" };
    let texts = [
        ("/.git/HEAD", format!("ref: refs/heads/{branch}\n")),
        (
            "/.git/config",
            format!(
                "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n[remote \"origin\"]\n\turl = {address}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"{branch}\"]\n\tremote = origin\n\tmerge = refs/heads/{branch}\n"
            ),
        ),
        (
            "/.git/description",
            "Unnamed repository; edit this file 'description' to name the repository.\n".to_owned(),
        ),
        (
            "/.git/packed-refs",
            format!("# pack-refs with: peeled fully-peeled sorted \n{head} refs/remotes/origin/{branch}\n"),
        ),
        ("/README.md", format!("# {title}\n")),
        ("/LICENSE", "MIT License\n".to_owned()),
    ];
    for (path, text) in texts {
        files.write(&format!("{to}{path}"), text.as_bytes(), &who, plain)?;
    }
    files.write(&format!("{to}/.git/refs/heads/{branch}"), format!("{head}\n").as_bytes(), &who, plain)
}
