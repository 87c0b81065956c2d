//! The tree of `/sys`: network interfaces, processors, disks, the board.

use std::time::SystemTime;

use super::{
    kernel::{dir, put},
    tables::traffic,
    tree::{Content, Node, Tree, Writer},
};
use crate::machine::{Identity, disks, pci};

type Public = fn(&Identity, SystemTime) -> Vec<u8>;

/// Folders that are there even when nothing of interest is in them.
const FOLDERS: &[&str] = &[
    "block",
    "bus",
    "bus/pci",
    "bus/pci/devices",
    "bus/pci/drivers",
    "bus/usb",
    "bus/usb/devices",
    "bus/virtio",
    "class",
    "class/block",
    "class/dmi",
    "class/dmi/id",
    "class/hwmon",
    "class/input",
    "class/mem",
    "class/net",
    "class/power_supply",
    "class/rtc",
    "class/thermal",
    "class/tty",
    "dev",
    "dev/block",
    "dev/char",
    "devices",
    "devices/pci0000:00",
    "devices/platform",
    "devices/pnp0",
    "devices/system",
    "devices/system/clocksource",
    "devices/system/cpu",
    "devices/system/memory",
    "devices/system/node",
    "devices/virtual",
    "firmware",
    "firmware/acpi",
    "firmware/dmi",
    "fs",
    "fs/bpf",
    "fs/cgroup",
    "fs/ext4",
    "fs/fuse",
    "fs/fuse/connections",
    "fs/pstore",
    "hypervisor",
    "kernel",
    "kernel/debug",
    "kernel/mm",
    "kernel/mm/transparent_hugepage",
    "kernel/security",
    "kernel/tracing",
    "module",
    "power",
];

/// Counters of an interface: name, which of bytes and packets received and sent.
const COUNTERS: &[(&str, Public)] = &[
    ("rx_bytes", |identity, now| line(traffic(identity, now)[0])),
    ("rx_packets", |identity, now| line(traffic(identity, now)[1])),
    ("tx_bytes", |identity, now| line(traffic(identity, now)[2])),
    ("tx_packets", |identity, now| line(traffic(identity, now)[3])),
];

fn line(value: impl std::fmt::Display) -> Vec<u8> {
    format!("{value}\n").into()
}

