//! `git init`, `git config` and what git says of a place that is no repository. What is in one is asked about.

use super::{Call, Options, Said};

/// What git tells whoever has not said what the first branch is called.
const HINT: &str = "hint: Using 'master' as the name for the initial branch. This default branch name\nhint: is subject to change. To configure the initial branch name to use in all\nhint: of your new repositories, which will suppress this warning, call:\nhint: \nhint: \tgit config --global init.defaultBranch <name>\nhint: \nhint: Names commonly chosen instead of 'master' are 'main', 'trunk' and\nhint: 'development'. The just-created branch can be renamed via this command:\nhint: \nhint: \tgit branch -m <name>\n";
const NO_REPOSITORY: &str = "fatal: not a git repository (or any of the parent directories): .git\n";
/// The largest file of settings that is read.
const LARGEST: usize = 64 * 1024;

/// What a verb of git says; `None`: it is asked about.
pub(super) fn play(call: &Call<'_>) -> Option<Said> {
    let (verb, rest) = call.args.split_first()?;
    match verb.as_str() {
        "init" => Some(init(call, rest)),
        "config" => Some(config(call, rest)),
        "--exec-path" => Some(Said::out("/usr/lib/git-core\n")),
        "add" | "am" | "bisect" | "blame" | "branch" | "checkout" | "cherry-pick" | "clean" | "commit"
        | "describe" | "fetch" | "gc" | "log" | "merge" | "mv" | "pull" | "push" | "rebase" | "reflog"
        | "remote" | "reset" | "restore" | "revert" | "rev-parse" | "rm" | "show" | "stash" | "status"
        | "submodule" | "switch" | "tag" => match repository(call) {
            None => Some(Said::err(NO_REPOSITORY, 128)),
            Some(folder) => of_empty(call, &folder, verb),
        },
        "diff" | "clone" | "help" | "version" | "ls-remote" | "grep" | "archive" => None,
        verb if verb.starts_with('-') => None,
        verb => Some(Said::err(format!("git: '{verb}' is not a git command. See 'git --help'.\n"), 1)),
    }
}

/// The `.git` of where the visitor is.
fn repository(call: &Call<'_>) -> Option<String> {
    let mut folder = call.files().real_path(call.cwd).unwrap_or_else(|_| call.cwd.to_owned());
    loop {
        let inner = format!("{}/.git", folder.trim_end_matches('/'));
        if call.files().is_dir(&inner) {
            return Some(inner);
        }
        folder.truncate(folder.rfind('/')?);
        if folder.is_empty() {
            return call.files().is_dir("/.git").then(|| "/.git".to_owned());
        }
    }
}

/// A repository in which nothing was ever committed.
fn of_empty(call: &Call<'_>, folder: &str, verb: &str) -> Option<Said> {
    if call.files().list(&format!("{folder}/refs/heads")).is_ok_and(|names| !names.is_empty())
        || call.files().exists(&format!("{folder}/packed-refs"))
        || call.files().exists(&format!("{folder}/index"))
    {
        return None;
    }
    match verb {
        "log" => Some(Said::err("fatal: your current branch 'master' does not have any commits yet\n", 128)),
        "branch" | "remote" | "tag" if !call.args.iter().skip(1).any(|arg| !arg.starts_with('-')) => {
            Some(Said::nothing(0))
        }
        "status" if call.args.len() == 1 => Some(status(call, folder)),
        _ => None,
    }
}

fn status(call: &Call<'_>, folder: &str) -> Said {
    let top = folder.trim_end_matches("/.git");
    let entries = call.files().list(if top.is_empty() { "/" } else { top }).unwrap_or_default();
    let mut text = "On branch master\n\nNo commits yet\n\n".to_owned();
    let names: Vec<String> = entries
        .iter()
        .filter(|entry| entry.name != ".git")
        .map(|entry| if entry.attributes.is_dir() { format!("{}/", entry.name) } else { entry.name.clone() })
        .collect();
    if names.is_empty() {
        text += "nothing to commit (create/copy files and use \"git add\" to track)\n";
        return Said::out(text);
    }
    text += "Untracked files:\n  (use \"git add <file>...\" to include in what will be committed)\n";
    for name in names {
        text += &format!("\t{name}\n");
    }
    text += "\nnothing added to commit but untracked files present (use \"git add\" to track)\n";
    Said::out(text)
}

