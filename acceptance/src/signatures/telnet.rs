//! Section 3: Telnet.

use super::{Findings, ask};
use crate::clients::Lines;

/// Every row of the section.
pub async fn look(port: u16, findings: &mut Findings) {
    let mut lines = Lines::connect(port).await.expect("Telnet");
    let greeting = lines.read_until(|heard| heard.len() >= 3).await.unwrap_or_default();
    findings.fires_if(
        "TEL-01",
        greeting.starts_with(b"\xff\xfd\x1f") && greeting.get(3) != Some(&0xff),
        "Cowrie's greeting",
    );
    findings.fires_if(
        "TEL-02",
        greeting.starts_with(b"\xff\xfb\x03\xff\xfb\x01\xff\xfd\x1f\xff\xfd\x18"),
        "telnetlogger's greeting",
    );
    findings.fires_if("TEL-03", greeting.starts_with(b"\xff\xfb\x01"), "MTPot's greeting");
    let refused: &[u8] =
        b"\xff\xfe\x25\xff\xfe\x26\xff\xfc\x18\xff\xfc\x20\xff\xfc\x23\xff\xfc\x27\xff\xfc\x24";
    let later: &[u8] = b"\xff\xfc\x03\xff\xfe\x01\xff\xfc\x1f\xff\xfe\x05\xff\xfc\x21";
    let text = ask(port, &[refused, later]).await;
    findings.fires_on("TEL-04", &text, &["Linux 7", "Login: "]);
    // The real telnetd of Debian asks for seven; what it asks for is what we must, whatever a tool thinks of the number.
    let real = b"\xff\xfb\x25\xff\xfb\x26\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27\xff\xfd\x24";
    findings.fires_if("TEL-05", greeting != real, format!("not telnetd's options: {greeting:02x?}"));
    findings.fires_on("TEL-06", &text, &["svr04", "srv04", "nas3", "localhost", "3.2.0-4", "wheezy"]);
    for (user, password) in [
        ("root", ""),
        ("root", "123456"),
        ("root", "xc3511"),
        ("root", "vizxv"),
        ("admin", "admin"),
        ("admin", "1234"),
    ] {
        let (name, word) = (format!("{user}\r\n"), format!("{password}\r\n"));
        let answer = ask(port, &[refused, later, name.as_bytes(), word.as_bytes()]).await;
        findings.fires_if(
            "TEL-07",
            answer.contains("NO WARRANTY") || answer.contains("Last login"),
            format!("{user}:{password} is let in"),
        );
    }
    findings.fires_on("TEL-08", &text, &["\r\nlogin: \0", "Unauthorized access"]);
}
