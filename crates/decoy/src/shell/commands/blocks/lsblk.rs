//! `lsblk`.

use super::{
    Call, Content, Disk, Part, Use, columns, content, disk, disks, part_uuid,
    smartcols::{Column, Form, Row, Table, size},
    usage,
};
use crate::{
    machine::disks::{DISC_SECTORS, SECTOR},
    shell::commands::Said,
};

/// A device that is shown.
struct Device<'a> {
    disk: &'a Disk,
    /// `None`: the disk itself.
    part: Option<&'a Part>,
    is_disc: bool,
    content: Option<Content>,
}

/// Columns that can be asked for: how each stands in a table, and what is in it.
type Known = (Column, fn(&Call<'_>, &Device<'_>, &Manner) -> String);

#[derive(Default)]
struct Manner {
    bytes: bool,
    paths: bool,
    parsable: bool,
}

impl Device<'_> {
    fn name(&self) -> &str {
        if self.is_disc { "sr0" } else { self.part.map_or(self.disk.name, |part| &part.name) }
    }

    fn bytes(&self) -> u64 {
        let sectors = self.part.map_or(self.disk.sectors, |part| match part.what {
            // The kernel shows of it no more than its first sectors.
            Use::Extended => 2,
            _ => part.sectors,
        });
        if self.is_disc { DISC_SECTORS * SECTOR } else { sectors * SECTOR }
    }

    fn mounted_at(&self) -> &'static str {
        match self.part.map(|part| part.what) {
            Some(Use::Root) => "/",
            Some(Use::Swap) => "[SWAP]",
            _ => "",
        }
    }

    fn is_root(&self) -> bool {
        self.mounted_at() == "/"
    }
}

fn sized(bytes: u64, manner: &Manner) -> String {
    if manner.bytes { bytes.to_string() } else { size(bytes) }
}

fn of_root(call: &Call<'_>, device: &Device<'_>, text: impl Fn(&disks::Facts) -> String) -> String {
    if device.is_root() { text(&disks::facts(call, "/")) } else { String::new() }
}