pub(super) fn add(tree: &mut Tree, now: SystemTime) {
    let identity = tree.identity.clone();
    tree.put("/sys", dir(0, now));
    for name in FOLDERS {
        tree.put(&format!("/sys/{name}"), dir(0, now));
    }
    let disk = identity.disk.trim_end_matches(char::is_numeric);
    let mut folders = vec![
        format!("class/net/{}/queues", identity.interface),
        "class/net/lo/queues".to_owned(),
        format!("block/{disk}"),
        format!("block/{disk}/queue"),
        format!("block/{disk}/device"),
        "block/sr0".to_owned(),
        "block/sr0/device".to_owned(),
    ];
    for name in [identity.interface, "lo"] {
        folders.extend([format!("class/net/{name}"), format!("class/net/{name}/statistics")]);
    }
    folders.extend(disks::disk(&identity).parts.iter().map(|part| format!("block/{disk}/{}", part.name)));
    for folder in &folders {
        tree.put(&format!("/sys/{folder}"), dir(0, now));
    }
    let mut text = |path: String, text: String, mode: u32| {
        put(tree, &format!("/sys/{path}"), Content::Text(format!("{text}\n").into()), mode, now);
    };
    interfaces(&identity, &mut text);
    processors(&identity, &mut text);
    board(&identity, &mut text);
    let layout = disks::disk(&identity);
    let sectors = layout.sectors;
    for (name, value) in [
        ("size", sectors.to_string()),
        ("ro", "0".to_owned()),
        ("removable", "0".to_owned()),
        ("queue/rotational", u8::from(disk != "vda").to_string()),
        ("queue/scheduler", "[none] mq-deadline".to_owned()),
        ("queue/logical_block_size", "512".to_owned()),
    ] {
        text(format!("block/{disk}/{name}"), value, 0o444);
    }
    for part in &layout.parts {
        let folder = format!("block/{disk}/{}", part.name);
        let sectors = if part.what == disks::Use::Extended { 2 } else { part.sectors };
        for (name, value) in [
            ("dev", format!("{}:{}", layout.major, part.number)),
            ("partition", part.number.to_string()),
            ("ro", "0".to_owned()),
            ("size", sectors.to_string()),
            ("start", part.start.to_string()),
        ] {
            text(format!("{folder}/{name}"), value, 0o444);
        }
    }
    for (name, value) in [
        ("dev", "11:0"),
        ("device/model", "QEMU DVD-ROM    "),
        ("device/vendor", "QEMU    "),
        ("removable", "1"),
        ("ro", "0"),
        ("size", "2097151"),
    ] {
        text(format!("block/sr0/{name}"), value.to_owned(), 0o444);
    }
    text(format!("block/{disk}/dev"), format!("{}:0", layout.major), 0o444);
    if disk == "vda" {
        text(format!("block/{disk}/serial"), identity.disk_serial.clone(), 0o444);
    } else {
        text(format!("block/{disk}/device/vendor"), "QEMU    ".to_owned(), 0o444);
        text(format!("block/{disk}/device/model"), "QEMU HARDDISK   ".to_owned(), 0o444);
    }
    for (name, value) in [
        ("kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
        ("power/state", "freeze mem disk"),
        ("devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock"),
        ("devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock tsc hpet acpi_pm"),
        ("devices/system/node/online", "0"),
        ("fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc"),
    ] {
        text(name.to_owned(), value.to_owned(), 0o644);
    }
    let mut text = |path: String, text: String| {
        put(tree, &path, Content::Text(text.into()), 0o444, now);
    };
    text("/proc/bus/pci/devices".to_owned(), pci::table(&identity));
    let mut slots = Vec::new();
    for device in pci::devices(&identity) {
        let folder = format!("/sys/bus/pci/devices/0000:{}", device.slot);
        for (name, value) in [
            ("class", format!("0x{:06x}", device.class)),
            ("device", format!("0x{:04x}", device.device)),
            ("enable", "1".to_owned()),
            ("irq", device.interrupt.to_string()),
            ("revision", format!("0x{:02x}", device.revision)),
            ("subsystem_device", format!("0x{:04x}", device.subsystem.1)),
            ("subsystem_vendor", format!("0x{:04x}", device.subsystem.0)),
            ("vendor", format!("0x{:04x}", device.vendor)),
        ] {
            text(format!("{folder}/{name}"), format!("{value}\n"));
        }
        slots.push(folder);
    }
    for folder in slots {
        tree.put(&folder, dir(0, now));
    }
    let mut names = vec![
        (disk.to_owned(), format!("../../block/{disk}")),
        ("sr0".to_owned(), "../../block/sr0".to_owned()),
    ];
    names.extend(
        layout.parts.iter().map(|part| (part.name.clone(), format!("../../block/{disk}/{}", part.name))),
    );
    for (name, target) in names {
        let node = Node::new(Content::Link(target.into()), 0, 0, 0o777, now);
        tree.put(&format!("/sys/class/block/{name}"), node);
    }
    for (name, counter) in COUNTERS {
        let path = format!("/sys/class/net/{}/statistics/{name}", identity.interface);
        put(tree, &path, Content::Made(Writer::Public(*counter)), 0o444, now);
    }
    let modules = super::tables::modules(&identity, now);
    for name in String::from_utf8_lossy(&modules).lines().filter_map(|line| line.split(' ').next()) {
        tree.put(&format!("/sys/module/{name}"), dir(0, now));
    }
}

fn interfaces(identity: &Identity, text: &mut dyn FnMut(String, String, u32)) {
    let own = [
        ("address", identity.mac.as_str()),
        ("broadcast", "ff:ff:ff:ff:ff:ff"),
        ("carrier", "1"),
        ("duplex", "unknown"),
        ("flags", "0x1003"),
        ("ifindex", "2"),
        ("mtu", "1500"),
        ("operstate", "up"),
        ("speed", "-1"),
        ("tx_queue_len", "1000"),
        ("type", "1"),
    ];
    let lo = [
        ("address", "00:00:00:00:00:00"),
        ("broadcast", "00:00:00:00:00:00"),
        ("carrier", "1"),
        ("flags", "0x9"),
        ("ifindex", "1"),
        ("mtu", "65536"),
        ("operstate", "unknown"),
        ("tx_queue_len", "1000"),
        ("type", "772"),
    ];
    for (interface, rows) in [(identity.interface, &own[..]), ("lo", &lo[..])] {
        for (name, value) in rows {
            text(format!("class/net/{interface}/{name}"), (*value).to_owned(), 0o444);
        }
        for name in ["collisions", "multicast", "rx_dropped", "rx_errors", "tx_dropped", "tx_errors"] {
            text(format!("class/net/{interface}/statistics/{name}"), "0".to_owned(), 0o444);
        }
    }
}

fn processors(identity: &Identity, text: &mut dyn FnMut(String, String, u32)) {
    let last = identity.cpu_count - 1;
    let range = if last == 0 { "0".to_owned() } else { format!("0-{last}") };
    for name in ["online", "possible", "present"] {
        text(format!("devices/system/cpu/{name}"), range.clone(), 0o444);
    }
    text("devices/system/cpu/kernel_max".to_owned(), "8191".to_owned(), 0o444);
    for cpu in 0..identity.cpu_count {
        text(format!("devices/system/cpu/cpu{cpu}/topology/core_id"), "0".to_owned(), 0o444);
        text(format!("devices/system/cpu/cpu{cpu}/topology/physical_package_id"), cpu.to_string(), 0o444);
    }
    let amd = identity.cpu.vendor == "AuthenticAMD";
    let of = |intel: &'static str, other: &'static str| if amd { other } else { intel };
    for (name, state) in [
        ("gather_data_sampling", of("Unknown: Dependent on hypervisor status", "Not affected")),
        ("ghostwrite", "Not affected"),
        ("indirect_target_selection", of("Mitigation: Aligned branch/return thunks", "Not affected")),
        ("itlb_multihit", of("KVM: Mitigation: VMX disabled", "Not affected")),
        ("l1tf", "Not affected"),
        ("mds", "Not affected"),
        ("meltdown", "Not affected"),
        (
            "mmio_stale_data",
            of(
                "Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown",
                "Not affected",
            ),
        ),
        ("reg_file_data_sampling", "Not affected"),
        ("retbleed", of("Mitigation: Enhanced IBRS", "Mitigation: untrained return thunk; SMT disabled")),
        ("spec_rstack_overflow", of("Not affected", "Mitigation: SMT disabled")),
        ("spec_store_bypass", "Mitigation: Speculative Store Bypass disabled via prctl"),
        ("spectre_v1", "Mitigation: usercopy/swapgs barriers and __user pointer sanitization"),
        (
            "spectre_v2",
            of(
                "Mitigation: Enhanced / Automatic IBRS; IBPB: conditional; PBRSB-eIBRS: SW sequence; BHI: SW loop, KVM: SW loop",
                "Mitigation: Retpolines; IBPB: conditional; STIBP: disabled; RSB filling; PBRSB-eIBRS: Not affected; BHI: Not affected",
            ),
        ),
        ("srbds", "Not affected"),
        ("tsa", "Not affected"),
        ("tsx_async_abort", "Not affected"),
        ("vmscape", "Not affected"),
    ] {
        text(format!("devices/system/cpu/vulnerabilities/{name}"), state.to_owned(), 0o444);
    }
}

fn board(identity: &Identity, text: &mut dyn FnMut(String, String, u32)) {
    let version = if identity.platform.product.contains("Q35") { "pc-q35-7.2" } else { "pc-i440fx-7.2" };
    for (name, value, mode) in [
        ("bios_date", "04/01/2014", 0o444),
        ("bios_release", "0.0", 0o444),
        ("bios_vendor", "SeaBIOS", 0o444),
        ("bios_version", identity.platform.bios, 0o444),
        ("chassis_type", "1", 0o444),
        ("chassis_vendor", "QEMU", 0o444),
        ("chassis_version", version, 0o444),
        ("product_name", identity.platform.product, 0o444),
        ("product_serial", "", 0o400),
        ("product_uuid", &identity.product_uuid, 0o400),
        ("product_version", version, 0o444),
        ("sys_vendor", "QEMU", 0o444),
    ] {
        text(format!("class/dmi/id/{name}"), value.to_owned(), mode);
    }
}
