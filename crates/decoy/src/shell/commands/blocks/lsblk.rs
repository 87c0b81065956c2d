//! `lsblk` (util-linux 2.38): disks, partitions and what is mounted of them.

mod columns;

use super::{
    Call, columns as chosen, content, disk,
    smartcols::{Form, Row, Table},
    usage,
};
use crate::shell::commands::Said;
use columns::{Device, KNOWN, Manner};

const USUAL: &str = "NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS";

/// What the options ask for.
#[derive(Default)]
struct Asked {
    list: String,
    manner: Manner,
    form: Form,
    headings: bool,
    flat: bool,
    ascii: bool,
    no_parts: bool,
    scsi: bool,
    without: Vec<u32>,
    only: Vec<u32>,
    names: Vec<String>,
}

fn read(call: &Call<'_>) -> Result<Asked, Said> {
    let mut asked = Asked { list: USUAL.to_owned(), headings: true, ..Asked::default() };
    const LONG: &[(&str, char)] = &[
        ("all", 'a'),
        ("ascii", 'i'),
        ("bytes", 'b'),
        ("dedup", 'E'),
        ("discard", 'D'),
        ("exclude", 'e'),
        ("fs", 'f'),
        ("include", 'I'),
        ("inverse", 's'),
        ("json", 'J'),
        ("list", 'l'),
        ("merge", 'M'),
        ("nodeps", 'd'),
        ("noheadings", 'n'),
        ("output", 'o'),
        ("output-all", 'O'),
        ("pairs", 'P'),
        ("paths", 'p'),
        ("perms", 'm'),
        ("raw", 'r'),
        ("scsi", 'S'),
        ("shell", 'y'),
        ("sort", 'x'),
        ("topology", 't'),
        ("tree", 'T'),
        ("width", 'w'),
        ("zoned", 'z'),
        ("noempty", 'A'),
    ];
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let mut letters: Vec<(char, Option<String>)> = Vec::new();
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            if let Some((_, letter)) = LONG.iter().find(|(known, _)| *known == name) {
                let takes = "eIowx".contains(*letter);
                let value = if takes { value.or_else(|| args.next().cloned()) } else { value };
                letters.push((*letter, value));
            }
        } else if let Some(short) = arg.strip_prefix('-').filter(|short| !short.is_empty()) {
            let mut short = short.chars();
            while let Some(letter) = short.next() {
                let value = if "eIowx".contains(letter) {
                    let rest: String = short.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                    Some(value.ok_or_else(|| {
                        let text = format!("lsblk: option requires an argument -- '{letter}'\nTry 'lsblk --help' for more information.\n");
                        Said::err(text, 1)
                    })?)
                } else {
                    None
                };
                letters.push((letter, value));
            }
        } else {
            asked.names.push(arg.clone());
        }
        for (letter, value) in letters {
            option(&mut asked, letter, &value.unwrap_or_default());
        }
    }
    Ok(asked)
}

