//! Images of folders and of tar files are the same, and what is none is refused with a reason.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn order(from: &Path) -> Order {
    Order {
        from: from.to_owned(),
        about: About { label: "test".into(), ..About::default() },
        policy: Policy { most_bytes: 1000, only_text: false, without: vec![] },
        leave_out: vec!["/etc/ssh/ssh_host_*".into(), "/home".into()],
    }
}

/// A small root, and a tar file of it.
fn root(folder: &Path) -> (PathBuf, PathBuf) {
    let root = folder.join("root");
    for path in ["etc/ssh", "usr/bin", "proc/1", "home/anna"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    fs::write(
        root.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nop:x:1000:1000:,,,:/home/op:/bin/sh\n",
    )
    .unwrap();
    fs::write(root.join("etc/os-release"), "PRETTY_NAME=\"Small Linux 1\"\n").unwrap();
    fs::write(root.join("etc/ssh/ssh_host_rsa_key"), "secret").unwrap();
    fs::write(root.join("etc/key"), "-----BEGIN PRIVATE KEY-----\nx\n").unwrap();
    fs::write(root.join("proc/1/cmdline"), "init").unwrap();
    fs::write(root.join("home/anna/diary"), "dear").unwrap();
    fs::write(root.join("usr/bin/tool"), vec![3; 5000]).unwrap();
    fs::hard_link(root.join("usr/bin/tool"), root.join("usr/bin/zool")).unwrap();
    fs::set_permissions(root.join("usr/bin/tool"), fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    let tar = folder.join("root.tar");
    let mut builder = tar::Builder::new(File::create(&tar).unwrap());
    builder.follow_symlinks(false);
    builder.append_dir_all("./", &root).unwrap();
    builder.finish().unwrap();
    (root, tar)
}

fn image(order: &Order) -> Image {
    let gathered = build(order).unwrap();
    assert_eq!(gathered.secrets, ["/etc/key"]);
    Image::decode(gathered.file.into()).unwrap()
}

#[test]
fn a_folder_and_its_tar_file_make_the_same_image() {
    let folder = tempfile::tempdir().unwrap();
    let (root, tar) = root(folder.path());
    let (of_folder, of_tar) = (image(&order(&root)), image(&order(&tar)));
    let lines = |image: &Image| image.lines().filter(|line| !line.ends_with('/')).collect::<Vec<_>>();
    let shown = lines(&of_folder);
    let has = |part: &str| shown.iter().any(|line| line.contains(part));
    assert!(has("4755") && has("/bin -> usr/bin") && has("/proc"), "{shown:#?}");
    assert!(!has("ssh_host") && !has("diary") && !has("cmdline"), "{shown:#?}");
    assert_eq!(of_folder.text("/etc/os-release").as_deref(), Some("PRETTY_NAME=\"Small Linux 1\"\n"));
    assert_eq!(of_tar.text("/etc/passwd"), of_folder.text("/etc/passwd"));
    // The tar library writes a second name as a second file.
    let without_second =
        |lines: Vec<String>| lines.into_iter().filter(|line| !line.contains("ool")).collect::<Vec<_>>();
    assert_eq!(without_second(lines(&of_tar)), without_second(shown));
}

#[test]
fn what_is_no_root_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let said = |from: &Path| build(&order(from)).unwrap_err().to_string();
    assert!(said(folder.path()).contains("docker export"));
    assert!(said(&folder.path().join("nosuch")).contains("cannot read"));
    let packed = folder.path().join("x.tar.gz");
    fs::write(&packed, vec![0x1f; 5000]).unwrap();
    assert!(said(&packed).contains("tar file"));
    let loading = |path: &Path| load(path).unwrap_err().to_string();
    assert!(loading(&packed).contains("rustbucket image build"));
    assert!(loading(&folder.path().join("nosuch")).contains("nosuch"));
    assert!(
        std::error::Error::source(&load(folder.path()).unwrap_err()).unwrap().to_string().contains("folder")
    );
}

#[test]
fn a_machine_wears_the_image_of_an_operator() {
    let folder = tempfile::tempdir().unwrap();
    let (root, _) = root(folder.path());
    let output = folder.path().join("own.img");
    write(&output, &build(&order(&root)).unwrap().file).unwrap();
    let image = load(&output).unwrap();
    let now = std::time::SystemTime::now();
    let identity =
        decoy::machine::Identity::draw_on(&image, b"x", now, Some("own".into()), Some(vec!["anna".into()]));
    assert_eq!(identity.account("anna").map(|user| user.uid), Some(1001), "op of the image has 1000");
    let policy = decoy::machine::LoginPolicy { always: vec![], fewest_tries: 1, most_tries: 1, secret: 1 };
    let clock = decoy::Clock::new(std::time::SystemTime::now);
    let machine = decoy::Machine::with_image(image, identity, policy, clock, Default::default());
    let visitor = machine.visit("192.0.2.1".parse().unwrap());
    let text = |path: &str| String::from_utf8(visitor.files().read(path).unwrap().to_vec()).unwrap();
    assert_eq!(text("/etc/hostname"), "own\n");
    assert!(text("/etc/passwd").contains("op:x:1000:") && text("/etc/passwd").contains("anna:x:1001:"));
    assert!(text("/etc/os-release").contains("Small Linux"));
    assert_eq!(visitor.files().read("/bin/zool").unwrap().len(), 5000);
}
