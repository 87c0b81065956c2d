//! Texts of `/etc` that name this machine.

use std::fmt::Write as _;

use crate::machine::Identity;

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
        } else if user.uid >= 100 && user.uid < 1000 {
            "!".to_owned()
        } else {
            "*".to_owned()
        };
        let rest = if user.uid >= 100 && user.uid < 1000 { ":::::::" } else { ":0:99999:7:::" };
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
            "# swap was on /dev/{disk}5 during installation\n/dev/{disk}5 none            swap    sw              0       0"
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

pub(super) const OS_RELEASE: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n\
HOME_URL=\"https://www.debian.org/\"\nSUPPORT_URL=\"https://www.debian.org/support\"\n\
BUG_REPORT_URL=\"https://bugs.debian.org/\"\n";

pub(super) const MOTD: &str = "
The programs included with the Debian GNU/Linux system are free software;
the exact distribution terms for each program are described in the
individual files in /usr/share/doc/*/copyright.

Debian GNU/Linux comes with ABSOLUTELY NO WARRANTY, to the extent
permitted by applicable law.
";

pub(super) const CRONTAB: &str = "# /etc/crontab: system-wide crontab
# Unlike any other crontab you don't have to run the `crontab'
# command to install the new version when you edit this file
# and files in /etc/cron.d. These files also have username fields,
# that none of the other crontabs do.

SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin

# Example of job definition:
# .---------------- minute (0 - 59)
# |  .------------- hour (0 - 23)
# |  |  .---------- day of month (1 - 31)
# |  |  |  .------- month (1 - 12) OR jan,feb,mar,apr ...
# |  |  |  |  .---- day of week (0 - 6) (Sunday=0 or 7) OR sun,mon,tue,wed,thu,fri,sat
# |  |  |  |  |
# *  *  *  *  * user-name command to be executed
17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly
25 6\t* * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }
47 6\t* * 7\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.weekly; }
52 6\t1 * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.monthly; }
#
";

pub(super) const SHELLS: &str = "# /etc/shells: valid login shells\n/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n\
/bin/rbash\n/usr/bin/rbash\n/bin/dash\n/usr/bin/dash\n/usr/bin/screen\n/usr/bin/tmux\n";

pub(super) const VSFTPD: &str = "listen=NO\nlisten_ipv6=YES\nanonymous_enable=NO\nlocal_enable=YES\nwrite_enable=YES\nlocal_umask=022\n\
dirmessage_enable=YES\nuse_localtime=YES\nxferlog_enable=YES\nconnect_from_port_20=YES\n\
secure_chroot_dir=/var/run/vsftpd/empty\npam_service_name=vsftpd\n\
rsa_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\nrsa_private_key_file=/etc/ssl/private/ssl-cert-snakeoil.key\nssl_enable=NO\n";

pub(super) const SUDOERS: &str = "#
# This file MUST be edited with the 'visudo' command as root.
#
# Please consider adding local content in /etc/sudoers.d/ instead of
# directly modifying this file.
#
# See the man page for details on how to write a sudoers file.
#
Defaults\tenv_reset
Defaults\tmail_badpass
Defaults\tsecure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"

# User privilege specification
root\tALL=(ALL:ALL) ALL

# Allow members of group sudo to execute any command
%sudo\tALL=(ALL:ALL) ALL

# See sudoers(5) for more information on \"@include\" directives:

@includedir /etc/sudoers.d
";

pub(super) const NGINX_SITE: &str = "server {
\tlisten 80 default_server;
\tlisten [::]:80 default_server;

\troot /var/www/html;

\tindex index.html index.htm index.nginx-debian.html;

\tserver_name _;

\tlocation / {
\t\ttry_files $uri $uri/ =404;
\t}
}
";

pub(super) const SOURCES: &str = "deb http://deb.debian.org/debian/ bookworm main non-free-firmware
deb-src http://deb.debian.org/debian/ bookworm main non-free-firmware

deb http://security.debian.org/debian-security bookworm-security main non-free-firmware
deb-src http://security.debian.org/debian-security bookworm-security main non-free-firmware

# bookworm-updates, to get updates before a point release is made;
deb http://deb.debian.org/debian/ bookworm-updates main non-free-firmware
deb-src http://deb.debian.org/debian/ bookworm-updates main non-free-firmware
";
