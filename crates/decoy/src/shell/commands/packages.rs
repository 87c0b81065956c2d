//! `apt`, `apt-get`, `dpkg`: nothing can be installed, because nothing can be fetched.

use super::{Call, Said, is_installed, usage};

pub(super) fn apt(call: &Call<'_>) -> Said {
    let options = call.options("oct");
    let [verb, packages @ ..] = options.operands.as_slice() else {
        return usage::of(call.name, &[], false).unwrap_or_else(|| Said::nothing(1));
    };
    let warning = if call.name == "apt" {
        "\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n"
    } else {
        ""
    };
    if !call.is_root() && !matches!(verb.as_str(), "list" | "search" | "show" | "policy") {
        return Said::err(
            format!(
                "{warning}E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n"
            ),
            100,
        );
    }
    let lists = "Reading package lists...\nBuilding dependency tree...\nReading state information...\n";
    match verb.as_str() {
        "update" => {
            let hosts = [
                ("http://deb.debian.org/debian", "bookworm"),
                ("http://security.debian.org/debian-security", "bookworm-security"),
                ("http://deb.debian.org/debian", "bookworm-updates"),
            ];
            let mut text = String::new();
            for (number, (url, suite)) in hosts.iter().enumerate() {
                let host = url.split('/').nth(2).unwrap_or_default();
                text += &format!(
                    "Err:{} {url} {suite} InRelease\n  Temporary failure resolving '{host}'\n",
                    number + 1
                );
            }
            let err: String = hosts
                .iter()
                .map(|(url, suite)| format!("W: Failed to fetch {url}/dists/{suite}/InRelease  Temporary failure resolving '{}'\n", url.split('/').nth(2).unwrap_or_default()))
                .collect();
            Said { out: format!("{text}Reading package lists...\n").into(), err: format!("{warning}{err}W: Some index files failed to download. They have been ignored, or old ones used instead.\n").into(), status: 0 }
        }
        "install" if packages.is_empty() => {
            Said::out(format!("{lists}0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"))
        }
        "install" => {
            let mut said = Said { err: warning.into(), ..Said::out(lists) };
            for package in packages {
                if is_installed(call.session, package)
                    || matches!(
                        package.as_str(),
                        "openssh-server" | "net-tools" | "postfix" | "nginx" | "cron"
                    )
                {
                    said.out.extend(format!("{package} is already the newest version.\n").bytes());
                } else {
                    said.err.extend(format!("E: Unable to locate package {package}\n").bytes());
                    said.status = 100;
                }
            }
            if said.status == 0 {
                said.out
                    .extend_from_slice(b"0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n");
            }
            said
        }
        "upgrade" | "dist-upgrade" | "full-upgrade" | "autoremove" => Said {
            err: warning.into(),
            ..Said::out(format!(
                "{lists}Calculating upgrade...\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"
            ))
        },
        "remove" | "purge" => {
            let rows: String = packages
                .iter()
                .map(|package| format!("Package '{package}' is not installed, so not removed\n"))
                .collect();
            Said {
                err: warning.into(),
                ..Said::out(format!(
                    "{lists}{rows}0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"
                ))
            }
        }
        "clean" | "autoclean" => Said::nothing(0),
        "list" => Said { err: warning.into(), ..Said::out("Listing...\n") },
        "search" => Said { err: warning.into(), ..Said::out("Sorting...\nFull Text Search...\n") },
        verb => Said::err(format!("E: Invalid operation {verb}\n"), 100),
    }
}

pub(super) fn dpkg(call: &Call<'_>) -> Said {
    let options = call.options("iSLsP");
    if options.has_long("print-architecture") {
        return Said::out("amd64\n");
    }
    if options.has('l') || options.has_long("list") {
        let packages = [
            ("apt", "2.6.1", "commandline package manager"),
            ("bash", "5.2.15-2+b8", "GNU Bourne Again SHell"),
            ("coreutils", "9.1-1", "GNU core utilities"),
            ("cron", "3.0pl1-162", "process scheduling daemon"),
            ("nginx", "1.22.1-9+deb12u1", "small, powerful, scalable web/proxy server"),
            (
                "openssh-server",
                "1:9.2p1-2+deb12u10",
                "secure shell (SSH) server, for secure access from remote machines",
            ),
            ("postfix", "3.7.11-0+deb12u1", "High-performance mail transport agent"),
            ("vsftpd", "3.0.3-13+b2", "lightweight, efficient FTP server written for security"),
        ];
        let wanted = |name: &str| {
            options.operands.is_empty()
                || options.operands.iter().any(|operand| name.contains(operand.trim_matches('*')))
        };
        let rows: String = packages
            .iter()
            .filter(|row| wanted(row.0))
            .map(|(name, version, text)| format!("ii  {name:<16} {version:<20} amd64        {text}\n"))
            .collect();
        if rows.is_empty() {
            return Said::err(
                format!("dpkg-query: no packages found matching {}\n", options.operands.join(" ")),
                1,
            );
        }
        return Said::out(format!(
            "Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n||/ Name             Version              Architecture Description\n+++-================-====================-============-=================================\n{rows}"
        ));
    }
    if let Some((_, package)) = options.values.first() {
        return Said::err(
            format!(
                "dpkg-query: package '{package}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n"
            ),
            1,
        );
    }
    Said::err(
        "dpkg: error: need an action option\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\n",
        2,
    )
}
