//! Files of `/proc` about devices and the network.

use std::{fmt::Write as _, time::SystemTime};

use super::proc::memory;
use crate::machine::{Identity, disks};

/// Linux 6.1 of Debian with the modules that [`modules`] names.
pub(super) fn filesystems(_: &Identity, _: SystemTime) -> Vec<u8> {
    const VIRTUAL: &[&str] = &[
        "sysfs",
        "tmpfs",
        "bdev",
        "proc",
        "cgroup",
        "cgroup2",
        "cpuset",
        "devtmpfs",
        "debugfs",
        "tracefs",
        "securityfs",
        "sockfs",
        "bpf",
        "pipefs",
        "ramfs",
        "hugetlbfs",
        "devpts",
        "mqueue",
        "pstore",
        "autofs",
        "configfs",
        "fuse",
        "fusectl",
    ];
    let mut text = String::new();
    for name in VIRTUAL {
        let _ = writeln!(text, "nodev\t{name}");
        if *name == "autofs" {
            text.push_str("\text3\n\text2\n\text4\n");
        }
        if *name == "configfs" {
            text.push_str("\tfuseblk\n");
        }
    }
    text.into()
}

pub(super) fn partitions(identity: &Identity, _: SystemTime) -> Vec<u8> {
    let disk = disks::disk(identity);
    let mut text = "major minor  #blocks  name\n\n".to_owned();
    let mut row = |major: u32, minor: u32, kib: u64, name: &str| {
        let _ = writeln!(text, "{major:>4}  {minor:>7} {kib:>10} {name}");
    };
    row(disk.major, 0, disk.sectors / 2, disk.name);
    for part in &disk.parts {
        let kib = if part.what == disks::Use::Extended { 1 } else { part.sectors / 2 };
        row(disk.major, part.number, kib, &part.name);
    }
    row(11, 0, disks::DISC_SECTORS / 2, "sr0");
    text.into()
}

/// Columns as the kernel parts them: the name in 40 letters, the numbers in cells of eight.
pub(super) fn swaps(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let m = memory(identity, now);
    let mut text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned();
    if m.swap_total > 0 {
        let disk = identity.disk.trim_end_matches(char::is_numeric);
        let tab = |kib: u64| if kib < 10_000_000 { "\t" } else { "" };
        let used = m.swap_total - m.swap_free;
        let _ = writeln!(
            text,
            "{:<40}partition\t{}\t{}{used}\t{}-2",
            format!("/dev/{disk}5"),
            m.swap_total,
            tab(m.swap_total),
            tab(used)
        );
    }
    text.into()
}

pub(super) fn modules(_: &Identity, _: SystemTime) -> Vec<u8> {
    let rows = [
        "tls 135168 0 -",
        "intel_rapl_msr 20480 0 -",
        "intel_rapl_common 32768 1 intel_rapl_msr,",
        "kvm_intel 380928 0 -",
        "kvm 1142784 1 kvm_intel,",
        "irqbypass 16384 1 kvm,",
        "ghash_clmulni_intel 16384 0 -",
        "aesni_intel 393216 0 -",
        "crypto_simd 16384 1 aesni_intel,",
        "cryptd 28672 2 ghash_clmulni_intel,crypto_simd,",
        "virtio_balloon 28672 0 -",
        "virtio_console 40960 0 -",
        "qemu_fw_cfg 20480 0 -",
        "button 24576 0 -",
        "evdev 28672 2 -",
        "fuse 176128 1 -",
        "ip_tables 36864 0 -",
        "x_tables 61440 1 ip_tables,",
        "autofs4 53248 2 -",
        "ext4 983040 1 -",
        "crc16 16384 1 ext4,",
        "mbcache 16384 1 ext4,",
        "jbd2 167936 1 ext4,",
        "virtio_net 73728 0 -",
        "net_failover 24576 1 virtio_net,",
        "failover 16384 1 net_failover,",
        "virtio_blk 32768 2 -",
        "virtio_pci 24576 0 -",
    ];
    rows.iter().map(|row| format!("{row} Live 0x0000000000000000\n")).collect::<String>().into()
}

pub(super) fn devices(_: &Identity, _: SystemTime) -> Vec<u8> {
    "Character devices:\n  1 mem\n  4 /dev/vc/0\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n  7 vcs\n 10 misc\n 13 input\n 21 sg\n 29 fb\n128 ptm\n136 pts\n180 usb\n189 usb_device\n202 cpu/msr\n203 cpu/cpuid\n226 drm\n229 hvc\n240 hidraw\n241 vfio\n242 bsg\n243 watchdog\n244 ptp\n245 pps\n246 cec\n247 rtc\n248 dma_heap\n249 dax\n250 dimmctl\n251 ndctl\n252 tpm\n253 gpiochip\n\nBlock devices:\n  7 loop\n  8 sd\n  9 md\n 11 sr\n 65 sd\n 66 sd\n 67 sd\n 68 sd\n 69 sd\n 70 sd\n 71 sd\n128 sd\n129 sd\n130 sd\n131 sd\n132 sd\n133 sd\n134 sd\n135 sd\n253 device-mapper\n254 virtblk\n259 blkext\n".into()
}

/// Bytes and packets received and sent on the interface since boot.
pub(crate) fn traffic(identity: &Identity, now: SystemTime) -> [u64; 4] {
    let up = identity.uptime(now).as_secs();
    let rate = 90 + identity.seed % 700;
    [up * rate * 3 + 81_220_311, up * rate / 90 + 311_020, up * rate + 9_120_443, up * rate / 140 + 120_443]
}

pub(super) fn net_dev(identity: &Identity, now: SystemTime) -> Vec<u8> {
    let [rx, rxp, tx, txp] = traffic(identity, now);
    format!(
        "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo: 1210402    9120    0    0    0     0          0         0  1210402    9120    0    0    0     0       0          0\n{:>6}: {rx} {rxp}    0    0    0     0          0         0 {tx} {txp}    0    0    0     0       0          0\n",
        identity.interface
    )
    .into()
}

pub(super) fn net_route(identity: &Identity, _: SystemTime) -> Vec<u8> {
    let hex = |address: std::net::Ipv4Addr| format!("{:08X}", u32::from_le_bytes(address.octets()));
    let [a, b, c, _] = identity.address.octets();
    let (i, net) = (identity.interface, hex(std::net::Ipv4Addr::new(a, b, c, 0)));
    format!(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n{i}\t00000000\t{}\t0003\t0\t0\t0\t00000000\t0\t0\t0                                                                               \n{i}\t{net}\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0                                                                               \n",
        hex(identity.gateway)
    )
    .into()
}

pub(super) fn net_arp(identity: &Identity, _: SystemTime) -> Vec<u8> {
    format!(
        "IP address       HW type     Flags       HW address            Mask     Device\n{:<17}0x1         0x2         {}     *        {}\n",
        identity.gateway.to_string(),
        identity.gateway_mac,
        identity.interface
    )
    .into()
}
