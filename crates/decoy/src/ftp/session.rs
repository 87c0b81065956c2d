//! What somebody who has logged in may say: folders, names, modes. Transfers are in `transfers.rs`.

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    dialogue::{Contact, Stage},
    machine::{
        Account, Files,
        files::{Access, Owner},
    },
};

use super::{DataConnections, transfers::Way};

/// Somebody who is logged in.
pub(super) struct Session {
    pub account: Account,
    pub cwd: String,
    pub umask: u32,
    pub restart: u64,
    pub way: Way,
    pub binary: bool,
    extended_only: bool,
    rename_from: Option<String>,
}

impl Session {
    pub fn new(account: Account) -> Self {
        let cwd = account.home.clone();
        // Debian's vsftpd.conf offers `local_umask=022`; a server whose uploads nginx shall serve has it set.
        Self {
            account,
            cwd,
            umask: 0o022,
            restart: 0,
            way: Way::None,
            binary: false,
            extended_only: false,
            rename_from: None,
        }
    }

    pub async fn command(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        verb: &str,
        argument: &[u8],
        stage: &Stage,
    ) {
        let files = contact.visitor.files();
        let text = String::from_utf8_lossy(argument);
        let argument: &str = &text;
        contact.approach(&self.path(files, argument)).await;
        match verb {
            "USER" if argument == self.account.name => stage.say("331 Any password will do.\r\n"),
            "USER" => stage.say("530 Can't change to another user.\r\n"),
            "PASS" => stage.say("230 Already logged in.\r\n"),
            "PWD" | "XPWD" => stage.say(format!("257 {} is the current directory\r\n", quoted(&self.cwd))),
            "CWD" | "XCWD" => self.change_directory(files, argument, stage),
            "CDUP" | "XCUP" => self.change_directory(files, "..", stage),
            "SYST" => stage.say("215 UNIX Type: L8\r\n"),
            "NOOP" => stage.say("200 NOOP ok.\r\n"),
            "ALLO" => stage.say("202 ALLO command ignored.\r\n"),
            "REIN" => stage.say("502 REIN not implemented.\r\n"),
            "ACCT" => stage.say("502 ACCT not implemented.\r\n"),
            "SMNT" => stage.say("502 SMNT not implemented.\r\n"),
            "ABOR" => stage.say("225 No transfer to ABOR.\r\n"),
            "TYPE" => self.set_type(argument, stage),
            "MODE" if argument.eq_ignore_ascii_case("S") => stage.say("200 Mode set to S.\r\n"),
            "MODE" => stage.say("504 Bad MODE command.\r\n"),
            "STRU" if argument.eq_ignore_ascii_case("F") => stage.say("200 Structure set to F.\r\n"),
            "STRU" => stage.say("504 Bad STRU command.\r\n"),
            "REST" => {
                self.restart = file_size(argument);
                stage.say(format!("350 Restart position accepted ({}).\r\n", self.restart));
            }
            "PASV" | "PORT" | "EPRT" if self.extended_only => stage.say("550 Permission denied.\r\n"),
            "PASV" => self.passive(contact, data, stage).await,
            "EPSV" => self.extended_passive(contact, data, argument, stage).await,
            "PORT" => self.active(contact, data, parse_port(argument).ok_or("Illegal PORT"), "PORT", stage),
            "EPRT" => self.active(contact, data, parse_eprt(argument), "EPRT", stage),
            "PBSZ" | "PROT" => stage.say("550 Permission denied.\r\n"),
            "SIZE" => self.size(files, argument, stage),
            "MDTM" => self.modification_time(files, argument, stage),
            "DELE" => self.delete(files, argument, stage),
            "MKD" | "XMKD" => self.make_directory(files, argument, stage),
            "RMD" | "XRMD" => self.remove_directory(files, argument, stage),
            "RNFR" => {
                let path = self.path(files, argument);
                let there = !argument.is_empty() && files.lstat(&path).is_ok();
                stage.say(if there { "350 Ready for RNTO.\r\n" } else { "550 RNFR command failed.\r\n" });
                self.rename_from = there.then_some(path);
            }
            "RNTO" => self.rename(files, argument, stage),
            "SITE" => self.site(contact, argument, stage).await,
            "STAT" => self.status(contact, argument, stage),
            "LIST" | "NLST" | "RETR" | "STOR" | "APPE" | "STOU" => {
                self.transfer(contact, data, verb, argument, stage).await;
            }
            _ => stage.say("500 Unknown command.\r\n"),
        }
    }

