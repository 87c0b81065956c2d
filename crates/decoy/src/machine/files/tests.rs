//! What every room relies on: private changes over a shared tree, and the kernel's answers.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::machine::Identity;

const WHO: Owner = Owner::ROOT;

fn base() -> Arc<Tree> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    Arc::new(Tree::debian_12(&Identity::draw(b"tests", now, Some("srv1".into()), None), now))
}

fn files() -> Files {
    files_over(&base(), 1 << 20, 1000)
}

fn files_over(base: &Arc<Tree>, bytes: usize, nodes: usize) -> Files {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    Files::new(Arc::clone(base), Clock::fixed(now), bytes, nodes)
}

#[test]
fn the_tree_has_what_visitors_look_for() {
    let files = files();
    let text = |path: &str| String::from_utf8(files.read(path).unwrap().to_vec()).unwrap();
    assert_eq!(text("/etc/hostname"), "srv1\n");
    assert!(text("/etc/passwd").starts_with("root:x:0:0:root:/root:/bin/bash\n"));
    assert!(text("/etc/os-release").contains("bookworm"));
    assert!(text("/proc/cpuinfo").contains("model name\t: "));
    assert!(text("/proc/self/cmdline").starts_with("-bash"));
    assert_eq!(files.read("/bin/ls").unwrap().len() as u64, files.stat("/bin/ls").unwrap().size);
    assert_eq!(&files.read("/bin/busybox").unwrap()[..4], b"\x7fELF");
    assert_eq!(files.lstat("/bin").unwrap().kind, Kind::Symlink);
    assert_eq!(files.real_path("/bin/sh").unwrap(), "/usr/bin/dash");
    assert_eq!(files.real_path("/bin/awk").unwrap(), "/usr/bin/mawk");
    assert_eq!(files.stat("/tmp").unwrap().mode_text(), "drwxrwxrwt");
    assert_eq!(files.stat("/dev/null").unwrap().rdev, (1, 3));
    assert!(files.is_dir("/var/mail") && files.is_dir("/var/www/html") && files.is_dir("/srv/ftp"));
    assert!(files.list("/usr/bin").unwrap().len() > 300);
}

#[test]
fn every_link_of_the_distribution_leads_somewhere() {
    let files = files();
    for directory in ["/usr/bin", "/usr/sbin", "/etc/alternatives"] {
        for entry in files.list(directory).unwrap() {
            let path = format!("{directory}/{}", entry.name);
            assert!(files.stat(&path).is_ok(), "{path} dangles: {:?}", files.read_link(&path));
        }
    }
}

#[test]
fn whoever_walks_the_tree_comes_to_an_end() {
    let files = files();
    let (mut todo, mut seen) = (vec![String::new()], 0);
    while let Some(path) = todo.pop() {
        seen += 1;
        assert!(path.matches('/').count() < 24 && seen < 60_000, "{path}: directory {seen}");
        let directory = if path.is_empty() { "/" } else { path.as_str() };
        for entry in files.list(directory).unwrap() {
            if entry.attributes.kind == Kind::Dir {
                todo.push(format!("{path}/{}", entry.name));
            }
        }
    }
    assert!(seen > 2_000, "{seen} directories");
}

#[test]
fn changes_are_private() {
    let base = base();
    let (mine, yours) = (files_over(&base, 1 << 20, 100), files_over(&base, 1 << 20, 100));
    mine.write("/etc/passwd", b"gone", &WHO, 0o644).unwrap();
    mine.write("/tmp/x", b"new", &WHO, 0o644).unwrap();
    mine.remove_all("/var/log").unwrap();
    assert_eq!(mine.read("/etc/passwd").unwrap(), "gone");
    assert!(yours.read("/etc/passwd").unwrap().starts_with(b"root:"));
    assert!(!yours.exists("/tmp/x") && yours.is_dir("/var/log") && !mine.exists("/var/log"));
    assert_eq!(yours.layer_size(), (0, 0));
}

#[test]
fn files_are_written_added_to_moved_linked_and_removed() {
    let files = files();
    files.make_dir_all("/tmp/a/b", &WHO, 0o755).unwrap();
    files.write("/tmp/a/b/f", b"one", &Owner { uid: 7, gid: 8 }, 0o600).unwrap();
    files.append("/tmp/a/b/f", b" two", &WHO, 0o644).unwrap();
    assert_eq!(files.read("/tmp/a/b/f").unwrap(), "one two");
    assert_eq!(files.stat("/tmp/a/b/f").unwrap().mode_text(), "-rw-------");
    files.link("/tmp/a/b/f", "/tmp/g").unwrap();
    assert_eq!(files.stat("/tmp/g").unwrap().nlink, 2);
    files.append("/tmp/g", b" three", &WHO, 0o644).unwrap();
    assert_eq!(files.read("/tmp/a/b/f").unwrap(), "one two three");
    files.rename("/tmp/a", "/tmp/z").unwrap();
    assert!(!files.exists("/tmp/a"));
    files.symlink("../g", "/tmp/z/l", &WHO).unwrap();
    assert_eq!(files.read("/tmp/z/l").unwrap(), "one two three");
    assert_eq!(files.remove("/tmp/z"), Err(FileError::NotEmpty));
    files.remove_all("/tmp/z").unwrap();
    assert_eq!(files.stat("/tmp/g").unwrap().nlink, 1);
    files.append("/etc/hostname", b"more\n", &WHO, 0o644).unwrap();
    assert_eq!(files.read("/etc/hostname").unwrap(), "srv1\nmore\n");
}

