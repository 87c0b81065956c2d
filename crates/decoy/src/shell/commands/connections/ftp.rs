//! `ftp` (tnftp 20210827): the machine's own vsftpd as it answers anybody, servers far away as they are played.

use super::{Place, Reach, Talk};
use crate::shell::{
    commands::{
        Call, Options, Said,
        accounts::Lines,
        transfer::{self, Url},
    },
    io::Out,
};

/// The most commands of one call.
const MOST: usize = 200;

/// One call.
struct Client<'a> {
    call: &'a Call<'a>,
    lines: std::vec::IntoIter<String>,
    said: Said,
    verbose: bool,
    server: Option<Server>,
    /// Where the connection leads.
    host: String,
}

/// The other end, once there is a connection.
enum Server {
    Own(Talk),
    /// Somebody far away; whether they let the visitor in.
    Played(bool),
}

pub(in crate::shell::commands) async fn ftp(call: &Call<'_>) -> Said {
    let options = Options::of(call.args, "NoPrsTuqx");
    let terminal = call.session.launch.tty.is_some();
    let text = String::from_utf8_lossy(call.stdin.unwrap_or_default()).into_owned();
    let mut client = Client {
        call,
        lines: text.lines().take(MOST).map(str::to_owned).collect::<Vec<_>>().into_iter(),
        said: Said::default(),
        verbose: (terminal || options.has('v')) && !options.has('V'),
        server: None,
        host: String::new(),
    };
    if let Some(host) = options.operands.first() {
        let port = options.operands.get(1).cloned().or_else(|| options.value('P').map(str::to_owned));
        client.open(host, port.as_deref(), !options.has('n')).await;
    }
    for _ in 0..MOST {
        let Some(line) = client.next("ftp> ").await else { break };
        if client.command(line.trim(), !options.has('n')).await {
            break;
        }
    }
    client.said
}

