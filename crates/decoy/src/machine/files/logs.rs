//! Logs that a server has written before the visitor came.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use super::knocks;
use crate::machine::{Identity, Image, disks, guests, guests::Scene, processes};

/// Lines with their times, in order.
type Lines = Vec<(SystemTime, String)>;

fn written(mut lines: Lines) -> String {
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// `/var/log/auth.log` of this week: cron's sessions and what knocks at sshd, as rsyslog on Debian 12 writes them (RFC 3339
/// times), and the visitor's own logins.
pub(super) fn auth(scene: &Scene<'_>) -> Vec<u8> {
    let identity = scene.identity;
    let mut lines = knocks::ssh(identity, knocks::week(scene.now), scene.now);
    for at in hours(scene.now) {
        let pid = processes::newest_pid(identity, at);
        let time = DateTime::<Utc>::from(at);
        for (line, micros) in [("opened for user root(uid=0) by (uid=0)", 0), ("closed for user root", 4_112)]
        {
            let line = format!(
                "{}.{:06}+00:00 {} CRON[{pid}]: pam_unix(cron:session): session {line}\n",
                time.format("%Y-%m-%dT%H:%M:%S"),
                moment(identity, at) + micros,
                identity.hostname
            );
            lines.push((at, line));
        }
    }
    let mut text = written(lines);
    guests::add_to_auth_log(scene, &mut text);
    text.into()
}

/// `/var/log/cron.log` of this week.
pub(super) fn cron(scene: &Scene<'_>) -> Vec<u8> {
    written(jobs(scene)).into()
}

fn jobs(scene: &Scene<'_>) -> Lines {
    let identity = scene.identity;
    let line = |at: SystemTime| {
        format!(
            "{}.{:06}+00:00 {} CRON[{}]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)\n",
            DateTime::<Utc>::from(at).format("%Y-%m-%dT%H:%M:%S"),
            moment(identity, at) + 1_871,
            identity.hostname,
            processes::newest_pid(identity, at) + 1
        )
    };
    hours(scene.now).map(|at| (at, line(at))).collect()
}

/// `/var/log/mail.log` of this week.
pub(super) fn mail(scene: &Scene<'_>) -> Vec<u8> {
    written(knocks::mail(scene.identity, knocks::week(scene.now), scene.now)).into()
}

/// `/var/log/syslog` of this week: everything but what is private.
pub(super) fn syslog(scene: &Scene<'_>) -> Vec<u8> {
    let mut lines = jobs(scene);
    lines.extend(knocks::mail(scene.identity, knocks::week(scene.now), scene.now));
    written(lines).into()
}

/// `/var/log/nginx/access.log` of this day.
pub(super) fn access(scene: &Scene<'_>) -> Vec<u8> {
    knocks::access(scene.identity, knocks::day(scene.now), scene.now).into()
}

/// The same of the day before.
pub(super) fn access_before(scene: &Scene<'_>) -> Vec<u8> {
    let end = knocks::day(scene.now);
    knocks::access(scene.identity, end - Duration::from_secs(24 * 3600), end).into()
}

/// When cron ran `/etc/cron.hourly` this week: a second after each seventeenth minute.
fn hours(now: SystemTime) -> impl Iterator<Item = SystemTime> {
    let seconds = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (first, now) = (seconds(knocks::week(now)), seconds(now));
    (0..168)
        .map(move |hour| first + hour * 3600 + 1021)
        .filter(move |at| *at < now)
        .map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at))
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
    let layout = disks::disk(identity);
    let sectors = layout.sectors;
    let part = |part: &disks::Part| match part.what {
        disks::Use::Extended => format!("{} <", part.name),
        disks::Use::Swap => format!("{} >", part.name),
        disks::Use::Root => part.name.clone(),
    };
    let parts = layout.parts.iter().map(part).collect::<Vec<_>>().join(" ");
    let mut lines: Vec<(f64, String)> = vec![
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
        (0.902_331, if disk.starts_with("vd") {
            format!("virtio_blk virtio1: [{disk}] {sectors} 512-byte logical blocks ({:.1} GB/{} GiB)", sectors as f64 * 512e-9, sectors >> 21)
        } else {
            format!("sd 2:0:0:0: [{disk}] {sectors} 512-byte logical blocks: ({:.1} GB/{} GiB)", sectors as f64 * 512e-9, sectors >> 21)
        }),
        (0.911_022, format!(" {disk}: {parts}")),
        (1.520_443, format!("EXT4-fs ({}): mounted filesystem with ordered data mode. Quota mode: none.", identity.disk)),
        (2.101_552, "systemd[1]: systemd 252.38-1~deb12u1 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified)".into()),
        (2.101_690, "systemd[1]: Detected virtualization kvm.".into()),
        (2.101_701, "systemd[1]: Detected architecture x86-64.".into()),
        (2.120_331, format!("systemd[1]: Hostname set to <{}>.", identity.hostname)),
        (3.402_118, "audit: type=1400 audit: apparmor=\"STATUS\" operation=\"profile_load\" profile=\"unconfined\" name=\"lsb_release\"".into()),
        (4.611_208, format!("virtio_net virtio0 {}: renamed from eth0", identity.interface)),
    ];
    if identity.interface == "eth0" {
        lines.pop();
    }
    if identity.swap_bytes > 0 {
        let (name, kib) = (format!("{disk}5"), identity.swap_bytes / 1024);
        lines.push((
            4.702_114,
            format!("Adding {kib}k swap on /dev/{name}.  Priority:-2 extents:1 across:{kib}k FS"),
        ));
    }
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
