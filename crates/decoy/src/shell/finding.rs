//! What `find` is asked about file systems, in words that the library's `find` knows: there, all is one file system.

/// Where another file system begins, and its type.
const MOUNTS: [(&str, &str); 10] = [
    ("/proc", "proc"),
    ("/sys", "sysfs"),
    ("/sys/fs/cgroup", "cgroup2"),
    ("/sys/kernel/security", "securityfs"),
    ("/dev", "devtmpfs"),
    ("/dev/pts", "devpts"),
    ("/dev/shm", "tmpfs"),
    ("/dev/mqueue", "mqueue"),
    ("/run", "tmpfs"),
    ("/run/lock", "tmpfs"),
];

/// Tests that print or do something: without one of them `find` prints.
const ACTIONS: [&str; 12] = [
    "-print", "-print0", "-printf", "-fprint", "-fprint0", "-fprintf", "-exec", "-execdir", "-ok", "-okdir",
    "-ls", "-delete",
];

/// The arguments without `-fstype`, `-xdev` and `-mount`.
pub(super) fn rewrite(args: &mut Vec<String>, path_of: impl Fn(&str) -> String) {
    if !args.iter().any(|arg| matches!(arg.as_str(), "-fstype" | "-xdev" | "-mount")) {
        return;
    }
    let mut stays = false;
    let mut changed = Vec::new();
    let mut given = std::mem::take(args).into_iter().peekable();
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "-xdev" | "-mount" => stays = true,
            "-fstype" => changed.extend(of_type(&given.next().unwrap_or_default())),
            _ => changed.push(arg),
        }
    }
    let expression = changed.iter().position(|arg| arg.starts_with('-') || matches!(arg.as_str(), "(" | "!"));
    let mut tests = changed.split_off(expression.unwrap_or(changed.len()));
    let starts: Vec<String> = if changed.is_empty() {
        vec![path_of(".")]
    } else {
        changed.iter().map(|start| path_of(start)).collect()
    };
    // Only what lies below a start and is not the start itself is another file system.
    let foreign: Vec<&str> = MOUNTS
        .iter()
        .map(|(mount, _)| *mount)
        .filter(|mount| starts.iter().any(|start| is_below(mount, start)))
        .collect();
    if stays && !foreign.is_empty() && changed.iter().all(|start| start.starts_with('/')) {
        let depth = tests.iter().position(|test| matches!(test.as_str(), "-maxdepth" | "-mindepth"));
        let mut front: Vec<String> = Vec::new();
        if let Some(at) = depth {
            front.extend(tests.drain(at..(at + 2).min(tests.len())));
        }
        let acts = tests.iter().any(|test| ACTIONS.contains(&test.as_str()));
        if !acts {
            if tests.is_empty() {
                tests.push("-print".to_owned());
            } else {
                tests.insert(0, "(".to_owned());
                tests.extend([")", "-print"].map(str::to_owned));
            }
        }
        front.push("(".to_owned());
        for (number, mount) in foreign.iter().enumerate() {
            if number > 0 {
                front.push("-o".to_owned());
            }
            front.extend(["-path".to_owned(), format!("{mount}/*")]);
        }
        front.extend([")", "-prune", "-o"].map(str::to_owned));
        tests.splice(0..0, front);
    }
    changed.extend(tests);
    *args = changed;
}

fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// What holds for the files of one type of file system.
fn of_type(kind: &str) -> Vec<String> {
    let paths: Vec<&str> =
        MOUNTS.iter().filter(|(_, known)| *known == kind).map(|(mount, _)| *mount).collect();
    let test = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    if kind == "ext4" {
        return test(&[
            "!", "(", "-path", "/proc*", "-o", "-path", "/sys*", "-o", "-path", "/dev*", "-o", "-path",
            "/run*", ")",
        ]);
    }
    if paths.is_empty() {
        // No file has an empty name.
        return test(&["-name", ""]);
    }
    let mut words = vec!["("];
    let patterns: Vec<String> = paths.iter().map(|path| format!("{path}/*")).collect();
    for (path, pattern) in paths.iter().zip(&patterns) {
        if words.len() > 1 {
            words.push("-o");
        }
        words.extend(["-path", path, "-o", "-path", pattern]);
    }
    words.push(")");
    test(&words)
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    fn rewritten(line: &str) -> String {
        let mut args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        rewrite(&mut args, |path| if path == "." { "/root".to_owned() } else { path.to_owned() });
        args.join(" ")
    }

    #[test]
    fn file_systems_are_paths() {
        assert_eq!(rewritten("/ -name x"), "/ -name x");
        assert_eq!(rewritten("/etc -fstype nfs -prune -o -name hosts"), "/etc -name  -prune -o -name hosts");
        assert_eq!(
            rewritten("/ -fstype proc -prune -o -print"),
            "/ ( -path /proc -o -path /proc/* ) -prune -o -print"
        );
        assert!(rewritten("/ -xdev -type f").starts_with("/ ( -path /proc/* -o "));
        assert!(rewritten("/ -xdev -type f").ends_with(") -prune -o ( -type f ) -print"));
        assert!(rewritten("/ -xdev -ls").ends_with(") -prune -o -ls"));
        assert_eq!(rewritten("/etc -xdev -type f"), "/etc -type f");
    }
}
