//! Files of `/proc` that count: memory by zones, interrupts, disks.

use std::{fmt::Write as _, time::SystemTime};

use super::proc::memory;
use crate::machine::Identity;

/// Pages of a zone that is there: its name, pages, pages free.
fn zones(identity: &Identity, now: SystemTime) -> Vec<(&'static str, u64, u64)> {
    let m = memory(identity, now);
    let (total, free) = (m.total / 4, m.free / 4);
    let low = total.min(782_000);
    let mut zones = vec![("DMA", 3_840, 3_100.min(free / 4)), ("DMA32", low.saturating_sub(3_840), 0)];
    if total > low {
        zones.push(("Normal", total - low, 0));
    }
    let left = free.saturating_sub(zones.first().map_or(0, |zone| zone.2));
    let parts = zones.len() as u64 - 1;
    for zone in zones.iter_mut().skip(1) {
        zone.2 = left / parts.max(1);
    }
    zones
}

/// How many blocks of each order make up these pages.
fn orders(pages: u64) -> [u64; 11] {
    let mut left = pages;
    std::array::from_fn(|order| {
        // The largest takes what is left, the small ones a share each.
        let order = order as u32;
        let count = if order == 10 { left >> 10 } else { (left / (14 + u64::from(order))) >> order };
        left = left.saturating_sub(count << order);
        count
    })
}

pub(super) fn buddyinfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let mut text = String::new();
    for (name, _, free) in zones(identity, now) {
        let _ = write!(text, "Node 0, zone {name:>8} ");
        for count in orders(free) {
            let _ = write!(text, "{count:>6} ");
        }
        text.push('\n');
    }
    text.into()
}

pub(super) fn pagetypeinfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let mut text =
        "Page block order: 9\nPages per block:  512\n\nFree pages count per migrate type at order "
            .to_owned();
    (0..11).for_each(|order| {
        let _ = write!(text, "{order:>6} ");
    });
    text.push('\n');
    const KINDS: [&str; 5] = ["Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate"];
    let zones = zones(identity, now);
    for (name, _, free) in &zones {
        for (number, kind) in KINDS.iter().enumerate() {
            let share = [8, 85, 7, 0, 0].get(number).copied().unwrap_or_default();
            let _ = write!(text, "Node {:>4}, zone {name:>8}, type {kind:>12} ", 0);
            for count in orders(free * share / 100) {
                let _ = write!(text, "{count:>6} ");
            }
            text.push('\n');
        }
    }
    text.push_str("\nNumber of blocks type ");
    KINDS.iter().for_each(|kind| {
        let _ = write!(text, "{kind:>12} ");
    });
    text.push('\n');
    for (name, pages, _) in zones {
        let blocks = pages / 512;
        let _ = writeln!(
            text,
            "Node 0, zone {name:>8} {:>12} {:>12} {:>12} {:>12} {:>12} ",
            blocks / 12,
            blocks - blocks / 12 - blocks / 14,
            blocks / 14,
            0,
            0
        );
    }
    text.into()
}

/// Counters of a node, and how many pages each has (`/proc/vmstat`, `/proc/zoneinfo`; Linux 6.1).
fn node(identity: &Identity, now: SystemTime) -> Vec<(&'static str, u64)> {
    let m = memory(identity, now);
    let up = identity.uptime(now).as_secs();
    let anon = m.total.saturating_sub(m.free + m.cached + m.buffers + m.reclaimable) / 8;
    let file = (m.cached + m.buffers) / 4;
    vec![
        ("nr_inactive_anon", anon),
        ("nr_active_anon", anon / 50),
        ("nr_inactive_file", file * 6 / 10),
        ("nr_active_file", file * 4 / 10),
        ("nr_unevictable", 0),
        ("nr_slab_reclaimable", m.reclaimable / 4),
        ("nr_slab_unreclaimable", m.reclaimable * 7 / 40),
        ("nr_isolated_anon", 0),
        ("nr_isolated_file", 0),
        ("workingset_nodes", 0),
        ("workingset_refault_anon", 0),
        ("workingset_refault_file", 0),
        ("workingset_activate_anon", 0),
        ("workingset_activate_file", 0),
        ("workingset_restore_anon", 0),
        ("workingset_restore_file", 0),
        ("workingset_nodereclaim", 0),
        ("nr_anon_pages", anon),
        ("nr_mapped", anon * 6 / 10),
        ("nr_file_pages", file),
        ("nr_dirty", 30),
        ("nr_writeback", 0),
        ("nr_writeback_temp", 0),
        ("nr_shmem", m.shared / 4),
        ("nr_shmem_hugepages", 0),
        ("nr_shmem_pmdmapped", 0),
        ("nr_file_hugepages", 0),
        ("nr_file_pmdmapped", 0),
        ("nr_anon_transparent_hugepages", 0),
        ("nr_vmscan_write", 0),
        ("nr_vmscan_immediate_reclaim", 0),
        ("nr_dirtied", up * 3 / 4 + 90_211),
        ("nr_written", up * 3 / 4 + 88_044),
        ("nr_throttled_written", 0),
        ("nr_kernel_misc_reclaimable", 0),
        ("nr_foll_pin_acquired", 0),
        ("nr_foll_pin_released", 0),
        ("nr_kernel_stack", 2128),
        ("nr_page_table_pages", 516),
        ("nr_sec_page_table_pages", 0),
        ("nr_swapcached", 0),
        ("pgpromote_success", 0),
        ("pgpromote_candidate", 0),
    ]
}

