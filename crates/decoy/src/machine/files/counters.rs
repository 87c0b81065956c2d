//! Files of `/proc` that count: memory by zones, interrupts, disks.

mod vmstat;
mod zones;

use std::{fmt::Write as _, time::SystemTime};

use crate::machine::Identity;
pub(super) use vmstat::vmstat;
pub(super) use zones::{buddyinfo, pagetypeinfo, zoneinfo};

fn row(identity: &Identity, name: &str, value: impl Fn(u64) -> u64, what: &str) -> String {
    let counts: String =
        (0..u64::from(identity.cpu_count)).map(|cpu| format!(" {:>10}", value(cpu))).collect();
    format!("{name:>3}:{counts}  {what}\n")
}

/// Interrupts of a KVM guest with virtio (`/proc/interrupts`).
pub(super) fn interrupts(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs();
    let mut text = format!(
        "    {}\n",
        (0..identity.cpu_count).map(|cpu| format!("       CPU{cpu:<1}")).collect::<String>()
    );
    let once = |count: u64| move |cpu: u64| if cpu == 0 { count } else { 0 };
    for (name, count, what) in [
        ("0", 40, " IO-APIC   2-edge      timer"),
        ("1", 9, " IO-APIC   1-edge      i8042"),
        ("6", 3, " IO-APIC   6-edge      floppy"),
        ("8", 0, " IO-APIC   8-edge      rtc0"),
        ("9", 0, " IO-APIC   9-fasteoi   acpi"),
        ("10", up / 9, " IO-APIC  10-fasteoi   virtio1"),
        ("11", 32, " IO-APIC  11-fasteoi   uhci_hcd:usb1"),
        ("12", 15, " IO-APIC  12-edge      i8042"),
        ("14", 0, " IO-APIC  14-edge      ata_piix"),
        ("15", 180, " IO-APIC  15-edge      ata_piix"),
        ("24", 0, " PCI-MSI 49152-edge      virtio0-config"),
        ("25", 311_020 + up / 3, " PCI-MSI 49153-edge      virtio0-input.0"),
        ("26", 120_443 + up / 5, " PCI-MSI 49154-edge      virtio0-output.0"),
        ("27", 0, " PCI-MSI 65536-edge      virtio2-config"),
        ("28", 20_111 + up / 4, " PCI-MSI 65537-edge      virtio2-req.0"),
    ] {
        text.push_str(&row(identity, name, once(count), what));
    }
    for (name, count, what) in [
        ("NMI", 0, " Non-maskable interrupts"),
        ("LOC", up * 43 + 812, " Local timer interrupts"),
        ("SPU", 0, " Spurious interrupts"),
        ("PMI", 0, " Performance monitoring interrupts"),
        ("IWI", 0, " IRQ work interrupts"),
        ("RTR", 0, " APIC ICR read retries"),
        ("RES", up / 7, " Rescheduling interrupts"),
        ("CAL", up / 11, " Function call interrupts"),
        ("TLB", up / 90, " TLB shootdowns"),
        ("TRM", 0, " Thermal event interrupts"),
        ("THR", 0, " Threshold APIC interrupts"),
        ("DFR", 0, " Deferred Error APIC interrupts"),
        ("MCE", 0, " Machine check exceptions"),
        ("MCP", up / 300 + 1, " Machine check polls"),
    ] {
        text.push_str(&row(identity, name, |cpu| if count == 0 { 0 } else { count + cpu * 17 }, what));
    }
    text.push_str("ERR:          0\nMIS:          0\n");
    for (name, what) in [
        ("PIN", " Posted-interrupt notification event"),
        ("NPI", " Nested posted-interrupt event"),
        ("PIW", " Posted-interrupt wakeup event"),
    ] {
        text.push_str(&row(identity, name, |_| 0, what));
    }
    text.into()
}

pub(super) fn softirqs(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs();
    let mut text = "                    ".to_owned();
    (0..identity.cpu_count).for_each(|cpu| {
        let _ = write!(text, "CPU{cpu:<8}");
    });
    let mut text = text.trim_end().to_owned() + "       \n";
    for (name, count) in [
        ("HI", 0),
        ("TIMER", up * 11 + 9_120),
        ("NET_TX", up / 900 + 3),
        ("NET_RX", up / 3 + 311_020),
        ("BLOCK", up / 4 + 20_111),
        ("IRQ_POLL", 0),
        ("TASKLET", up / 600 + 120),
        ("SCHED", up * 17 + 4_011),
        ("HRTIMER", up / 5000),
        ("RCU", up * 13 + 9_201),
    ] {
        let counts: String = (0..u64::from(identity.cpu_count))
            .map(|cpu| format!(" {:>10}", if count == 0 { 0 } else { count + cpu * 211 }))
            .collect();
        let _ = writeln!(text, "{name:>12}:{counts}");
    }
    text.into()
}

pub(super) fn schedstat(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs();
    let mut text = format!("version 15\ntimestamp {}\n", 4_294_892_296 + up * 250);
    for cpu in 0..u64::from(identity.cpu_count) {
        let _ =
            writeln!(text, "cpu{cpu} 0 0 0 0 0 0 {} {} {}", up * 9_000_000, up * 410_000, up * 41 + cpu * 7);
    }
    text.into()
}

/// `/proc/diskstats`: the disk, its parts, the drive for discs and the loops.
pub(super) fn diskstats(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let up = identity.uptime(now).as_secs();
    let disk = identity.disk.trim_end_matches(char::is_numeric);
    let major = if disk == "vda" { 254 } else { 8 };
    let mut text = String::new();
    let mut line = |major: u32, minor: u32, name: &str, reads: u64, read: u64, writes: u64, written: u64| {
        let _ = writeln!(
            text,
            "{major:>4} {minor:>7} {name} {reads} {} {read} {} {writes} {} {written} {} 0 {} {} 0 0 0 0 {} {}",
            reads / 5,
            reads / 2,
            writes * 5 / 7,
            writes * 2,
            reads / 2 + writes,
            reads / 2 + writes * 2,
            writes / 40,
            writes / 30,
        );
    };
    let (reads, read) = (20_111 + up / 90, 1_200_400 + up / 3);
    line(major, 0, disk, reads, read, up / 7, up * 3);
    line(major, 1, identity.disk, reads - 110, read - 300, up / 7, up * 3);
    if identity.swap_bytes > 0 {
        line(major, 2, &format!("{disk}2"), 2, 4, 0, 0);
        line(major, 5, &format!("{disk}5"), 97, 5_120, 0, 0);
    }
    line(11, 0, "sr0", 12, 96, 0, 0);
    text.into()
}

/// `/proc/timer_list`: its head and the clocks of each processor.
pub(super) fn timer_list(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let at = identity.uptime(now).as_nanos();
    let mut text = format!("Timer List Version: v0.9\nHRTIMER_MAX_CLOCK_BASES: 8\nnow at {at} nsecs\n\n");
    for cpu in 0..identity.cpu_count {
        let _ = writeln!(
            text,
            "cpu: {cpu}\n clock 0:\n  .base:       0000000000000000\n  .index:      0\n  .resolution: 1 nsecs\n  .get_time:   ktime_get\n  .offset:     0 nsecs\nactive timers:\n"
        );
    }
    text.into()
}
