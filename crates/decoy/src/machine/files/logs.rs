//! Logs that a server has written before the visitor came.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use crate::machine::{Identity, Image, disks, guests, guests::Scene, processes};

/// `/var/log/auth.log` of the last hours: cron's sessions, as rsyslog on Debian 12 writes them (RFC 3339 times).
pub(super) fn auth(scene: &Scene<'_>) -> Vec<u8> {
    let (identity, mut text) = (scene.identity, String::new());
    for at in hours(scene.now) {
        let pid = processes::newest_pid(identity, at);
        let time = DateTime::<Utc>::from(at);
        for (line, micros) in [("opened for user root(uid=0) by (uid=0)", 0), ("closed for user root", 4_112)]
        {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{}.{:06}+00:00 {} CRON[{pid}]: pam_unix(cron:session): session {line}",
                time.format("%Y-%m-%dT%H:%M:%S"),
                moment(identity, at) + micros,
                identity.hostname
            );
        }
    }
    guests::add_to_auth_log(scene, &mut text);
    text.into()
}

/// `/var/log/syslog` of the last hours.
pub(super) fn syslog(identity: &Identity, now: SystemTime) -> String {
    let mut text = String::new();
    for at in hours(now) {
        let _ = writeln!(
            text,
            "{}.{:06}+00:00 {} CRON[{}]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)",
            DateTime::<Utc>::from(at).format("%Y-%m-%dT%H:%M:%S"),
            moment(identity, at) + 1_871,
            identity.hostname,
            processes::newest_pid(identity, at) + 1
        );
    }
    text
}

/// When cron ran `/etc/cron.hourly` in the last day: a second after each seventeenth minute.
fn hours(now: SystemTime) -> impl Iterator<Item = SystemTime> {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let last = seconds.saturating_sub(1021) / 3600 * 3600 + 1021;
    (0..20)
        .rev()
        .map(move |hour| SystemTime::UNIX_EPOCH + Duration::from_secs(last.saturating_sub(hour * 3600)))
}

/// A part of a second, in microseconds, that follows from the hour.
fn moment(identity: &Identity, at: SystemTime) -> u64 {
    let hour = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 3600;
    (identity.seed ^ hour).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 90_000 + 1_000
}

/// The kernel's words at boot, as `dmesg` shows them.
pub(crate) fn kernel(identity: &Identity) -> String {
    let kib = identity.memory_bytes / 1024;
    let disk = identity.disk.trim_end_matches(char::is_numeric);
    let lines: Vec<(f64, String)> = vec![
        (0.0, format!("Linux version {} (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) {}", identity.kernel_release, identity.kernel_version)),
        (0.0, format!("Command line: BOOT_IMAGE=/boot/vmlinuz-{} root=UUID={} ro quiet", identity.kernel_release, identity.disk_uuid)),
        (0.0, "BIOS-provided physical RAM map:".into()),
        (0.0, "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable".into()),
        (0.0, "NX (Execute Disable) protection: active".into()),
        (0.0, "SMBIOS 2.8 present.".into()),
        (0.0, format!("DMI: QEMU {}, BIOS {} 04/01/2014", identity.platform.product, identity.platform.bios)),
        (0.0, "Hypervisor detected: KVM".into()),
        (0.0, "kvm-clock: Using msrs 4b564d01 and 4b564d00".into()),
        (0.000_011, format!("tsc: Detected {}.{:03} MHz processor", identity.cpu.khz / 1000, identity.cpu.khz % 1000)),
        (0.091_245, format!("Memory: {}K/{}K available (14342K kernel code, 2331K rwdata, 9060K rodata, 2796K init, 17392K bss, 88020K reserved, 0K cma-reserved)", kib - 60_000, kib + 70_000)),
        (0.161_220, format!("smpboot: CPU0: {} (family: 0x{:x}, model: 0x{:x}, stepping: 0x{:x})", identity.cpu.name, identity.cpu.family, identity.cpu.model, identity.cpu.stepping)),
        (0.180_112, format!("smp: Brought up 1 node, {} CPU{}", identity.cpu_count, if identity.cpu_count == 1 { "" } else { "s" })),
        (0.511_208, "Booting paravirtualized kernel on KVM".into()),
        (0.902_331, format!("virtio_blk virtio1: [{disk}] {} 512-byte logical blocks", disks::disk(identity).sectors)),
        (0.911_022, format!(" {disk}: {}", identity.disk)),
        (1.520_443, format!("EXT4-fs ({}): mounted filesystem with ordered data mode. Quota mode: none.", identity.disk)),
        (2.101_552, "systemd[1]: systemd 252.38-1~deb12u1 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified)".into()),
        (2.101_690, "systemd[1]: Detected virtualization kvm.".into()),
        (2.101_701, "systemd[1]: Detected architecture x86-64.".into()),
        (2.120_331, format!("systemd[1]: Hostname set to <{}>.", identity.hostname)),
        (3.402_118, "audit: type=1400 audit: apparmor=\"STATUS\" operation=\"profile_load\" profile=\"unconfined\" name=\"lsb_release\"".into()),
        (4.611_208, format!("virtio_net virtio0 {}: renamed from eth0", identity.interface)),
    ];
    lines.iter().fold(String::new(), |mut text, (at, line)| {
        let _ = writeln!(text, "[{at:>12.6}] {line}");
        text
    })
}

/// `/var/log/dpkg.log`: the upgrade before the last boot, of the packages as they are now.
pub(super) fn dpkg(identity: &Identity, image: &Image) -> String {
    let at = identity.boot_time.checked_sub(Duration::from_secs(400)).unwrap_or(identity.boot_time);
    let time = DateTime::<Utc>::from(at).format("%Y-%m-%d %H:%M:%S").to_string();
    let mut text = format!("{time} startup archives unpack\n");
    let kernel = format!("linux-image-{}", identity.kernel_release);
    for package in
        ["base-files", "openssh-server", "openssh-client", &kernel, "linux-image-amd64", "nginx", "postfix"]
    {
        if let Some(version) = image.packages().version(package) {
            let _ = writeln!(text, "{time} configure {package}:amd64 {version} <none>");
            for status in ["unpacked", "half-configured", "installed"] {
                let _ = writeln!(text, "{time} status {status} {package}:amd64 {version}");
            }
        }
    }
    text
}
