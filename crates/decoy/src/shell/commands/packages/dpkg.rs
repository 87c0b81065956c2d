//! `dpkg` and `dpkg-query` (1.21).

use super::{
    super::{Call, Options, Said, patterns::is_like, usage},
    database::{self, Package},
};

const HEAD: &str = "Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n";
const NO_ACTION: &str = "dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\nType dpkg -Dhelp for a list of dpkg debug flag values;\nType dpkg --force-help for a list of forcing options;\nType dpkg-deb --help for help about manipulating *.deb files;\n\nOptions marked [*] produce a lot of output - pipe it through 'less' or 'more' !\n";

pub(in crate::shell::commands) fn dpkg(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "");
    let has = |letter: char, long: &str| options.has(letter) || options.has_long(long);
    let operands = &options.operands;
    if options.has_long("print-architecture") {
        Said::out("amd64\n")
    } else if options.has_long("print-foreign-architectures")
        || has('C', "audit")
        || options.has_long("configure")
    {
        Said::nothing(0)
    } else if has('l', "list") {
        list(call, operands)
    } else if has('s', "status") {
        status(call, operands)
    } else if has('L', "listfiles") {
        files(call, operands)
    } else if has('S', "search") {
        search(call, operands)
    } else if options.has_long("get-selections") {
        let mut text = String::new();
        for package in matching(call, operands) {
            let name = package.shown();
            text +=
                &format!("{name}{}install\n", "\t".repeat((6_usize).saturating_sub(name.len() / 8).max(1)));
        }
        Said::out(text)
    } else if has('W', "show") {
        show(call, operands, &options)
    } else if has('i', "install") || has('I', "info") || has('c', "contents") {
        archive(call, operands, options.has('i') || options.has_long("install"))
    } else if has('p', "print-avail") {
        available(call, operands)
    } else if let Some(what) = unpacking(&options) {
        Said::err(format!("dpkg-deb: error: {what}\n{DEB_HELP}"), 2)
    } else if has('r', "remove") || has('P', "purge") {
        remove(call, operands)
    } else if options.has_long("version") {
        usage::of("dpkg", &["--version".to_owned()], false).unwrap_or_default()
    } else if let Some(letter) = options.letters.first() {
        Said::err(
            format!(
                "dpkg: error: unknown option -{letter}\n\nType dpkg --help for help about installing and deinstalling packages [*];\n"
            ),
            2,
        )
    } else {
        Said::err(NO_ACTION, 2)
    }
}

/// Where dpkg-deb says there is help.
const DEB_HELP: &str = "\nType dpkg-deb --help for help about manipulating *.deb files;\nType dpkg --help for help about installing and deinstalling packages.\n";

/// What dpkg-deb misses that dpkg was to hand something on to.
fn unpacking(options: &Options) -> Option<&'static str> {
    let has = |letter: char, long: &str| options.has(letter) || options.has_long(long);
    let few = options.operands.len() < 2;
    Some(match options.operands.len() {
        0 if has('x', "extract") => "--extract needs .deb filename and directory arguments",
        0 if has('X', "vextract") => "--vextract needs .deb filename and directory arguments",
        0 if has('e', "control") => "--control needs a .deb filename argument",
        _ if few && has('x', "extract") => {
            "--extract needs a target directory.\nPerhaps you should be using dpkg --install ?"
        }
        _ => return None,
    })
}

/// `dpkg -p`: what is known of a package that could be had.
fn available(call: &Call<'_>, names: &[String]) -> Said {
    let mut said = Said::default();
    for name in names {
        match database::installed(call, name) {
            Some(package) => {
                let state = |line: &&str| !line.starts_with("Status: ");
                let text: String = package.stanza.split_inclusive('\n').filter(state).collect();
                said.out.extend(format!("{text}\n").bytes());
            }
            None => {
                said.err.extend(format!("dpkg-query: package '{name}' is not available\n").bytes());
                said.status = 1;
            }
        }
    }
    said
}

