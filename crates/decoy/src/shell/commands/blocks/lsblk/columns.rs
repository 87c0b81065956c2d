//! The columns that `lsblk` can be asked for, and what each says of a device.

use super::super::{
    Call, Content, Disk, Part, Use, disks, part_uuid,
    smartcols::{Column, size},
};
use crate::machine::disks::{DISC_SECTORS, SECTOR};

/// A device that is shown.
pub(super) struct Device<'a> {
    pub(super) disk: &'a Disk,
    /// `None`: the disk itself.
    pub(super) part: Option<&'a Part>,
    pub(super) is_disc: bool,
    pub(super) content: Option<Content>,
}

/// Columns that can be asked for: how each stands in a table, and what is in it.
pub(super) type Known = (Column, fn(&Call<'_>, &Device<'_>, &Manner) -> String);

#[derive(Default)]
pub(super) struct Manner {
    pub(super) bytes: bool,
    pub(super) paths: bool,
    pub(super) parsable: bool,
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

pub(super) const KNOWN: &[Known] = &[
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