const KNOWN: &[Known] = &[
    (
        Column::left("NAME"),
        |_, one, manner| {
            if manner.paths { format!("/dev/{}", one.name()) } else { one.name().to_owned() }
        },
    ),
    (Column::left("KNAME"), |_, one, manner| {
        if manner.paths { format!("/dev/{}", one.name()) } else { one.name().to_owned() }
    }),
    (Column::left("PATH"), |_, one, _| format!("/dev/{}", one.name())),
    (Column::left("MAJ:MIN"), |_, one, manner| {
        let (major, minor) =
            if one.is_disc { (11, 0) } else { (one.disk.major, one.part.map_or(0, |part| part.number)) };
        if manner.parsable { format!("{major}:{minor}") } else { format!("{major:>3}:{minor:<3}") }
    }),
    (Column::right("FSAVAIL"), |call, one, manner| {
        of_root(call, one, |facts| sized(facts.available * 4096, manner))
    }),
    (Column::right("FSSIZE"), |call, one, manner| {
        of_root(call, one, |facts| sized(facts.blocks * 4096, manner))
    }),
    (Column::left("FSTYPE"), |_, one, _| one.content.as_ref().map_or("", |content| content.kind).to_owned()),
    (Column::right("FSUSED"), |call, one, manner| {
        of_root(call, one, |facts| sized(facts.blocks.saturating_sub(facts.free) * 4096, manner))
    }),
    (Column::right("FSUSE%"), |call, one, _| {
        of_root(call, one, |facts| {
            format!("{}%", facts.blocks.saturating_sub(facts.free) * 100 / facts.blocks.max(1))
        })
    }),
    (Column::list("FSROOTS"), |_, one, _| if one.is_root() { "/" } else { "" }.to_owned()),
    (Column::left("FSVER"), |_, one, _| {
        one.content.as_ref().map_or("", |content| content.version).to_owned()
    }),
    (Column::left("MOUNTPOINT"), |_, one, _| one.mounted_at().to_owned()),
    (Column::list("MOUNTPOINTS"), |_, one, _| one.mounted_at().to_owned()),
    (Column::left("LABEL"), |_, _, _| String::new()),
    (Column::left("UUID"), |_, one, _| {
        one.content.as_ref().map_or_else(String::new, |content| content.uuid.clone())
    }),
    (Column::left("PTUUID"), |_, one, _| if one.is_disc { String::new() } else { one.disk.id.clone() }),
    (Column::left("PTTYPE"), |_, one, _| if one.is_disc { "" } else { "dos" }.to_owned()),
    (Column::left("PARTTYPE"), |_, one, _| {
        one.part
            .map_or("", |part| match part.what {
                Use::Root => "0x83",
                Use::Extended => "0x5",
                Use::Swap => "0x82",
            })
            .to_owned()
    }),
    (Column::left("PARTTYPENAME"), |_, one, _| {
        one.part
            .map_or("", |part| match part.what {
                Use::Root => "Linux",
                Use::Extended => "Extended",
                Use::Swap => "Linux swap / Solaris",
            })
            .to_owned()
    }),
    (Column::left("PARTLABEL"), |_, _, _| String::new()),
    (Column::left("PARTUUID"), |_, one, _| {
        one.part.map_or_else(String::new, |part| part_uuid(one.disk, part))
    }),
    (Column::left("PARTFLAGS"), |_, one, _| if one.is_root() { "0x80" } else { "" }.to_owned()),
    (Column::number("RA"), |_, _, _| "128".to_owned()),
    (Column::boolean("RO"), |_, _, _| "0".to_owned()),
    (Column::boolean("RM"), |_, one, _| u8::from(one.is_disc).to_string()),
    (Column::boolean("HOTPLUG"), |_, one, _| u8::from(one.is_disc).to_string()),
    (Column::left("MODEL"), |_, one, _| {
        match (one.is_disc, one.part) {
            (true, _) => "QEMU DVD-ROM",
            (false, None) if !one.disk.is_virtio() => "QEMU HARDDISK",
            _ => "",
        }
        .to_owned()
    }),
    (Column::left("SERIAL"), |call, one, _| match (one.is_disc, one.part) {
        (true, _) => "QM00003".to_owned(),
        (false, None) => call.identity().disk_serial.clone(),
        _ => String::new(),
    }),
    (Column::right("SIZE"), |_, one, manner| sized(one.bytes(), manner)),
    (Column::left("STATE"), |_, one, _| {
        if one.is_disc || one.part.is_none() && !one.disk.is_virtio() { "running" } else { "" }.to_owned()
    }),
    (Column::left("OWNER"), |_, _, _| "root".to_owned()),
    (Column::left("GROUP"), |_, one, _| if one.is_disc { "cdrom" } else { "disk" }.to_owned()),
    (Column::left("MODE"), |_, _, _| "brw-rw----".to_owned()),
    (Column::number("ALIGNMENT"), |_, _, _| "0".to_owned()),
    (Column::number("MIN-IO"), |_, one, _| if one.is_disc { "2048" } else { "512" }.to_owned()),
    (Column::number("OPT-IO"), |_, _, _| "0".to_owned()),
    (Column::number("PHY-SEC"), |_, one, _| if one.is_disc { "2048" } else { "512" }.to_owned()),
    (Column::number("LOG-SEC"), |_, one, _| if one.is_disc { "2048" } else { "512" }.to_owned()),
    (Column::boolean("ROTA"), |_, _, _| "1".to_owned()),
    (Column::left("SCHED"), |_, one, _| {
        if one.disk.is_virtio() && !one.is_disc { "none" } else { "mq-deadline" }.to_owned()
    }),
    (Column::number("RQ-SIZE"), |_, one, _| if one.is_disc { "2" } else { "256" }.to_owned()),
    (Column::left("TYPE"), |_, one, _| {
        if one.is_disc {
            "rom"
        } else if one.part.is_some() {
            "part"
        } else {
            "disk"
        }
        .to_owned()
    }),
    (Column::number("DISC-ALN"), |_, _, _| "0".to_owned()),
    (Column::right("DISC-GRAN"), |_, one, manner| sized(if one.is_disc { 0 } else { 512 }, manner)),
    (Column::right("DISC-MAX"), |_, one, manner| sized(if one.is_disc { 0 } else { 2_147_483_136 }, manner)),
    (Column::boolean("DISC-ZERO"), |_, _, _| "0".to_owned()),
    (Column::right("WSAME"), |_, _, manner| sized(0, manner)),
    (Column::left("WWN"), |_, _, _| String::new()),
    (Column::boolean("RAND"), |_, one, _| u8::from(one.is_disc || !one.disk.is_virtio()).to_string()),
    (Column::left("PKNAME"), |_, one, _| if one.part.is_some() { one.disk.name } else { "" }.to_owned()),
    (Column::left("HCTL"), |_, one, _| {
        match (one.is_disc, one.part) {
            (true, _) => "1:0:0:0",
            (false, None) if !one.disk.is_virtio() => "2:0:0:0",
            _ => "",
        }
        .to_owned()
    }),
    (Column::left("TRAN"), |_, one, _| {
        match (one.is_disc, one.part) {
            (true, _) => "ata",
            (false, None) if one.disk.is_virtio() => "virtio",
            _ => "",
        }
        .to_owned()
    }),
    (Column::left("SUBSYSTEMS"), |_, one, _| {
        if one.is_disc || !one.disk.is_virtio() { "block:scsi:pci" } else { "block:virtio:pci" }.to_owned()
    }),
    (Column::left("REV"), |_, one, _| {
        if one.is_disc || one.part.is_none() && !one.disk.is_virtio() { "2.5+" } else { "" }.to_owned()
    }),
    (Column::left("VENDOR"), |_, one, _| {
        match (one.is_disc, one.part) {
            (true, _) => "QEMU",
            (false, None) if one.disk.is_virtio() => "0x1af4",
            (false, None) => "QEMU",
            _ => "",
        }
        .to_owned()
    }),
    (Column::left("ZONED"), |_, _, _| "none".to_owned()),
    (Column::boolean("DAX"), |_, _, _| "0".to_owned()),
];

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
    let columns = columns(call, &asked.list, KNOWN, |known| known.0.name)?;
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