fn init(call: &Call<'_>, rest: &[String]) -> Said {
    let options = Options::of(rest, "b");
    let place = options.operands.first().map_or_else(|| call.cwd.to_owned(), |folder| call.path(folder));
    let bare = options.has_long("bare");
    let folder = if bare { place.clone() } else { format!("{}/.git", place.trim_end_matches('/')) };
    let again = call.files().exists(&format!("{folder}/HEAD"));
    let branch = options.value('b').unwrap_or("master").to_owned();
    let who = call.session.who();
    let mask = call.session.umask();
    let make = || -> Result<(), crate::machine::FileError> {
        for name in ["branches", "hooks", "info", "objects/info", "objects/pack", "refs/heads", "refs/tags"] {
            call.files().make_dir_all(&format!("{folder}/{name}"), &who, 0o777 & !mask)?;
        }
        let settings = format!(
            "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = {bare}\n{}",
            if bare { "" } else { "\tlogallrefupdates = true\n" }
        );
        let texts = [
            ("HEAD", format!("ref: refs/heads/{branch}\n")),
            ("config", settings),
            (
                "description",
                "Unnamed repository; edit this file 'description' to name the repository.\n".to_owned(),
            ),
            (
                "info/exclude",
                "# git ls-files --others --exclude-from=.git/info/exclude\n# Lines that start with '#' are comments.\n# For a project mostly in C, the following would be a good set of\n# exclude patterns (uncomment them if you want to use them):\n# *.[oa]\n# *~\n"
                    .to_owned(),
            ),
        ];
        for (name, text) in texts {
            call.files().write(&format!("{folder}/{name}"), text.as_bytes(), &who, 0o666 & !mask)?;
        }
        Ok(())
    };
    let folder_shown = format!("{}/", folder.trim_end_matches('/'));
    if again {
        return Said::out(format!("Reinitialized existing Git repository in {folder_shown}\n"));
    }
    let may = call
        .files()
        .is_dir(&place)
        .then(|| call.files().may(who.uid, who.gid, &place, crate::machine::Access::Write));
    if let Err(error) = may.unwrap_or(Ok(())).and_then(|()| make()) {
        return Said::err(format!("{}: {}\n", folder_shown.trim_end_matches('/'), error.errno_text()), 1);
    }
    let quiet = options.has('q') || options.has_long("quiet");
    let named = options.value('b').is_some() || lookup(call, "init.defaultbranch").is_some();
    let mut said = Said::default();
    if !quiet {
        said.out = format!("Initialized empty Git repository in {folder_shown}\n").into();
    }
    if !quiet && !named {
        said.err = HINT.into();
    }
    said
}

/// The visitor's own file of settings.
fn own(call: &Call<'_>) -> String {
    format!("{}/.gitconfig", call.var("HOME").unwrap_or_else(|| "/root".to_owned()))
}

/// Keys and values of a file, in order, as `git config --list` tells them.
fn settings(call: &Call<'_>, path: &str) -> Vec<(String, String)> {
    let bytes = call.files().read(path).unwrap_or_default();
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(LARGEST)).unwrap_or_default()).into_owned();
    let (mut section, mut found) = (String::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[').and_then(|head| head.split(']').next()) {
            section = match head.split_once(' ') {
                Some((name, part)) => format!("{}.{}", name.to_ascii_lowercase(), part.trim_matches('"')),
                None => head.to_ascii_lowercase(),
            };
        } else if !line.is_empty() && !line.starts_with(['#', ';']) {
            let (key, value) = line.split_once('=').unwrap_or((line, "true"));
            found.push((
                format!("{section}.{}", key.trim().to_ascii_lowercase()),
                value.trim().trim_matches('"').to_owned(),
            ));
        }
    }
    found
}

/// The files that hold for where the visitor is, the last one wins.
fn files(call: &Call<'_>) -> Vec<String> {
    let local = repository(call).map(|folder| format!("{folder}/config"));
    ["/etc/gitconfig".to_owned(), own(call)].into_iter().chain(local).collect()
}

fn lookup(call: &Call<'_>, key: &str) -> Option<String> {
    let all = files(call).into_iter().flat_map(|file| settings(call, &file)).collect::<Vec<_>>();
    all.into_iter().rev().find(|(known, _)| known == key).map(|(_, value)| value)
}

