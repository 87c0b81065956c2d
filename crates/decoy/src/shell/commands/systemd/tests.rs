//! Services, the firewall and reboots as a visitor sees them.

use std::time::Duration;

use crate::shell::{
    Launch, Shell,
    tests::{contact, said, shell},
};

#[tokio::test]
async fn a_service_that_is_stopped_is_gone_everywhere() {
    let mut shell = shell("root");
    assert!(
        said(&mut shell, "systemctl status nginx")
            .await
            .0
            .starts_with("\x1b[0;1;32m\u{25cf}\x1b[0m nginx.service - ")
    );
    let text = said(&mut shell, "systemctl status nginx | cat").await.0;
    assert!(text.starts_with("\u{25cf} nginx.service - A high performance web server"), "{text}");
    assert!(
        text.contains("Active: active (running) since ") && text.contains("\"nginx: worker process\""),
        "{text}"
    );
    assert_eq!(
        said(&mut shell, "systemctl is-active nginx sshd nothing").await.0,
        "active\nactive\ninactive\n"
    );
    assert_eq!(said(&mut shell, "systemctl stop nginx").await, (String::new(), Default::default()));
    assert_eq!(said(&mut shell, "pgrep nginx; netstat -tln | grep -c :80").await.0, "0\n");
    let (text, finished) = said(&mut shell, "service nginx status").await;
    let text = text.replace("\x1b[0m", "");
    assert!(text.starts_with("\u{25cb} nginx.service") && text.contains("inactive (dead)"), "{text}");
    assert_eq!(finished.status, 3);
    said(&mut shell, "service nginx start").await;
    assert_eq!(
        said(&mut shell, "systemctl is-active nginx; pidof nginx | wc -w").await.0.lines().next(),
        Some("active")
    );
    let unknown = "Failed to start foo.service: Unit foo.service not found.\n";
    assert_eq!(said(&mut shell, "systemctl start foo").await.0, unknown);
}

#[tokio::test]
async fn a_visitors_own_unit_runs_and_can_be_killed() {
    let mut shell = shell("root");
    said(&mut shell, "cp /bin/sleep /usr/local/bin/kworkerds; printf '[Unit]\\nDescription=Kernel helper\\n[Service]\\nExecStart=/usr/local/bin/kworkerds -B\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/kw.service").await;
    assert_eq!(said(&mut shell, "systemctl daemon-reload; systemctl is-enabled kw").await.0, "disabled\n");
    let made = "Created symlink /etc/systemd/system/multi-user.target.wants/kw.service \u{2192} /etc/systemd/system/kw.service.\n";
    assert_eq!(said(&mut shell, "systemctl enable --now kw").await.0, made);
    assert_eq!(
        said(
            &mut shell,
            "systemctl is-enabled kw; systemctl is-active kw; pgrep -c kworkerds >/dev/null; echo $?"
        )
        .await
        .0,
        "enabled\nactive\n0\n"
    );
    let text = said(&mut shell, "systemctl status kw").await.0;
    assert!(
        text.contains(" kw.service - Kernel helper") && text.contains("/usr/local/bin/kworkerds -B"),
        "{text}"
    );
    said(&mut shell, "pkill -9 kworkerds").await;
    assert_eq!(said(&mut shell, "systemctl is-active kw").await.0, "failed\n");
    assert!(
        said(&mut shell, "systemctl disable kw")
            .await
            .0
            .starts_with("Removed \"/etc/systemd/system/multi-user")
    );
}

#[tokio::test]
async fn a_script_kills_what_runs_and_is_told_what_does_not() {
    let contact = contact();
    let account = contact.visitor.identity().account("root").unwrap().clone();
    let launch = Launch {
        account,
        login: false,
        tty: None,
        env: vec![],
        window: (80, 24),
        notes: std::sync::Arc::new(|_| {}),
    };
    let mut shell = Shell::new(&contact, launch);
    let line =
        "p=$(pidof nginx | tr ' ' '\\n' | sort -n | head -1); kill -9 $p; echo $?; systemctl is-active nginx";
    assert_eq!(said(&mut shell, line).await.0, "0\nfailed\n");
    let line =
        "kill -9 $(pidof rsyslogd) 99999999; systemctl is-active rsyslog; kill -0 $(pidof cron) && echo up";
    let text = said(&mut shell, line).await.0;
    assert!(text.ends_with("(99999999) - No such process\nactive\nup\n"), "{text}");
}

#[tokio::test]
async fn rules_of_the_firewall_stay() {
    let mut shell = shell("root");
    let (text, finished) =
        said(&mut shell, "iptables -A INPUT -p tcp --dport 23 -j DROP && iptables -S INPUT").await;
    assert_eq!(
        (text.as_str(), finished.status),
        ("-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 23 -j DROP\n", 0)
    );
    let text = said(&mut shell, "iptables-save | grep -v ^#").await.0;
    assert_eq!(
        text,
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 23 -j DROP\nCOMMIT\n"
    );
    assert_eq!(said(&mut shell, "iptables -F; iptables -S INPUT").await.0, "-P INPUT ACCEPT\n");
}

#[tokio::test]
async fn a_reboot_keeps_what_is_on_the_disk_and_nothing_else() {
    let mut first = shell("root");
    let visitor = std::sync::Arc::clone(&first.session.contact.visitor);
    said(&mut first, "echo loot > /root/x; echo gone > /tmp/y; echo gone > /dev/shm/z; systemctl disable --now vsftpd; systemctl stop nginx").await;
    let before = visitor.identity().boot_id.clone();
    let text = said(&mut first, "reboot").await.0;
    assert!(
        text.contains("Broadcast message from root@srv1 on pts/0")
            && text.contains("The system will reboot now!"),
        "{text:?}"
    );
    assert!(visitor.is_going_down());
    let machine = std::sync::Arc::clone(visitor.machine());
    let after = machine.visit([192, 0, 2, 1].into());
    assert!(after.is_down() && !after.is_going_down());
    let booted = after.identity().boot_time;
    assert!(booted > after.now() && booted < after.now() + Duration::from_secs(60));
    assert_ne!(after.identity().boot_id, before);
    let files = after.files();
    assert!(files.exists("/root/x") && !files.exists("/tmp/y") && !files.exists("/dev/shm/z"));
    assert_eq!(
        &files.read("/proc/sys/kernel/random/boot_id").unwrap()[..],
        format!("{}\n", after.identity().boot_id).as_bytes()
    );
    assert!(after.serves(80) && !after.serves(21), "what is enabled starts, what is disabled does not");
    assert!(!machine.visit([192, 0, 2, 2].into()).is_down(), "another visitor notices nothing");
}

#[tokio::test]
async fn only_root_switches_it_off() {
    let mut shell = shell("admin");
    for line in ["/sbin/reboot", "systemctl poweroff", "/sbin/shutdown -r now", "/sbin/init 6"] {
        let (text, finished) = said(&mut shell, line).await;
        assert!(text.contains("Interactive authentication required."), "{line}: {text}");
        assert_eq!(finished.status, 1, "{line}");
    }
    assert!(!shell.session.contact.visitor.is_going_down());
}
