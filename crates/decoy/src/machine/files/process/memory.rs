//! What a process has in memory: `maps` and `smaps`.

use std::fmt::Write as _;

/// The mapped files of a program (proc(5)); `inode` tells the program's file from others.
pub(super) fn maps(program: &str) -> String {
    let spot = program.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let base = 0x5500_0000_0000 + (spot % 0xff_ffff) * 0x1000;
    let libc = 0x7f00_0000_0000 + (spot % 0xf_ffff) * 0x10_0000;
    let stack = 0x7ffc_0000_0000 + (spot % 0xff_ffff) * 0x100;
    let inode = 131_073 + spot % 90_000;
    let mut text = String::new();
    let mut row = |from: u64, pages: u64, rights: &str, offset: u64, inode: u64, name: &str| {
        let place = if inode == 0 { "00:00" } else { "fe:01" };
        let head = format!("{from:08x}-{:08x} {rights} {offset:08x} {place} {inode} ", from + pages * 0x1000);
        let _ = writeln!(text, "{head:<73}{name}");
    };
    row(base, 2, "r--p", 0, inode, program);
    row(base + 0x2000, 5, "r-xp", 0x2000, inode, program);
    row(base + 0x7000, 2, "r--p", 0x7000, inode, program);
    row(base + 0x9000, 1, "r--p", 0x8000, inode, program);
    row(base + 0xa000, 1, "rw-p", 0x9000, inode, program);
    row(base + 0x1_f3a_000, 33, "rw-p", 0, 0, "[heap]");
    const LIBC: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";
    row(libc, 38, "r--p", 0, 135_942, LIBC);
    row(libc + 0x26_000, 341, "r-xp", 0x26_000, 135_942, LIBC);
    row(libc + 0x17b_000, 83, "r--p", 0x17b_000, 135_942, LIBC);
    row(libc + 0x1ce_000, 4, "r--p", 0x1ce_000, 135_942, LIBC);
    row(libc + 0x1d2_000, 2, "rw-p", 0x1d2_000, 135_942, LIBC);
    const LINKER: &str = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    row(libc + 0x1f0_000, 1, "r--p", 0, 135_939, LINKER);
    row(libc + 0x1f1_000, 37, "r-xp", 0x1000, 135_939, LINKER);
    row(libc + 0x216_000, 10, "r--p", 0x26_000, 135_939, LINKER);
    row(libc + 0x220_000, 2, "r--p", 0x30_000, 135_939, LINKER);
    row(libc + 0x222_000, 2, "rw-p", 0x32_000, 135_939, LINKER);
    row(stack, 33, "rw-p", 0, 0, "[stack]");
    row(stack + 0x30_000, 4, "r--p", 0, 0, "[vvar]");
    row(stack + 0x34_000, 2, "r-xp", 0, 0, "[vdso]");
    text
}

/// The same with what each mapping holds.
pub(super) fn smaps(program: &str) -> String {
    let mut text = String::new();
    for line in maps(program).lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap_or_default();
        let size = range.map_or(0, |(from, to)| (number(to) - number(from)) / 1024);
        let resident = size / 2;
        let _ = writeln!(text, "{line}");
        for (name, kib) in [
            ("Size", size),
            ("KernelPageSize", 4),
            ("MMUPageSize", 4),
            ("Rss", resident),
            ("Pss", resident / 3),
            ("Pss_Dirty", 0),
            ("Shared_Clean", resident),
            ("Shared_Dirty", 0),
            ("Private_Clean", 0),
            ("Private_Dirty", 0),
            ("Referenced", resident),
            ("Anonymous", 0),
            ("LazyFree", 0),
            ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0),
            ("FilePmdMapped", 0),
            ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0),
            ("Swap", 0),
            ("SwapPss", 0),
            ("Locked", 0),
        ] {
            let _ = writeln!(text, "{:<16}{kib:>8} kB", format!("{name}:"));
        }
        text.push_str("THPeligible:    0\nVmFlags: rd mr mw me sd \n");
    }
    text
}
