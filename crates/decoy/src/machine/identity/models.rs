//! Kernels and processors that a machine may have.

use super::Cpu;

pub(super) type Kernel = (&'static str, &'static str, &'static str);

pub(super) const FALLBACK_KERNEL: Kernel =
    ("12.13", "6.1.0-42-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.159-1 (2025-12-30)");

/// Point release, package ABI name and version string of Debian 12 kernels (changelog of linux-signed-amd64).
pub(super) const KERNELS: &[Kernel] = &[
    ("12.9", "6.1.0-30-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.124-1 (2025-01-12)"),
    ("12.9", "6.1.0-31-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.128-1 (2025-02-07)"),
    ("12.10", "6.1.0-32-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1 (2025-03-06)"),
    ("12.10", "6.1.0-34-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.135-1 (2025-04-25)"),
    ("12.11", "6.1.0-35-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.137-1 (2025-05-07)"),
    ("12.11", "6.1.0-37-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)"),
];

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
