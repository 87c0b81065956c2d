//! `fdisk`, `sfdisk`, `parted`: the table of parts.

use super::{
    Call, Disk, Part, Use, content, disk,
    smartcols::{Column, Row, Table, size},
    usage,
};
use crate::{machine::disks::SECTOR, shell::commands::Said};

/// Number and name of a part's kind in a table of MS-DOS.
fn kind(part: &Part) -> (&'static str, &'static str) {
    match part.what {
        Use::Root => ("83", "Linux"),
        Use::Extended => ("5", "Extended"),
        Use::Swap => ("82", "Linux swap / Solaris"),
    }
}

/// A size in words: `20 GiB`.
fn in_words(bytes: u64) -> String {
    let short = size(bytes);
    let (number, letter) = short.split_at(short.len().saturating_sub(1));
    if letter == "B" { format!("{number} bytes") } else { format!("{number} {letter}iB") }
}

/// What `fdisk -l` and `sfdisk -l` tell of the disk.
fn listing(disk: &Disk) -> String {
    let bytes = disk.sectors * SECTOR;
    let model = if disk.is_virtio() { "" } else { "Disk model: QEMU HARDDISK   \n" };
    let mut text = format!(
        "Disk /dev/{}: {}, {bytes} bytes, {} sectors\n{model}Units: sectors of 1 * 512 = 512 bytes\n\
         Sector size (logical/physical): 512 bytes / 512 bytes\nI/O size (minimum/optimal): 512 bytes / 512 bytes\n\
         Disklabel type: dos\nDisk identifier: 0x{}\n\n",
        disk.name,
        in_words(bytes),
        disk.sectors,
        disk.id
    );
    let row = |part: &Part| {
        let (id, name) = kind(part);
        Row::new(vec![
            format!("{:<10}", format!("/dev/{}", part.name)),
            if part.number == 1 { "*" } else { "" }.to_owned(),
            part.start.to_string(),
            (part.start + part.sectors - 1).to_string(),
            part.sectors.to_string(),
            size(part.sectors * SECTOR),
            id.to_owned(),
            name.to_owned(),
        ])
    };
    let table = Table {
        columns: vec![
            Column::left("Device"),
            Column::left("Boot"),
            Column::right("Start"),
            Column::right("End"),
            Column::right("Sectors"),
            Column::right("Size"),
            Column::right("Id"),
            Column::left("Type"),
        ],
        rows: disk.parts.iter().map(row).collect(),
        headings: true,
        ..Table::default()
    };
    text += &table.write();
    text
}

/// Whether the disk may be read, and which of the named ones is it.
fn open(call: &Call<'_>, disk: &Disk, operands: &[String]) -> Result<bool, Said> {
    let mut found = operands.is_empty();
    for operand in operands {
        let path = call.path(operand);
        let path = call.files().real_path(&path).unwrap_or(path);
        if !call.files().exists(&path) {
            let text = format!("{}: cannot open {operand}: No such file or directory\n", call.name);
            return Err(Said::err(text, 1));
        }
        if !call.is_root() {
            return Err(Said::err(format!("{}: cannot open {operand}: Permission denied\n", call.name), 1));
        }
        if path == "/dev/sr0" {
            return Err(Said::err(format!("{}: cannot open {operand}: No medium found\n", call.name), 1));
        }
        if !path.starts_with(&format!("/dev/{}", disk.name)) {
            let text = format!("{}: cannot open {operand}: Inappropriate ioctl for device\n", call.name);
            return Err(Said::err(text, 1));
        }
        found |= path == format!("/dev/{}", disk.name);
    }
    if !call.is_root() {
        return Err(Said::err(
            format!("{}: cannot open /dev/{}: Permission denied\n", call.name, disk.name),
            1,
        ));
    }
    Ok(found)
}

/// One part alone: what is told of a device without a table.
fn whole(call: &Call<'_>, disk: &Disk, operands: &[String]) -> String {
    let mut text = String::new();
    for operand in operands {
        let path = call.path(operand);
        let part = disk.parts.iter().find(|part| path == format!("/dev/{}", part.name));
        let Some(part) = part else { continue };
        let bytes = part.sectors * SECTOR;
        text += &format!(
            "Disk {path}: {}, {bytes} bytes, {} sectors\nUnits: sectors of 1 * 512 = 512 bytes\n\
             Sector size (logical/physical): 512 bytes / 512 bytes\nI/O size (minimum/optimal): 512 bytes / 512 bytes\n",
            in_words(bytes),
            part.sectors
        );
    }
    text
}

pub(in crate::shell::commands) fn fdisk(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("fdisk", call.args) {
        return said;
    }
    let options = call.options("bCHoStuwWL");
    let disk = disk(call.identity());
    if call.args.is_empty() {
        return Said::err("fdisk: bad usage\nTry 'fdisk --help' for more information.\n", 1);
    }
    let found = match open(call, &disk, &options.operands) {
        Ok(found) => found,
        Err(said) => return said,
    };
    if options.has('s') || options.has_long("getsz") {
        let blocks = options.operands.iter().filter_map(|operand| {
            let path = call.path(operand);
            let part = disk.parts.iter().find(|part| path == format!("/dev/{}", part.name));
            let sectors = if path == format!("/dev/{}", disk.name) {
                Some(disk.sectors)
            } else {
                part.map(|part| part.sectors)
            };
            sectors.map(|sectors| if options.has('s') { sectors / 2 } else { sectors })
        });
        return Said::out(blocks.map(|blocks| format!("{blocks}\n")).collect::<String>());
    }
    if options.has('l') || options.has('x') || options.has_long("list") {
        return Said::out(if found { listing(&disk) } else { whole(call, &disk, &options.operands) });
    }
    // What is typed at its prompt stays in memory only; an end of input is an end of fdisk.
    Said::out(
        "\nWelcome to fdisk (util-linux 2.38.1).\nChanges will remain in memory only, until you decide to write them.\nBe careful before using the write command.\n\nThis disk is currently in use - repartitioning is probably a bad idea.\nIt's recommended to umount all file systems, and swapoff all swap\npartitions on this disk.\n\n\nCommand (m for help): \n",
    )
}

