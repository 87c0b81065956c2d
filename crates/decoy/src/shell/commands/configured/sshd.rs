//! `sshd` (OpenSSH 9.2): its settings are read and shown.

use super::{MOST_FILES, matching};
use crate::{
    machine::services::State,
    shell::commands::{Call, Said, sources, usage},
};

/// What `sshd -T` of Debian prints.
const SSHD: &str = include_str!("sshd.txt");
/// Keywords that it does not print, or only when they are set.
const MORE_KEYWORDS: &[&str] = &[
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "challengeresponseauthentication",
    "dsaauthentication",
    "hostcertificate",
    "hostbasedauthentication",
    "hostbasedusesnamefrompacketonly",
    "ignoreuserknownhosts",
    "include",
    "kerberosgetafstoken",
    "keyregenerationinterval",
    "logverbose",
    "match",
    "protocol",
    "pubkeyacceptedkeytypes",
    "pubkeyacceptedalgorithms",
    "rdomain",
    "rhostsrsaauthentication",
    "rsaauthentication",
    "serverkeybits",
    "setenv",
    "skeyauthentication",
    "uselogin",
    "useprivilegeseparation",
    "hostkeyagent",
    "hostbasedacceptedkeytypes",
    "debianbanner",
    "channeltimeout",
    "authorizedkeysfile2",
    "dsaauthentication",
    "reversemappingcheck",
    "verifyreversemapping",
];

pub(in crate::shell::commands) fn sshd(call: &Call<'_>) -> Said {
    let (mut tests, mut shows) = (false, false);
    let (mut file, mut options) = ("/etc/ssh/sshd_config".to_owned(), Vec::new());
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            return Said::err(format!("Extra argument {arg}.\n"), 1);
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                't' => tests = true,
                'T' => shows = true,
                'V' => return usage::exactly("sshd", "-V").unwrap_or_default(),
                'C' | 'E' | 'b' | 'c' | 'f' | 'g' | 'h' | 'k' | 'o' | 'p' | 'u' => {
                    let rest: String = letters.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                    let Some(value) = value else {
                        return sshd_usage(&format!("option requires an argument -- {letter}"));
                    };
                    match letter {
                        'f' => file = value,
                        'o' => options.push(value),
                        'p' => options.push(format!("Port={value}")),
                        _ => {}
                    }
                }
                '4' | '6' | 'D' | 'd' | 'e' | 'i' | 'q' | 'r' | 'R' => {}
                other => return sshd_usage(&format!("unknown option -- {other}")),
            }
        }
    }
    let mut set: Vec<(String, String)> = Vec::new();
    for option in &options {
        let line = option.replacen('=', " ", 1);
        if let Err(why) = keyword(&line, &mut set) {
            return Said::err(format!("command-line: line 0: {}\r\n", why.trim_start_matches('\u{1}')), 255);
        }
    }
    if let Err(text) = sshd_file(call, &file, &mut set, 0) {
        return Said::err(text.replace('\n', "\r\n"), 255);
    }
    if !call.is_root() {
        return Said::err("sshd: no hostkeys available -- exiting.\n", 1);
    }
    if shows {
        return Said::out(effective(&set));
    }
    if !tests {
        // It goes to the background, where it finds the port taken, or is there again.
        let visitor = &call.session.contact.visitor;
        if !visitor.serves(22) {
            visitor.change_service("ssh", &State::Started(String::new()));
        }
    }
    Said::nothing(0)
}

/// What `sshd` writes to standard error ends like lines of a terminal.
const USAGE: &str = "usage: sshd [-46DdeiqTtV] [-C connection_spec] [-c host_cert_file]\n            [-E log_file] [-f config_file] [-g login_grace_time]\n            [-h host_key_file] [-o option] [-p port] [-u len]\n";

fn sshd_usage(what: &str) -> Said {
    let version = usage::exactly("sshd", "-V").unwrap_or_default();
    let version =
        String::from_utf8_lossy(&version.err).replacen("OpenSSH_9.2,", "OpenSSH_9.2p1 Debian-2+deb12u10,", 1);
    Said::err(format!("{what}\r\n{version}{USAGE}"), 1)
}

