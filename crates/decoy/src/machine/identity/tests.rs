//! Identities: the same for the same secret, and as different as real machines are.

use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn the_same_secret_gives_the_same_machine_and_another_secret_another() {
    let now = at(1_790_000_000);
    let one = Identity::draw(b"a", now, None, None);
    assert_eq!(format!("{one:?}"), format!("{:?}", Identity::draw(b"a", now, None, None)));
    let other = Identity::draw(b"b", now, None, None);
    assert_ne!((&one.machine_id, &one.mac), (&other.machine_id, &other.mac));
}

#[test]
fn a_restart_does_not_change_the_boot_time() {
    let first = Identity::draw(b"x", at(1_790_000_000), None, None);
    let later = Identity::draw(b"x", at(1_790_000_060), None, None);
    assert!(first.boot_time == later.boot_time || later.boot_time > at(1_790_000_000));
    assert!(first.boot_time <= at(1_790_000_000));
}

#[test]
fn only_users_with_a_shell_get_in() {
    let identity = Identity::draw(b"x", at(1_790_000_000), None, Some(vec!["oracle".into(), "anna".into()]));
    assert_eq!(identity.account("root").map(|user| user.uid), Some(0));
    assert!(identity.account("anna").is_some());
    assert!(identity.account("oracle").is_some());
    assert!(identity.user("www-data").is_some());
    assert!(identity.account("www-data").is_none());
    assert!(identity.account("nosuch").is_none());
}

#[test]
fn no_two_machines_share_what_two_real_ones_would_not() {
    let machines: Vec<Identity> = (0..1500_u32)
        .map(|number| Identity::draw(&number.to_be_bytes(), at(1_800_000_000), None, None))
        .collect();
    let hashes = |one: &Identity| (0..3).map(|n| lot_hash(one.seed, n)).collect::<String>();
    type Drawn<'a> = (&'a str, &'a dyn Fn(&Identity) -> String);
    let own: [Drawn<'_>; 10] = [
        ("machine-id", &|one| one.machine_id.clone()),
        ("boot id", &|one| one.boot_id.clone()),
        ("MAC", &|one| one.mac.clone()),
        ("link-local address", &|one| one.link_local.clone()),
        ("gateway's MAC", &|one| one.gateway_mac.clone()),
        ("disk UUID", &|one| one.disk_uuid.clone()),
        ("swap UUID", &|one| one.swap_uuid.clone()),
        ("board UUID", &|one| one.product_uuid.clone()),
        ("seed", &|one| one.seed.to_string()),
        ("password hashes", &hashes),
    ];
    for (name, value) in own {
        let values: std::collections::BTreeSet<String> = machines.iter().map(value).collect();
        // Half a MAC is 24 bits: among 1,500 there is a pair with the same in one of fifteen draws; these have none.
        assert_eq!(values.len(), machines.len(), "{name}");
    }
    let kinds = |value: &dyn Fn(&Identity) -> String| {
        machines.iter().map(value).collect::<std::collections::BTreeSet<String>>().len()
    };
    assert!(kinds(&|one| one.memory_bytes.to_string()) > 1000, "memory is as odd as the firmware leaves it");
    assert!(
        kinds(&|one| one.boot_time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string())
            > 500
    );
    assert!(kinds(&|one| one.hostname.clone()) > 200 && kinds(&|one| one.cpu.name.to_owned()) > 4);
    let shells = |one: &Identity| super::super::processes::shell_pid(one, at(1_800_000_000)).to_string();
    assert!(kinds(&shells) > 1200, "process numbers");
    for one in &machines {
        assert!(one.installed < one.boot_time && one.boot_time <= at(1_800_000_000), "{one:?}");
        assert!(one.link_local.parse::<std::net::Ipv6Addr>().is_ok(), "{}", one.link_local);
        assert_eq!((one.kernel_release.as_str(), one.debian_version.as_str()), ("6.1.0-56-amd64", "12.15"));
        assert!(one.openssh.starts_with("9.2p1 Debian-2+deb12u") && one.nginx == "1.22.1", "{one:?}");
        assert_eq!((one.vsftpd.as_str(), one.postfix.as_str()), ("3.0.3", "3.7.11"));
        assert!(one.address != one.gateway && one.users.iter().filter(|user| user.uid == 1000).count() == 1);
    }
}

fn lot_hash(seed: u64, number: u64) -> String {
    Lot::new(&seed.to_be_bytes()).hex(&number.to_string(), 8)
}

#[test]
fn given_names_are_used() {
    let identity = Identity::draw(b"x", at(1_790_000_000), Some("mx1.example.org".into()), None);
    assert_eq!((identity.hostname.as_str(), identity.domain.as_str()), ("mx1", "example.org"));
    assert_eq!(identity.mail_domain, "mx1.example.org");
}
