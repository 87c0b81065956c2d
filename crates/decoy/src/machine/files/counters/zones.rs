//! Memory by its zones: `buddyinfo`, `pagetypeinfo`, `zoneinfo`.

use std::{fmt::Write as _, time::SystemTime};

use super::super::proc::memory;
use super::vmstat::node;
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

pub(in crate::machine::files) fn buddyinfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
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

pub(in crate::machine::files) fn pagetypeinfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
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

pub(in crate::machine::files) fn zoneinfo(identity: &Identity, now: SystemTime) -> Vec<u8> {
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