pub(super) fn vmstat(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let m = memory(identity, now);
    let up = identity.uptime(now).as_secs();
    let all = node(identity, now);
    let of = |name: &str| all.iter().find(|(known, _)| *known == name).map_or(0, |(_, pages)| *pages);
    let mut rows = vec![
        ("nr_free_pages", m.free / 4),
        ("nr_zone_inactive_anon", of("nr_inactive_anon")),
        ("nr_zone_active_anon", of("nr_active_anon")),
        ("nr_zone_inactive_file", of("nr_inactive_file")),
        ("nr_zone_active_file", of("nr_active_file")),
        ("nr_zone_unevictable", 0),
        ("nr_zone_write_pending", 30),
        ("nr_mlock", 0),
        ("nr_bounce", 0),
        ("nr_zspages", 0),
        ("nr_free_cma", 0),
        ("numa_hit", up * 170 + 4_120_331),
        ("numa_miss", 0),
        ("numa_foreign", 0),
        ("numa_interleave", 1_120),
        ("numa_local", up * 170 + 4_120_331),
        ("numa_other", 0),
    ];
    rows.extend(all.iter().copied());
    let faults = up * 190 + 811_204;
    rows.extend([
        ("nr_dirty_threshold", m.available / 20),
        ("nr_dirty_background_threshold", m.available / 40),
        ("pgpgin", 1_200_400 + up / 3),
        ("pgpgout", up * 3),
        ("pswpin", 0),
        ("pswpout", 0),
        ("pgalloc_dma", 704),
        ("pgalloc_dma32", faults),
        ("pgalloc_normal", faults / 3),
    ]);
    const REST: &[&str] = &[
        "pgalloc_movable",
        "allocstall_dma",
        "allocstall_dma32",
        "allocstall_normal",
        "allocstall_movable",
        "pgskip_dma",
        "pgskip_dma32",
        "pgskip_normal",
        "pgskip_movable",
        "pgfree",
        "pgactivate",
        "pgdeactivate",
        "pglazyfree",
        "pgfault",
        "pgmajfault",
        "pglazyfreed",
        "pgrefill",
        "pgreuse",
        "pgsteal_kswapd",
        "pgsteal_direct",
        "pgdemote_kswapd",
        "pgdemote_direct",
        "pgscan_kswapd",
        "pgscan_direct",
        "pgscan_direct_throttle",
        "pgscan_anon",
        "pgscan_file",
        "pgsteal_anon",
        "pgsteal_file",
        "zone_reclaim_failed",
        "pginodesteal",
        "slabs_scanned",
        "kswapd_inodesteal",
        "kswapd_low_wmark_hit_quickly",
        "kswapd_high_wmark_hit_quickly",
        "pageoutrun",
        "pgrotated",
        "drop_pagecache",
        "drop_slab",
        "oom_kill",
        "numa_pte_updates",
        "numa_huge_pte_updates",
        "numa_hint_faults",
        "numa_hint_faults_local",
        "numa_pages_migrated",
        "pgmigrate_success",
        "pgmigrate_fail",
        "thp_migration_success",
        "thp_migration_fail",
        "thp_migration_split",
        "compact_migrate_scanned",
        "compact_free_scanned",
        "compact_isolated",
        "compact_stall",
        "compact_fail",
        "compact_success",
        "compact_daemon_wake",
        "compact_daemon_migrate_scanned",
        "compact_daemon_free_scanned",
        "htlb_buddy_alloc_success",
        "htlb_buddy_alloc_fail",
        "unevictable_pgs_culled",
        "unevictable_pgs_scanned",
        "unevictable_pgs_rescued",
        "unevictable_pgs_mlocked",
        "unevictable_pgs_munlocked",
        "unevictable_pgs_cleared",
        "unevictable_pgs_stranded",
        "thp_fault_alloc",
        "thp_fault_fallback",
        "thp_fault_fallback_charge",
        "thp_collapse_alloc",
        "thp_collapse_alloc_failed",
        "thp_file_alloc",
        "thp_file_fallback",
        "thp_file_fallback_charge",
        "thp_file_mapped",
        "thp_split_page",
        "thp_split_page_failed",
        "thp_deferred_split_page",
        "thp_split_pmd",
        "thp_scan_exceed_none_pte",
        "thp_scan_exceed_swap_pte",
        "thp_scan_exceed_share_pte",
        "thp_split_pud",
        "thp_zero_page_alloc",
        "thp_zero_page_alloc_failed",
        "thp_swpout",
        "thp_swpout_fallback",
        "balloon_inflate",
        "balloon_deflate",
        "balloon_migrate",
        "swap_ra",
        "swap_ra_hit",
        "ksm_swpin_copy",
        "cow_ksm",
        "zswpin",
        "zswpout",
        "direct_map_level2_splits",
        "direct_map_level3_splits",
        "nr_unstable",
    ];
    rows.extend(REST.iter().map(|name| {
        let value = match *name {
            "pgfree" => faults + faults / 3 + m.free / 4,
            "pgactivate" => 210_334 + up / 60,
            "pgfault" => faults,
            "pgmajfault" => 9_120 + up / 400,
            "pgreuse" => faults / 9,
            "unevictable_pgs_scanned" => 0,
            "thp_zero_page_alloc" => 1,
            "direct_map_level2_splits" => 47,
            _ => 0,
        };
        (*name, value)
    }));
    rows.iter().map(|(name, value)| format!("{name} {value}\n")).collect::<String>().into()
}