/// One line of settings; the first value of a keyword holds.
fn keyword(line: &str, set: &mut Vec<(String, String)>) -> Result<(), String> {
    let line = line.trim();
    let (name, value) =
        line.split_once([' ', '\t', '=']).map_or((line, ""), |(name, value)| (name, value.trim()));
    let lower = name.to_ascii_lowercase();
    let value = value.trim_start_matches('=').trim().trim_matches('"');
    let known = SSHD.lines().any(|line| line.split(' ').next() == Some(&lower))
        || MORE_KEYWORDS.contains(&lower.as_str());
    if !known {
        return Err(format!("Bad configuration option: {name}"));
    }
    if value.is_empty() {
        return Err(format!("\u{1}{name} missing argument."));
    }
    if lower == "port" && value.parse::<u16>().is_err() {
        return Err("\u{1}Badly formatted port number.".to_owned());
    }
    let default = SSHD.lines().find_map(|line| line.strip_prefix(&format!("{lower} ")));
    let yes_or_no = matches!(default, Some("yes" | "no"))
        && !matches!(
            lower.as_str(),
            "compression"
                | "gatewayports"
                | "permittunnel"
                | "allowtcpforwarding"
                | "x11forwarding"
                | "ignorerhosts"
                | "tcpkeepalive"
                | "allowstreamlocalforwarding"
                | "permituserenvironment"
        );
    if yes_or_no && !matches!(value.to_ascii_lowercase().as_str(), "yes" | "no" | "true" | "false") {
        return Err(format!("\u{1}unsupported option \"{value}\"."));
    }
    set.push((lower, value.to_owned()));
    Ok(())
}

fn sshd_file(
    call: &Call<'_>,
    file: &str,
    set: &mut Vec<(String, String)>,
    depth: usize,
) -> Result<(), String> {
    let bytes = sources::file(call, file).map_err(|error| format!("{file}: {}\n", error.errno_text()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (mut errors, mut bad) = (String::new(), 0);
    let mut matched = false;
    for (number, line) in text.lines().enumerate().take(10_000) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(pattern) = lower.strip_prefix("include").map(str::trim).filter(|_| depth < 8) {
            let pattern =
                if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/ssh/{pattern}") };
            for name in matching(call, &pattern).into_iter().take(MOST_FILES) {
                sshd_file(call, &name, set, depth + 1)?;
            }
            continue;
        }
        // What holds for some connections only is checked and not kept.
        matched |= lower.starts_with("match ");
        let mut dropped = Vec::new();
        match keyword(line, if matched { &mut dropped } else { set }) {
            Ok(()) => {}
            Err(why) => match why.strip_prefix('\u{1}') {
                Some(why) => return Err(format!("{errors}{file} line {}: {why}\n", number + 1)),
                None => {
                    errors += &format!("{file}: line {}: {why}\n", number + 1);
                    bad += 1;
                }
            },
        }
    }
    if bad > 0 {
        return Err(format!("{errors}{file}: terminating, {bad} bad configuration options\n"));
    }
    Ok(())
}

/// The settings that hold: the defaults, and what is set instead.
fn effective(set: &[(String, String)]) -> String {
    let several =
        |name: &str| matches!(name, "port" | "hostkey" | "acceptenv" | "subsystem" | "listenaddress");
    let mut text = String::new();
    let mut done: Vec<&str> = Vec::new();
    for line in SSHD.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let own: Vec<&String> =
            set.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
        if own.is_empty() {
            let port = set.iter().find(|(known, _)| known == "port").map(|(_, port)| port.as_str());
            text += &match port.filter(|_| name == "listenaddress") {
                Some(port) => line.replacen(":22", &format!(":{port}"), 1),
                None => line.to_owned(),
            };
            text.push('\n');
        } else if !done.contains(&name) {
            done.push(name);
            let words = own.iter().take(if several(name) { usize::MAX } else { 1 });
            for value in words {
                match name {
                    "acceptenv" => {
                        value.split_whitespace().for_each(|word| text += &format!("acceptenv {word}\n"))
                    }
                    "permitrootlogin" if value.as_str() == "prohibit-password" => {
                        text += "permitrootlogin without-password\n"
                    }
                    "subsystem" => {
                        text +=
                            &format!("subsystem {}\n", value.split_whitespace().collect::<Vec<_>>().join(" "))
                    }
                    _ => text += &format!("{name} {value}\n"),
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_sshd_are_read() {
        let mut set = Vec::new();
        assert!(keyword("PermitRootLogin yes", &mut set).is_ok());
        assert!(keyword("Port=2222", &mut set).is_ok());
        assert_eq!(keyword("Foo bar", &mut set).unwrap_err(), "Bad configuration option: Foo");
        let text = effective(&set);
        assert!(text.contains("permitrootlogin yes\n") && text.starts_with("port 2222\n"), "{text}");
    }
}