impl Client<'_> {
    fn show(&mut self, text: &str) {
        match self.call.session.channels.lock().clone().filter(|_| self.call.to_terminal) {
            Some((output, _)) => output(Out::Stdout, text.as_bytes()),
            None => self.said.out.extend_from_slice(text.as_bytes()),
        }
    }

    /// What the server says, where the visitor wants to see it.
    fn reply(&mut self, text: &str) {
        if self.verbose {
            self.show(&text.replace('\r', ""));
        }
    }

    /// The next line of input; at a terminal behind a prompt.
    async fn next(&mut self, prompt: &str) -> Option<String> {
        if self.call.stdin.is_some() {
            return self.lines.next();
        }
        if self.call.session.launch.tty.is_some() {
            self.show(prompt);
        }
        let (_, input) = self.call.session.channels.lock().clone()?;
        let line = input.read_line().await;
        (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())
    }

    async fn open(&mut self, host: &str, port: Option<&str>, logs_in: bool) {
        let word = port.unwrap_or("ftp");
        let Some(number) = super::port(word) else {
            self.show(&format!("ftp: bad port value `{word}'\n"));
            return;
        };
        let Some(place) = Place::of(self.call.session, host, number) else {
            self.show(&format!("ftp: Can't lookup `{host}:{word}': Name or service not known\n"));
            self.show(&format!("ftp: Can't connect to `{host}:{word}'\n"));
            return;
        };
        place.record(self.call.session, "ftp");
        let shown = if place.is_address() {
            String::new()
        } else {
            format!("Trying {}:{number} ...\n", place.address)
        };
        self.reply(&shown);
        place.wait(self.call.session, None).await;
        let why = match place.reach {
            Reach::Own | Reach::Accepted => None,
            Reach::Refused => Some("Connection refused"),
            Reach::NoRoute => Some("No route to host"),
            Reach::Silent => Some("Connection timed out"),
        };
        if let Some(why) = why {
            self.show(&format!("ftp: Can't connect to `{}:{number}': {why}\n", place.address));
            self.show(&format!("ftp: Can't connect to `{host}:{word}'\n"));
            return;
        }
        self.reply(&format!("Connected to {host}.\n"));
        host.clone_into(&mut self.host);
        if place.reach == Reach::Own {
            let (talk, said) = Talk::open(&self.call.session.contact, number).await;
            self.server = Some(Server::Own(talk));
            self.reply(&String::from_utf8_lossy(&said));
        } else {
            self.server = Some(Server::Played(false));
            self.reply("220 FTP server ready.\n");
        }
        if logs_in {
            let user = self.call.session.user_name();
            let asked = self.next(&format!("Name ({host}:{user}): ")).await.unwrap_or_default();
            let name = asked.trim();
            self.log_in(if name.is_empty() { &user } else { name }.to_owned(), None).await;
        }
    }

    async fn log_in(&mut self, name: String, password: Option<String>) {
        let password = match password {
            Some(password) => password,
            None => {
                let text = self.lines.next().unwrap_or_default();
                let mut lines = Lines::of(self.call, &text);
                lines.answer("Password: ", &mut self.said).await.unwrap_or_default()
            }
        };
        let refused = match &mut self.server {
            None => return self.show("Not connected.\n"),
            Some(Server::Own(talk)) => {
                let mut said = talk.hear(format!("USER {name}\r\n").as_bytes()).await;
                said.extend(talk.hear(format!("PASS {password}\r\n").as_bytes()).await);
                let said = String::from_utf8_lossy(&said).into_owned();
                let refused = !said.contains("230 ");
                self.reply(&said);
                refused
            }
            Some(Server::Played(inside)) => {
                *inside = true;
                self.reply("331 Please specify the password.\n230 Login successful.\n");
                false
            }
        };
        if refused {
            self.show("ftp: Login failed\n");
        } else {
            self.reply("Remote system type is UNIX.\nUsing binary mode to transfer files.\n");
        }
    }

    /// One command; whether it was the last.
    async fn command(&mut self, line: &str, logs_in: bool) -> bool {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Some(verb) = words.first().map(String::as_str) else { return false };
        let word = |at: usize| words.get(at).cloned();
        match verb {
            "bye" | "quit" | "exit" => {
                if let Some(server) = self.server.take() {
                    self.leave(server).await;
                }
                return true;
            }
            "open" => match word(1) {
                Some(host) if self.server.is_none() => {
                    self.open(&host, words.get(2).map(String::as_str), logs_in).await;
                }
                Some(_) => {
                    self.show(&format!("Already connected to {}, use close first.\n", self.host.clone()))
                }
                None => self.show("usage: open host-name [port]\n"),
            },
            "close" | "disconnect" => match self.server.take() {
                Some(server) => self.leave(server).await,
                None => self.show("Not connected.\n"),
            },
            "verbose" => {
                self.verbose = !self.verbose;
                let state = if self.verbose { "on" } else { "off" };
                self.show(&format!("Verbose mode {state}.\n"));
            }
            "prompt" => self.show("Interactive mode off.\n"),
            "hash" | "lcd" | "passive" | "epsv4" | "bell" | "!" => {}
            _ if self.server.is_none() && is_known(verb) => self.show("Not connected.\n"),
            "user" => match word(1) {
                Some(name) => self.log_in(name, word(2)).await,
                None => self.show("usage: user username [password [account]]\n"),
            },
            "get" | "recv" | "mget" | "reget" => match word(1) {
                Some(_) if verb == "mget" => {
                    for name in words.iter().skip(1).take(20) {
                        self.get(name, name).await;
                    }
                }
                Some(name) => {
                    let to =
                        word(2).unwrap_or_else(|| name.rsplit('/').next().unwrap_or_default().to_owned());
                    self.get(&name, &to).await;
                }
                None => self.show("usage: get remote-file [local-file]\n"),
            },
            verb if is_known(verb) => self.tell(verb, &words).await,
            _ => self.show("?Invalid command.\n"),
        }
        false
    }

    async fn leave(&mut self, server: Server) {
        match server {
            Server::Own(mut talk) => {
                let said = talk.hear(b"QUIT\r\n").await;
                self.reply(&String::from_utf8_lossy(&said));
            }
            Server::Played(_) => self.reply("221 Goodbye.\n"),
        }
    }

    /// Any other verb, as the server knows it.
    async fn tell(&mut self, verb: &str, words: &[String]) {
        let rest = words.iter().skip(1).cloned().collect::<Vec<_>>().join(" ");
        let wire = match verb {
            "cd" => "CWD",
            "pwd" => "PWD",
            "ls" | "dir" | "nlist" | "mls" => "LIST",
            "binary" | "bin" | "image" => "TYPE I",
            "ascii" => "TYPE A",
            "delete" => "DELE",
            "mkdir" => "MKD",
            "rmdir" => "RMD",
            "system" => "SYST",
            "put" | "send" | "mput" | "append" => "STOR",
            "site" => "SITE",
            _ => "NOOP",
        };
        match &mut self.server {
            Some(Server::Own(talk)) => {
                let said = talk.hear(format!("{wire} {rest}").trim_end().as_bytes()).await;
                let more = talk.hear(b"\r\n").await;
                self.reply(&String::from_utf8_lossy(&[said, more].concat()));
            }
            Some(Server::Played(true)) => {
                let text = match wire {
                    "CWD" => "250 Directory successfully changed.\n".to_owned(),
                    "PWD" => "Remote directory: /\n".to_owned(),
                    "LIST" => "229 Entering Extended Passive Mode (|||30012|)\n150 Here comes the directory listing.\n226 Directory send OK.\n".to_owned(),
                    "TYPE I" => "200 Switching to Binary mode.\n".to_owned(),
                    "TYPE A" => "200 Switching to ASCII mode.\n".to_owned(),
                    "SYST" => "215 UNIX Type: L8\n".to_owned(),
                    "NOOP" => "200 NOOP ok.\n".to_owned(),
                    _ => "550 Permission denied.\n".to_owned(),
                };
                self.reply(&text);
            }
            Some(Server::Played(false)) => self.reply("530 Please login with USER and PASS.\n"),
            None => self.show("Not connected.\n"),
        }
    }

    async fn get(&mut self, name: &str, to: &str) {
        self.reply(&format!("local: {to} remote: {name}\n"));
        match &mut self.server {
            Some(Server::Own(_)) => self.reply("500 OOPS: vsf_sysutil_bind\n"),
            Some(Server::Played(false)) => self.reply("530 Please login with USER and PASS.\n"),
            Some(Server::Played(true)) => {
                let address = format!("ftp://{}/{}", self.host, name.trim_start_matches('/'));
                let arrival = transfer::arrival(self.call, &Url::cut(&address));
                transfer::wait(self.call.session, arrival.time).await;
                let path = self.call.path(to);
                transfer::record(self.call.session, &address, &path, Some(&arrival.bytes));
                if let Err(error) = transfer::store(self.call, to, &arrival.bytes) {
                    self.show(&format!("ftp: Can't access `{to}': {}\n", error.errno_text()));
                    return;
                }
                let size = arrival.bytes.len();
                let rate = size as f64 / 1024.0 / arrival.time.as_secs_f64().max(0.01);
                self.reply(&format!(
                    "229 Entering Extended Passive Mode (|||30012|)\n150 Opening BINARY mode data connection for {name} ({size} bytes).\n226 Transfer complete.\n{size} bytes received in 00:00 ({rate:.2} KiB/s)\n"
                ));
            }
            None => self.show("Not connected.\n"),
        }
    }
}

/// Commands that the client has.
fn is_known(verb: &str) -> bool {
    matches!(
        verb,
        "append"
            | "ascii"
            | "bin"
            | "binary"
            | "cd"
            | "cdup"
            | "chmod"
            | "delete"
            | "dir"
            | "get"
            | "image"
            | "ls"
            | "mdelete"
            | "mget"
            | "mkdir"
            | "mls"
            | "mput"
            | "nlist"
            | "put"
            | "pwd"
            | "quote"
            | "recv"
            | "reget"
            | "rename"
            | "rmdir"
            | "send"
            | "site"
            | "size"
            | "status"
            | "system"
            | "type"
            | "user"
    )
}
