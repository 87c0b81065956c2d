//! What the word before the cursor may become: commands, files, users and variables, as bash completes them.

use super::{Shell, builtins, environment};
use crate::machine::files::Kind;

/// The most possibilities that are looked at.
const MOST: usize = 4096;

/// What a word may become.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where in the line the part begins that is replaced.
    pub start: usize,
    /// What may stand there, sorted; a folder ends with `/`.
    pub candidates: Vec<String>,
    /// The quotation mark that is open.
    pub quote: Option<char>,
}

impl Shell {
    /// Looks at the line up to the cursor.
    pub fn complete(&self, line: &str) -> Completion {
        let word = Word::last_of(line);
        let mut candidates = match word.text.as_str() {
            text if text.starts_with('$') && !text.contains('/') => self.variables(text),
            text if text.starts_with('~') && !text.contains('/') => self.users(text),
            text if word.is_command && !text.contains('/') => self.commands(text),
            text => self.files(text, &word),
        };
        candidates.sort();
        candidates.dedup();
        Completion { start: word.start, candidates, quote: word.quote }
    }

    fn variables(&self, text: &str) -> Vec<String> {
        let name = text.trim_start_matches('$');
        let known = environment::of(&self.session);
        let is_folder = |value: &str| value.starts_with('/') && self.session.files().is_dir(value);
        known
            .iter()
            .filter(|(known, _)| known.starts_with(name))
            .map(|(known, value)| if is_folder(value) { format!("${known}/") } else { format!("${known}") })
            .collect()
    }

    fn users(&self, text: &str) -> Vec<String> {
        let passwd = self.session.files().read("/etc/passwd").unwrap_or_default();
        String::from_utf8_lossy(&passwd)
            .lines()
            .filter_map(|line| line.split(':').next())
            .map(|name| format!("~{name}/"))
            .filter(|name| name.starts_with(text))
            .take(MOST)
            .collect()
    }

    fn commands(&self, text: &str) -> Vec<String> {
        let mut found: Vec<String> =
            builtins::words().filter(|name| name.starts_with(text)).map(str::to_owned).collect();
        let path =
            environment::of(&self.session).into_iter().find(|(name, _)| name == "PATH").unwrap_or_default().1;
        for folder in path.split(':') {
            let entries = self.session.files().list(folder).unwrap_or_default();
            let runs = |mode: u32| mode & 0o111 != 0;
            found.extend(
                entries
                    .into_iter()
                    .filter(|entry| entry.name.starts_with(text))
                    .filter(|entry| entry.attributes.kind == Kind::Symlink || runs(entry.attributes.mode))
                    .map(|entry| entry.name)
                    .take(MOST),
            );
        }
        found
    }

    fn files(&self, text: &str, word: &Word) -> Vec<String> {
        let (folder, prefix) = text.rsplit_once('/').map_or(("", text), |(folder, prefix)| (folder, prefix));
        let shown = text.get(..text.len() - prefix.len()).unwrap_or_default();
        let home = self.session.identity().user(&self.session.user_name()).map(|user| user.home.clone());
        let looked_in = match folder.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => home.unwrap_or_default() + rest + "/",
            _ if shown.is_empty() => ".".to_owned(),
            _ => shown.to_owned(),
        };
        let full = self.session.files().resolve(&self.cwd, &looked_in);
        let mut found = Vec::new();
        for entry in self.session.files().list(&full).unwrap_or_default() {
            if !entry.name.starts_with(prefix) || entry.name.starts_with('.') && !prefix.starts_with('.') {
                continue;
            }
            let is_folder = entry.attributes.kind == Kind::Dir
                || entry.attributes.kind == Kind::Symlink
                    && self.session.files().is_dir(&format!("{}/{}", full.trim_end_matches('/'), entry.name));
            let runs = entry.attributes.mode & 0o111 != 0;
            if is_folder || !(word.wants_folder || word.is_command && !runs) {
                found.push(format!("{shown}{}{}", entry.name, if is_folder { "/" } else { "" }));
            }
            if found.len() == MOST {
                break;
            }
        }
        found
    }
}

/// The word before the cursor.
struct Word {
    start: usize,
    text: String,
    is_command: bool,
    /// `cd` takes nothing else.
    wants_folder: bool,
    quote: Option<char>,
}

impl Word {
    fn last_of(line: &str) -> Self {
        let (mut start, mut text, mut quote) = (0, String::new(), None);
        let mut command: Option<String> = None;
        let mut is_command = true;
        let mut chars = line.char_indices();
        while let Some((at, c)) = chars.next() {
            let next = at + c.len_utf8();
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(c);
                    (start, text) = (next, String::new());
                }
                (None | Some('"'), '\\') => text.extend(chars.next().map(|(_, c)| c)),
                (None, ' ' | '\t') => {
                    if is_command
                        && !text.is_empty()
                        && !matches!(text.as_str(), "sudo" | "nohup" | "then" | "do" | "time")
                    {
                        is_command = false;
                        command = Some(std::mem::take(&mut text));
                    }
                    (start, text) = (next, String::new());
                }
                (None, ';' | '|' | '&' | '(' | '`') => {
                    (is_command, command) = (true, None);
                    (start, text) = (next, String::new());
                }
                (None, '<' | '>' | '=') => {
                    is_command = false;
                    (start, text) = (next, String::new());
                }
                (_, c) => text.push(c),
            }
        }
        let wants_folder = command.is_some_and(|name| matches!(name.as_str(), "cd" | "pushd" | "rmdir"));
        Self { start, text, is_command, wants_folder, quote }
    }
}

#[cfg(test)]
mod tests {
    use crate::{machine::Owner, shell::tests::shell};

    #[test]
    fn words_become_what_bash_makes_of_them() {
        let shell = shell("root");
        let files = shell.session.files();
        for name in ["alpha.txt", "alpine.txt", "beta", ".hidden", "a b"] {
            files.write(&format!("/root/{name}"), b"", &Owner::ROOT, 0o644).unwrap();
        }
        files.make_dir("/root/dir1", &Owner::ROOT, 0o755).unwrap();
        for (line, start, want) in [
            ("cat al", 4, &["alpha.txt", "alpine.txt"][..]),
            ("cat ~/be", 4, &["~/beta"]),
            ("cd ", 3, &["dir1/"]),
            ("cat .h", 4, &[".hidden"]),
            ("una", 0, &["unalias", "uname"]),
            ("ls; ech", 4, &["echo"]),
            ("ls ~roo", 3, &["~root/"]),
            ("echo $HOM", 5, &["$HOME/"]),
            ("cat \"al", 5, &["alpha.txt", "alpine.txt"]),
            ("cat /etc/hostn", 4, &["/etc/hostname"]),
            ("cat <be", 5, &["beta"]),
            ("cat a\\ ", 4, &["a b"]),
        ] {
            let done = shell.complete(line);
            assert_eq!(
                (done.start, done.candidates.as_slice()),
                (start, &want.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
    }
}
