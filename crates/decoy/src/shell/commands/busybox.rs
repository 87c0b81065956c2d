//! `busybox`: the applets of Debian's busybox 1.35.0, and its answer to those it does not have.

use super::{Call, Said, usage};

/// Applets of Debian's package `busybox` 1:1.35.0-4+deb12u1.
const APPLETS: &str = "[, [[, acpid, adjtimex, ar, arch, arp, arping, ascii, ash, awk, base64, basename, bc, blkdiscard, blkid, blockdev, brctl, bunzip2, bzcat, bzip2, cal, cat, chgrp, chmod, chown, chroot, chvt, clear, cmp, cp, cpio, crc32, cttyhack, cut, date, dc, dd, deallocvt, depmod, devmem, df, diff, dirname, dmesg, dnsdomainname, dos2unix, du, dumpkmap, dumpleases, echo, egrep, env, expand, expr, factor, fallocate, false, fatattr, fdisk, fgrep, find, findfs, fold, free, freeramdisk, fsfreeze, fstrim, ftpget, ftpput, getopt, getty, grep, groups, gunzip, gzip, halt, head, hexdump, hostid, hostname, httpd, hwclock, i2cdetect, i2cdump, i2cget, i2cset, i2ctransfer, id, ifconfig, ifdown, ifup, init, insmod, ionice, ip, ipcalc, ipneigh, kill, killall, klogd, last, less, link, linux32, linux64, linuxrc, ln, loadfont, loadkmap, logger, login, logname, logread, losetup, ls, lsmod, lsscsi, lzcat, lzma, lzop, md5sum, mdev, microcom, mim, mkdir, mkdosfs, mke2fs, mkfifo, mknod, mkpasswd, mkswap, mktemp, modinfo, modprobe, more, mount, mt, mv, nameif, nc, netstat, nl, nologin, nproc, nsenter, nslookup, nuke, od, openvt, partprobe, paste, patch, pidof, ping, ping6, pivot_root, poweroff, printf, ps, pwd, rdate, readlink, realpath, reboot, renice, reset, resume, rev, rm, rmdir, rmmod, route, rpm, rpm2cpio, run-init, run-parts, sed, seq, setkeycodes, setpriv, setsid, sh, sha1sum, sha256sum, sha3sum, sha512sum, shred, shuf, sleep, sort, ssl_client, start-stop-daemon, stat, strings, stty, svc, svok, swapoff, swapon, switch_root, sync, sysctl, syslogd, tac, tail, tar, taskset, tee, telnet, test, tftp, time, timeout, top, touch, tr, traceroute, traceroute6, true, truncate, ts, tty, ubirename, udhcpc, udhcpd, uevent, umount, uname, uncompress, unexpand, uniq, unix2dos, unlink, unlzma, unshare, unxz, unzip, uptime, usleep, uudecode, uuencode, vconfig, vi, w, watch, watchdog, wc, wget, which, who, whoami, xargs, xxd, xz, xzcat, yes, zcat";

/// Whether busybox has this applet.
fn has(applet: &str) -> bool {
    APPLETS.split(", ").any(|known| known == applet)
}

pub(super) fn run(call: &Call<'_>) -> Result<Vec<String>, Said> {
    let Some(applet) = call.args.first() else { return Err(banner(call)) };
    match applet.as_str() {
        "--list" => {
            return Err(Said::out(APPLETS.split(", ").map(|name| format!("{name}\n")).collect::<String>()));
        }
        "--list-full" => return Err(usage::exactly("busybox", "--list-full").unwrap_or_default()),
        "--install" => return Err(Said::nothing(0)),
        "--help" => return Err(banner(call)),
        "busybox" => return run(&Call { args: &[], ..*call }),
        name if !has(name) => return Err(Said::err(format!("{name}: applet not found\n"), 127)),
        _ => {}
    }
    let mut words: Vec<String> = call.args.to_vec();
    let rest = words.get(1..).unwrap_or_default();
    // Called with nothing, or asked for help.
    if let Some(said) = usage::of(applet, rest, true).filter(|_| !matches!(applet.as_str(), "sh" | "ash")) {
        return Err(said);
    }
    if matches!(applet.as_str(), "sh" | "ash") {
        // Its shell is not dash: what it reads needs no translation.
        words.splice(1..1, ["-o".to_owned(), "posix".to_owned()]);
    }
    if let Some(first) = words.first_mut() {
        *first = match first.as_str() {
            "ash" => "sh".to_owned(),
            "[[" => "[".to_owned(),
            name if super::by_path(name).is_none()
                && (crate::shell::engine::is_kept(name) || name == "sh") =>
            {
                name.to_owned()
            }
            name => format!("{DOOR}{name}"),
        };
    }
    Ok(words)
}

/// What our programs are called when busybox runs them: an applet needs no file of its own.
pub(super) const DOOR: &str = "busybox/";

/// Names of all applets.
pub(super) fn applets() -> impl Iterator<Item = &'static str> {
    APPLETS.split(", ")
}

/// Who it is, with the list of its applets as wide as the terminal.
fn banner(call: &Call<'_>) -> Said {
    let said = usage::of("busybox", &[], false).unwrap_or_default();
    const BEFORE: &str = "Currently defined functions:\n";
    let text = String::from_utf8_lossy(&said.out).into_owned();
    let Some((head, _)) = text.split_once(BEFORE) else { return said };
    let width = if call.session.launch.tty.is_some() { call.session.window().0.max(20) as usize } else { 80 };
    // The last column stays free.
    let width = width - 1;
    let (mut list, mut column) = (String::new(), 0);
    for name in applets() {
        let length = name.len() + 2;
        if column + length >= width {
            list += ",\n";
            column = 0;
        }
        if column == 0 {
            column = 6;
            list.push('\t');
        } else {
            list += ", ";
        }
        list += name;
        column += length;
    }
    Said { out: format!("{head}{BEFORE}{list}\n").into(), ..said }
}
