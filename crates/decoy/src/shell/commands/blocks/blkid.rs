//! `blkid` (util-linux 2.38): what partitions hold, and under which names.

use super::{Call, Use, content, disk, part_uuid, usage};
use crate::shell::commands::Said;

pub(in crate::shell::commands) fn blkid(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("blkid", call.args) {
        return said;
    }
    let options = call.options("cLUnosStuHOw");
    let disk = disk(call.identity());
    let wanted: Vec<String> = options
        .values
        .iter()
        .filter(|(letter, _)| *letter == 's')
        .map(|(_, value)| value.to_owned())
        .collect();
    let form = options.value('o').unwrap_or("full");
    let probes = options.has('p');
    let mut found: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    let whole = vec![("PTUUID", disk.id.clone()), ("PTTYPE", "dos".to_owned())];
    for part in &disk.parts {
        let mut tags = Vec::new();
        if let Some(content) = content(call, part) {
            if probes {
                tags.push(("VERSION", content.version.to_owned()));
            }
            tags.push(("UUID", content.uuid));
            if part.what == Use::Root {
                tags.push(("BLOCK_SIZE", "4096".to_owned()));
            }
            tags.push(("TYPE", content.kind.to_owned()));
        } else {
            tags.push(("PTTYPE", "dos".to_owned()));
        }
        tags.push(("PARTUUID", part_uuid(&disk, part)));
        found.push((format!("/dev/{}", part.name), tags));
    }
    if !options.operands.is_empty() {
        found.push((format!("/dev/{}", disk.name), whole));
    }
    let has = |tags: &[(&str, String)], name: &str, value: &str| {
        tags.iter().any(|(known, own)| *known == name && own == value)
    };
    if let Some((name, value)) = options
        .value('U')
        .map(|uuid| ("UUID", uuid))
        .or_else(|| options.value('L').map(|label| ("LABEL", label)))
    {
        let device = found.iter().find(|(_, tags)| has(tags, name, value));
        return device.map_or_else(|| Said::nothing(2), |(device, _)| Said::out(format!("{device}\n")));
    }
    if let Some((name, value)) = options.value('t').and_then(|text| text.split_once('=')) {
        found.retain(|(_, tags)| has(tags, name, value.trim_matches('"')));
    }
    if options.operands.is_empty() {
        // An extended part has nothing of its own.
        found.retain(|(_, tags)| tags.iter().any(|(name, _)| *name == "UUID"));
    } else {
        let paths: Vec<String> = options
            .operands
            .iter()
            .map(|operand| {
                let path = call.path(operand);
                call.files().real_path(&path).unwrap_or(path)
            })
            .collect();
        found.retain(|(device, _)| paths.contains(device));
        if probes && found.is_empty() {
            let text = options
                .operands
                .iter()
                .map(|name| format!("blkid: error: {name}: No such file or directory\n"));
            return Said::err(text.collect::<String>(), 2);
        }
    }
    let mut text = String::new();
    for (device, tags) in &found {
        let tags: Vec<_> = tags
            .iter()
            .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|tag| tag == name))
            .collect();
        if tags.is_empty() {
            continue;
        }
        match form {
            "value" => tags.iter().for_each(|(_, value)| text += &format!("{value}\n")),
            "device" => text += &format!("{device}\n"),
            "export" => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text += &format!("DEVNAME={device}\n");
                tags.iter().for_each(|(name, value)| text += &format!("{name}={value}\n"));
            }
            "udev" => tags.iter().for_each(|(name, value)| text += &format!("ID_FS_{name}={value}\n")),
            _ => {
                let tags: Vec<String> =
                    tags.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
                text += &format!("{device}: {}\n", tags.join(" "));
            }
        }
    }
    if text.is_empty() { Said::nothing(2) } else { Said::out(text) }
}
