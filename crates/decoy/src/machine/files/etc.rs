//! Texts of `/etc` that name this machine.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::machine::{Identity, identity::HostKey};

pub(super) fn passwd(identity: &Identity) -> String {
    let mut text = String::new();
    for user in &identity.users {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}:x:{}:{}:{}:{}:{}",
            user.name, user.uid, user.gid, user.gecos, user.home, user.shell
        );
    }
    text
}

pub(super) fn group(identity: &Identity) -> String {
    let mut text = String::new();
    for (name, gid, members) in identity.groups() {
        let _ = writeln!(text, "{name}:x:{gid}:{}", members.join(","));
    }
    text
}

pub(super) fn gshadow(identity: &Identity) -> String {
    let mut text = String::new();
    for (name, gid, members) in identity.groups() {
        let mark = if (1000..60_000).contains(&gid) { "!" } else { "*" };
        let _ = writeln!(text, "{name}:{mark}::{}", members.join(","));
    }
    text
}

/// Password hashes in yescrypt's form (crypt(5)) that no password fits: they are drawn, not computed.
pub(super) fn shadow(identity: &Identity) -> String {
    let installed =
        identity.installed.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    let mut text = String::new();
    for (number, user) in identity.users.iter().enumerate() {
        let hash = if identity.account(&user.name).is_some() && user.name != "postgres" {
            format!(
                "$y$j9T${}${}",
                letters(identity.seed, number as u64, 22),
                letters(identity.seed, 77 + number as u64, 43)
            )
        } else if user.name.starts_with("systemd-") {
            // Made by systemd-sysusers(8).
            "!*".to_owned()
        } else if user.uid >= 100 && user.uid < 1000 {
            "!".to_owned()
        } else {
            "*".to_owned()
        };
        let rest = if user.uid >= 100 && user.uid < 1000 { "::::::" } else { ":0:99999:7:::" };
        let _ = writeln!(text, "{}:{hash}:{installed}{}", user.name, rest.get(..).unwrap_or_default());
    }
    text
}

/// `count` characters of crypt's alphabet that follow from a number.
pub(super) fn letters(seed: u64, salt: u64, count: usize) -> String {
    const ALPHABET: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(ALPHABET.get((state >> 58) as usize).copied().map_or('.', char::from));
    }
    text
}

/// `ssh_host_*_key.pub` as `ssh-keygen -A` writes it.
pub(super) fn public_key(identity: &Identity, key: &HostKey) -> String {
    format!("{} root@{}\n", key.line, identity.hostname)
}

