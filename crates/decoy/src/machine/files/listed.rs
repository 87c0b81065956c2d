//! Directories that are there and whose content somebody has yet to say, and files of which that told only the size.
//!
//! The operator names the directories (`Identity::directories`). Who comes near one asks what is in it, and has it in
//! their own layer from then on; everybody is told the same, because the answer is a fact of the machine.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveDateTime, Utc};

use super::{
    Files, Kind, LONGEST_TARGET, Owner, Result, filler,
    tree::{Content, Node},
};
use crate::machine::Identity;

/// The most names of one directory that are taken in.
const MOST: usize = 64;
/// The longest name.
const LONGEST: usize = 120;
/// Larger files keep their noughts: nobody reads them through.
pub(super) const LARGEST_TEXT: u32 = 256 * 1024;

/// One name of a directory as `ls -l` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// File, directory or symbolic link.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Whose it is; root's where the name is none of this machine's.
    pub owner: Owner,
    /// Bytes of a file.
    pub size: u32,
    /// Last change.
    pub mtime: SystemTime,
    /// What a link says.
    pub target: String,
}

/// Reads what `ls -l` prints (POSIX.1-2017, `ls`, "STDOUT"). `None` when a line is anything else, or nothing is listed.
pub fn parse(text: &str, identity: &Identity, now: SystemTime) -> Option<Vec<Listed>> {
    let mut names: Vec<Listed> = Vec::new();
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.strip_prefix("total ").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
            continue;
        }
        let listed = entry(line, identity, now)?;
        if !matches!(listed.name.as_str(), "." | "..") && names.iter().all(|known| known.name != listed.name)
        {
            names.push(listed);
        }
        if names.len() > MOST {
            return None;
        }
    }
    (!names.is_empty()).then_some(names)
}

fn entry(line: &str, identity: &Identity, now: SystemTime) -> Option<Listed> {
    let mut rest = line;
    let mut word = || {
        let (word, after) = rest.trim_start().split_once(' ')?;
        rest = after;
        Some(word)
    };
    let (mode, _links) = (word()?, word()?.parse::<u32>().ok()?);
    let (user, group) = (word()?, word()?);
    let size = word()?.parse::<u64>().ok()?;
    let (mtime, name) = match (word()?, word()?) {
        (day, time) if day.contains('-') => (iso(day, time)?, rest),
        (month, day) => (traditional(month, day, word()?, now)?, rest),
    };
    let kind = match mode.bytes().next()? {
        b'-' => Kind::File,
        b'd' => Kind::Dir,
        b'l' => Kind::Symlink,
        _ => return None,
    };
    let (name, target) = match (kind, name.split_once(" -> ")) {
        (Kind::Symlink, Some((name, target))) => (name, target),
        (Kind::Symlink, None) => return None,
        (_, _) => (name, ""),
    };
    // `ls -F` marks directories.
    let name = name.trim_end_matches('/');
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    let sound = (1..=LONGEST).contains(&name.len()) && !name.contains('/') && is_plain(name);
    if !sound
        || !is_plain(target)
        || target.len() >= LONGEST_TARGET
        || kind == Kind::Symlink && target.is_empty()
    {
        return None;
    }
    let account = identity.users.iter().find(|account| account.name == user);
    let owner = account.map_or(Owner::ROOT, |account| Owner {
        uid: account.uid,
        gid: if group == user { account.gid } else { identity.group_id(group) },
    });
    Some(Listed {
        name: name.to_owned(),
        kind,
        mode: permissions(mode)?,
        owner,
        size: u32::try_from(size).unwrap_or(u32::MAX),
        mtime: mtime.min(now),
        target: target.to_owned(),
    })
}

/// `-rw-r--r--` as bits.
fn permissions(text: &str) -> Option<u32> {
    let text = text.get(1..)?.trim_end_matches(['+', '.', '@']);
    if text.len() != 9 {
        return None;
    }
    let mut mode = 0;
    for (at, sign) in text.bytes().enumerate() {
        let bit = 1 << (8 - at);
        let special = 0o4000 >> (at / 3);
        mode |= match (sign, at % 3) {
            (b'-', _) => 0,
            (b'r', 0) | (b'w', 1) | (b'x', 2) => bit,
            (b's' | b't', 2) => bit | special,
            (b'S' | b'T', 2) => special,
            _ => return None,
        };
    }
    Some(mode)
}

/// `2026-11-12 03:00`
fn iso(day: &str, time: &str) -> Option<SystemTime> {
    let time = time.get(..5)?;
    let at = NaiveDateTime::parse_from_str(&format!("{day} {time}"), "%Y-%m-%d %H:%M").ok()?;
    Some(at.and_utc().into())
}