/// Packages whose names fit one of the patterns; all without a pattern.
fn matching(call: &Call<'_>, patterns: &[String]) -> Vec<Package> {
    let fits = |package: &Package| {
        patterns.is_empty()
            || patterns.iter().any(|pattern| is_like(&package.name, pattern) || package.shown() == *pattern)
    };
    database::all(call).into_iter().filter(fits).collect()
}

fn list(call: &Call<'_>, patterns: &[String]) -> Said {
    let packages = matching(call, patterns);
    let mut err = String::new();
    for pattern in patterns {
        if !packages.iter().any(|package| is_like(&package.name, pattern) || package.shown() == *pattern) {
            err += &format!("dpkg-query: no packages found matching {pattern}\n");
        }
    }
    if packages.is_empty() {
        return Said::err(err, 1);
    }
    let widest = |least: usize, width: &dyn Fn(&Package) -> usize| {
        packages.iter().map(width).max().unwrap_or_default().max(least)
    };
    let name = widest(14, &|package| package.shown().len());
    let version = widest(12, &|package| package.version.len());
    let architecture = widest(12, &|package| package.architecture.len());
    let mut text = widest(33, &|package| package.synopsis().chars().count());
    if call.to_terminal {
        let columns = call.session.window().0 as usize;
        text = columns.saturating_sub(4 + name + 1 + version + 1 + architecture + 1).clamp(1, text);
    }
    let mut out = HEAD.to_owned();
    out += &format!(
        "||/ {:name$} {:version$} {:architecture$} Description\n+++-{}-{}-{}-{}\n",
        "Name",
        "Version",
        "Architecture",
        "=".repeat(name),
        "=".repeat(version),
        "=".repeat(architecture),
        "=".repeat(text)
    );
    for package in &packages {
        let state = if package.is_installed() { "ii" } else { "rc" };
        let shown: String = package.synopsis().chars().take(text).collect();
        out += &format!(
            "{state}  {:name$} {:version$} {:architecture$} {shown}\n",
            package.shown(),
            package.version,
            package.architecture
        );
    }
    Said { out: out.into(), status: i32::from(!err.is_empty()), err: err.into() }
}

fn status(call: &Call<'_>, names: &[String]) -> Said {
    let mut said = Said::default();
    for name in names {
        match database::all(call)
            .into_iter()
            .find(|package| package.name == *name || package.shown() == *name)
        {
            Some(package) => said.out.extend(format!("{}\n", package.stanza).bytes()),
            None => {
                said.err.extend(
                    format!("dpkg-query: package '{name}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n").bytes(),
                );
                said.status = 1;
            }
        }
    }
    said
}

fn files(call: &Call<'_>, names: &[String]) -> Said {
    let mut said = Said::default();
    for name in names {
        match database::installed(call, name) {
            Some(package) => {
                said.out.extend(package.files(call).iter().flat_map(|file| format!("{file}\n").into_bytes()));
            }
            None => {
                said.err.extend(
                    format!("dpkg-query: package '{name}' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n").bytes(),
                );
                said.status = 1;
            }
        }
    }
    said
}

fn search(call: &Call<'_>, patterns: &[String]) -> Said {
    let mut said = Said::default();
    for pattern in patterns {
        let fits = |file: &String| {
            if pattern.starts_with('/') && !pattern.contains(['*', '?']) {
                file == pattern
            } else if pattern.contains(['*', '?']) {
                is_like(file, pattern)
            } else {
                file.contains(pattern.as_str())
            }
        };
        let mut owners: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
        for package in database::all(call) {
            for file in package.files(call).into_iter().filter(fits) {
                owners.entry(file).or_default().push(package.shown());
            }
        }
        if owners.is_empty() {
            said.err.extend(format!("dpkg-query: no path found matching pattern {pattern}\n").bytes());
            said.status = 1;
        }
        for (file, names) in owners {
            said.out.extend(format!("{}: {file}\n", names.join(", ")).bytes());
        }
    }
    said
}