    /// The path of something new: a name ends at a NUL, as the kernel reads it.
    pub fn new_path(&self, files: &Files, argument: &str) -> String {
        self.path(files, argument.split('\0').next().unwrap_or_default())
    }

    /// The absolute path of an argument; `~` is the home directory.
    pub fn path(&self, files: &Files, argument: &str) -> String {
        let path = self.resolved(files, argument);
        // Only a folder has something behind its slash.
        let is_file = argument.ends_with('/') && files.stat(&path).is_ok_and(|node| !node.is_dir());
        if is_file { format!("{path}/.") } else { path }
    }

    fn resolved(&self, files: &Files, argument: &str) -> String {
        match argument.strip_prefix('~') {
            Some("") => self.account.home.clone(),
            Some(rest) if rest.starts_with('/') => {
                files.resolve("/", &format!("{}{rest}", self.account.home))
            }
            _ => files.resolve(&self.cwd, argument),
        }
    }

    pub fn owner(&self) -> Owner {
        Owner { uid: self.account.uid, gid: self.account.gid }
    }

    pub fn may(&self, files: &Files, path: &str, access: Access) -> bool {
        files.may(self.account.uid, self.account.gid, path, access).is_ok()
    }

    /// Whether names may be made and removed beside this path; in a sticky directory only by an owner.
    pub fn may_change_name(&self, files: &Files, path: &str) -> bool {
        let parent = match path.rsplit_once('/') {
            Some(("", _)) | None => "/",
            Some((parent, _)) => parent,
        };
        let Ok(folder) = files.stat(parent) else { return false };
        let uid = self.account.uid;
        let sticky = folder.mode & 0o1000 != 0 && uid != 0 && uid != folder.uid;
        let theirs = sticky && files.lstat(path).is_ok_and(|node| node.uid != uid);
        folder.is_dir() && !theirs && self.may(files, parent, Access::Write)
    }

    fn change_directory(&mut self, files: &Files, argument: &str, stage: &Stage) {
        let path = self.path(files, argument);
        if !argument.is_empty() && files.is_dir(&path) && self.may(files, &path, Access::Execute) {
            // The daemon asks getcwd(3), which knows no links.
            self.cwd = files.real_path(&path).unwrap_or(path);
            stage.say("250 Directory successfully changed.\r\n");
        } else {
            stage.say("550 Failed to change directory.\r\n");
        }
    }

    fn set_type(&mut self, argument: &str, stage: &Stage) {
        match argument.to_ascii_uppercase().as_str() {
            "I" | "L8" | "L 8" => {
                self.binary = true;
                stage.say("200 Switching to Binary mode.\r\n");
            }
            "A" | "A N" => {
                self.binary = false;
                stage.say("200 Switching to ASCII mode.\r\n");
            }
            _ => stage.say("500 Unrecognised TYPE command.\r\n"),
        }
    }

