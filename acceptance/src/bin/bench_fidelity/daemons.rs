//! The real daemons of Debian 12 and a bucket, side by side: the same probes, the same answers.

use std::{path::Path, process::Command};

use acceptance::{
    Bucket, ports,
    real::{PASSWORD, PLAYER, RealDaemons, USER},
    report::{Figure, Target, figure},
    root,
    signatures::{self, Login},
};
use serde_json::{Value, json};

/// Plays every probe against both, has scanners look at both, and looks at both as honeypot detectors do; `show`
/// differences of each protocol are printed.
pub async fn measure(show: usize, ssh_audit: Option<&Path>, only: Option<&str>) -> Vec<Figure> {
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(Vec::new()));
    // Otherwise some identities have no domain, and nothing to compare with.
    bucket.set(&["persona", "hostname"], "web01.lindqvist.example");
    bucket.set(&["persona", "users"], vec![USER]);
    bucket.set(&["logins", "always"], vec![format!("{USER}:{PASSWORD}"), format!("root:{PASSWORD}")]);
    // Nobody guesses a way in while wrong passwords are compared.
    for key in ["fewest_tries", "most_tries"] {
        bucket.set(&["logins", key], 50);
    }
    let https = ports::free(1)[0];
    bucket.set(&["ports", "https", "port"], i64::from(https));
    bucket.set(&["ports", "https", "protocol"], "http");
    bucket.set(&["ports", "https", "tls"], true);
    bucket.start().await;
    let ports = bucket.ports.clone();
    let report = bucket.home().join("daemons.json");
    let wanted = bucket.home().join("ports.json");
    let named = json!({ "ssh": ports.ssh, "telnet": ports.telnet, "ftp": ports.ftp, "smtp": ports.smtp, "http": ports.http, "https": https });
    std::fs::write(&wanted, named.to_string()).expect("ports");
    let mut player = Command::new("python3");
    player.arg(root().join(PLAYER)).arg("--against").arg(&wanted).arg(&report).args(only);
    if let Some(program) = ssh_audit {
        player.env("SSH_AUDIT", program);
    }
    let status =
        tokio::task::spawn_blocking(move || player.status()).await.expect("a thread").expect("python3");
    let mut figures = Vec::new();
    let played = report.is_file();
    if played {
        let text = std::fs::read_to_string(&report).expect("the report");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        figures.extend(equal_share(&report, show));
    } else {
        let root = rustix::process::geteuid().is_root();
        let cause =
            if root { "its own words stand above" } else { "it needs root, for namespaces of its own" };
        println!("The probes were not played: the player ended with {status}; {cause}.");
    }
    let findings = signatures::look(&ports, Login { user: "root", password: PASSWORD }).await;
    for fired in &findings.fired {
        println!("{} fires: {}", fired.id, fired.why);
    }
    figures.push(figure(
        "signatures_fired",
        findings.fired.len() as f64,
        "rows",
        Some(Target::AtMost(0.0)),
        format!("of {} rows of honeypot signatures that public tools look at", findings.looked.len()),
    ));
    bucket.assert_sound();
    figures.extend(fired_on_the_real_ones().await);
    bucket.stop();
    figures
}

/// The same rows on the real daemons; none where they cannot be started.
async fn fired_on_the_real_ones() -> Option<Figure> {
    let real = RealDaemons::start().await?;
    let findings = signatures::look_at_daemons(&real.ports, Login { user: USER, password: PASSWORD }).await;
    for fired in &findings.fired {
        println!("{} fires on the real daemon: {}", fired.id, fired.why);
    }
    let note = format!("of {} rows that are about daemons, on the real ones", findings.looked.len());
    let fired = findings.fired.len() as f64;
    Some(figure("signatures_fired_real", fired, "rows", Some(Target::AtMost(0.0)), note))
}

/// The share of equal answers, in all and for each protocol.
fn equal_share(report: &Value, show: usize) -> Vec<Figure> {
    let (mut equal, mut total, mut notes, mut figures) = (0, 0, Vec::new(), Vec::new());
    for (protocol, found) in report.as_object().expect("protocols") {
        let number = |key: &str| found[key].as_u64().expect("a number");
        let share = number("equal") as f64 / number("total").max(1) as f64;
        let mut counted = format!("{} of {}", number("equal"), number("total"));
        if let Some(cause) = found["failed"].as_str() {
            println!("\n{protocol} was not played to its end: {cause}");
            counted = format!("not played: {cause}");
        }
        if protocol == "scanners" {
            let note = format!("{counted} reports of nmap -sV -sC and ssh-audit are the same for both");
            figures.push(figure("scanner_reports_equal", share, "", Some(Target::AtLeast(1.0)), note));
        } else {
            (equal, total) = (equal + number("equal"), total + number("total"));
            notes.push(format!("{protocol} {counted}"));
            let key = format!("daemon_probes_equal_{protocol}");
            figures.push(figure(key, share, "", Some(Target::AtLeast(1.0)), counted));
        }
        for difference in found["different"].as_array().expect("differences").iter().take(show) {
            let text = |key: &str| difference[key].as_str().unwrap_or_default().to_owned();
            println!("\n{protocol} {}\n  real\n{}\n  ours\n{}", text("probe"), text("real"), text("ours"));
        }
    }
    let share = equal as f64 / total.max(1) as f64;
    let note = format!("identical but for masked values: {}", notes.join(", "));
    figures.insert(0, figure("daemon_probes_equal", share, "", Some(Target::AtLeast(1.0)), note));
    figures
}