fn show(call: &Call<'_>, patterns: &[String], options: &Options) -> Said {
    let format = options.long.iter().find_map(|long| long.strip_prefix("showformat="));
    let format = format.map(str::to_owned).or_else(|| {
        call.args.iter().find_map(|arg| {
            arg.strip_prefix("-f")
                .filter(|rest| !rest.is_empty())
                .map(|rest| rest.trim_start_matches('=').to_owned())
        })
    });
    let format = format.unwrap_or_else(|| "${binary:Package}\\t${Version}\\n".to_owned());
    let packages = matching(call, patterns);
    let mut said = Said::default();
    for pattern in patterns {
        if !packages.iter().any(|package| is_like(&package.name, pattern)) {
            said.err.extend(format!("dpkg-query: no packages found matching {pattern}\n").bytes());
            said.status = 1;
        }
    }
    for package in &packages {
        let mut text = format.clone();
        while let Some((before, rest)) = text.split_once("${") {
            let Some((name, after)) = rest.split_once('}') else { break };
            let value = match name.split(';').next().unwrap_or(name) {
                "binary:Package" => package.shown(),
                "db:Status-Abbrev" => "ii ".to_owned(),
                "binary:Summary" => package.synopsis().to_owned(),
                name => package.field(name).unwrap_or_default().to_owned(),
            };
            text = format!("{before}{value}{after}");
        }
        said.out.extend(text.replace("\\n", "\n").replace("\\t", "\t").bytes());
    }
    said
}

/// Archives that visitors bring are none.
fn archive(call: &Call<'_>, names: &[String], installs: bool) -> Said {
    let Some(name) = names.first() else {
        let what = match (installs, call.options("").has('c')) {
            (true, _) => {
                let help = NO_ACTION.split_once('\n').map_or("", |(_, help)| help);
                let needs = "--install needs at least one package archive file argument";
                return Said::err(format!("dpkg: error: {needs}\n{help}"), 2);
            }
            (false, true) => "--contents takes exactly one argument",
            (false, false) => "--info needs a .deb filename argument",
        };
        return Said::err(format!("dpkg-deb: error: {what}\n{DEB_HELP}"), 2);
    };
    if !call.is_root() && installs {
        return Said::err("dpkg: error: requested operation requires superuser privilege\n", 2);
    }
    if let Err(error) = call.files().stat(&call.path(name)) {
        let text = error.errno_text();
        return Said::err(
            match installs {
                true => format!("dpkg: error: cannot access archive '{name}': {text}\n"),
                false => format!("dpkg-deb: error: failed to read archive '{name}': {text}\n"),
            },
            2,
        );
    }
    let mut err = format!("dpkg-deb: error: '{name}' is not a Debian format archive\n");
    if installs {
        err += &format!(
            "dpkg: error processing archive {name} (--install):\n dpkg-deb --control subprocess returned error exit status 2\nErrors were encountered while processing:\n {name}\n"
        );
    }
    Said::err(err, if installs { 1 } else { 2 })
}

fn remove(call: &Call<'_>, names: &[String]) -> Said {
    if !call.is_root() {
        return Said::err("dpkg: error: requested operation requires superuser privilege\n", 2);
    }
    let mut said = Said::default();
    let count = super::count_of_files(call);
    for name in names {
        match database::installed(call, name) {
            Some(package) if package.field("Essential") == Some("yes") => {
                said.err.extend(
                    format!("dpkg: error processing package {name} (--remove):\n this is an essential package; it should not be removed\nErrors were encountered while processing:\n {name}\n").bytes(),
                );
                said.status = 1;
            }
            Some(package) => {
                said.out.extend(
                    format!("(Reading database ... {count} files and directories currently installed.)\nRemoving {} ({}) ...\n", package.shown(), package.version).bytes(),
                );
                database::remove(call, &package);
            }
            None => said.err.extend(
                format!("dpkg: warning: ignoring request to remove {name} which isn't installed\n").bytes(),
            ),
        }
    }
    said
}
