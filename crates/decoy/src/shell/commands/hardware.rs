//! `lscpu`, `nproc`, `dmesg`, `getconf`.

use std::fmt::Write as _;

use super::{Call, Said};
use crate::machine::files;

pub(super) fn nproc(call: &Call<'_>) -> Said {
    Said::out(format!("{}\n", call.identity().cpu_count))
}

pub(super) fn getconf(call: &Call<'_>) -> Said {
    let identity = call.identity();
    let value = match call.args.first().map(String::as_str) {
        Some("LONG_BIT") => "64".to_owned(),
        Some("_NPROCESSORS_ONLN" | "_NPROCESSORS_CONF") => identity.cpu_count.to_string(),
        Some("PAGE_SIZE" | "PAGESIZE") => "4096".to_owned(),
        Some("_PHYS_PAGES") => (identity.memory_bytes / 4096).to_string(),
        Some("CLK_TCK") => "100".to_owned(),
        Some("ARG_MAX") => "2097152".to_owned(),
        Some("GNU_LIBC_VERSION") => "glibc 2.36".to_owned(),
        Some(name) => return Said::err(format!("getconf: Unrecognized variable `{name}'\n"), 2),
        None => {
            return Said::err(
                "Usage: getconf [-v specification] variable_name [pathname]\n       getconf -a [pathname]\n",
                2,
            );
        }
    };
    Said::out(value + "\n")
}

/// util-linux 2.38.1.
pub(super) fn lscpu(call: &Call<'_>) -> Said {
    let (identity, count) = (call.identity(), call.identity().cpu_count);
    let cpu = &identity.cpu;
    let mhz = f64::from(cpu.khz) / 1000.0;
    let last = count - 1;
    let list = if last == 0 { "0".to_owned() } else { format!("0-{last}") };
    let cache = |kib: u32, instances: u32| {
        let total = kib * instances;
        let size = if total >= 1024 && total.is_multiple_of(1024) {
            format!("{} MiB", total / 1024)
        } else if total >= 1024 {
            format!("{:.1} MiB", f64::from(total) / 1024.0)
        } else {
            format!("{total} KiB")
        };
        format!("{size} ({instances} instance{})", if instances == 1 { "" } else { "s" })
    };
    let virtualization = if cpu.vendor == "GenuineIntel" { ("VT-x", "svm") } else { ("AMD-V", "vmx") }.0;
    let rows: Vec<(&str, String)> = vec![
        ("Architecture:", "x86_64".into()),
        ("  CPU op-mode(s):", "32-bit, 64-bit".into()),
        ("  Address sizes:", "40 bits physical, 48 bits virtual".into()),
        ("  Byte Order:", "Little Endian".into()),
        ("CPU(s):", count.to_string()),
        ("  On-line CPU(s) list:", list.clone()),
        ("Vendor ID:", cpu.vendor.into()),
        ("  Model name:", cpu.name.into()),
        ("    CPU family:", cpu.family.to_string()),
        ("    Model:", cpu.model.to_string()),
        ("    Thread(s) per core:", "1".into()),
        ("    Core(s) per socket:", "1".into()),
        ("    Socket(s):", count.to_string()),
        ("    Stepping:", cpu.stepping.to_string()),
        ("    BogoMIPS:", format!("{:.2}", mhz * 2.0)),
        ("    Flags:", cpu.flags.into()),
        ("Virtualization features:", String::new()),
        ("  Virtualization:", virtualization.into()),
        ("  Hypervisor vendor:", identity.hypervisor.into()),
        ("  Virtualization type:", "full".into()),
        ("Caches (sum of all):", String::new()),
        ("  L1d:", cache(cpu.l1_kib, count)),
        ("  L1i:", cache(cpu.l1_kib, count)),
        ("  L2:", cache(cpu.l2_kib, count)),
        ("  L3:", cache(cpu.l3_kib, count)),
        ("NUMA:", String::new()),
        ("  NUMA node(s):", "1".into()),
        ("  NUMA node0 CPU(s):", list),
        ("Vulnerabilities:", String::new()),
        ("  Itlb multihit:", "Not affected".into()),
        ("  L1tf:", "Not affected".into()),
        ("  Mds:", "Not affected".into()),
        ("  Meltdown:", "Not affected".into()),
        ("  Spec store bypass:", "Mitigation; Speculative Store Bypass disabled via prctl".into()),
        ("  Spectre v1:", "Mitigation; usercopy/swapgs barriers and __user pointer sanitization".into()),
        ("  Srbds:", "Not affected".into()),
        ("  Tsx async abort:", "Not affected".into()),
    ];
    let width = 33;
    let mut text = String::new();
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = if value.is_empty() {
            writeln!(text, "{name:<width$}").map(|()| ())
        } else {
            writeln!(text, "{name:<width$}{value}")
        };
    }
    Said::out(text)
}

pub(super) fn dmesg(call: &Call<'_>) -> Said {
    if !call.is_root() {
        return Said::err("dmesg: read kernel buffer failed: Operation not permitted\n", 1);
    }
    if call.options("").has('c') || call.options("").has('C') {
        return Said::nothing(0);
    }
    Said::out(files::kernel_log(call.identity()))
}
