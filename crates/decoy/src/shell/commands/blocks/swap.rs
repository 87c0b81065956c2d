//! `swapon`: what is swapped to, and where.

use super::{
    Call, columns,
    smartcols::{Column, Form, Row, Table, size},
    usage,
};
use crate::{machine::files::memory, shell::commands::Said};

const KNOWN: &[Column] = &[
    Column::left("NAME"),
    Column::left("TYPE"),
    Column::right("SIZE"),
    Column::right("USED"),
    Column::right("PRIO"),
    Column::left("UUID"),
    Column::left("LABEL"),
];

pub(in crate::shell::commands) fn swapon(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("swapon", call.args) {
        return said;
    }
    let mut list = "NAME,TYPE,SIZE,USED,PRIO".to_owned();
    let (mut shows, mut raw, mut headings, mut bytes, mut operands) =
        (call.args.is_empty(), false, true, false, Vec::new());
    for arg in call.args {
        match arg.as_str() {
            "-s" | "--summary" => return summary(call),
            "-a" | "--all" => {}
            "--raw" => raw = true,
            "--noheadings" => headings = false,
            "--bytes" => bytes = true,
            "--show" => shows = true,
            other if other.starts_with("--show=") => {
                shows = true;
                list = other.trim_start_matches("--show=").to_owned();
            }
            other if other.starts_with('-') => {}
            other => operands.push(other),
        }
    }
    if !shows {
        return start(call, &operands);
    }
    let columns = match columns(call, &list, KNOWN, |column| column.name) {
        Ok(columns) => columns,
        Err(said) => return said,
    };
    let m = memory(call.identity(), call.now());
    if m.swap_total == 0 {
        return Said::nothing(0);
    }
    let swap = call.identity().disk.trim_end_matches(char::is_numeric);
    let sized = |kib: u64| if bytes { (kib * 1024).to_string() } else { size(kib * 1024) };
    let cell = |column: &&Column| match column.name {
        "NAME" => format!("/dev/{swap}5"),
        "TYPE" => "partition".to_owned(),
        "SIZE" => sized(m.swap_total),
        "USED" => sized(m.swap_total - m.swap_free),
        "PRIO" => "-2".to_owned(),
        "UUID" => call.identity().swap_uuid.clone(),
        _ => String::new(),
    };
    let table = Table {
        rows: vec![Row::new(columns.iter().map(cell).collect())],
        columns: columns.into_iter().copied().collect(),
        form: if raw { Form::Raw } else { Form::Plain },
        headings,
        ..Table::default()
    };
    Said::out(table.write())
}

/// `-s`: `/proc/swaps`, when there is any.
fn summary(call: &Call<'_>) -> Said {
    let text = call.files().read("/proc/swaps").unwrap_or_default();
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    if lines > 1 { Said::out(text.to_vec()) } else { Said::nothing(0) }
}

fn start(call: &Call<'_>, operands: &[&str]) -> Said {
    let mut said = Said::default();
    let swap = format!("/dev/{}5", call.identity().disk.trim_end_matches(char::is_numeric));
    for operand in operands {
        let path = call.path(operand);
        let why = match call.files().stat(&path) {
            Err(error) => format!("cannot open {operand}: {}", error.errno_text()),
            Ok(_) if !call.is_root() => format!("cannot open {operand}: Permission denied"),
            Ok(_) if path == swap && call.identity().swap_bytes > 0 => {
                format!("{operand}: swapon failed: Device or resource busy")
            }
            Ok(node) if node.is_dir() => format!("{operand}: swapon failed: Invalid argument"),
            Ok(node) if node.mode & 0o077 != 0 => {
                let mode = node.mode & 0o7777;
                let text = format!("swapon: {operand}: insecure permissions {mode:04o}, 0600 suggested.\n");
                said.err.extend(text.bytes());
                format!("{operand}: read swap header failed")
            }
            Ok(_) => format!("{operand}: read swap header failed"),
        };
        said.err.extend(format!("swapon: {why}\n").bytes());
        said.status = 255;
    }
    said
}