pub(super) fn zoneinfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let zones = zones(identity, now);
    let managed: Vec<u64> = zones.iter().map(|(_, pages, _)| *pages).collect();
    let mut text = String::new();
    for (number, (name, pages, free)) in zones.iter().enumerate() {
        let _ = writeln!(text, "Node 0, zone {name:>8}");
        if number == 0 {
            text.push_str("  per-node stats\n");
            for (name, value) in node(identity, now) {
                let _ = writeln!(text, "      {name:<12} {value}");
            }
        }
        let min = pages / 90;
        let above: u64 = managed.iter().skip(number + 1).sum();
        let protection = [0, 1, 2, 3, 4].map(|zone: usize| {
            if zone <= number {
                0
            } else {
                managed.iter().take(zone + 1).skip(number + 1).sum::<u64>().min(above) / 256
            }
        });
        let _ = write!(
            text,
            "  pages free     {free}\n        boost    0\n        min      {min}\n        low      {}\n        high     {}\n        \
             spanned  {}\n        present  {}\n        managed  {pages}\n        cma      0\n        \
             protection: ({}, {}, {}, {}, {})\n      nr_free_pages {free}\n",
            min * 5 / 4,
            min * 3 / 2,
            if number == 0 { 4095 } else { pages + 262_000 * u64::from(number == 1) },
            pages + pages / 90,
            protection[0],
            protection[1],
            protection[2],
            protection[3],
            protection[4],
        );
        for name in [
            "nr_zone_inactive_anon",
            "nr_zone_active_anon",
            "nr_zone_inactive_file",
            "nr_zone_active_file",
            "nr_zone_unevictable",
            "nr_zone_write_pending",
            "nr_mlock",
            "nr_bounce",
            "nr_zspages",
            "nr_free_cma",
            "numa_hit",
            "numa_miss",
            "numa_foreign",
            "numa_interleave",
            "numa_local",
            "numa_other",
        ] {
            let value = if number == 0 { 0 } else { pages / 40 * (name.len() as u64 % 3) };
            let _ = writeln!(text, "      {name:<12} {value}");
        }
        text.push_str("  pagesets\n");
        for cpu in 0..identity.cpu_count {
            let _ = writeln!(
                text,
                "    cpu: {cpu}\n              count: {}\n              high:  {}\n              batch: {}\n  vm stats threshold: {}",
                if number == 0 { 0 } else { 112 + u64::from(cpu) * 31 },
                if number == 0 { 0 } else { min * 5 / 4 / u64::from(identity.cpu_count) },
                if number == 0 { 1 } else { 63 },
                4 + number * 8
            );
        }
        let _ = writeln!(
            text,
            "  node_unreclaimable:  0\n  start_pfn:           {}",
            [1, 4096, 1_048_576].get(number).unwrap_or(&0)
        );
    }
    text.into()
}

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