fn option(asked: &mut Asked, letter: char, value: &str) {
    let numbers = || value.split(',').filter_map(|word| word.parse().ok()).collect();
    match letter {
        'b' => asked.manner.bytes = true,
        'p' => asked.manner.paths = true,
        'd' => asked.no_parts = true,
        'i' => asked.ascii = true,
        'l' => asked.flat = true,
        'n' => asked.headings = false,
        'J' => (asked.form, asked.manner.parsable) = (Form::Json, true),
        'r' => (asked.form, asked.flat, asked.manner.parsable) = (Form::Raw, true, true),
        'P' => (asked.form, asked.flat, asked.manner.parsable) = (Form::Pairs, true, true),
        'e' => asked.without = numbers(),
        'I' => asked.only = numbers(),
        'o' => {
            asked.list = if value.starts_with('+') {
                format!("{},{}", asked.list, value.trim_start_matches('+'))
            } else {
                value.to_owned()
            };
        }
        'O' => asked.list = KNOWN.iter().map(|(column, _)| column.name).collect::<Vec<_>>().join(","),
        'f' => asked.list = "NAME,FSTYPE,FSVER,LABEL,UUID,FSAVAIL,FSUSE%,MOUNTPOINTS".to_owned(),
        'm' => asked.list = "NAME,SIZE,OWNER,GROUP,MODE".to_owned(),
        'D' => asked.list = "NAME,DISC-ALN,DISC-GRAN,DISC-MAX,DISC-ZERO".to_owned(),
        't' => {
            asked.list =
                "NAME,ALIGNMENT,MIN-IO,OPT-IO,PHY-SEC,LOG-SEC,ROTA,SCHED,RQ-SIZE,RA,WSAME".to_owned();
        }
        'S' => {
            (asked.scsi, asked.no_parts) = (true, true);
            asked.list = "NAME,HCTL,TYPE,VENDOR,MODEL,REV,SERIAL,TRAN".to_owned();
        }
        _ => {}
    }
}

pub(in crate::shell::commands) fn lsblk(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("lsblk", call.args) {
        return said;
    }
    match work(call) {
        Ok(said) | Err(said) => said,
    }
}

fn work(call: &Call<'_>) -> Result<Said, Said> {
    let asked = read(call)?;
    let columns = chosen(call, &asked.list, KNOWN, |known| known.0.name)?;
    let disk = disk(call.identity());
    let row = |device: &Device<'_>| {
        Row::new(columns.iter().map(|(_, text)| text(call, device, &asked.manner)).collect())
    };
    let whole = Device { disk: &disk, part: None, is_disc: false, content: None };
    let part = |part| Device { disk: &disk, part: Some(part), is_disc: false, content: content(call, part) };
    let disc = Device { disk: &disk, part: None, is_disc: true, content: None };
    let mut said = Said::default();
    let mut rows = Vec::new();
    if asked.names.is_empty() {
        let majors = |major: u32| {
            !asked.without.contains(&major) && (asked.only.is_empty() || asked.only.contains(&major))
        };
        let mut row_of_disk = row(&whole);
        if !asked.no_parts {
            row_of_disk.children = disk.parts.iter().map(|one| row(&part(one))).collect();
        }
        if majors(disk.major) && !(asked.scsi && disk.is_virtio()) {
            rows.push(row_of_disk);
        }
        if majors(11) {
            rows.push(row(&disc));
        }
        // By number of the driver, as the kernel counts them: sd is 8, sr is 11, virtio's are 254.
        if disk.major > 11 && rows.len() == 2 {
            rows.rotate_left(1);
        }
    }
    for name in &asked.names {
        let path = call.path(name);
        let path = call.files().real_path(&path).unwrap_or(path);
        match path.strip_prefix("/dev/") {
            Some("sr0") => rows.push(row(&disc)),
            Some(name) if name == disk.name => {
                let mut one = row(&whole);
                if !asked.no_parts {
                    one.children = disk.parts.iter().map(|one| row(&part(one))).collect();
                }
                rows.push(one);
            }
            Some(name) if disk.parts.iter().any(|part| part.name == name) => {
                rows.extend(disk.parts.iter().filter(|part| part.name == name).map(|one| row(&part(one))));
            }
            _ => {
                said.err.extend(format!("lsblk: {name}: not a block device\n").bytes());
                said.status = if asked.names.len() > 1 { 64 } else { 32 };
            }
        }
    }
    let in_tree = columns.iter().position(|(column, _)| column.name == "NAME");
    let table = Table {
        columns: columns.iter().map(|(column, _)| *column).collect(),
        rows,
        form: asked.form,
        headings: asked.headings,
        tree: in_tree.filter(|_| !asked.flat),
        ascii: asked.ascii,
        name: "blockdevices",
    };
    if !table.rows.is_empty() {
        said.out = table.write().into();
    }
    Ok(said)
}
