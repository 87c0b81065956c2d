//! Versions of the installed packages, as `/var/lib/dpkg/status` has them.

use crate::machine::Image;

/// What Debian 12 has when the image does not say.
const OPENSSH: &str = "1:9.2p1-2+deb12u10";

/// Names and versions.
pub(super) struct Packages(Vec<(String, String)>);

impl Packages {
    /// The packages of an image; none when it has no list.
    pub(super) fn of(image: &Image) -> Self {
        let status = image.text("/var/lib/dpkg/status").unwrap_or_default();
        let field = |stanza: &str, name: &str| {
            stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
        };
        let package = |stanza| Some((field(stanza, "Package")?, field(stanza, "Version")?));
        Self(status.split("\n\n").filter_map(package).collect())
    }

    fn version(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(package, _)| package == name).map(|(_, version)| version.as_str())
    }

    /// The version of the program without the packager's epoch and revision.
    pub(super) fn upstream(&self, name: &str, otherwise: &str) -> String {
        let version = self.version(name).unwrap_or(otherwise);
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        version.rsplit_once('-').map_or(version, |(upstream, _)| upstream).to_owned()
    }

    /// OpenSSH's as it stands in the banner after `OpenSSH_`: `9.2p1 Debian-2+deb12u10`.
    pub(super) fn openssh(&self) -> String {
        let version = self.version("openssh-server").unwrap_or(OPENSSH);
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        match version.rsplit_once('-') {
            Some((upstream, revision)) => format!("{upstream} Debian-{revision}"),
            None => version.to_owned(),
        }
    }
}
