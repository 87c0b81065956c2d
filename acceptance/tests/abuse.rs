//! People who mean harm by what they send: gigabytes, paths that lead out, links in circles, archives without end, costly
//! keys. Memory and disk stay bounded, nothing of the host is shown, and the next visitor is served.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use acceptance::{
    Bucket, binaries,
    bucket::PASSWORD,
    clients::{Lines, Ssh},
};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A guard against hanging, not a measurement.
const HANG: Duration = Duration::from_secs(240);
/// `[limits] upload_bytes` and `session_bytes` of these tests.
const UPLOAD: u64 = 1 << 20;
const SESSION: u64 = 8 << 20;
/// `[limits] memory`, and what the program itself may have beyond it, in MiB.
const MEMORY: u64 = 64;
const OWN_MIB: u64 = 160;
const GIGABYTE: u64 = 1 << 30;

async fn bucket() -> Bucket {
    acceptance::init();
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(Vec::new()));
    bucket.set(&["limits", "upload_bytes"], UPLOAD as i64);
    bucket.set(&["limits", "session_bytes"], SESSION as i64);
    bucket.set(&["limits", "memory"], format!("{MEMORY}MiB"));
    bucket.start().await;
    bucket
}

/// The most memory the program ever had (proc(5), VmHWM), in MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Bytes of all files below.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(
            |entry| {
                if entry.path().is_dir() { size_of(&entry.path()) } else { entry.metadata().unwrap().len() }
            },
        )
        .sum()
}

async fn is_served(bucket: &Bucket) {
    let served = async {
        let mut ssh = Ssh::log_in_from([127, 9, 9, 1].into(), bucket.ports.ssh, "root", PASSWORD)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(ssh.exec("echo $((40+2))").await.unwrap().out, "42\n");
        ssh.leave().await;
    };
    tokio::time::timeout(HANG, served).await.expect("the next visitor is served");
}

/// Runs one of OpenSSH's programs; how it ends is its own affair, that it ends is ours. Gives its status and what it said.
async fn client(program: &str, arguments: &[String], input: Option<&Path>) -> Option<(bool, String)> {
    let (_, tool) = (binaries::client("sshpass")?, binaries::client(program)?);
    let mut command = Command::new("sshpass");
    command.args(["-p", PASSWORD]).arg(tool).args([
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]);
    command
        .args(["-o", "PubkeyAuthentication=no", "-o", "BatchMode=no", "-o", "LogLevel=ERROR"])
        .args(arguments);
    run(command, input).await
}

