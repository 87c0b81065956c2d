//! Facts: found again, bounded, kept over a crash, damaged on disk.

use super::*;

fn fact(name: &str, text: &str) -> Fact {
    Fact {
        key: Key::of([name]),
        kind: "program".to_owned(),
        subject: name.to_owned(),
        family: name.split(' ').next().unwrap_or_default().to_owned(),
        model: "m".to_owned(),
        text: Some(text.to_owned()),
    }
}

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("facts.log")
}

#[test]
fn parts_are_told_apart() {
    assert_ne!(Key::of(["ab", "c"]), Key::of(["a", "bc"]));
    assert_ne!(Key::of(["a"]), Key::of(["a", ""]));
    assert_eq!(Key::of(["a", "b"]), Key::of(["a", "b"]));
}

#[test]
fn what_was_kept_is_there_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let facts = Facts::open(folder.path(), Bounds::default()).unwrap();
    facts.keep(fact("docker ps", "CONTAINER ID\n"));
    facts.keep(fact("docker ps", "CONTAINER ID   IMAGE\n"));
    facts.keep(fact("git log", "commit 1\n"));
    // No goodbye: the program is gone.
    std::mem::forget(facts);
    // A crash in the middle of a line.
    let mut bytes = std::fs::read(file(folder.path())).unwrap();
    bytes.extend_from_slice(b"0123456789abcdef {\"key\":\"00");
    std::fs::write(file(folder.path()), bytes).unwrap();
    let facts = Facts::open(folder.path(), Bounds::default()).unwrap();
    let found = facts.find(&Key::of(["docker ps"])).unwrap();
    assert_eq!(found.text.as_deref(), Some("CONTAINER ID   IMAGE\n"), "the later one counts");
    assert_eq!(facts.totals().0, 2);
    let others = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(others, 1, "a torn line is no damage");
}

#[test]
fn a_damaged_file_is_set_aside_and_what_can_be_read_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let facts = Facts::open(folder.path(), Bounds::default()).unwrap();
    for name in ["a", "b", "c"] {
        facts.keep(fact(name, "x"));
    }
    drop(facts);
    let text = std::fs::read_to_string(file(folder.path())).unwrap();
    let broken = text.replacen("\"subject\":\"b\"", "\"subject\":\"B\"", 1);
    assert_ne!(text, broken);
    std::fs::write(file(folder.path()), &broken).unwrap();
    let facts = Facts::open(folder.path(), Bounds::default()).unwrap();
    assert!(facts.find(&Key::of(["a"])).is_some() && facts.find(&Key::of(["c"])).is_some());
    assert!(facts.find(&Key::of(["b"])).is_none());
    let aside: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("damaged"))
        .collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(std::fs::read_to_string(&aside[0]).unwrap(), broken);
    drop(facts);
    // Whatever lies there, the start goes on.
    std::fs::write(file(folder.path()), [0xff; 5000]).unwrap();
    assert_eq!(Facts::open(folder.path(), Bounds::default()).unwrap().totals().0, 0);
    std::fs::write(file(folder.path()), [b"\n\n".as_slice(), &[b'x'; 100], b"\n"].concat()).unwrap();
    assert_eq!(Facts::open(folder.path(), Bounds::default()).unwrap().totals().0, 0);
}

#[test]
fn the_fact_unused_longest_goes_first_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds { facts: 3, bytes: 1 << 20 };
    let facts = Facts::open(folder.path(), bounds).unwrap();
    for name in ["a", "b", "c"] {
        assert!(facts.keep(fact(name, "x")).is_empty());
    }
    assert!(facts.find(&Key::of(["a"])).is_some());
    facts.save_order();
    drop(facts);
    let facts = Facts::open(folder.path(), bounds).unwrap();
    let gone = facts.keep(fact("d", "x"));
    assert_eq!(gone.iter().map(|fact| fact.subject.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(facts.find(&Key::of(["a"])).is_some());
}

#[test]
fn bytes_are_bounded_in_memory_and_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds { facts: 1000, bytes: 100_000 };
    let facts = Facts::open(folder.path(), bounds).unwrap();
    for number in 0..2000 {
        facts.keep(fact(&format!("x {}", number % 300), &"y".repeat(2000)));
        assert!(facts.totals().1 <= bounds.bytes);
    }
    assert!(std::fs::metadata(file(folder.path())).unwrap().len() < 2_000_000);
    assert!(facts.keep(fact("huge", &"y".repeat(200_000))).is_empty());
    assert!(facts.find(&Key::of(["huge"])).is_none());
}

#[test]
fn only_facts_of_the_family_are_known_to_a_question() {
    let facts = Facts::in_memory(Bounds::default());
    facts.keep(fact("docker ps", "1"));
    facts.keep(fact("docker images", "2"));
    facts.keep(fact("git log", "3"));
    facts.keep(Fact { family: String::new(), ..fact("docker secret", "4") });
    let known: Vec<_> = facts.of_family("docker", 8).iter().map(|fact| fact.subject.clone()).collect();
    assert_eq!(known, ["docker images", "docker ps"]);
    assert!(facts.of_family("", 8).is_empty());
}

#[tokio::test]
async fn the_same_question_is_asked_by_one_at_a_time() {
    let facts = Facts::in_memory(Bounds::default());
    let key = Key::of(["q"]);
    let first = facts.turn(key).await;
    let waiting = facts.turn(key);
    tokio::pin!(waiting);
    let soon = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(soon, &mut waiting).await.is_err());
    drop(first);
    drop(waiting.await);
    assert!(facts.turns.lock().is_empty());
}
