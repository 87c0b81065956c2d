//! The list of installed packages, as dpkg keeps it: `/var/lib/dpkg/status` and the lists of files beside it.

use super::super::Call;
use crate::machine::Owner;

/// Where it lies.
const STATUS: &str = "/var/lib/dpkg/status";
/// Where the lists of files lie.
const INFO: &str = "/var/lib/dpkg/info";

/// One package that dpkg knows.
#[derive(Debug)]
pub(super) struct Package {
    /// Its record, line by line.
    pub(super) stanza: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    /// It stands beside itself of other architectures, and says so.
    is_multi: bool,
}

impl Package {
    fn of(stanza: &str) -> Option<Self> {
        let field = |name: &str| field(stanza, name).map(str::to_owned);
        Some(Self {
            name: field("Package")?,
            version: field("Version")?,
            architecture: field("Architecture").unwrap_or_default(),
            is_multi: field("Multi-Arch").as_deref() == Some("same"),
            stanza: stanza.to_owned(),
        })
    }

    /// One of its fields.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        field(&self.stanza, name)
    }

    /// One of its fields with all its lines.
    pub(super) fn whole_field(&self, name: &str) -> String {
        let wanted = name.to_ascii_lowercase();
        let is_it =
            |line: &&str| line.split_once(':').is_some_and(|(known, _)| known.to_ascii_lowercase() == wanted);
        let mut lines = self.stanza.lines().skip_while(|line| !is_it(line));
        let first = lines.next().and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim());
        let more: String =
            lines.take_while(|line| line.starts_with(' ')).map(|line| format!("\n{line}")).collect();
        format!("{first}{more}")
    }

    /// `libc6:amd64`, as lists show it.
    pub(super) fn shown(&self) -> String {
        if self.is_multi { format!("{}:{}", self.name, self.architecture) } else { self.name.clone() }
    }

    /// Its first line of description.
    pub(super) fn synopsis(&self) -> &str {
        self.field("Description").unwrap_or_default()
    }

    /// Whether it is there, not only what is left of it.
    pub(super) fn is_installed(&self) -> bool {
        self.field("Status").is_some_and(|status| status.ends_with(" installed"))
    }

    /// Its files and directories.
    pub(super) fn files(&self, call: &Call<'_>) -> Vec<String> {
        let names = [self.name.clone(), format!("{}:{}", self.name, self.architecture)];
        let text = names.iter().find_map(|name| call.files().read(&format!("{INFO}/{name}.list")).ok());
        text.map(|text| String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
            .unwrap_or_default()
    }
}

fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

/// All packages, by name.
pub(super) fn all(call: &Call<'_>) -> Vec<Package> {
    let text = call.files().read(STATUS).unwrap_or_default();
    let mut packages: Vec<Package> = String::from_utf8_lossy(&text)
        .split("\n\n")
        .filter_map(|stanza| Package::of(stanza.trim_matches('\n')))
        .collect();
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    packages
}

/// One that is installed.
pub(super) fn installed(call: &Call<'_>, name: &str) -> Option<Package> {
    let name = name.split(':').next().unwrap_or(name);
    all(call).into_iter().find(|package| package.name == name && package.is_installed())
}

/// Writes a package into the list, with its files.
pub(super) fn add(call: &Call<'_>, stanza: &str, name: &str, files: &[String]) {
    let mut text = call.files().read(STATUS).unwrap_or_default().to_vec();
    text.extend(format!("{}\n\n", stanza.trim_end()).bytes());
    let list: String = files.iter().map(|file| format!("{file}\n")).collect();
    for (path, content) in [(STATUS.to_owned(), text), (format!("{INFO}/{name}.list"), list.into_bytes())] {
        if let Err(error) = call.files().write(&path, &content, &Owner::ROOT, 0o644) {
            tracing::debug!(%path, ?error, "a package is not written into the list");
        }
    }
}

/// Takes a package and its files away.
pub(super) fn remove(call: &Call<'_>, package: &Package) {
    for file in package.files(call) {
        let is_kept = file.starts_with("/etc/") || call.files().lstat(&file).is_ok_and(|node| node.is_dir());
        if !is_kept && let Err(error) = call.files().remove(&file) {
            tracing::debug!(%file, ?error, "a file of a package was not there any more");
        }
    }
    let text = call.files().read(STATUS).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let rest: Vec<&str> =
        text.split("\n\n").filter(|stanza| field(stanza, "Package") != Some(&package.name)).collect();
    if let Err(error) = call.files().write(STATUS, rest.join("\n\n").as_bytes(), &Owner::ROOT, 0o644) {
        tracing::debug!(?error, "the list of packages is as it was");
    }
}
