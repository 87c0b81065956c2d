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
        text += &format!("{name}/oldstable,now {version} {architecture} [installed]\n");
    }
    if !only_installed {
        for offer in catalogue::all().filter(|offer| wanted(offer.name)) {
            text += &format!("{}/oldstable {} {}\n", offer.name, offer.version, offer.architecture);
        }
    }
    Said::out(text)
}

/// `apt-cache pkgnames`, `depends` and `madison`.
pub(super) fn known(call: &Call<'_>, verb: &str, names: &[String]) -> Said {
    let installed = database::all(call);
    let mut said = Said::default();
    if verb == "pkgnames" {
        let begins = |name: &&str| names.first().is_none_or(|first| name.starts_with(first.as_str()));
        let all = installed
            .iter()
            .map(|package| package.name.as_str())
            .chain(catalogue::all().map(|offer| offer.name));
        said.out = all.filter(begins).map(|name| format!("{name}\n")).collect::<String>().into();
        return said;
    }
    for name in names {
        let Some(package) = installed.iter().find(|package| package.name == *name) else {
            match (verb, catalogue::offer(name)) {
                ("madison", _) if call.to_terminal => {
                    said.err.extend(format!("N: Unable to locate package {name}\n").bytes());
                }
                ("depends", Some(offer)) => said.out.extend(format!("{}\n", offer.name).bytes()),
                ("depends", None) => {
                    said.err.extend(b"E: No packages found\n");
                    said.status = 100;
                }
                _ => {}
            }
            continue;
        };
        if verb == "madison" {
            if let Some(Source { address, suite, component }) = archives::all(call).into_iter().next() {
                let version = &package.version;
                said.out.extend(
                    format!("{name:>10} | {version:>10} | {address} {suite}/{component} amd64 Packages\n")
                        .bytes(),
                );
            }
            continue;
        }
        said.out.extend(format!("{name}\n").bytes());
        const KINDS: [(&str, &str); 7] = [
            ("Pre-Depends", "PreDepends"),
            ("Depends", "Depends"),
            ("Conflicts", "Conflicts"),
            ("Breaks", "Breaks"),
            ("Suggests", "Suggests"),
            ("Recommends", "Recommends"),
            ("Replaces", "Replaces"),
        ];
        for (field, label) in KINDS {
            for group in
                package.field(field).unwrap_or_default().split(", ").filter(|group| !group.is_empty())
            {
                let choices: Vec<&str> = group.split(" | ").collect();
                for (number, choice) in choices.iter().enumerate() {
                    let bar = if number + 1 < choices.len() { "|" } else { " " };
                    let bare = choice.split(' ').next().unwrap_or_default();
                    said.out.extend(format!(" {bar}{label}: {bare}\n").bytes());
                }
            }
        }
    }
    said
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
                // Notices are for whoever sits at a terminal.
                if call.to_terminal {
                    said.err.extend(format!("N: Unable to locate package {name}\n").bytes());
                }
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
                if call.to_terminal {
                    said.err.extend(format!("N: Unable to locate package {name}\n").bytes());
                }
                said.err.extend(b"E: No packages found\n");
                said.status = 100;
            }
        }
    }
    said
}