    async fn passive(&mut self, contact: &Contact, data: &mut dyn DataConnections, stage: &Stage) {
        self.way = Way::None;
        data.close();
        let address = match contact.local.ip().to_canonical() {
            IpAddr::V4(address) => address,
            // vsftpd answers PASV on an IPv6 connection with an address of noughts.
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        match data.listen().await {
            Some(port) => {
                self.way = Way::Passive("PASV");
                let [a, b, c, d] = address.octets();
                let (high, low) = (port >> 8, port & 0xff);
                stage.say(format!("227 Entering Passive Mode ({a},{b},{c},{d},{high},{low}).\r\n"));
            }
            None => stage.say("421 Service not available.\r\n"),
        }
    }

    async fn extended_passive(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        argument: &str,
        stage: &Stage,
    ) {
        let wanted = if contact.local.ip().to_canonical().is_ipv4() { "1" } else { "2" };
        if argument.eq_ignore_ascii_case("ALL") {
            self.extended_only = true;
            stage.say("200 EPSV ALL ok.\r\n");
        } else if !argument.is_empty() && argument != wanted {
            stage.say("522 Bad network protocol.\r\n");
        } else {
            self.way = Way::None;
            data.close();
            match data.listen().await {
                Some(port) => {
                    self.way = Way::Passive("EPSV");
                    stage.say(format!("229 Entering Extended Passive Mode (|||{port}|)\r\n"));
                }
                None => stage.say("421 Service not available.\r\n"),
            }
        }
    }

    /// The visitor wants to be called back. Only its own address is allowed (as in vsftpd), and it is never called.
    fn active(
        &mut self,
        contact: &Contact,
        data: &mut dyn DataConnections,
        wanted: Result<(Ipv4Addr, u16), &'static str>,
        verb: &'static str,
        stage: &Stage,
    ) {
        self.way = Way::None;
        data.close();
        match wanted {
            Ok((address, port)) if contact.peer.ip().to_canonical() == address && port >= 1024 => {
                self.way = Way::Active;
                stage.say(format!(
                    "200 {verb} command successful. Consider using {}.\r\n",
                    if verb == "PORT" { "PASV" } else { "EPSV" }
                ));
            }
            Ok(_) => stage.say(format!("500 Illegal {verb} command.\r\n")),
            Err("Illegal PORT") => stage.say("500 Illegal PORT command.\r\n"),
            Err(text) => stage.say(format!("500 {text}.\r\n")),
        }
    }

    fn make_directory(&mut self, files: &Files, argument: &str, stage: &Stage) {
        let path = self.new_path(files, argument);
        let made = !argument.is_empty()
            && self.may_change_name(files, &path)
            && files.make_dir(&path, &self.owner(), 0o777 & !self.umask).is_ok();
        if made {
            let shown = if argument.contains('\0') { files.resolve(&self.cwd, argument) } else { path };
            stage.say(format!("257 {} created\r\n", quoted(&shown)));
        } else {
            stage.say("550 Create directory operation failed.\r\n");
        }
    }

    fn remove_directory(&mut self, files: &Files, argument: &str, stage: &Stage) {
        let path = self.path(files, argument);
        let gone = !argument.is_empty()
            && files.lstat(&path).is_ok_and(|node| node.is_dir())
            && self.may_change_name(files, &path)
            && files.remove(&path).is_ok();
        stage.say(if gone {
            "250 Remove directory operation successful.\r\n"
        } else {
            "550 Remove directory operation failed.\r\n"
        });
    }

    fn delete(&mut self, files: &Files, argument: &str, stage: &Stage) {
        let path = self.path(files, argument);
        let gone = !argument.is_empty()
            && files.lstat(&path).is_ok_and(|node| !node.is_dir())
            && self.may_change_name(files, &path)
            && files.remove(&path).is_ok();
        stage.say(if gone {
            "250 Delete operation successful.\r\n"
        } else {
            "550 Delete operation failed.\r\n"
        });
    }

    fn rename(&mut self, files: &Files, argument: &str, stage: &Stage) {
        let Some(from) = self.rename_from.take() else {
            return stage.say("503 RNFR required first.\r\n");
        };
        let to = self.new_path(files, argument);
        let moved = !argument.is_empty()
            && self.may_change_name(files, &from)
            && self.may_change_name(files, &to)
            && files.rename(&from, &to).is_ok();
        stage.say(if moved { "250 Rename successful.\r\n" } else { "550 Rename failed.\r\n" });
    }
}

/// A path in quotes; quotes inside are doubled (RFC 959, appendix II).
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('"', "\"\""))
}

/// Up to fifteen digits (str_a_to_filesize_t of vsftpd); all else is nothing.
fn file_size(text: &str) -> u64 {
    let plain = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).unwrap_or(0)
}

/// `h1,h2,h3,h4,p1,p2`
fn parse_port(argument: &str) -> Option<(Ipv4Addr, u16)> {
    let mut numbers = argument.split(',').map(|number| number.trim().parse::<u8>().ok());
    let mut next = || numbers.next().flatten();
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from_be_bytes([next()?, next()?]);
    numbers.next().is_none().then_some((address, port))
}

/// `|1|address|port|` (RFC 2428)
fn parse_eprt(argument: &str) -> Result<(Ipv4Addr, u16), &'static str> {
    let mut parts = argument.strip_prefix('|').unwrap_or_default().split('|');
    let protocol = parts.next().unwrap_or_default();
    if protocol.is_empty() && !argument.is_empty() {
        return Err("Bad EPRT command");
    }
    if protocol != "1" {
        return Err("Bad EPRT protocol");
    }
    let address = parts.next().and_then(|part| part.parse().ok()).ok_or("Bad EPRT command")?;
    let port = parts.next().and_then(|part| part.parse().ok()).ok_or("Bad EPRT command")?;
    Ok((address, port))
}
