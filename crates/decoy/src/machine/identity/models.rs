//! Kernels and processors that a machine may have.

use super::Cpu;

/// What a virtual machine runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Hypervisor as `lscpu` names it.
    pub hypervisor: &'static str,
    /// Root device without `/dev/`.
    pub disk: &'static str,
    /// Name of the network interface.
    pub interface: &'static str,
    /// First half of the MAC address (IEEE registration authority; 52:54:00 is QEMU's own).
    pub maker: [u8; 3],
    /// `product_name` of the board.
    pub product: &'static str,
    /// `bios_version`.
    pub bios: &'static str,
}

const QEMU: [u8; 3] = [0x52, 0x54, 0x00];
/// Proxmox Server Solutions GmbH
const PROXMOX: [u8; 3] = [0xbc, 0x24, 0x11];
const Q35: &str = "Standard PC (Q35 + ICH9, 2009)";
const I440: &str = "Standard PC (i440FX + PIIX, 1996)";

pub(super) const FALLBACK_PLATFORM: Platform = Platform {
    hypervisor: "KVM",
    disk: "vda1",
    interface: "ens3",
    maker: QEMU,
    product: I440,
    bios: "1.16.2-debian-1.16.2-1",
};

/// Names that go together: interfaces are named by slot (systemd.net-naming-scheme(7)), disks by driver.
pub(super) const PLATFORMS: &[Platform] = &[
    FALLBACK_PLATFORM,
    Platform { interface: "enp1s0", product: Q35, ..FALLBACK_PLATFORM },
    Platform { interface: "eth0", bios: "1.14.0-2", ..FALLBACK_PLATFORM },
    Platform {
        disk: "sda1",
        interface: "ens18",
        maker: PROXMOX,
        bios: "rel-1.16.3-0-ga6ed6b701f0a-prebuilt.qemu.org",
        ..FALLBACK_PLATFORM
    },
    Platform {
        disk: "sda1",
        interface: "enp6s18",
        maker: PROXMOX,
        product: Q35,
        bios: "rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org",
        ..FALLBACK_PLATFORM
    },
    Platform { disk: "sda1", interface: "eth0", product: Q35, bios: "1.16.0-4.fc39", ..FALLBACK_PLATFORM },
];

/// `uname -r` and `uname -v` of an image without a kernel (changelog of linux-signed-amd64).
pub(super) const FALLBACK_KERNEL: (&str, &str) =
    ("6.1.0-37-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)");

const INTEL_FLAGS: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht syscall nx pdpe1gb rdtscp lm constant_tsc arch_perfmon rep_good nopl xtopology cpuid tsc_known_freq pni pclmulqdq vmx ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm abm 3dnowprefetch cpuid_fault invpcid_single ssbd ibrs ibpb stibp ibrs_enhanced tpr_shadow vnmi flexpriority ept vpid ept_ad fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl xsaveopt xsavec xgetbv1 xsaves arat umip pku ospke avx512_vnni md_clear arch_capabilities";
const AMD_FLAGS: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx mmxext fxsr_opt pdpe1gb rdtscp lm rep_good nopl cpuid extd_apicid tsc_known_freq pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm svm cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw topoext perfctr_core ssbd ibrs ibpb stibp vmmcall fsgsbase tsc_adjust bmi1 avx2 smep bmi2 rdseed adx smap clflushopt clwb sha_ni xsaveopt xsavec xgetbv1 xsaves clzero xsaveerptr wbnoinvd arat npt nrip_save umip rdpid arch_capabilities";
const INTEL_BUGS: &str =
    "spectre_v1 spectre_v2 spec_store_bypass swapgs taa mmio_stale_data retbleed eibrs_pbrsb gds bhi";
const AMD_BUGS: &str =
    "sysret_ss_attrs null_seg spectre_v1 spectre_v2 spec_store_bypass retbleed smt_rsb srso";

pub(super) const FALLBACK_CPU: Cpu = Cpu {
    vendor: "GenuineIntel",
    name: "Intel(R) Xeon(R) Gold 6226R CPU @ 2.90GHz",
    family: 6,
    model: 85,
    stepping: 7,
    microcode: "0x5003604",
    khz: 2_893_202,
    l1_kib: 32,
    l2_kib: 4096,
    l3_kib: 16_384,
    flags: INTEL_FLAGS,
    bugs: INTEL_BUGS,
};

pub(super) const CPUS: &[Cpu] = &[
    FALLBACK_CPU,
    Cpu {
        name: "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        khz: 2_494_138,
        microcode: "0x1",
        ..FALLBACK_CPU
    },
    Cpu {
        name: "Intel(R) Xeon(R) Platinum 8280 CPU @ 2.70GHz",
        khz: 2_693_670,
        microcode: "0x1",
        ..FALLBACK_CPU
    },
    Cpu {
        name: "Intel Xeon Processor (Cascadelake)",
        stepping: 6,
        khz: 2_294_606,
        microcode: "0x1",
        ..FALLBACK_CPU
    },
    Cpu {
        vendor: "AuthenticAMD",
        name: "AMD EPYC 7543 32-Core Processor",
        family: 25,
        model: 1,
        stepping: 1,
        microcode: "0xa0011d1",
        khz: 2_794_748,
        l1_kib: 64,
        l2_kib: 512,
        l3_kib: 32_768,
        flags: AMD_FLAGS,
        bugs: AMD_BUGS,
    },
    Cpu {
        vendor: "AuthenticAMD",
        name: "AMD EPYC-Rome Processor",
        family: 23,
        model: 49,
        stepping: 0,
        microcode: "0x830107c",
        khz: 2_445_404,
        l1_kib: 32,
        l2_kib: 512,
        l3_kib: 16_384,
        flags: AMD_FLAGS,
        bugs: AMD_BUGS,
    },
];