pub(in crate::shell::commands) fn sfdisk(call: &Call<'_>) -> Said {
    if let Some(said) = usage::refusal("sfdisk", call.args) {
        return said;
    }
    let options = call.options("bNoOuwWXY");
    let disk = disk(call.identity());
    let has = |letter, long| options.has(letter) || options.has_long(long);
    if call.args.is_empty() {
        return Said::err("sfdisk: bad usage\nTry 'sfdisk --help' for more information.\n", 1);
    }
    let found = match open(call, &disk, &options.operands) {
        Ok(found) => found,
        Err(said) => return said,
    };
    if has('l', "list") {
        return Said::out(if found { listing(&disk) } else { whole(call, &disk, &options.operands) });
    }
    if has('s', "show-size") {
        let blocks = disk.sectors / 2;
        return Said::out(format!("{:>9}\n", blocks));
    }
    if has('d', "dump") {
        let mut text = format!(
            "label: dos\nlabel-id: 0x{}\ndevice: /dev/{}\nunit: sectors\nsector-size: 512\n\n",
            disk.id, disk.name
        );
        for part in &disk.parts {
            let boot = if part.number == 1 { ", bootable" } else { "" };
            let (id, _) = kind(part);
            text += &format!(
                "/dev/{} : start={:>12}, size={:>12}, type={id}{boot}\n",
                part.name, part.start, part.sectors
            );
        }
        return Said::out(text);
    }
    Said::err(
        "Checking that no-one is using this disk right now ... FAILED\n\nThis disk is currently in use - repartitioning is probably a bad idea.\nUmount all file systems, and swapoff all swap partitions on this disk.\nUse the --no-reread flag to suppress this check.\n\nsfdisk: Use the --force flag to overrule all checks.\n",
        1,
    )
}

/// As parted rounds: three digits of powers of a thousand.
fn of_thousands(bytes: u64) -> String {
    let (unit, name): (u64, &str) = match bytes {
        0..10_000 => (1, "B"),
        10_000..10_000_000 => (1_000, "kB"),
        10_000_000..10_000_000_000 => (1_000_000, "MB"),
        10_000_000_000..10_000_000_000_000 => (1_000_000_000, "GB"),
        _ => (1_000_000_000_000, "TB"),
    };
    let value = bytes as f64 / unit as f64;
    if value >= 99.95 || unit == 1 { format!("{value:.0}{name}") } else { format!("{value:.1}{name}") }
}

pub(in crate::shell::commands) fn parted(call: &Call<'_>) -> Said {
    let options = call.options("a");
    let disk = disk(call.identity());
    let prints = options.has('l')
        || options.has_long("list")
        || options.operands.iter().any(|word| matches!(word.as_str(), "print" | "p"));
    if !call.is_root() {
        return Said::err("WARNING: You are not superuser.  Watch out for permissions.\n", 1);
    }
    if !prints {
        return Said::out(format!(
            "GNU Parted 3.5\nUsing /dev/{}\nWelcome to GNU Parted! Type 'help' to view a list of commands.\n(parted) \n",
            disk.name
        ));
    }
    let model = if disk.is_virtio() { "Virtio Block Device (virtblk)" } else { "QEMU QEMU HARDDISK (scsi)" };
    let mut text = format!(
        "Model: {model}\nDisk /dev/{}: {}\nSector size (logical/physical): 512B/512B\nPartition Table: msdos\nDisk Flags: \n\n",
        disk.name,
        of_thousands(disk.sectors * SECTOR)
    );
    let mut rows =
        vec![["Number", "Start", "End", "Size", "Type", "File system", "Flags"].map(str::to_owned)];
    for part in &disk.parts {
        let (place, flags) = match part.what {
            Use::Root => ("primary", "boot"),
            Use::Extended => ("extended", ""),
            Use::Swap => ("logical", "swap"),
        };
        let system = match content(call, part).map(|content| content.kind) {
            Some("swap") => "linux-swap(v1)",
            Some(kind) => kind,
            None => "",
        };
        rows.push([
            format!("{:>2}", part.number),
            of_thousands(part.start * SECTOR),
            of_thousands((part.start + part.sectors) * SECTOR - 1),
            of_thousands(part.sectors * SECTOR),
            place.to_owned(),
            system.to_owned(),
            flags.to_owned(),
        ]);
    }
    let widths: Vec<usize> = (0..7)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text += &format!("{}\n", cells.join("  ").trim_end());
    }
    Said::out(text + if options.has('l') || options.has_long("list") { "\n\n" } else { "\n" })
}
