//! Who the machine is: drawn once from the bucket's secret, the same for life.

mod draw;
mod models;
mod network;
mod users;
mod versions;

use std::{
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use super::Image;
pub use super::logins::Account;
use draw::Lot;
pub use models::Platform;
use models::{CPUS, FALLBACK_CPU, FALLBACK_KERNEL, PLATFORMS};
use network::{draw_domain, draw_gateway_mac, draw_hostname, draw_mac, draw_network};
pub(super) use versions::Packages;

/// One processor model, as `/proc/cpuinfo` and `lscpu` show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// `GenuineIntel` or `AuthenticAMD`.
    pub vendor: &'static str,
    /// `model name` in `/proc/cpuinfo`.
    pub name: &'static str,
    /// CPU family.
    pub family: u32,
    /// Model number.
    pub model: u32,
    /// Stepping.
    pub stepping: u32,
    /// Microcode revision.
    pub microcode: &'static str,
    /// Clock in kHz.
    pub khz: u32,
    /// Level 1 cache (data; instructions the same) in KiB per core.
    pub l1_kib: u32,
    /// Level 2 cache in KiB per core.
    pub l2_kib: u32,
    /// Level 3 cache in KiB for all cores.
    pub l3_kib: u32,
    /// The `flags` line.
    pub flags: &'static str,
    /// The `bugs` line.
    pub bugs: &'static str,
}

/// The public half of an SSH host key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// `rsa`, `ecdsa` or `ed25519`, as in the file's name.
    pub kind: &'static str,
    /// Algorithm name and key in base64, as in a `.pub` file, without a comment.
    pub line: String,
}

/// The machine's particulars. Everything a visitor can ask for follows from this and the clock.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Short host name.
    pub hostname: String,
    /// Domain, may be empty.
    pub domain: String,
    /// `/etc/machine-id`: 32 lower-case hex digits.
    pub machine_id: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// Address of the network interface.
    pub address: Ipv4Addr,
    /// Prefix length of that address.
    pub prefix: u8,
    /// Default gateway.
    pub gateway: Ipv4Addr,
    /// Link-local IPv6 address that follows from the MAC (RFC 4291, appendix A).
    pub link_local: String,
    /// What it runs on: names of hypervisor, disk and interface, and makers.
    pub platform: Platform,
    /// Name of the network interface.
    pub interface: &'static str,
    /// MAC address, colon separated lower-case hex.
    pub mac: String,
    /// MAC address of the gateway.
    pub gateway_mac: String,
    /// UUID of the board, as `dmidecode` shows it.
    pub product_uuid: String,
    /// Serial number of the disk.
    pub disk_serial: String,
    /// UUID of the swap partition.
    pub swap_uuid: String,
    /// Processor model.
    pub cpu: Cpu,
    /// Number of processors.
    pub cpu_count: u32,
    /// Hypervisor vendor as `lscpu` names it.
    pub hypervisor: &'static str,
    /// Memory as the kernel sees it (`MemTotal`), in bytes.
    pub memory_bytes: u64,
    /// Swap, in bytes; 0 for none.
    pub swap_bytes: u64,
    /// Size of the root file system, in bytes.
    pub disk_bytes: u64,
    /// Share of the root file system in use, in thousandths.
    pub disk_used_permille: u32,
    /// Root device without `/dev/`: `sda1`, `vda1`.
    pub disk: &'static str,
    /// UUID of the root file system.
    pub disk_uuid: String,
    /// `uname -r`.
    pub kernel_release: String,
    /// `uname -v`.
    pub kernel_version: String,
    /// `uname -m`.
    pub arch: &'static str,
    /// All of `/etc/passwd`, in order.
    pub users: Vec<Account>,
    base_groups: Vec<users::Group>,
    /// When the machine was booted.
    pub boot_time: SystemTime,
    /// When the machine was installed.
    pub installed: SystemTime,
    /// What Postfix calls itself (`myhostname`).
    pub mail_domain: String,
    /// `/etc/debian_version`.
    pub debian_version: String,
    /// OpenSSH version and Debian revision, as in the banner after `OpenSSH_`.
    pub openssh: String,
    /// vsftpd version, as in its banner.
    pub vsftpd: String,
    /// Postfix version.
    pub postfix: String,
    /// nginx version, as in its `Server` header after `nginx/`.
    pub nginx: String,
    /// Programs beyond those of the image, which the operator named; what they say is asked for.
    pub programs: Vec<String>,
    /// Directories that the operator named: they exist, and what is in them is asked for.
    pub directories: Vec<String>,
    /// Verbs after `SITE` that the FTP daemon hands to a script, in capitals.
    pub site_verbs: Vec<String>,
    /// Names whose mail the mail server pipes to a program of the same name.
    pub piped_mail: Vec<String>,
    /// SSH host keys, as `/etc/ssh` shows them; none unless the sensor says what it serves with.
    pub host_keys: Vec<HostKey>,
    /// The certificate of STARTTLS in PEM (RFC 7468), as `/etc/ssl/certs` shows it; empty if there is none.
    pub certificate: String,
    /// Number that other parts draw their own details from.
    pub seed: u64,
}