#[test]
fn the_kernel_says_no_in_its_words() {
    let files = files();
    let says = |error: FileError| error.errno_text();
    assert_eq!(says(files.read("/nosuch").unwrap_err()), "No such file or directory");
    assert_eq!(says(files.read("/etc").unwrap_err()), "Is a directory");
    assert_eq!(says(files.read("/etc/passwd/x").unwrap_err()), "Not a directory");
    assert_eq!(says(files.make_dir("/tmp", &WHO, 0o755).unwrap_err()), "File exists");
    assert_eq!(says(files.make_dir("/proc/x", &WHO, 0o755).unwrap_err()), "No such file or directory");
    assert_eq!(says(files.write("/dev/full", b"x", &WHO, 0o644).unwrap_err()), "No space left on device");
    assert_eq!(says(files.remove_all("/dev").unwrap_err()), "Device or resource busy");
    files.symlink("loop", "/tmp/loop", &WHO).unwrap();
    assert_eq!(says(files.read("/tmp/loop").unwrap_err()), "Too many levels of symbolic links");
    assert_eq!(says(files.rename("/tmp", "/tmp/x").unwrap_err()), "Invalid argument");
}

#[test]
fn a_full_layer_takes_no_more_and_gives_room_back() {
    let files = files_over(&base(), 64 * 1024, 20);
    assert_eq!(files.write("/tmp/big", &vec![0; 100_000], &WHO, 0o644), Err(FileError::NoSpace));
    files.write("/tmp/half", &vec![0; 30_000], &WHO, 0o644).unwrap();
    assert_eq!(files.append("/tmp/half", &vec![0; 40_000], &WHO, 0o644), Err(FileError::NoSpace));
    files.remove("/tmp/half").unwrap();
    files.write("/tmp/again", &vec![0; 40_000], &WHO, 0o644).unwrap();
    let made = (0..100).take_while(|n| files.write(&format!("/tmp/{n}"), b"", &WHO, 0o644).is_ok()).count();
    assert!(made < 20, "{made}");
}

#[test]
fn permissions_are_the_kernels() {
    let files = files();
    assert_eq!(files.may(1000, 1000, "/etc/passwd", Access::Read), Ok(()));
    assert_eq!(files.may(1000, 1000, "/etc/shadow", Access::Read), Err(FileError::Denied));
    assert_eq!(files.may(1000, 1000, "/root/.bashrc", Access::Read), Err(FileError::Denied));
    assert_eq!(files.may(1000, 1000, "/etc/new", Access::Write), Err(FileError::Denied));
    assert_eq!(files.may(1000, 1000, "/tmp/new", Access::Write), Ok(()));
    assert_eq!(files.may(0, 0, "/etc/shadow", Access::Write), Ok(()));
    assert_eq!(files.may(0, 0, "/etc/passwd", Access::Execute), Err(FileError::Denied));
}

#[test]
fn the_tree_is_a_servers() {
    let base = base();
    assert!((25_000..40_000).contains(&base.len()), "{}", base.len());
}

proptest! {
    /// Whatever is done, names and nodes stay consistent: what is listed can be asked for.
    #[test]
    fn any_sequence_of_changes_leaves_a_sound_tree(
        steps in prop::collection::vec((0..9_u8, "/[ab]{0,2}(/[abc./]{0,4})?", "/[ab]{0,2}(/[abc./]{0,4})?"), 0..40)
    ) {
        let identity = Identity::draw(b"p", SystemTime::UNIX_EPOCH, None, None);
        let tree = Arc::new(Tree::bare(Arc::new(crate::machine::Image::empty()), &identity));
        let files = files_over(&tree, 1 << 16, 60);
        for (what, one, two) in &steps {
            // Every answer is a right one here; only the state afterwards matters.
            let _ = match what {
                0 => files.write(one, b"x", &WHO, 0o644),
                1 => files.make_dir(one, &WHO, 0o755),
                2 => files.remove(one),
                3 => files.remove_all(one),
                4 => files.rename(one, two),
                5 => files.symlink(one, two, &WHO),
                6 => files.link(one, two),
                7 => files.make_dir_all(one, &WHO, 0o755),
                _ => files.append(one, b"yy", &WHO, 0o644),
            };
        }
        let mut todo = vec![String::from("/")];
        let mut seen = 0;
        while let Some(path) = todo.pop() {
            seen += 1;
            prop_assert!(seen < 1000, "a directory contains itself");
            for entry in files.list(&path).unwrap() {
                let child = format!("{}/{}", path.trim_end_matches('/'), entry.name);
                prop_assert_eq!(files.lstat(&child).unwrap(), entry.attributes);
                if entry.attributes.is_dir() {
                    prop_assert_eq!(files.real_path(&child).unwrap(), child.clone());
                    todo.push(child);
                }
            }
        }
    }
}