/// `Nov 12 03:00`, of the last twelve months, or `Nov 12  2025`.
fn traditional(month: &str, day: &str, clock: &str, now: SystemTime) -> Option<SystemTime> {
    let now = DateTime::<Utc>::from(now);
    let at = |year: i32, clock: &str| {
        let day = NaiveDate::parse_from_str(&format!("{year} {month} {day}"), "%Y %b %d").ok()?;
        let (hour, minute) = clock.split_once(':')?;
        Some(day.and_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0)?.and_utc())
    };
    let time = if clock.contains(':') {
        let time = at(now.year(), clock)?;
        if time > now { time.checked_sub_months(Months::new(12))? } else { time }
    } else {
        at(clock.parse().ok().filter(|year| (1970..=2100).contains(year))?, "0:0")?
    };
    Some(time.into())
}

impl Files {
    /// The first directory on the way to this absolute path, itself included, whose content this visitor has not been told.
    pub fn unlisted(&self, path: &str) -> Option<String> {
        let named = &self.base.identity.directories;
        if named.is_empty() {
            return None;
        }
        let layer = self.layer.lock();
        let view = layer.view(&self.base);
        let is_on_the_way = |directory: &&String| {
            path.strip_prefix(directory.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_untold =
            |directory: &&String| view.find(directory, false).is_ok_and(|id| !layer.has_changed(id));
        named.iter().filter(is_on_the_way).find(is_untold).cloned()
    }

    /// Puts these names into a directory; without any it is empty. It is told from now on.
    ///
    /// # Errors
    /// The directory is gone, or the visitor has no room left.
    pub fn tell(&self, directory: &str, names: &[Listed]) -> Result<()> {
        let mut layer = self.changing();
        let before = {
            let view = layer.view(&self.base);
            view.node(view.find(directory, false)?)?.mtime
        };
        for listed in names {
            let path = format!("{directory}/{}", listed.name);
            let content = match listed.kind {
                Kind::Dir => Content::empty_dir(),
                Kind::Symlink => Content::Link(listed.target.as_str().into()),
                _ => Content::Listed(listed.size),
            };
            layer.make(&self.base, &path, content, listed.owner, listed.mode, listed.mtime)?;
        }
        let latest = names.iter().map(|listed| listed.mtime).max().unwrap_or(before);
        let stamp = |node: &mut Node| node.mtime = latest;
        layer.change(&self.base, directory, false, latest, stamp)
    }

    /// Fills a file of which only the size was told, keeping size and times.
    ///
    /// # Errors
    /// It is gone, or the visitor has no room left.
    pub fn fill(&self, path: &str, text: &[u8]) -> Result<()> {
        let node = self.stat(path)?;
        let size = usize::try_from(node.size).unwrap_or(usize::MAX);
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let whole = filler::content(path, &String::from_utf8_lossy(first), size, text);
        let owner = Owner { uid: node.uid, gid: node.gid };
        let mut layer = self.changing();
        layer.write(&self.base, path, &whole, owner, node.mode, node.mtime, false)?;
        layer.change(&self.base, path, true, node.ctime, |changed| changed.mtime = node.mtime)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use proptest::prelude::*;

    use super::*;
    use crate::machine::{Clock, FileError, files::Tree};

    const PATH: &str = "/srv/backups";

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000) // 2026-09-21
    }

    fn identity() -> Identity {
        let mut identity = Identity::draw(b"listed tests", now(), None, Some(vec!["deploy".into()]));
        identity.directories = vec![PATH.to_owned()];
        identity
    }

    fn files() -> Files {
        let tree = Tree::debian_12(&identity(), now());
        Files::new(Arc::new(tree), Clock::fixed(now()), 1 << 20, 100)
    }

    const TEXT: &str = "total 12\n\
        -rw-r--r-- 1 root   root   2048 Sep 20 03:00 dump.sql\n\
        -rwsr-x--- 1 deploy deploy  120 Dec  1 03:00 run.sh\n\
        drwxr-xr-x 2 root root 4096 2026-01-02 10:30 old/\n\
        lrwxrwxrwx 1 nobody-here root 8 Jan  1  2025 latest -> dump.sql\n\
        -rw------- 1 root root 99999999999 Sep  1 2026 all.tar.gz\n";

    #[test]
    fn a_listing_is_read() {
        let names = parse(TEXT, &identity(), now()).unwrap();
        let shown: Vec<_> = names
            .iter()
            .map(|name| (name.name.as_str(), name.kind, name.mode, name.owner.uid, name.size))
            .collect();
        assert_eq!(
            shown,
            [
                ("dump.sql", Kind::File, 0o644, 0, 2048),
                ("run.sh", Kind::File, 0o4750, 1000, 120),
                ("old", Kind::Dir, 0o755, 0, 4096),
                ("latest", Kind::Symlink, 0o777, 0, 8),
                ("all.tar.gz", Kind::File, 0o600, 0, u32::MAX),
            ]
        );
        assert_eq!(names[3].target, "dump.sql");
        let date = |at: usize| DateTime::<Utc>::from(names[at].mtime).format("%Y-%m-%d %H:%M").to_string();
        assert_eq!(
            (date(0), date(1)),
            ("2026-09-20 03:00".into(), "2025-12-01 03:00".into()),
            "never in the future"
        );
        for bad in [
            "",
            "total 0\n",
            "dump.sql\n",
            "-rw-r--r-- 1 root root 1 Sep 20 03:00 ../x\n",
            "-rw-r--r-- 1 root root 1 Sep 20 03:00 a\u{1b}[0m\n",
            "-rw-r--r-- 1 root root 1 Sep 40 03:00 x\n",
            "Here is the listing:\n-rw-r--r-- 1 root root 1 Sep 20 03:00 x\n",
            "lrwxrwxrwx 1 root root 1 Sep 20 03:00 x\n",
        ] {
            assert_eq!(parse(bad, &identity(), now()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_directory_is_told_once_and_its_files_keep_their_size() {
        let files = files();
        assert!(files.is_dir(PATH) && files.list(PATH).unwrap().is_empty());
        for (path, wanted) in [
            (PATH, Some(PATH)),
            ("/srv/backups/dump.sql", Some(PATH)),
            ("/srv/backupsx", None),
            ("/srv", None),
            ("/", None),
        ] {
            assert_eq!(files.unlisted(path).as_deref(), wanted, "{path}");
        }
        files.tell(PATH, &parse(TEXT, &identity(), now()).unwrap()).unwrap();
        assert_eq!(files.unlisted(PATH), None);
        let names: Vec<String> = files.list(PATH).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["all.tar.gz", "dump.sql", "latest", "old", "run.sh"]);
        let path = "/srv/backups/dump.sql";
        let listed = files.stat(path).unwrap();
        let made_up = files.read(path).unwrap();
        assert_eq!((listed.size, made_up.len()), (2048, 2048));
        assert_eq!(files.read_at(path, 100, 50).unwrap(), made_up.slice(100..150));
        let unknown = files.unknown(path).unwrap();
        assert_eq!((unknown.path.as_str(), unknown.size), (path, 2048));
        assert_eq!(files.unknown("/srv/backups/all.tar.gz"), None, "nobody asks for an archive");
        files.fill(path, b"-- MariaDB dump 10.19\n").unwrap();
        assert_eq!(files.unknown(path), None);
        let known = files.stat(path).unwrap();
        assert_eq!((known.size, known.mtime, known.mode), (listed.size, listed.mtime, listed.mode));
        assert!(files.read("/srv/backups/latest").unwrap().starts_with(b"-- MariaDB dump 10.19\n"));
        let start = files.read_at("/srv/backups/all.tar.gz", 1 << 31, 10).unwrap();
        assert_eq!(start.len(), 10, "a large file is not made whole");
        files.copy("/srv/backups/all.tar.gz", "/tmp/x", &Owner::ROOT).unwrap();
        assert_eq!(files.remove("/srv/backups/nothing"), Err(FileError::NotFound));
    }

    #[test]
    fn a_directory_that_nobody_spoke_for_stays_empty() {
        let files = files();
        files.tell(PATH, &[]).unwrap();
        assert_eq!(files.unlisted(PATH), None);
        assert!(files.list(PATH).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_listing_is_read_or_not(text in "([-dl][-rwxsStT]{9} [0-9]{1,2} [a-z]{1,5} [a-z]{1,5} [0-9]{1,12} (Sep|Feb) [0-9]{1,2} ([0-9]{2}:[0-9]{2}|[0-9]{4}) \\PC{0,20}\n){0,5}") {
            if let Some(names) = parse(&text, &identity(), now()) {
                let files = files();
                files.tell(PATH, &names).unwrap();
                prop_assert_eq!(files.list(PATH).unwrap().len(), names.len());
                for name in names {
                    prop_assert!(name.mtime <= now());
                    let path = format!("{PATH}/{}", name.name);
                    prop_assert!(files.lstat(&path).is_ok());
                }
            }
        }
    }
}
