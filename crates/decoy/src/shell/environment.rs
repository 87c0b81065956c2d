//! The variables a shell starts with.

use super::session::Session;

/// Where programs are looked for (`/etc/login.defs`).
pub(super) fn path_of(uid: u32) -> &'static str {
    if uid == 0 {
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    } else {
        "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
    }
}

/// The environment of a login: sshd's and login's, then bash's own.
pub(super) fn of(session: &Session) -> Vec<(String, String)> {
    let account = &session.launch.account;
    let path = path_of(account.uid);
    let mail = format!("/var/mail/{}", account.name);
    let mut env: Vec<(String, String)> = [
        ("SHELL", account.shell.as_str()),
        ("PWD", account.home.as_str()),
        ("LOGNAME", account.name.as_str()),
        ("HOME", account.home.as_str()),
        ("LANG", "C.UTF-8"),
        ("USER", account.name.as_str()),
        ("SHLVL", "1"),
        ("PATH", path),
        ("MAIL", mail.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    if session.launch.tty.is_some() {
        env.push(("TERM".to_owned(), "xterm-256color".to_owned()));
    }
    for (name, value) in &session.launch.env {
        env.retain(|(known, _)| known != name);
        env.push((name.clone(), value.clone()));
    }
    env
}
