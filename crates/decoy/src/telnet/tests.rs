//! Telnet beyond the transcripts: scripts that never negotiate, events, and input that nobody means.

use proptest::prelude::*;

use super::*;
use crate::testing::{Done, contact, inputs, visit};
use wire::EventKind;

async fn talk(pieces: &[&[u8]]) -> Done {
    visit(&mut Telnet::new(contact()), pieces).await
}

#[tokio::test]
async fn a_script_that_waits_for_the_password_alone_gets_everything() {
    // What is typed with the name is thrown away by login(1); whatever comes later is heard.
    let done = talk(&[
        b"root\r\nlost\r\n",
        b"guess\r\ndeploy\r\n",
        b"Summer2024\r\necho one\r\nfalse || echo two\r\nexit\r\nlate\r\n",
    ])
    .await;
    let said = done.text();
    assert_eq!(inputs(&done.noted), ["lost", "echo one", "false || echo two", "exit", "late"]);
    assert!(
        said.contains(
            "web01 login: root\r\nlost\r\nPassword: \r\n\r\nLogin incorrect\r\nweb01 login: deploy\r\nPassword: \r\n"
        ),
        "{said}"
    );
    assert!(
        said.contains("echo one\r\none\r\n")
            && said.contains("\r\ntwo\r\n")
            && said.ends_with("exit\r\nlogout\r\n"),
        "{said}"
    );
    assert!(!said.contains("Summer2024"));
    assert_eq!(done.hung_up, Some(0));
    let least = crate::pam::LOGIN / 2;
    assert!((least..=3 * least).contains(&done.pauses), "{:?}", done.pauses);
    assert_eq!(done.noted.iter().filter(|kind| matches!(kind, EventKind::LoginSuccess { .. })).count(), 1);
}

#[tokio::test]
async fn a_silent_client_gets_its_prompt_after_a_moment() {
    let mut telnet = Telnet::new(contact());
    let stage = Stage::new();
    telnet.open(&stage).await;
    assert_eq!(telnet.idle_limit(), Some(PATIENCE));
    Done::take(&stage);
    telnet.timed_out(&stage).await;
    let done = Done::take(&stage);
    assert!(done.text().ends_with("web01 login: ") && done.hung_up.is_none());
    assert_eq!(telnet.idle_limit(), Some(LOGIN_TIMEOUT));
    telnet.timed_out(&stage).await;
    let done = Done::take(&stage);
    assert_eq!((done.text().as_str(), done.hung_up), ("\r\nLogin timed out after 60 seconds.\r\n", Some(0)));
}

#[tokio::test]
async fn options_are_events() {
    let done = talk(&[b"\xff\xfb\x1f\xff\xfa\x1f\x00\x84\x00\x2b\xff\xf0\xff\xfd\x01"]).await;
    let options: Vec<_> = done
        .noted
        .iter()
        .filter_map(|kind| match kind {
            EventKind::TelnetOption { command, option, data } => {
                Some((command.as_str(), *option, data.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(options, [("WILL", 31, ""), ("SB", 31, "0084002b"), ("DO", 1, "")]);
    assert!(done.noted.iter().any(|kind| matches!(kind, EventKind::ClientSize { width: 132, height: 43 })));
}

#[tokio::test]
async fn a_name_without_a_password_is_not_lost() {
    assert_eq!(inputs(&talk(&[b"root\r\n"]).await.noted), ["root"]);
    assert_eq!(inputs(&talk(&[b"roo"]).await.noted), ["roo"]);
}

#[tokio::test]
async fn keys_at_the_prompts_are_bounded() {
    let mut telnet = Telnet::new(contact());
    let stage = Stage::new();
    telnet.open(&stage).await;
    for _ in 0..100 {
        telnet.hear(&[b'a'; 1000], &stage).await;
    }
    assert_eq!(telnet.line.len(), LONGEST_ANSWER);
    let done = Done::take(&stage);
    assert_eq!(done.noted.iter().filter(|kind| matches!(kind, EventKind::LimitHit { .. })).count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_in_any_pieces_harm_nothing(input in proptest::collection::vec(
        prop_oneof![Just(255u8), 245u8..=255, Just(b'\r'), Just(0u8), 5u8..100, 32u8..=126], 0..60), piece in 1usize..30) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Behind the end of a connection nothing is heard: neither ^C, ^D and their like, nor five refusals.
        let ends = |byte: &u8| matches!(byte, 3 | 4 | 236 | 243 | 244);
        prop_assume!(!input.iter().any(ends) && input.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() < 10);
        let pieces: Vec<&[u8]> = input.chunks(piece).collect();
        let (whole, cut) = runtime.block_on(async { (talk(&[&input]).await, talk(&pieces).await) });
        // Where the negotiation stands when a key comes, and what is thrown away behind a name, depend on the cutting;
        // whether anything was typed does not.
        let typed = |done: &Done| !done.noted.iter().all(|kind| matches!(kind, EventKind::TelnetOption { .. }));
        prop_assert_eq!(typed(&whole), typed(&cut));
    }
}
