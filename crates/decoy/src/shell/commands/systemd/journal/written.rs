//! How `journalctl` writes an entry.

use std::time::SystemTime;

use super::{Asked, Entry, machine_id};
use crate::shell::commands::{Call, dates};

pub(super) fn written(call: &Call<'_>, asked: &Asked, entry: &Entry) -> String {
    let time = |form: &str| dates::written(form, entry.at.into());
    let since = |from: SystemTime| entry.at.duration_since(from).unwrap_or_default();
    let micros = since(SystemTime::UNIX_EPOCH).subsec_micros();
    let host = call.identity().hostname.split('.').next().unwrap_or_default();
    let time = match asked.output.as_str() {
        "cat" => return format!("{}\n", entry.message),
        "json" | "json-sse" | "json-seq" | "json-pretty" | "export" | "verbose" => {
            return as_fields(call, asked, entry);
        }
        "short-precise" => time(&format!("%b %d %H:%M:%S.{micros:06}")),
        "short-iso" => time("%Y-%m-%dT%H:%M:%S+0000"),
        "short-iso-precise" => time(&format!("%Y-%m-%dT%H:%M:%S.{micros:06}+0000")),
        "short-full" | "with-unit" => time("%a %Y-%m-%d %H:%M:%S UTC"),
        "short-unix" => format!("{}.{micros:06}", since(SystemTime::UNIX_EPOCH).as_secs()),
        "short-monotonic" => {
            let up = since(call.identity().boot_time);
            format!("[{:>5}.{:06}]", up.as_secs(), up.subsec_micros())
        }
        _ => time("%b %d %H:%M:%S"),
    };
    let host = if asked.no_host { String::new() } else { format!(" {host}") };
    format!("{time}{host} {}: {}\n", entry.from, entry.message)
}

/// The fields of an entry, as programs read them.
fn as_fields(call: &Call<'_>, asked: &Asked, entry: &Entry) -> String {
    let stamp = entry.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros().to_string();
    let pid = entry.from.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
    let mut fields = vec![
        ("__REALTIME_TIMESTAMP", stamp),
        ("_BOOT_ID", call.identity().boot_id.replace('-', "")),
        ("_HOSTNAME", call.identity().hostname.clone()),
        ("_MACHINE_ID", machine_id(call)),
        ("PRIORITY", "6".to_owned()),
        ("SYSLOG_IDENTIFIER", entry.identifier().to_owned()),
        ("MESSAGE", entry.message.clone()),
    ];
    if !pid.is_empty() {
        fields.push(("_PID", pid));
    }
    let quoted = |text: &str| {
        let inner: String = text
            .chars()
            .map(|c| match c {
                '"' => "\\\"".to_owned(),
                '\\' => "\\\\".to_owned(),
                c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        format!("\"{inner}\"")
    };
    match asked.output.as_str() {
        "verbose" => {
            let rows: String =
                fields.iter().skip(1).map(|(name, value)| format!("    {name}={value}\n")).collect();
            dates::written("%a %Y-%m-%d %H:%M:%S.%6N UTC\n", entry.at.into()) + &rows
        }
        "export" => fields.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>() + "\n",
        "json-pretty" => {
            let rows: Vec<String> =
                fields.iter().map(|(name, value)| format!("\t\"{name}\" : {}", quoted(value))).collect();
            format!("{{\n{}\n}}\n", rows.join(",\n"))
        }
        _ => {
            let rows: Vec<String> =
                fields.iter().map(|(name, value)| format!("\"{name}\":{}", quoted(value))).collect();
            format!("{{{}}}\n", rows.join(","))
        }
    }
}