const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * KIB;
const DAY: u64 = 86_400;

/// 2024-02-10: when the first of our machines was installed.
const FIRST_INSTALL: u64 = 1_707_523_200;

impl Identity {
    /// Draws a Debian 12 machine from the bucket's secret; see [`draw_on`](Identity::draw_on).
    pub fn draw(
        secret: &[u8],
        now: SystemTime,
        hostname: Option<String>,
        users: Option<Vec<String>>,
    ) -> Self {
        Self::draw_on(Image::debian_12(), secret, now, hostname, users)
    }

    /// Draws a machine from the bucket's secret. The same secret and image give the same machine for ever; `now` only
    /// decides which of its regular reboots was the last one. `hostname` and `users` (names beside root and those of
    /// the image) replace what would be drawn. Versions are those of the image's packages.
    pub fn draw_on(
        image: &Image,
        secret: &[u8],
        now: SystemTime,
        hostname: Option<String>,
        users: Option<Vec<String>>,
    ) -> Self {
        let lot = Lot::new(secret);
        let now_seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let (given_domain, hostname) = match hostname {
            Some(name) => match name.split_once('.') {
                Some((host, domain)) => (Some(domain.to_owned()), host.to_owned()),
                None => (None, name),
            },
            None => (None, draw_hostname(&lot)),
        };
        let domain = given_domain.unwrap_or_else(|| draw_domain(&lot));
        let mail_domain = if domain.is_empty() {
            format!("{hostname}.localdomain")
        } else {
            format!("{hostname}.{domain}")
        };
        let cpu = lot.pick("cpu", CPUS).copied().unwrap_or(FALLBACK_CPU);
        let cpu_count = lot.pick("cpus", &[1, 2, 2, 2, 4, 4, 8]).copied().unwrap_or(2);
        let nominal_gib = u64::from(cpu_count) * lot.pick("memory", &[1_u64, 2, 2, 4]).copied().unwrap_or(2);
        let reserved_kib = 60_000 + nominal_gib * 17_000 + lot.below("reserved", 9_000);
        let memory_bytes = (nominal_gib * GIB / KIB).saturating_sub(reserved_kib) * KIB;
        let swap_bytes =
            // The installer's share; what is written down of it takes a page (mkswap(8)).
            if lot.below("swap", 3) == 0 { 0 } else { ((974 + lot.below("swap-size", 3)) * KIB - 4) * KIB };
        let disk_gib = lot.pick("disk", &[20_u64, 25, 40, 50, 80, 80, 160]).copied().unwrap_or(40);
        let (address, gateway) = draw_network(&lot);
        let platform = lot.pick("platform", PLATFORMS).copied().unwrap_or(models::FALLBACK_PLATFORM);
        let (mac, link_local) = draw_mac(&lot, platform.maker);
        let (kernel_release, kernel_version) = kernel(&image.about().kernel);
        let packages = image.packages();
        // Nobody runs a kernel that was not there yet when the machine was booted.
        let built = kernel_date(&kernel_version).map_or(0, |date| date + DAY + lot.below("upgrade", 3 * DAY));
        let boot = match last_boot(&lot, now_seconds) {
            boot if boot < built && built < now_seconds => built,
            boot => boot,
        };
        let installed =
            (FIRST_INSTALL + lot.below("installed", 300 * DAY)).min(now_seconds.saturating_sub(40 * DAY));
        Self {
            programs: Vec::new(),
            directories: Vec::new(),
            site_verbs: Vec::new(),
            piped_mail: Vec::new(),
            users: users::draw(&lot, users, image),
            base_groups: users::base_groups(image),
            boot_time: SystemTime::UNIX_EPOCH + Duration::from_secs(boot),
            installed: SystemTime::UNIX_EPOCH + Duration::from_secs(installed),
            machine_id: lot.hex("machine-id", 32),
            boot_id: lot.uuid(&format!("boot-id {boot}")),
            disk_uuid: lot.uuid("disk"),
            swap_uuid: lot.uuid("swap"),
            product_uuid: lot.uuid("product"),
            disk_serial: draw_serial(&lot, &platform),
            gateway_mac: draw_gateway_mac(&lot),
            disk_used_permille: 90 + lot.below("disk-used", 460) as u32,
            disk_bytes: (disk_gib * GIB - swap_bytes - 3 * KIB * KIB) * 977 / 1000 / 4096 * 4096,
            host_keys: Vec::new(),
            certificate: String::new(),
            seed: lot.below("seed", u64::MAX),
            hostname,
            domain,
            mail_domain,
            address,
            prefix: 24,
            gateway,
            link_local,
            interface: platform.interface,
            mac,
            cpu,
            cpu_count,
            hypervisor: platform.hypervisor,
            memory_bytes,
            swap_bytes,
            disk: platform.disk,
            platform,
            kernel_release,
            kernel_version,
            arch: "x86_64",
            debian_version: image
                .text("/etc/debian_version")
                .map_or_else(|| "12".to_owned(), |text| text.trim().to_owned()),
            openssh: packages.openssh(),
            vsftpd: packages.upstream("vsftpd", "3.0.3"),
            postfix: packages.upstream("postfix", "3.7.11"),
            nginx: packages.upstream("nginx", "1.22.1"),
        }
    }