fn config(call: &Call<'_>, rest: &[String]) -> Said {
    let options = Options::of(rest, "f");
    let is_global = options.has_long("global");
    let file = match (is_global, options.value('f')) {
        (true, _) => Some(own(call)),
        (_, Some(file)) => Some(call.path(file)),
        _ if options.has_long("system") => Some("/etc/gitconfig".to_owned()),
        _ => None,
    };
    if options.has('l') || options.has_long("list") {
        let files = file.map_or_else(|| files(call), |file| vec![file]);
        let rows = files.iter().flat_map(|file| settings(call, file));
        return Said::out(rows.map(|(key, value)| format!("{key}={value}\n")).collect::<String>());
    }
    let Some(key) = options.operands.first() else {
        return Said::err("error: no action specified\n", 129);
    };
    let Some((section, name)) =
        key.rsplit_once('.').filter(|(section, name)| !section.is_empty() && !name.is_empty())
    else {
        return Said::err(format!("error: key does not contain a section: {key}\n"), 1);
    };
    let lower = match section.split_once('.') {
        Some((first, rest)) => format!("{}.{rest}.{}", first.to_ascii_lowercase(), name.to_ascii_lowercase()),
        None => key.to_ascii_lowercase(),
    };
    let unsets = options.has_long("unset") || options.has_long("unset-all");
    let (Some(value), false) = (options.operands.get(1), unsets) else {
        if unsets {
            return write(call, file, section, name, &lower, None);
        }
        let found = match file {
            Some(file) => settings(call, &file)
                .into_iter()
                .rev()
                .find(|(known, _)| *known == lower)
                .map(|(_, value)| value),
            None => lookup(call, &lower),
        };
        return found.map_or(Said::nothing(1), |value| Said::out(value + "\n"));
    };
    write(call, file, section, name, &lower, Some(value))
}

/// Sets or removes one value.
fn write(
    call: &Call<'_>,
    file: Option<String>,
    section: &str,
    name: &str,
    lower: &str,
    value: Option<&str>,
) -> Said {
    let Some(file) = file.or_else(|| repository(call).map(|folder| format!("{folder}/config"))) else {
        return Said::err("fatal: not in a git directory\n", 128);
    };
    let bytes = call.files().read(&file).unwrap_or_default();
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(LARGEST)).unwrap_or_default()).into_owned();
    let head = match section.split_once('.') {
        Some((first, rest)) => format!("[{first} \"{rest}\"]"),
        None => format!("[{section}]"),
    };
    // Line ends would be settings of their own.
    let line = value.map(|value| format!("\t{name} = {}", value.replace(['\n', '\r'], " ")));
    let (mut lines, mut done, mut inside) = (Vec::new(), false, false);
    for old in text.lines() {
        if old.trim_start().starts_with('[') {
            if inside
                && !done
                && let Some(line) = &line
            {
                lines.push(line.clone());
                done = true;
            }
            inside = old.trim().eq_ignore_ascii_case(&head);
        } else if inside
            && old
                .split('=')
                .next()
                .is_some_and(|key| lower.ends_with(&format!(".{}", key.trim().to_ascii_lowercase())))
        {
            if let Some(line) = line.as_ref().filter(|_| !done) {
                lines.push(line.clone());
            }
            done = true;
            continue;
        }
        lines.push(old.to_owned());
    }
    if !done && let Some(line) = line {
        if !inside {
            lines.push(head);
        }
        lines.push(line);
        done = true;
    }
    if !done {
        return Said::nothing(5);
    }
    let text = lines.join("\n") + "\n";
    match call.files().write(&file, text.as_bytes(), &call.session.who(), 0o666 & !call.session.umask()) {
        Ok(()) => Said::nothing(0),
        Err(error) => {
            Said::err(format!("error: could not lock config file {file}: {}\n", error.errno_text()), 255)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::tests::{said, shell};

    #[tokio::test]
    async fn a_repository_is_made_and_settings_are_kept() {
        let mut shell = shell("root");
        for (line, wanted) in [
            (
                "cd /tmp; git status; echo $?",
                "fatal: not a git repository (or any of the parent directories): .git\n128\n",
            ),
            ("git config --global user.name 'a b'; cat ~/.gitconfig", "[user]\n\tname = a b\n"),
            ("git config --global user.name c; git config user.name; git config --list", "c\nuser.name=c\n"),
            (
                "git config nosuch.key; echo $?; git config bad; echo $?",
                "1\nerror: key does not contain a section: bad\n1\n",
            ),
            ("git config user.email x; echo $?", "fatal: not in a git directory\n128\n"),
            (
                "git init -q r; cd r; git log; echo $?",
                "fatal: your current branch 'master' does not have any commits yet\n128\n",
            ),
            (
                "touch a; git status | tail -4",
                "\ta\n\nnothing added to commit but untracked files present (use \"git add\" to track)\n",
            ),
            ("git config user.email x; tail -2 .git/config", "[user]\n\temail = x\n"),
            ("git config --unset user.email; git config user.email; echo $?", "1\n"),
            ("git add .; git commit -m x; echo $?", "0\n"),
        ] {
            let got = said(&mut shell, line).await.0;
            assert!(got.ends_with(wanted), "{line}: {got}");
        }
    }
}
