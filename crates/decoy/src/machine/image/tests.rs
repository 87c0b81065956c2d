//! Images come back as they were made, and no bytes do harm.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

fn policy(most_bytes: u64) -> Policy {
    Policy { most_bytes, only_text: false, without: vec!["/usr/share/doc".into(), "*.key".into()] }
}

fn given(kind: Kind, mode: u32) -> Given {
    Given { kind, mode, uid: 0, gid: 0, mtime: 1_700_000_000, target: String::new(), rdev: (0, 0), size: 0 }
}

/// What reading and making files can end in here.
#[derive(Debug)]
struct Failed;

impl From<ImageError> for Failed {
    fn from(_: ImageError) -> Self {
        Self
    }
}

impl From<Infallible> for Failed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

fn add(builder: &mut Builder, path: &str, bytes: &[u8]) {
    let given = Given { size: bytes.len() as u64, ..given(Kind::File, 0o644) };
    let mut read = |offset: u64, length: usize| Ok(bytes[offset as usize..offset as usize + length].to_vec());
    builder.add_file::<Failed>(path, given, &mut read).unwrap();
}

fn sample() -> (Vec<u8>, Vec<u8>) {
    let mut builder = Builder::new(About { label: "sample".into(), ..About::default() }, policy(100));
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(200_000, 7);
    elf[40..48].copy_from_slice(&199_000_u64.to_le_bytes());
    elf[199_990..].fill(9);
    builder.add("/tmp", Given { uid: 5, gid: 6, ..given(Kind::Dir, 0o1777) }).unwrap();
    add(&mut builder, "/etc/motd", b"hello\n");
    add(&mut builder, "/usr/bin/thing", &elf);
    add(&mut builder, "/usr/share/doc/thing/copyright", b"free");
    add(&mut builder, "/etc/ssl/own.key", b"free");
    add(&mut builder, "/etc/ssl/other", b"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n");
    builder.add("/bin", Given { target: "usr/bin".into(), ..given(Kind::Symlink, 0o777) }).unwrap();
    builder.add("/dev/null", Given { rdev: (1, 3), ..given(Kind::CharDevice, 0o666) }).unwrap();
    builder.link("/usr/bin/thing", "/usr/bin/other").unwrap();
    assert_eq!(builder.secrets, ["/etc/ssl/other"]);
    (builder.finish().unwrap(), elf)
}

#[test]
fn an_image_comes_back_as_it_was_made() {
    let (file, elf) = sample();
    let image = Image::decode(file.into()).unwrap();
    assert_eq!(image.about().label, "sample");
    let fact = |path: &str| image.fact(image.find(path).unwrap()).unwrap();
    assert_eq!((fact("/tmp").mode, fact("/tmp").uid, fact("/tmp").gid), (0o1777, 5, 6));
    assert_eq!(fact("/tmp").mtime, 1_700_000_000);
    assert_eq!(fact("/dev/null").rdev, (1, 3));
    assert_eq!(image.text("/etc/motd").as_deref(), Some("hello\n"));
    assert_eq!(
        image.find("/bin/thing"),
        image.find("/usr/bin/other"),
        "links are walked, names share a node"
    );
    assert_eq!((fact("/usr/bin/other").links, fact("/usr").links), (2, 4));
    let id = image.find("/usr/bin/thing").unwrap();
    let whole = image.read(id, 0, usize::MAX);
    assert_eq!(whole.len(), elf.len());
    assert_eq!(whole[..1024], elf[..1024], "headers are the file's own");
    assert_eq!(whole[198_488..], elf[198_488..], "so is the section table");
    assert_ne!(whole[5000..5100], elf[5000..5100]);
    for (from, length) in [(0, 10), (1000, 100), (1023, 2), (70_000, 66_000), (198_480, 20), (199_999, 9)] {
        assert_eq!(
            image.read(id, from, length),
            whole[from as usize..][..length.min(whole.len() - from as usize)]
        );
    }
    for path in ["/usr/share/doc/thing/copyright", "/etc/ssl/own.key", "/etc/ssl/other"] {
        assert_eq!(image.text(path), None, "{path} is left out");
    }
    let names: Vec<&str> = image.children(0).map(|(name, _)| name).collect();
    assert_eq!(names, ["bin", "dev", "etc", "tmp", "usr"]);
}