    /// A user who can log in: one with a real shell. Everybody else is refused.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.users.iter().find(|user| user.name == name && has_real_shell(user))
    }

    /// Any user of `/etc/passwd`, by number.
    pub fn account_by_uid(&self, uid: u32) -> Option<&Account> {
        self.users.iter().find(|user| user.uid == uid)
    }

    /// Any user of `/etc/passwd`, whether they can log in or not.
    pub fn user(&self, name: &str) -> Option<&Account> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The groups of `/etc/group`: name, number, members.
    pub fn groups(&self) -> Vec<(String, u32, Vec<String>)> {
        users::groups(&self.base_groups, &self.users)
    }

    /// The number of a group; root's if there is none of this name.
    pub fn group_id(&self, name: &str) -> u32 {
        self.base_groups.iter().find(|group| group.0 == name).map_or(0, |group| group.1)
    }

    /// Host name with domain, as `hostname -f` gives it.
    pub fn full_name(&self) -> String {
        if self.domain.is_empty() {
            self.hostname.clone()
        } else {
            format!("{}.{}", self.hostname, self.domain)
        }
    }

    /// The link-local address as 32 hex digits, as `/proc/net/if_inet6` has it.
    pub fn link_local_hex(&self) -> String {
        let address: Option<std::net::Ipv6Addr> = self.link_local.parse().ok();
        address.map_or_else(String::new, |address| format!("{:032x}", u128::from(address)))
    }

    /// A version 4 UUID that is another at each moment, as `/proc/sys/kernel/random/uuid` gives.
    pub fn random_uuid(&self, now: SystemTime) -> String {
        let moment = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        Lot::new(&self.seed.to_be_bytes()).uuid(&format!("random {moment}"))
    }

    /// The same machine, booted at this time.
    pub(crate) fn rebooted(&self, at: SystemTime) -> Self {
        Self { boot_time: at, boot_id: self.random_uuid(at), ..self.clone() }
    }

    /// Time since boot.
    pub fn uptime(&self, now: SystemTime) -> Duration {
        now.duration_since(self.boot_time).unwrap_or_default()
    }
}

fn has_real_shell(user: &Account) -> bool {
    user.shell.ends_with("/bash") || user.shell.ends_with("/sh")
}

/// The machine is rebooted at a regular interval of its own (updates), so a restarted bucket shows the same uptime.
fn last_boot(lot: &Lot, now: u64) -> u64 {
    let interval = (21 + lot.below("boot-interval", 120)) * DAY;
    let phase = lot.below("boot-phase", interval);
    let since = (now.saturating_sub(phase)) % interval;
    now.saturating_sub(since)
}

/// What the disk says of itself: virtio disks have the serial number that the host gives, emulated ones QEMU's count.
fn draw_serial(lot: &Lot, platform: &Platform) -> String {
    if platform.disk.starts_with("vd") { lot.hex("serial", 20) } else { "drive-scsi0".to_owned() }
}

/// When a kernel was built, in seconds since 1970: its version ends in `(2025-05-22)`.
fn kernel_date(version: &str) -> Option<u64> {
    let date = version.rsplit_once('(')?.1.strip_suffix(')')?;
    let date: chrono::NaiveDate = date.parse().ok()?;
    date.and_hms_opt(0, 0, 0)?.and_utc().timestamp().try_into().ok()
}

/// `uname -r` and `uname -v` from the kernel's version line: `RELEASE (BUILDER) #1 SMP …`.
fn kernel(line: &str) -> (String, String) {
    let (release, version) = FALLBACK_KERNEL;
    match (line.split_once(' '), line.find('#')) {
        (Some((release, _)), Some(at)) => (release.to_owned(), line.get(at..).unwrap_or(version).to_owned()),
        _ => (release.to_owned(), version.to_owned()),
    }
}

#[cfg(test)]
mod tests;
