//! Hosts in `known_hosts`: found and taken out.

use super::{Asked, Stop, Talk, label, print_of, shown};
use crate::shell::commands::{Call, patterns, sources};

fn listed(call: &Call<'_>, asked: &Asked) -> Result<(String, String), Stop> {
    let name = asked.file.clone().unwrap_or_else(|| {
        format!("{}/.ssh/known_hosts", call.var("HOME").unwrap_or_else(|| "/root".to_owned()))
    });
    match sources::read(call, &name) {
        Ok(bytes) => Ok((name, String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => Err(Stop::fatal(format!("Cannot stat {name}: {}", error.errno_text()))),
    }
}

/// Whether a line is about this host.
fn is_about(line: &str, host: &str) -> bool {
    let Some((_, before)) = shown::in_line(line) else { return false };
    let hosts = before.split_whitespace().last().unwrap_or_default();
    hosts.split(',').any(|pattern| patterns::is_like(host, pattern))
}

pub(super) fn find(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let host = asked.host.as_deref().unwrap_or_default();
    let (_, text) = listed(call, asked)?;
    let mut found = false;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| is_about(line, host)) {
        found = true;
        if !asked.quiet {
            talk.say(&format!("# Host {host} found: line {} \n", number + 1));
        }
        match shown::in_line(line).filter(|_| asked.hash.is_some() || asked.verbose) {
            Some((key, _)) => {
                let print = print_of(&key, asked.hash.as_deref())?;
                talk.say(&format!("{host} {} {print}\n", label(key.key_data()).0));
            }
            None => talk.say(&format!("{line}\n")),
        }
    }
    if found { Ok(()) } else { Err(Stop(String::new(), 1)) }
}

pub(super) fn remove(call: &Call<'_>, asked: &Asked, talk: &mut Talk) -> Result<(), Stop> {
    let host = asked.host.as_deref().unwrap_or_default();
    let (name, text) = listed(call, asked)?;
    let mut kept = String::new();
    let mut found = false;
    for (number, line) in text.lines().enumerate() {
        if is_about(line, host) {
            found = true;
            talk.say(&format!("# Host {host} found: line {}\n", number + 1));
        } else {
            kept += &format!("{line}\n");
        }
    }
    if !found {
        return Err(Stop::fatal(format!("Host {host} not found in {name}")));
    }
    let saved = sources::write_as(call, &format!("{name}.old"), text.as_bytes(), 0o600)
        .and_then(|()| sources::write_as(call, &name, kept.as_bytes(), 0o600));
    saved.map_err(|error| Stop::fatal(format!("rename {name}: {}", error.errno_text())))?;
    talk.say(&format!("{name} updated.\nOriginal contents retained as {name}.old\n"));
    Ok(())
}