#[test]
fn the_shipped_image_is_a_debian_server() {
    let image = Image::debian_12();
    assert!(image.len() > 25_000, "{}", image.len());
    assert!(image.sizes().packed < 6 << 20, "{:?}", image.sizes());
    assert!(image.text("/etc/os-release").unwrap().contains("bookworm"));
    for path in ["/usr/bin/bash", "/usr/sbin/sshd", "/usr/bin/busybox", "/usr/sbin/nginx", "/usr/sbin/vsftpd"]
    {
        let head = image.read(image.find(path).unwrap(), 0, 20);
        assert_eq!(head[..5], *b"\x7fELF\x02", "{path}");
        assert_eq!(head[18..20], [62, 0], "{path} is of the machine's architecture");
    }
    let status = image.text("/var/lib/dpkg/status").unwrap();
    for package in status.lines().filter_map(|line| line.strip_prefix("Package: ")) {
        let list = [format!("{package}.list"), format!("{package}:amd64.list")]
            .iter()
            .find_map(|name| image.text(&format!("/var/lib/dpkg/info/{name}")));
        for path in list.unwrap_or_else(|| panic!("{package} has no list")).lines() {
            let exempt = path == "/." || path.starts_with("/run/") || path.starts_with("/tmp/");
            assert!(exempt || image.find(path).is_some(), "{package}: {path} is not in the tree");
        }
    }
}

#[test]
fn no_secret_of_the_build_is_in_the_shipped_image() {
    let image = Image::debian_12();
    for path in ["/etc/ssh/ssh_host_rsa_key", "/etc/machine-id", "/etc/ssl/private/ssl-cert-snakeoil.key"] {
        assert_eq!(image.find(path), None, "{path}");
    }
    let files = (0..image.len() as u32).filter(|id| image.is_whole(*id));
    for id in files.filter(|id| image.fact(*id).is_some_and(|fact| fact.kind == Kind::File)) {
        let bytes = image.read(id, 0, usize::MAX);
        assert!(memchr::memmem::find(&bytes, b"PRIVATE KEY-----\n").is_none(), "node {id}");
    }
}

#[test]
fn what_is_no_image_is_refused_with_a_reason() {
    let (file, _) = sample();
    let decode = |bytes: &[u8]| Image::decode(Bytes::copy_from_slice(bytes)).unwrap_err();
    assert_eq!(decode(b""), ImageError::NoImage);
    assert_eq!(decode(&[0; 100]), ImageError::NoImage);
    assert_eq!(decode(&file[..40]), ImageError::Short);
    assert_eq!(decode(&file[..file.len() - 1]), ImageError::Short);
    let mut later = file.clone();
    later[7] = 9;
    assert_eq!(decode(&later), ImageError::OtherVersion);
    let mut damaged = file;
    damaged[40] ^= 0x55;
    assert!(matches!(decode(&damaged), ImageError::Packed | ImageError::Unsound(_)));
}

/// The facts of the sample, to be damaged and packed again.
fn facts() -> Vec<u8> {
    let (file, _) = sample();
    let packed = u32::from_le_bytes(file[8..12].try_into().unwrap()) as usize;
    zstd::bulk::decompress(&file[16..16 + packed], 1 << 20).unwrap()
}

fn walk(image: &Image) {
    for id in 0..image.len() as u32 {
        image.fact(id).unwrap();
        assert!(image.read(id, 3, 100).len() <= 100);
        for (name, child) in image.children(id) {
            assert_eq!(image.child(id, name), Some(child));
        }
    }
    assert!(image.lines().take(10_000).count() < 10_000, "the tree has an end");
}

proptest! {
    #[test]
    fn any_bytes_are_an_image_or_an_error(bytes: Vec<u8>) {
        let mut file = MAGIC.to_vec();
        file.extend(&bytes);
        let _ = Image::decode(bytes.into()).map(|image| walk(&image));
        let _ = Image::decode(file.into()).map(|image| walk(&image));
    }

    #[test]
    fn any_facts_are_an_image_or_an_error(changes in prop::collection::vec((0..400_usize, any::<u8>()), 1..4), cut in 0..500_usize) {
        let mut facts = facts();
        for (at, byte) in changes {
            let at = at % facts.len();
            facts[at] = byte;
        }
        if cut < 250 {
            facts.truncate(cut);
        }
        let packed = zstd::bulk::compress(&facts, 1).unwrap();
        let mut file = MAGIC.to_vec();
        file.extend((packed.len() as u32).to_le_bytes());
        file.extend((facts.len() as u32).to_le_bytes());
        file.extend(packed);
        file.resize(file.len() + 4000, 0);
        if let Ok(image) = Image::decode(file.into()) {
            walk(&image);
        }
    }
}