async fn run(mut command: Command, input: Option<&Path>) -> Option<(bool, String)> {
    command.stdin(input.map_or(Stdio::null(), |path| fs::File::open(path).unwrap().into()));
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = tokio::time::timeout(HANG, ended).await.expect("no hang").unwrap();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    ))
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gigabyte_is_taken_as_far_as_there_is_room() {
    let mut bucket = bucket().await;
    let pid = bucket.process().id();
    let (huge, batch) = (bucket.home().join("huge"), bucket.home().join("batch"));
    // A file with nothing in it: it takes no room here.
    fs::File::create(&huge).unwrap().set_len(GIGABYTE).unwrap();
    fs::write(&batch, format!("put {} /tmp/by-sftp\n", huge.display())).unwrap();
    let (file, port) = (huge.display().to_string(), bucket.ports.ssh.to_string());
    let to = |name: &str| format!("root@127.0.0.1:/tmp/{name}");
    client("sftp", &texts(&["-P", &port, "-b", &batch.display().to_string(), "root@127.0.0.1"]), None).await;
    client("scp", &texts(&["-P", &port, &file, &to("by-scp")]), None).await;
    client("scp", &texts(&["-O", "-P", &port, &file, &to("by-old-scp")]), None).await;
    client("ssh", &texts(&["-p", &port, "root@127.0.0.1", "cat > /tmp/by-ssh"]), Some(&huge)).await;
    if let Some(curl) = binaries::client("curl") {
        let web = format!("http://127.0.0.1:{}/by-http", bucket.ports.http);
        let ftp = format!("ftp://root:{PASSWORD}@127.0.0.1:{}//tmp/by-ftp", bucket.ports.ftp);
        for arguments in [["-T", file.as_str(), ftp.as_str()], ["-T", &file, &web], ["-T", "-", &web]] {
            let mut command = Command::new(&curl);
            command.args(["-s", "--noproxy", "*"]).args(arguments);
            run(command, Some(&huge)).await;
        }
    }
    let mut smtp = Lines::connect(bucket.ports.smtp).await.unwrap();
    smtp.reply().await.unwrap();
    for line in ["EHLO x", "MAIL FROM:<a@example.org>", "RCPT TO:<root>", "DATA"] {
        let answer = smtp.ask(line).await.unwrap();
        assert!(answer.starts_with('2') || answer.starts_with('3'), "{line}: {answer}");
    }
    let line = format!("{}\r\n", "x".repeat(998)).repeat(64);
    let mut sent = 0;
    while sent < GIGABYTE {
        let step = tokio::time::timeout(HANG, smtp.send(&line)).await.expect("no hang");
        sent += line.len() as u64;
        if step.is_err() {
            break;
        }
    }
    assert!(sent < GIGABYTE, "all of it was taken");
    is_served(&bucket).await;
    bucket.assert_sound();

    let peak = peak_mib(pid);
    assert!(peak < OWN_MIB + MEMORY, "{peak} MiB resident at the worst moment");
    let kept = size_of(&bucket.home().join("state/artifacts"));
    assert!(kept <= 16 * (UPLOAD + 64 * 1024), "{kept} bytes of uploads are kept");
    let events = bucket.events();
    bucket.stop();
    let size =
        |event: &Value| event["size"].as_u64().unwrap_or(0).max(event["body_size"].as_u64().unwrap_or(0));
    assert!(
        events.iter().all(|event| size(event) <= UPLOAD.max(10_240_000)),
        "an upload is larger than the limit"
    );
    for protocol in ["ssh", "ftp", "smtp", "http"] {
        let hit = events
            .iter()
            .any(|event| event["eventid"] == "rustbucket.limit.hit" && event["protocol"] == protocol);
        // nginx refuses what says that it is too large before it has come.
        let refused = events.iter().any(|event| event["protocol"] == protocol && event["status"] == 413);
        assert!(hit || refused, "{protocol} reached no limit");
    }
}

/// What a host file holds that nobody may ever see.
const SECRET: &str = "this-is-the-host-below-4711";

