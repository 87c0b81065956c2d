//! What each daemon says to a visitor it has no room for, before it closes.

use std::net::IpAddr;

use wire::Protocol;

/// The words of the real daemon; empty for those that close without a word.
pub fn busy_words(protocol: Protocol, hostname: &str, source: IpAddr, per_source: bool) -> String {
    match protocol {
        // sshd.c of OpenSSH 9.2, at MaxStartups.
        Protocol::Ssh => "Exceeded MaxStartups\r\n".to_owned(),
        // vsftpd 3.0.3: max_per_ip and max_clients.
        Protocol::Ftp if per_source => {
            "421 There are too many connections from your internet address.\r\n".to_owned()
        }
        Protocol::Ftp => "421 There are too many connected users, please try later.\r\n".to_owned(),
        // Postfix 3.7, smtpd_client_connection_count_limit.
        Protocol::Smtp => format!("421 4.7.0 {hostname} Error: too many connections from {source}\r\n"),
        // inetd and nginx close the connection.
        Protocol::Telnet | Protocol::Http | Protocol::Plain | Protocol::Rustbucket => String::new(),
    }
}
