//! What stands in the way of a copy: asked about, kept, set aside or gone over.

use super::super::{
    Call, Said,
    answers::Answers,
    getopt::{self, Given},
    quoting::quoted,
};
use crate::machine::Attributes;

/// What is done about a file that is in the way.
pub(in crate::shell::commands) struct Clash {
    pub(in crate::shell::commands) no_clobber: bool,
    pub(in crate::shell::commands) asks: bool,
    update: bool,
    pub(super) backup: Option<String>,
    suffix: String,
}

impl Clash {
    pub(in crate::shell::commands) fn of(
        call: &Call<'_>,
        given: &Given,
        mode: Option<&str>,
    ) -> Result<Self, Said> {
        const WORDS: &[&[&str]] =
            &[&["none", "off"], &["simple", "never"], &["existing", "nil"], &["numbered", "t"]];
        let backup = match given.last(&["backup", "b", "suffix"]) {
            None => None,
            Some(_) => Some(match given.value("backup") {
                Some(word) => getopt::choice(call, "backup type", word, WORDS)?.to_owned(),
                None => "existing".to_owned(),
            }),
        };
        Ok(Self {
            no_clobber: mode == Some("no-clobber"),
            asks: mode == Some("interactive"),
            update: given.has("update"),
            backup: backup.filter(|word| word != "none"),
            suffix: given.value("suffix").unwrap_or("~").to_owned(),
        })
    }

    /// Makes way for `to`, which `source` becomes; `None` when it is not to be, else the name of what was kept.
    pub(super) async fn make_way(
        &self,
        call: &Call<'_>,
        source: &Attributes,
        to: &str,
        answers: &mut Answers<'_>,
        said: &mut Said,
    ) -> Option<String> {
        let target = call.path(to);
        let target = target.trim_end_matches('/');
        let Ok(there) = call.files().lstat(target) else { return Some(String::new()) };
        if self.no_clobber || self.update && there.mtime >= source.mtime {
            return None;
        }
        if self.asks {
            let verb = if call.name == "ln" { "replace" } else { "overwrite" };
            if !answers.agree(said, &format!("{}: {verb} {}? ", call.name, quoted(to))).await {
                return None;
            }
        }
        Some(self.set_aside(call, to))
    }

    /// Renames what is in the way; the name that it has now, if any.
    pub(in crate::shell::commands) fn set_aside(&self, call: &Call<'_>, to: &str) -> String {
        let Some(how) = self.backup.as_deref() else { return String::new() };
        let (to, target) = (to.trim_end_matches('/'), call.path(to));
        let target = target.trim_end_matches('/');
        if !call.files().lstat(target).is_ok_and(|node| !node.is_dir()) {
            return String::new();
        }
        let numbered = |number: u32| format!(".~{number}~");
        let last = (1..1000).take_while(|n| call.files().exists(&format!("{target}{}", numbered(*n)))).last();
        let ending = match (how, last) {
            ("numbered", last) | ("existing", last @ Some(_)) => numbered(last.unwrap_or(0) + 1),
            _ => self.suffix.clone(),
        };
        match call.files().rename(target, &format!("{target}{ending}")) {
            Ok(()) => format!("{to}{ending}"),
            // Then it is written over, as without a backup.
            Err(_) => String::new(),
        }
    }
}
