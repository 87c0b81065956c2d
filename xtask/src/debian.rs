//! A real Debian 12 root, made once with debootstrap: what the shipped image is built from, and what answers are
//! compared with.

use std::{path::PathBuf, process::Stdio, time::SystemTime};

use tokio::process::Command;

use crate::{cargo, failure::Failure};

/// The packages it has beyond debootstrap's smallest set.
const PACKAGES: &str = include_str!("../../crates/decoy/images/debian-12.packages");

/// Makes a root in `$1` with the packages `$2`; runs as root. No service is started in it.
const MAKE: &str = r#"set -eu
# Packages come from where this system has its own from.
known() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u; }
mirror=$(known | grep -v security | head -n 1)
security=$(known | grep security | head -n 1)
debootstrap --variant=minbase bookworm "$1" "$mirror"
printf "deb $mirror %s main\n" bookworm bookworm-updates > "$1/etc/apt/sources.list"
[ -z "$security" ] || printf "deb $security bookworm-security main\n" >> "$1/etc/apt/sources.list"
printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$1/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
mount -t proc proc "$1/proc"
in_root() { chroot "$1" apt-get -y -q --no-install-recommends -o Acquire::Check-Date=false "$2" $3; }
in_root "$1" update ""
in_root "$1" dist-upgrade ""
in_root "$1" install "$2"
chroot "$1" apt-get clean
find "$1/var/log" -type f -delete
umount "$1/proc"
rm "$1/usr/sbin/policy-rc.d"
"#;

/// Contents of these are not kept: nobody reads them on a server, and they would make up most of the image.
const WITHOUT: [&str; 31] = [
    "*.md5sums",
    "*.templates",
    "/boot/initrd.img",
    "/etc/ssh/moduli",
    "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "/usr/include",
    "/usr/lib/modules",
    "/usr/lib/python3",
    "/usr/lib/python3.11",
    "/usr/lib/udev/hwdb.d",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/share/X11",
    "/usr/share/bash-completion",
    "/usr/share/ca-certificates",
    "/usr/share/dict",
    "/usr/share/gcc",
    "/usr/share/gitweb",
    "/usr/share/gnupg",
    "/usr/share/grub",
    "/usr/share/misc",
    "/usr/share/zsh",
    "/usr/share/i18n",
    "/usr/share/locale",
    "/usr/share/perl",
    "/usr/share/perl5",
    "/usr/share/vim",
    "/usr/share/groff",
    "/var/cache",
    "/var/lib/apt/lists",
    "/var/lib/dpkg/available",
    "/var/lib/dpkg/status-old",
];

/// What belongs to the build alone, or is a secret of it. The machine has its own of what matters.
const LEFT_OUT: [&str; 12] = [
    "/etc/machine-id",
    "/etc/resolv.conf",
    "/etc/ssh/ssh_host_*",
    "/etc/ssl/private/*",
    "/home/*",
    "/root/.bash_history",
    "/root/.cache",
    "/root/.wget-hsts",
    "/usr/sbin/policy-rc.d",
    "/var/lib/dbus/machine-id",
    "/var/lib/systemd/random-seed",
    "/debootstrap",
];

/// Where the root lies.
fn place() -> PathBuf {
    cargo::target().join("image/root")
}

/// The root; made if it is not there, which takes some minutes, a network and the rights of root.
pub async fn root() -> Result<PathBuf, Failure> {
    let root = place();
    let done = root.with_extension("done");
    if done.exists() {
        return Ok(root);
    }
    let packages: Vec<&str> =
        PACKAGES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    println!(
        "A Debian 12 root is made in {} with debootstrap (which has to be installed) and {} packages:\n{}",
        root.display(),
        packages.len(),
        packages.join(" ")
    );
    let file = |doing, path: &std::path::Path| {
        let path = path.to_owned();
        move |source| Failure::File { doing, path, source }
    };
    if root.exists() {
        std::fs::remove_dir_all(&root).map_err(file("remove", &root))?;
    }
    std::fs::create_dir_all(&root).map_err(file("make", &root))?;
    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-c", MAKE, "root"])
        .arg(&root)
        .arg(packages.join(" "))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    complete(command, "debootstrap").await?;
    std::fs::write(&done, began.to_string()).map_err(file("write", &done))?;
    Ok(root)
}

async fn complete(mut command: Command, name: &str) -> Result<(), Failure> {
    let program = name.to_owned();
    let status =
        command.status().await.map_err(|source| Failure::Launch { program: program.clone(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::Program { program, status, said: String::new() }) }
}

/// Builds the shipped image, `crates/decoy/images/debian-12.img`, from the root.
pub async fn image() -> Result<(), Failure> {
    let root = root().await?;
    let done = root.with_extension("done");
    let began = std::fs::read_to_string(&done).map_err(|source| Failure::File {
        doing: "read",
        path: done,
        source,
    })?;
    let output = cargo::root().join("crates/decoy/images/debian-12.img");
    let built = cargo::build(&["--package", "sensor", "--bin", "rustbucket"]).await?;
    let program = built.get("rustbucket").cloned().ok_or_else(|| Failure::Output {
        program: "cargo build".to_owned(),
        wanted: "the path of rustbucket",
        printed: String::new(),
    })?;
    let mut command = Command::new(program);
    command
        .args(["image", "build", "--only-text", "--contents", "4000000", "--label", "debian-12"])
        .args(["--installed", began.trim()])
        .arg("--from")
        .arg(&root)
        .arg("--output")
        .arg(&output)
        .args(WITHOUT.iter().flat_map(|path| ["--without", *path]))
        .args(LEFT_OUT.iter().flat_map(|path| ["--leave-out", *path]))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    complete(command, "rustbucket image build").await
}
