//! Section 2: a shell after the login.

use super::{Findings, Login};
use crate::clients::Ssh;

/// Every row of the section.
pub async fn look(port: u16, login: Login<'_>, findings: &mut Findings) {
    let Some(mut ssh) = Ssh::log_in(port, login.user, login.password).await.expect("SSH") else {
        panic!("{login:?} is not let in");
    };
    let mut run = async |line: &str| {
        let output = ssh.exec(line).await.expect("a command");
        format!("{}{}", output.out, output.err)
    };
    findings.fires_on(
        "SH-01",
        &run("hostname").await,
        &["svr04", "svr03", "nas3", "srv04", "ubuntu", "server\n"],
    );
    let kernels = [
        "3.2.0-4",
        "6.1.0-21-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 (2024-05-03)",
        "2.6.26-2-686",
        "5.15.0-23-generic",
    ];
    findings.fires_on("SH-02", &run("uname -a").await, &kernels);
    findings.fires_on("SH-03", &run("cat /proc/version").await, &["3.2.0-4", "gcc version 4.6.3"]);
    findings.fires_on("SH-04", &run("cat /proc/cpuinfo").await, &["E8200"]);
    findings.fires_on("SH-05", &run("cat /proc/meminfo").await, &["4054744 kB", " 997740 kB"]);
    findings.fires_on(
        "SH-06",
        &run("cat /proc/mounts").await,
        &["rootfs / rootfs", "/dev/mapper/home", "ext3"],
    );
    let people = run("cat /etc/passwd /etc/group /etc/shadow; ls /home; id").await;
    findings.fires_on("SH-07", &people, &["phil", "richard"]);
    findings.fires_on("SH-08", &run("cat /etc/hosts").await, &["nas3"]);
    findings.fires_on("SH-09", &run("cat /etc/issue").await, &["Linux 7"]);
    findings.fires_on("SH-10", &run("uptime; w").await, &["0.00, 0.00, 0.00"]);
    let (one, _pause, other) =
        (run("cat /proc/meminfo").await, run("sleep 1").await, run("cat /proc/meminfo").await);
    findings.fires_if("SH-11", one == other, "memory that stands still");
    for line in ["file /proc/self/exe", "ls /proc/self/fd", "head -c 4 /proc/self/exe | tail -c 3"] {
        let answer = run(line).await;
        findings.fires_if(
            "SH-12",
            answer.trim().is_empty() || answer.contains("No such file"),
            format!("{line}: {answer}"),
        );
    }
    findings.fires_if("SH-13", run("which ls").await.trim().is_empty(), "no ls");
    let missing = run("openssl version; strace -V; lsof -v").await.matches("command not found").count();
    findings.fires_if("SH-14", missing >= 2, format!("{missing} of three tools are missing"));
    let arp = run("cat /proc/net/arp").await;
    findings.fires_if("SH-15", arp.lines().count() < 2, arp.clone());
    for line in run("ip link; cat /sys/class/net/*/address").await.split_whitespace() {
        let first = line.get(..2).and_then(|byte| u8::from_str_radix(byte, 16).ok());
        let is_mac = line.len() == 17 && line.matches(':').count() == 5 && line != "ff:ff:ff:ff:ff:ff";
        let strange = is_mac && first.is_some_and(|first| first & 1 == 1);
        findings.fires_if("SH-16", strange, format!("a multicast address for a card: {line}"));
    }
    let version = run("ssh -V").await;
    let other = version.contains("OpenSSH_") && !version.contains("OpenSSH_9.2p1");
    findings.fires_if("SH-17", other, format!("the banner says something else than {version}"));
    findings.fires_on("SH-18", &run("apt -v; netstat -V").await, &["1.0.9.8.1", "net-tools 1.60"]);
    let written = run("touch /tmp/x; ls /tmp/x; echo y > /tmp/x; cat /tmp/x").await;
    findings.fires_if("SH-19", written != "/tmp/x\ny\n", written.clone());
    let applet = run("/bin/busybox ECCHI").await;
    findings.fires_if("SH-20", !applet.contains("ECCHI: applet not found"), applet.clone());
    let applets = run("busybox --list | wc -l").await.trim().parse().unwrap_or(0);
    findings.fires_if("SH-21", applets < 15, format!("{applets} applets"));
    let tools = run("which wget curl tftp nc").await.lines().count();
    findings.fires_if("SH-22", tools < 2, format!("{tools} of four tools"));
    for (line, wanted) in [
        (r"echo -e '\x6F\x6B'", "ok\n"),
        (r"echo -e '\x67\x61\x79\x66\x67\x74'", "gayfgt\n"),
        ("echo Hi | cat -n", "     1\tHi\n"),
        ("cp /bin/echo /tmp/.s; cd /tmp; dd bs=52 count=1 if=.s 2>/dev/null | head -c 4 | tail -c 3", "ELF"),
        ("uname -s", "Linux\n"),
    ] {
        let answer = run(line).await;
        findings.fires_if("SH-23", answer != wanted, format!("{line}: {answer:?}"));
    }
    ssh.leave().await;
}
