//! The option layer: line ends, answers, windows, and clients that try to loop.

use proptest::prelude::*;

use super::*;

fn talk(options: &mut Options, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let stage = Stage::new();
    let keys = options.decode(bytes, &stage);
    (keys, stage.drain().0)
}

#[test]
fn line_ends_and_doubled_iacs_are_taken_off() {
    let mut options = Options::new();
    assert_eq!(talk(&mut options, b"a\r\nb\r\0c\nd\xff\xff").0, b"a\rb\rc\nd\xff");
    assert_eq!(&Options::encode(b"a\r\nb\rc\xff")[..], b"a\r\nb\r\0c\xff\xff");
}

#[test]
fn an_answer_is_not_answered() {
    let mut options = Options::new();
    let mut out = Vec::new();
    options.ask(DO, NAWS, &mut out);
    options.ask(WILL, ECHO, &mut out);
    assert_eq!(out, [IAC, DO, NAWS, IAC, WILL, ECHO]);
    assert_eq!(talk(&mut options, &[IAC, WILL, NAWS, IAC, DO, ECHO, IAC, DO, ECHO]).1, b"");
    assert!(options.is_on(true, NAWS) && options.is_on(false, ECHO));
    assert_eq!(talk(&mut options, &[IAC, WILL, 200, IAC, DO, 200]).1, [IAC, DONT, 200, IAC, WONT, 200]);
}

#[test]
fn the_window_is_told() {
    let mut options = Options::new();
    let stage = Stage::new();
    options.decode(&[IAC, SB, NAWS, 0, 132, 0, 43, IAC, SE], &stage);
    assert_eq!(options.take_window(), Some((132, 43)));
    assert!(
        stage.drain().1.iter().any(|kind| matches!(kind, EventKind::ClientSize { width: 132, height: 43 }))
    );
}

proptest! {
    #[test]
    fn two_endpoints_come_to_rest(bytes in proptest::collection::vec(
        prop_oneof![Just(IAC), WILL..=DONT, Just(SB), Just(SE), any::<u8>()], 0..300)) {
        // Whatever is said back is said to a second telnetd, and so on: it must end.
        let (mut here, mut there) = (Options::new(), Options::new());
        let mut said = talk(&mut here, &bytes).1;
        for round in 0.. {
            if said.is_empty() { break; }
            prop_assert!(round < 500, "two sides never came to rest");
            let other = if round % 2 == 0 { &mut there } else { &mut here };
            said = talk(other, &said).1;
        }
    }

    #[test]
    fn cutting_changes_nothing(bytes in proptest::collection::vec(
        prop_oneof![Just(IAC), WILL..=DONT, Just(SB), Just(SE), Just(b'\r'), any::<u8>()], 0..200), at in 0usize..200) {
        let (front, back) = bytes.split_at(at.min(bytes.len()));
        let (mut whole, mut cut) = (Options::new(), Options::new());
        let want = talk(&mut whole, &bytes);
        let (first, second) = (talk(&mut cut, front), talk(&mut cut, back));
        prop_assert_eq!(want, ([first.0, second.0].concat(), [first.1, second.1].concat()));
    }
}
