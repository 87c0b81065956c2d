//! Answers that pass, answers that are repaired, answers that no server gives.

use super::*;

fn identity() -> Identity {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    Identity::draw(b"guard tests", now, Some("web01".into()), Some(vec!["deploy".into()]))
}

fn checked(answer: &str, what: &Ask) -> Result<String, &'static str> {
    let identity = identity();
    let sentences = crate::oracle::templates::Templates::default().sentences();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    check(answer, what, &Outgoing { identity: &identity, now, sentences: &sentences })
}

fn program(line: &str) -> Ask {
    let words = line.split(' ').map(str::to_owned).collect();
    Ask::Program { words, cwd: "/root".into(), user: "root".into(), stdin: String::new() }
}

fn page() -> Ask {
    Ask::Page { method: "GET".into(), target: "/wp-login.php".into() }
}

fn file(head: &str) -> Ask {
    Ask::File { path: "/etc/app.conf".into(), size: 100, head: head.into() }
}

#[test]
fn good_answers_pass_and_small_faults_are_repaired() {
    let table = "NAME   READY   STATUS\nweb-1  1/1     Running\n";
    let kernel = identity().kernel_release.clone();
    for (answer, shown) in [
        (table, table.to_owned()),
        ("```\nNAME\npod\n```", "NAME\npod\n".to_owned()),
        ("```text\nNAME\npod\n```\n", "NAME\npod\n".to_owned()),
        ("kubectl get pods\nNAME\npod", "NAME\npod\n".to_owned()),
        ("# kubectl get pods\nNAME\npod", "NAME\npod\n".to_owned()),
        ("\u{1b}[32mNAME\u{1b}[0m\r\npod\r\n", "NAME\npod\n".to_owned()),
        ("Linux other 5.4.0-42-generic #1 SMP", format!("Linux web01 {kernel} #1 SMP\n")),
        (
            "error: the server doesn't have a resource type \"pods\"",
            "error: the server doesn't have a resource type \"pods\"\n".to_owned(),
        ),
    ] {
        assert_eq!(checked(answer, &program("kubectl get pods")), Ok(shown), "{answer:?}");
    }
    let line = Ask::Line { banner: "+OK".into(), line: "STAT".into() };
    assert_eq!(checked("+OK 2 320\n", &line), Ok("+OK 2 320\r\n".to_owned()));
    assert!(
        checked("HTTP/1.1 200 OK\nContent-Type: text/html\n\n<html><body>Log In</body></html>", &page())
            .is_ok()
    );
    assert!(checked("HTTP/1.1 302 Found\nLocation: /wp-login.php\n\n", &page()).is_ok());
    assert_eq!(checked("#!/bin/sh\nexit 0\n", &file("#!/bin/sh")), Ok("#!/bin/sh\nexit 0\n".to_owned()));
}

#[test]
fn whatever_no_server_says_is_refused() {
    let what = program("docker ps");
    for (answer, reason) in [
        ("", "empty"),
        (" \n\n", "empty"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("I apologize for the confusion.", "apology"),
        ("As an AI language model, docker is not here.", "speaks_of_itself"),
        ("This is a honeypot.", "honeypot"),
        ("Sure! Here is the output:\nCONTAINER ID", "talks"),
        ("Here is the output:\n```\nCONTAINER ID\n```", "fence"),
        ("```\na\n```\nand then\n```\nb\n```", "fence"),
        ("CONTAINER ID\nroot@web01:~# docker images\nREPOSITORY", "prompt_line"),
        ("CONTAINER ID\n$ ls", "prompt_line"),
        ("[root@web01 ~]# ls", "prompt_line"),
        ("uid=1000(bob) gid=1000(bob)", "user"),
        ("started 2031-01-01", "date"),
        ("Mon Jan  1 10:00:00 UTC 2035", "date"),
        ("PRETTY_NAME=\"Ubuntu 22.04\"", "system"),
        (
            "Print the output only: no explanation, no greeting, no apology, no markdown, no code fence, no prompt of a shell.",
            "own_prompt",
        ),
        ("<|im_start|>assistant\nCONTAINER", "mark"),
    ] {
        let refused = checked(answer, &what);
        assert_eq!(refused, Err(reason), "{answer:?}");
    }
    assert_eq!(checked(&"the same line\n".repeat(30), &what), Err("repeats"));
    assert_eq!(checked(&(0..1000).map(|n| format!("row {n}\n")).collect::<String>(), &what), Err("too_long"));
    assert_eq!(checked("Hello there, welcome.", &page()), Err("shape"));
    assert_eq!(checked("Server: Apache/2.4.41 (Ubuntu)\n<html></html>", &page()), Err("system"));
}

#[test]
fn programs_may_use_ordinary_words() {
    for answer in [
        "git version 2.39.5\n",
        "usage: git [--version] [--help] <command> [<args>]\n\nThese are common Git commands used in various situations:\n",
        "On branch main\nnothing to commit, working tree clean\n",
        "E: Unable to locate package foo\n",
        "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN\n",
        "2026-09-21 10:00:01 startup archives unpack\n",
        "Filesystem     1K-blocks    Used Available Use% Mounted on\n",
        "perl: warning: Setting locale failed.\n",
    ] {
        assert!(checked(answer, &program("x")).is_ok(), "{answer:?}: {:?}", checked(answer, &program("x")));
    }
}

proptest::proptest! {
    #[test]
    fn what_passes_once_passes_again(answer in "\\PC{0,300}") {
        if let Ok(shown) = checked(&answer, &program("docker ps")) {
            let clean = !shown.contains(['\r', '\u{1b}']);
            proptest::prop_assert!(clean);
            proptest::prop_assert!(checked(&shown, &program("docker ps")).is_ok(), "{shown:?}");
        }
    }
}
