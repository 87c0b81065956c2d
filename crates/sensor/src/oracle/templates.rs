//! The texts of the prompts: one for the machine, which comes first and never changes, and one for each kind of question.
//! An operator may put files of their own in a folder (`[chat] templates`); a file that is not there is the built-in one.
//!
//! A template is text with `{names}`. In those of the kinds, a line `---` parts instructions from the question.

use std::{collections::BTreeMap, fs, path::Path};

/// The largest template, in bytes.
const LARGEST: u64 = 32 * 1024;
/// The line between instructions and question.
const PART: &str = "---";

/// One kind of template.
struct Kind {
    name: &'static str,
    built_in: &'static str,
    /// Names that may stand in it.
    names: &'static [&'static str],
    /// Names that must.
    needed: &'static [&'static str],
}

const MACHINE: &[&str] =
    &["host", "kernel", "arch", "cpus", "memory", "disk", "interface", "address", "users", "processes"];

const KINDS: [Kind; 8] = [
    Kind {
        name: "machine",
        built_in: include_str!("templates/machine.txt"),
        names: MACHINE,
        needed: &["host", "kernel"],
    },
    Kind {
        name: "program",
        built_in: include_str!("templates/program.txt"),
        names: &[
            "date",
            "user",
            "cwd",
            "environment",
            "known",
            "files",
            "done",
            "recent",
            "stdin",
            "command",
        ],
        needed: &["command"],
    },
    Kind {
        name: "file",
        built_in: include_str!("templates/file.txt"),
        names: &["date", "known", "size", "head", "path"],
        needed: &["path"],
    },
    Kind {
        name: "directory",
        built_in: include_str!("templates/directory.txt"),
        names: &["date", "known", "path"],
        needed: &["path"],
    },
    Kind {
        name: "verb",
        built_in: include_str!("templates/verb.txt"),
        names: &["date", "daemon", "script", "given"],
        needed: &["script", "given"],
    },
    Kind {
        name: "page",
        built_in: include_str!("templates/page.txt"),
        names: &["date", "known", "done", "method", "target"],
        needed: &["method", "target"],
    },
    Kind {
        name: "interpreter",
        built_in: include_str!("templates/interpreter.txt"),
        names: &["date", "known", "done", "recent", "program", "line"],
        needed: &["program", "line"],
    },
    Kind {
        name: "line",
        built_in: include_str!("templates/line.txt"),
        names: &["date", "banner", "recent", "line"],
        needed: &["line"],
    },
];

/// One thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault(String);

impl std::fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// All templates, read and checked.
#[derive(Clone, Debug)]
pub struct Templates(BTreeMap<&'static str, String>);

impl Default for Templates {
    fn default() -> Self {
        Self(KINDS.iter().map(|kind| (kind.name, kind.built_in.to_owned())).collect())
    }
}

impl Templates {
    /// The built-in templates, and those in `folder` instead of their namesakes.
    ///
    /// # Errors
    /// Everything that is wrong, with file and line.
    pub fn load(folder: &Path) -> Result<Self, Vec<TemplateFault>> {
        let (mut templates, mut faults) = (Self::default(), Vec::new());
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                return Err(vec![TemplateFault(format!("{} cannot be read: {error}", folder.display()))]);
            }
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let shown = path.display().to_string();
            let mut fault = |what: String| faults.push(TemplateFault(format!("{shown}: {what}")));
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_text = path.extension().is_some_and(|extension| extension == "txt");
            let Some(kind) = KINDS.iter().find(|kind| kind.name == stem && is_text) else {
                let names: Vec<String> = KINDS.iter().map(|kind| format!("{}.txt", kind.name)).collect();
                fault(format!("no template is called so; there are {}", names.join(", ")));
                continue;
            };
            match fs::metadata(&path) {
                Ok(metadata) if metadata.len() > LARGEST => {
                    fault(format!("has {} bytes; {LARGEST} are allowed", metadata.len()));
                    continue;
                }
                _ => {}
            }
            match fs::read_to_string(&path) {
                Ok(text) => {
                    for what in check(kind, &text) {
                        fault(what);
                    }
                    templates.0.insert(kind.name, text);
                }
                Err(error) => fault(format!("cannot be read: {error}")),
            }
        }
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// Instructions and question of a kind, the names not yet replaced.
    pub fn of(&self, kind: &str) -> (&str, &str) {
        let text = self.0.get(kind).map_or("", String::as_str);
        match split(text) {
            Some((instructions, question)) => (instructions, question),
            None => (text, ""),
        }
    }

    /// Every text of ours that a model must never show.
    pub fn sentences(&self) -> Vec<String> {
        const SHORTEST: usize = 36;
        let texts = self.0.values().flat_map(|text| text.split(['\n', '.', ':']));
        let plain = texts.map(|part| part.trim().trim_start_matches("- ").to_ascii_lowercase());
        plain.filter(|part| part.len() >= SHORTEST && !part.contains('{')).collect()
    }
}

fn split(text: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        if line.trim_end() == PART {
            return Some((text.get(..at)?, text.get(next..)?));
        }
        at = next;
    }
    None
}

fn check(kind: &Kind, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for name in names(line) {
            if !kind.names.contains(&name) {
                faults.push(format!(
                    "line {}: {{{name}}} is not known here; there are {}",
                    number + 1,
                    kind.names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(" ")
                ));
            }
        }
    }
    for needed in kind.needed {
        if !names(text).any(|name| name == *needed) {
            faults.push(format!("{{{needed}}} is missing"));
        }
    }
    if kind.name != "machine" && split(text).is_none() {
        faults.push(format!("a line `{PART}` has to part the instructions from the question"));
    }
    faults
}

/// The names in braces.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        plain.then_some(name)
    })
}

/// The text with every name replaced, each once: what stands in a value is never taken for a name.
pub fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let name = after.get(1..).and_then(|inner| inner.split_once('}')).map(|(name, _)| name);
        let value = name.and_then(|name| values.iter().find(|(known, _)| *known == name));
        match (name, value) {
            (Some(name), Some((_, value))) => {
                out.push_str(value);
                rest = after.get(name.len() + 2..).unwrap_or_default();
            }
            _ => {
                out.push('{');
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_templates_are_sound() {
        for kind in &KINDS {
            assert_eq!(check(kind, kind.built_in), Vec::<String>::new(), "{}", kind.name);
        }
        assert!(Templates::default().sentences().len() > 8);
    }

    #[test]
    fn every_fault_of_a_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("program.txt", "Print it.\n---\n{command} {colour}\n");
        write("file.txt", "no question at all");
        write("poem.txt", "x");
        let faults = Templates::load(folder.path()).unwrap_err();
        let text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains("program.txt: line 3: {colour} is not known here"), "{text}");
        assert!(text.contains("file.txt: {path} is missing") && text.contains("a line `---`"), "{text}");
        assert!(text.contains("poem.txt: no template is called so"), "{text}");
        assert!(Templates::load(Path::new("/nothing/here")).is_err());
    }

    #[test]
    fn a_file_of_the_operator_wins() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("line.txt"), "Be a daemon.\n---\n{line}\n").unwrap();
        let templates = Templates::load(folder.path()).unwrap();
        assert_eq!(templates.of("line"), ("Be a daemon.\n", "{line}\n"));
        assert_eq!(templates.of("file"), Templates::default().of("file"));
    }

    #[test]
    fn values_are_never_read_as_names() {
        let values = [("a", "{b}".to_owned()), ("b", "x".to_owned())];
        assert_eq!(fill("{a} {b} {c} { {a", &values), "{b} x {c} { {a");
    }
}
