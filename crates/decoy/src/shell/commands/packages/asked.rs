//! What `apt` and `apt-cache` say about packages without changing any: `list`, `search`, `show`, `policy`.

use super::{
    super::{Call, Said, patterns::is_like},
    archives::{self, Source},
    catalogue, database,
};

pub(super) fn list(call: &Call<'_>, names: &[String], only_installed: bool) -> Said {
    let mut text = format!("Listing...{}\n", if call.to_terminal { " Done" } else { "" });
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| is_like(name, wanted));
    for package in database::all(call).iter().filter(|package| wanted(&package.name)) {
        let (name, version, architecture) = (&package.name, &package.version, &package.architecture);
        text += &format!("{name}/stable,now {version} {architecture} [installed]\n");
    }
    if !only_installed {
        for offer in catalogue::all().filter(|offer| wanted(offer.name)) {
            text += &format!("{}/stable {} {}\n", offer.name, offer.version, offer.architecture);
        }
    }
    Said::out(text)
}

pub(super) fn cache(call: &Call<'_>, verb: &str, names: &[String]) -> Said {
    let mut said = Said::default();
    let installed = database::all(call);
    let archive = archives::all(call).into_iter().next();
    if verb == "search" {
        let fits = |name: &str, text: &str| {
            names.iter().all(|word| name.contains(word.as_str()) || text.contains(word.as_str()))
        };
        let mut rows: Vec<String> = installed
            .iter()
            .filter(|package| fits(&package.name, package.synopsis()))
            .map(|package| format!("{} - {}\n", package.name, package.synopsis()))
            .collect();
        rows.extend(
            catalogue::all()
                .filter(|offer| fits(offer.name, offer.description))
                .map(|offer| format!("{} - {}\n", offer.name, offer.description)),
        );
        rows.sort_unstable();
        rows.dedup();
        return Said::out(rows.concat());
    }
    for name in names {
        let here = installed.iter().find(|package| package.name == *name);
        let offer = catalogue::offer(name);
        match (verb, here, offer) {
            ("policy", None, None) => {
                said.err.extend(format!("N: Unable to locate package {name}\n").bytes());
            }
            ("policy", here, offer) => {
                let version = here.map(|package| package.version.clone());
                let candidate = version.clone().or(offer.map(|offer| offer.version.to_owned())).unwrap_or_default();
                let shown = version.clone().unwrap_or_else(|| "(none)".to_owned());
                let mut text = format!("{name}:\n  Installed: {shown}\n  Candidate: {candidate}\n  Version table:\n");
                text += &format!("{} {candidate} 500\n", if version.is_some() { " ***" } else { "    " });
                if let Some(Source { address, suite, component }) = &archive {
                    text += &format!("        500 {address} {suite}/{component} amd64 Packages\n");
                }
                if version.is_some() {
                    text += "        100 /var/lib/dpkg/status\n";
                }
                said.out.extend(text.bytes());
            }
            (_, Some(package), _) => said.out.extend(format!("{}\n\n", package.stanza).bytes()),
            (_, None, Some(offer)) => said.out.extend(
                format!(
                    "Package: {}\nVersion: {}\nInstalled-Size: {}\nArchitecture: {}\nDescription: {}\nSection: {}\nPriority: optional\nFilename: {}\nSize: {}\n\n",
                    offer.name, offer.version, offer.installed, offer.architecture, offer.description, offer.section, offer.path, offer.size
                )
                .bytes(),
            ),
            (_, None, None) => {
                said.err.extend(format!("N: Unable to locate package {name}\nE: No packages found\n").bytes());
                said.status = 100;
            }
        }
    }
    said
}