/// Ways out.
fn ways(path: &str) -> Vec<String> {
    vec![
        path.to_owned(),
        format!("../../../../../../../../../../..{path}"),
        format!("/tmp/../../../..{path}"),
        format!("/proc/self/root{path}"),
        format!("/proc/1/root{path}"),
        "/proc/self/cwd/secret".to_owned(),
        format!("{path}\0"),
        format!("/etc/hostname\0{path}"),
        format!("\0{path}"),
        format!("./{path}/./../secret"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leads_out() {
    let mut bucket = bucket().await;
    let secret = bucket.home().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let ports = bucket.ports.clone();
    let mut heard = String::new();
    for way in ways(&secret.display().to_string()) {
        heard += &sftp(ports.ssh, &way).await;
        let mut ssh = Ssh::log_in(ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
        for command in [
            format!("cat '{way}'"),
            format!("scp -f '{way}'"),
            format!("ls -la '{way}'; echo x > '{way}'; cd '{way}'; pwd"),
        ] {
            // A line with a NUL may be refused; that is an answer too.
            if let Ok(output) = ssh.exec(&command).await {
                heard += &format!("{}{}", output.out, output.err);
            }
        }
        ssh.leave().await;
        heard += &ftp(ports.ftp, &way).await;
        for target in [
            way.clone(),
            way.replace('.', "%2e"),
            way.replace('/', "%2f"),
            way.replace('\0', "%00"),
            format!("/img/{way}"),
        ] {
            let mut http = Lines::connect(ports.http).await.unwrap();
            http.send(format!("GET {target} HTTP/1.0\r\n\r\n")).await.unwrap();
            heard += &String::from_utf8_lossy(&http.rest(Duration::from_secs(10)).await.unwrap());
        }
    }
    assert!(heard.len() > 10_000, "hardly anything was answered: {heard}");
    assert!(!heard.contains(SECRET), "the host's file was shown");
    assert_eq!(fs::read_to_string(&secret).unwrap(), SECRET, "the host's file was written");
    assert!(!Path::new("/etc/hostname\u{1}").exists());
    is_served(&bucket).await;
    bucket.assert_sound();
    bucket.stop();
}

/// Every request of FTP that takes a path; gives what was said and sent.
async fn ftp(port: u16, path: &str) -> String {
    let mut ftp = Lines::connect(port).await.unwrap();
    let mut heard = ftp.reply().await.unwrap();
    for line in ["USER root", &format!("PASS {PASSWORD}")] {
        heard += &ftp.ask(line).await.unwrap();
    }
    for verb in ["SIZE", "MDTM", "CWD", "DELE", "RMD", "MKD", "RNFR", "SITE CHMOD 777", "STAT"] {
        heard += &ftp
            .ask(&format!("{verb} {path}"))
            .await
            .unwrap_or_else(|error| panic!("{verb} {path:?}: {error}"));
    }
    for verb in ["RETR", "LIST", "NLST"] {
        let passive = ftp.ask("PASV").await.unwrap();
        let numbers: Vec<u16> = passive.split(['(', ')', ',']).filter_map(|text| text.parse().ok()).collect();
        let [.., high, low] = numbers[..] else { panic!("{passive}") };
        let mut data = tokio::net::TcpStream::connect(("127.0.0.1", high * 256 + low)).await.unwrap();
        let answer = ftp.ask(&format!("{verb} {path}")).await.unwrap();
        if answer.starts_with("150") {
            let mut bytes = Vec::new();
            data.read_to_end(&mut bytes).await.unwrap();
            heard += &String::from_utf8_lossy(&bytes);
            // Both answers may have come at once.
            if answer.lines().count() < 2 {
                heard += &ftp.reply().await.unwrap();
            }
        }
        heard += &answer;
    }
    heard
}

/// Every request of SFTP that takes a path (draft-ietf-secsh-filexfer-02); gives what came back.
async fn sftp(port: u16, path: &str) -> String {
    let mut ssh = Ssh::log_in(port, "root", PASSWORD).await.unwrap().unwrap();
    let mut stream = ssh.subsystem("sftp").await.unwrap();
    let text = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
    let mut packets = vec![vec![1, 0, 0, 0, 3]];
    let after: [(u8, Vec<u8>); 11] = [
        (3, vec![0, 0, 0, 1, 0, 0, 0, 0]),    // open for reading
        (3, vec![0, 0, 0, 0x1a, 0, 0, 0, 0]), // open for writing, make it
        (7, vec![]),                          // lstat
        (9, vec![0; 4]),                      // setstat
        (11, vec![]),                         // opendir
        (13, vec![]),                         // remove
        (14, vec![0; 4]),                     // mkdir
        (15, vec![]),                         // rmdir
        (16, vec![]),                         // realpath
        (17, vec![]),                         // stat
        (19, vec![]),                         // readlink
    ];
    for (number, (kind, rest)) in after.into_iter().enumerate() {
        packets.push([vec![kind], (number as u32).to_be_bytes().to_vec(), text(path), rest].concat());
    }
    for kind in [18, 20] {
        // rename, symlink
        packets.push([vec![kind, 0, 0, 0, 9], text(path), text("/tmp/there")].concat());
    }
    // Handles are numbers from 0, as sftp-server has them: whatever was opened is read.
    for handle in ["\0\0\0\0", "\0\0\0\u{1}", "\0\0\0\u{2}"] {
        packets
            .push([vec![5, 0, 0, 0, 9], text(handle), vec![0; 8], 4096_u32.to_be_bytes().to_vec()].concat());
    }
    let mut heard = Vec::new();
    for packet in packets {
        stream.write_all(&[&(packet.len() as u32).to_be_bytes()[..], &packet].concat()).await.unwrap();
        let mut length = [0; 4];
        tokio::time::timeout(HANG, stream.read_exact(&mut length))
            .await
            .expect("no hang")
            .expect("an answer");
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut answer).await.unwrap();
        heard.extend(answer);
    }
    drop(stream);
    ssh.leave().await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_circles_end() {
    let mut bucket = bucket().await;
    let ports = bucket.ports.clone();
    let mut ssh = Ssh::log_in(ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    let circles = "cd /var/www/html; ln -s a b; ln -s b a; ln -s . self; mkdir d; ln -s .. d/up; ln -s /var/www/html/d d/down";
    ssh.exec(circles).await.unwrap();
    for line in [
        "cat a",
        "cd a",
        "ls -LR . | tail -n 3",
        "find -L . | wc -l",
        "du -L . | tail -n 1",
        "cp -rL . /tmp/copy | tail -n 1",
        "grep -r x . | wc -l",
        "tar chf - . | wc -c",
        "realpath a self/self/self/d/up/d/down",
        "rm -rf /tmp/copy; scp -r -f .",
    ] {
        ssh.exec_within(&format!("cd /var/www/html; {line}"), HANG).await.expect("it ends");
    }
    let long = "self/".repeat(60);
    for path in
        ["/var/www/html/a".to_owned(), format!("/var/www/html/{long}a"), format!("/var/www/html/{long}")]
    {
        sftp(ports.ssh, &path).await;
        ftp(ports.ftp, &path).await;
        let target = path.strip_prefix("/var/www/html").unwrap();
        let mut http = Lines::connect(ports.http).await.unwrap();
        http.send(format!("GET {target} HTTP/1.0\r\n\r\n")).await.unwrap();
        let answer = http.rest(Duration::from_secs(10)).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 "), "{target}: {}", answer.escape_ascii());
    }
    ssh.leave().await;
    is_served(&bucket).await;
    bucket.assert_sound();
    bucket.stop();
}

/// Ten gigabytes of nothing in a few hundred kilobytes: gzip's members follow one another (RFC 1952, 2.2).
fn bomb() -> Vec<u8> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    member.write_all(&vec![0; 1 << 20]).unwrap();
    let member = member.finish().unwrap();
    member.repeat((UPLOAD as usize / 2 / member.len()).min(10_000))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archives_without_end_end() {
    let mut bucket = bucket().await;
    let pid = bucket.process().id();
    let bomb = bomb();
    assert!(bomb.len() < UPLOAD as usize && bomb.len() > 10_000);
    let path = bucket.home().join("bomb.gz");
    fs::write(&path, bomb).unwrap();
    let port = bucket.ports.ssh.to_string();
    client("ssh", &texts(&["-p", &port, "root@127.0.0.1", "cat > /tmp/bomb.gz"]), Some(&path)).await;
    let mut ssh = Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    for line in [
        "cd /tmp; zcat bomb.gz | wc -c",
        "cd /tmp; gunzip -k bomb.gz; ls -l",
        "cd /tmp; tar xzf bomb.gz",
        "cd /tmp; gzip -dc < bomb.gz | gzip -dc | head -c 10",
        "cd /tmp; cp bomb.gz b.zip; unzip b.zip; busybox gunzip -c bomb.gz | tail -c 1",
        "cd /tmp; head -c 1000000 /dev/zero | gzip | gzip | base64 | base64 -d | zcat | zcat | wc -c",
    ] {
        ssh.exec_within(line, HANG).await.unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    ssh.leave().await;
    is_served(&bucket).await;
    bucket.assert_sound();
    let peak = peak_mib(pid);
    assert!(peak < OWN_MIB + MEMORY, "{peak} MiB resident at the worst moment");
    bucket.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costly_keys_again_and_again_hold_up_nobody() {
    let mut bucket = bucket().await;
    let port = bucket.ports.ssh.to_string();
    let greedy = |kex: &'static str| {
        let kex = format!("KexAlgorithms={kex}");
        // A new exchange of keys with every few kilobytes.
        let arguments = texts(&[
            "-p",
            &port,
            "-o",
            &kex,
            "-o",
            "RekeyLimit=16K",
            "root@127.0.0.1",
            "head -c 60000 /dev/zero | wc -c",
        ]);
        async move { client("ssh", &arguments, None).await }
    };
    let all = futures::future::join_all(
        [
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group16-sha512",
        ]
        .map(greedy),
    );
    let (ended, ()) = tokio::join!(all, async {
        for _ in 0..3 {
            is_served(&bucket).await;
        }
    });
    for (well, said) in ended.into_iter().flatten() {
        assert!(well && said.trim() == "60000", "{said}");
    }
    bucket.assert_sound();
    bucket.stop();
}
