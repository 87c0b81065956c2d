//! What a visitor leaves outlives the program, even when it is killed in the middle of its work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A bucket that serves FTP, and its port.
struct Bucket(Child, u16);

impl Bucket {
    fn start(folder: &Path) -> Self {
        let config = folder.join("Config.toml");
        std::fs::write(
            &config,
            format!(
                "[general]\nlisten_address = \"127.0.0.1\"\nlog_directory = \"{0}/logs\"\nstate_directory = \"{0}/state\"\n\
                 [ports]\nssh = {{ enabled = false }}\ntelnet = {{ enabled = false }}\nsmtp = {{ enabled = false }}\n\
                 http = {{ enabled = false }}\nftp = {{ enabled = true, port = 0 }}\n[management]\nlisten_address = \"127.0.0.1\"\nport = 0\n\
                 [persona]\nusers = [\"anna\"]\n[logins]\nalways = [\"anna:pw\"]\n",
                folder.display()
            ),
        )
        .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rustbucket"))
            .arg("--config")
            .arg(&config)
            .current_dir(folder)
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().unwrap_or_else(|| panic!("the bucket did not start:\n{said}")).unwrap();
            if let Some((_, rest)) = line.split_once("ftp:") {
                break rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
            }
            said += &(line + "\n");
        };
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self(child, port)
    }

    /// Logs in and gives the answers to these commands.
    fn ask(&self, commands: &[&str]) -> Vec<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.1)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut answer = || answers.next().unwrap().unwrap();
        assert!(answer().starts_with("220"));
        let mut said = Vec::new();
        for command in ["USER anna", "PASS pw"].iter().chain(commands) {
            stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
            said.push(answer());
        }
        said.split_off(2)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // SIGKILL: there is nothing it could do about it. One that is gone already is what we want.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

#[test]
fn what_a_visitor_left_outlives_a_killed_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::start(folder.path());
    // One change, so that what is on disk is either nothing or all.
    let said = bucket.ask(&["MKD kept"]);
    assert_eq!(said[0], "257 \"/home/anna/kept\" created");
    // It is saved a moment after the change: wait for it, as long as it takes.
    let place = folder.path().join("state/visitors/127.0.0.1.layer");
    let began = Instant::now();
    while !place.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is saved");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(bucket);
    let bucket = Bucket::start(folder.path());
    let said = bucket.ask(&["CWD kept", "PWD", "CWD ..", "RMD kept"]);
    assert!(said[0].starts_with("250"), "{said:?}");
    assert!(said[1].contains("/home/anna/kept"), "{said:?}");
    assert!(said[3].starts_with("250"), "{said:?}");
}