/// A private key file in OpenSSH's own format (PROTOCOL.key) with the true public half and a drawn private one: what
/// the daemon really signs with is nobody's to read.
pub(super) fn private_key(identity: &Identity, key: &HostKey) -> String {
    let public = key.line.split(' ').nth(1).and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let mut body = b"openssh-key-v1\0".to_vec();
    let field = |body: &mut Vec<u8>, bytes: &[u8]| {
        body.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        body.extend_from_slice(bytes);
    };
    field(&mut body, b"none");
    field(&mut body, b"none");
    field(&mut body, b"");
    body.extend_from_slice(&1_u32.to_be_bytes());
    field(&mut body, &public);
    // Bytes of the private section that ssh-keygen of OpenSSH 9.2 makes for a comment `root@HOST`, rounded up to eight.
    let length = match key.kind {
        "rsa" => 1_440,
        "ecdsa" => 152,
        _ => 124,
    } + identity.hostname.len();
    let mut private = Vec::with_capacity(length + 8);
    let check = (identity.seed as u32).to_be_bytes();
    private.extend_from_slice(&check);
    private.extend_from_slice(&check);
    private.extend_from_slice(public.get(..).unwrap_or_default());
    let drawn = letters(identity.seed ^ public.len() as u64, 0x006b_6579, length);
    private.extend(drawn.bytes().zip(public.iter().cycle()).map(|(one, two)| one.wrapping_mul(31) ^ two));
    private.truncate(length.next_multiple_of(8));
    field(&mut body, &private);
    let text = STANDARD.encode(body);
    let mut lines = String::from("-----BEGIN OPENSSH PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(70) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines + "-----END OPENSSH PRIVATE KEY-----\n"
}

pub(super) fn hosts(identity: &Identity) -> String {
    let host = &identity.hostname;
    let own = if identity.domain.is_empty() {
        host.clone()
    } else {
        format!("{}.{}\t{host}", host, identity.domain)
    };
    format!(
        "127.0.0.1\tlocalhost\n127.0.1.1\t{own}\n\n# The following lines are desirable for IPv6 capable hosts\n\
         ::1     localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
    )
}

pub(super) fn resolv_conf(identity: &Identity) -> String {
    let domain =
        if identity.domain.is_empty() { String::new() } else { format!("search {}\n", identity.domain) };
    format!("{domain}nameserver {}\n", identity.gateway)
}

pub(super) fn fstab(identity: &Identity) -> String {
    let disk = identity.disk.trim_end_matches(char::is_numeric);
    let mut text = format!(
        "# /etc/fstab: static file system information.\n#\n# Use 'blkid' to print the universally unique identifier for a\n\
         # device; this may be used with UUID= as a more robust way to name devices\n\
         # that works even if disks are added and removed. See fstab(5).\n#\n\
         # systemd generates mount units based on this file, see systemd.mount(5).\n\
         # Please run 'systemctl daemon-reload' after making changes here.\n#\n\
         # <file system> <mount point>   <type>  <options>       <dump>  <pass>\n\
         # / was on /dev/{} during installation\nUUID={} /               ext4    errors=remount-ro 0       1\n",
        identity.disk, identity.disk_uuid
    );
    if identity.swap_bytes > 0 {
        let _ = writeln!(
            text,
            "# swap was on /dev/{disk}5 during installation\nUUID={} none            swap    sw              0       0",
            identity.swap_uuid
        );
    }
    text
}

pub(super) fn interfaces(identity: &Identity) -> String {
    format!(
        "# This file describes the network interfaces available on your system\n\
         # and how to activate them. For more information, see interfaces(5).\n\n\
         source /etc/network/interfaces.d/*\n\n# The loopback network interface\nauto lo\niface lo inet loopback\n\n\
         # The primary network interface\nallow-hotplug {0}\niface {0} inet static\n\taddress {1}/{2}\n\tgateway {3}\n\
         \t# dns-* options are implemented by the resolvconf package, if installed\n\tdns-nameservers {3}\n",
        identity.interface, identity.address, identity.prefix, identity.gateway
    )
}

/// aliases(5) as Debian's Postfix comes with it, and the programs that take mail here (local(8), "EXTERNAL COMMAND DELIVERY").
pub(super) fn aliases(identity: &Identity) -> String {
    let piped = identity.piped_mail.iter().map(|name| format!("{name}: \"|/usr/local/bin/{name}\"\n"));
    std::iter::once("# See man 5 aliases for format\npostmaster:    root\n".to_owned()).chain(piped).collect()
}

pub(super) fn postfix_main(identity: &Identity) -> String {
    format!(
        "# See /usr/share/postfix/main.cf.dist for a commented, more complete version\n\n\n\
         # Debian specific:  Specifying a file name will cause the first\n# line of that file to be used as the name.  The Debian default\n\
         # is /etc/mailname.\n#myorigin = /etc/mailname\n\nsmtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)\nbiff = no\n\n\
         # appending .domain is the MUA's job.\nappend_dot_mydomain = no\n\nreadme_directory = no\n\ncompatibility_level = 3.6\n\n\
         smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination\nmyhostname = {0}\n\
         alias_maps = hash:/etc/aliases\nalias_database = hash:/etc/aliases\nmyorigin = /etc/mailname\n\
         mydestination = $myhostname, {0}, localhost.localdomain, localhost\nrelayhost =\nmynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\n\
         mailbox_size_limit = 0\nrecipient_delimiter = +\ninet_interfaces = all\ninet_protocols = all\n",
        identity.mail_domain
    )
}

/// vsftpd.conf(5) as the package brings it, with what lets people store files.
pub(super) fn vsftpd(packaged: &str) -> String {
    packaged.replace("#write_enable=YES", "write_enable=YES").replace("#local_umask=022", "local_umask=022")
}

/// inetd.conf(5) with the line that the package of telnetd adds.
pub(super) fn inetd(packaged: &str) -> String {
    const LINE: &str = "telnet\t\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd\t/usr/sbin/telnetd\n";
    let is_on = |line: &str| line.starts_with("telnet") && line.contains("/usr/sbin/telnetd");
    if packaged.lines().any(is_on) {
        return packaged.to_owned();
    }
    // `update-inetd --enable` takes the mark off again.
    const OFF: &str = "#<off># telnet";
    if packaged.contains(OFF) {
        return packaged.replacen(OFF, "telnet", 1);
    }
    match packaged.split_once("#:STANDARD: These are standard services.\n") {
        Some((before, after)) => format!("{before}#:STANDARD: These are standard services.\n{LINE}{after}"),
        None => format!("{packaged}{LINE}"),
    }
}

/// subuid(5) and subgid(5): adduser gives each person 65536 numbers.
pub(super) fn subordinates(identity: &Identity) -> String {
    let people = identity.users.iter().filter(|user| (1000..60_000).contains(&user.uid));
    people.enumerate().map(|(n, user)| format!("{}:{}:65536\n", user.name, 100_000 + n * 65_536)).collect()
}

pub(super) const SOURCES: &str = "deb http://deb.debian.org/debian/ bookworm main non-free-firmware
deb-src http://deb.debian.org/debian/ bookworm main non-free-firmware

deb http://security.debian.org/debian-security bookworm-security main non-free-firmware
deb-src http://security.debian.org/debian-security bookworm-security main non-free-firmware

# bookworm-updates, to get updates before a point release is made;
deb http://deb.debian.org/debian/ bookworm-updates main non-free-firmware
deb-src http://deb.debian.org/debian/ bookworm-updates main non-free-firmware
";
