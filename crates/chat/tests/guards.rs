//! Guards put together: budgets that hold whatever happens, failover, and `build` from settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may fail loudly

mod stand_in;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chat::{
    Canned, ChatError, ChatService, ChatSettings, Conversation, Purse, Reply, Usd, build,
    guarded::{Budgeted, Failover, Limited, Priced, Timed},
    spending_from,
};
use proptest::prelude::*;
use stand_in::{Act, StandIn, claude_answer, conversation, openai_answer};

/// How one call of [`Shop`] ends.
#[derive(Clone, Copy, Debug)]
enum Deal {
    /// Costs this share of the bound, in percent.
    Sold(u64),
    Free,
    Unclear,
    Hangs,
}

/// A provider that charges up to its bound and counts what it charged.
struct Shop {
    bound: Usd,
    deals: Vec<Deal>,
    calls: AtomicUsize,
    charged: Arc<parking_lot::Mutex<Usd>>,
}

#[async_trait]
impl ChatService for Shop {
    async fn send_message(&self, _: &Conversation) -> Result<Reply, ChatError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let provider = || "shop".to_owned();
        let charge = |cost: Usd| {
            let mut charged = self.charged.lock();
            *charged = charged.plus(cost);
        };
        tokio::task::yield_now().await;
        match self.deals[call % self.deals.len()] {
            Deal::Sold(percent) => {
                let cost = Usd::from_nanos(self.bound.nanos() * percent / 100);
                charge(cost);
                let (text, model) = ("x".to_owned(), "m".to_owned());
                let cost_usd = cost.dollars();
                let elapsed = Duration::ZERO;
                Ok(Reply { text, model, tokens_in: 1, tokens_out: 1, cost_usd, elapsed, cached: false })
            }
            Deal::Free => Err(ChatError::RateLimited { provider: provider(), retry_after: None }),
            Deal::Unclear => {
                charge(self.bound);
                Err(ChatError::Malformed { provider: provider(), what: "nonsense" })
            }
            Deal::Hangs => {
                charge(self.bound);
                std::future::pending().await
            }
        }
    }

    fn name(&self) -> &str {
        "shop"
    }
}

impl Priced for Shop {
    fn cost_at_most(&self, _: &Conversation) -> Option<Usd> {
        Some(self.bound)
    }
}

fn deal() -> impl Strategy<Value = Deal> {
    prop_oneof![
        4 => (0u64..=100).prop_map(Deal::Sold),
        1 => Just(Deal::Free),
        1 => Just(Deal::Unclear),
        1 => Just(Deal::Hangs),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_purse_is_ever_overdrawn(
        limit in 0u64..2_000, session in 0u64..1_000, bound in 1u64..300,
        deals in proptest::collection::vec(deal(), 1..12), calls in 1usize..24,
    ) {
        let charged = Arc::new(parking_lot::Mutex::new(Usd::ZERO));
        let shop = Shop { bound: Usd::from_nanos(bound), deals, calls: AtomicUsize::new(0), charged: charged.clone() };
        let day = Arc::new(Purse::daily_by("day", Usd::from_nanos(limit), Arc::new(|| 1)));
        let own = Arc::new(Purse::once("session", Usd::from_nanos(session)));
        let service = Timed::new(Budgeted::new(shop, vec![day.clone()]), Duration::from_millis(2));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let question = conversation();
            let asking = (0..calls).map(|_| spending_from(vec![own.clone()], service.send_message(&question)));
            let results = futures_join(asking).await;
            assert_eq!(results.len(), calls);
        });
        let charged = *charged.lock();
        prop_assert!(charged <= Usd::from_nanos(limit.min(session)), "{charged} charged");
        prop_assert!(day.spent().1 >= charged && own.spent().1 >= charged);
        prop_assert!(day.spent().1 <= day.limit() && own.spent().1 <= own.limit());
        prop_assert!(format!("{day:?}").ends_with("0.00 USD reserved)"), "nothing stays reserved: {day:?}");
    }
}

/// Runs all at once on this task.
async fn futures_join<F: Future>(all: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = all.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, done) in &mut running {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *done = Some(output),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    running.into_iter().map(|(_, done)| done.unwrap()).collect()
}

#[tokio::test]
async fn a_call_that_is_dropped_counts_as_spent() {
    let bound = Usd::from_nanos(10);
    let charged = Arc::default();
    let shop = Shop { bound, deals: vec![Deal::Hangs], calls: AtomicUsize::new(0), charged };
    let purse = Arc::new(Purse::once("session", Usd::from_nanos(15)));
    let service = Budgeted::new(shop, vec![purse.clone()]);
    let question = conversation();
    let dropped = tokio::time::timeout(Duration::from_millis(5), service.send_message(&question)).await;
    assert!(dropped.is_err());
    assert_eq!(purse.spent().1, bound);
    let error = service.send_message(&question).await.unwrap_err();
    assert!(matches!(&error, ChatError::Budget { purse, .. } if purse == "session"), "{error:?}");
}

#[tokio::test]
async fn the_next_provider_answers_when_the_first_does_not() {
    let dead = || Box::new(Canned::silent());
    let service = Failover::new(vec![dead(), Box::new(Canned::scripted([Ok("second".to_owned())]))]);
    assert_eq!(service.send_message(&conversation()).await.unwrap().text, "second");
    let error = service.send_message(&conversation()).await.unwrap_err();
    assert!(matches!(&error, ChatError::AllFailed { attempts } if attempts.len() == 2), "{error:?}");
    let alone = Failover::new(Vec::new()).send_message(&conversation()).await.unwrap_err();
    assert!(matches!(alone, ChatError::NoKey { .. }));
}

#[tokio::test]
async fn more_than_the_limit_at_once_are_busy() {
    let charged = Arc::default();
    let shop = Shop { bound: Usd::ZERO, deals: vec![Deal::Hangs], calls: AtomicUsize::new(0), charged };
    let service = Timed::new(Limited::new(shop, 2), Duration::from_millis(20));
    let question = conversation();
    let results = futures_join((0..5).map(|_| service.send_message(&question))).await;
    let busy = results.iter().filter(|r| matches!(r, Err(ChatError::Busy { limit: 2, .. }))).count();
    assert_eq!(busy, 3);
}

/// Settings that must be good.
fn settings(text: &str) -> ChatSettings {
    read(text).unwrap().with_environment(|_| None)
}

fn read(text: &str) -> Result<ChatSettings, settings::Faults> {
    let mut tree = settings::Tree::read("Config.toml", text, "RUSTBUCKET_", []);
    let settings = ChatSettings::read(&mut tree.top());
    tree.finish(settings)
}

#[tokio::test]
async fn settings_become_a_service_that_fails_over_and_remembers() {
    let broken = StandIn::start([Act::status("500 Internal Server Error")]).await;
    let sound = StandIn::start([Act::ok(claude_answer("Linux", 10, 1))]).await;
    let settings = settings(&format!(
        "[chat]\nproviders = [\"chatgpt\", \"claude\"]\ntimeout = \"8s\"\nbudget_per_day = \"0.01\"\n\
         [openai]\napi_key = \"sk-secret\"\nmodel = \"gpt-4o-mini\"\nbase_url = \"{}\"\n\
         [openai.static_messages]\nmessage2 = \"second\"\nmessage10 = \"tenth\"\nmessage1 = \"first\"\n\
         [anthropic]\napi_key = \"sk-secret\"\nbase_url = \"{}\"\n",
        broken.url, sound.url
    ));
    assert!(!format!("{settings:?}").contains("sk-secret"));
    let (service, warnings) = build(&settings);
    assert_eq!(warnings, []);
    let reply = service.send_message(&conversation()).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.cached), ("Linux", false));
    let again = service.send_message(&conversation()).await.unwrap();
    assert_eq!((again.text.as_str(), again.cached, again.cost_usd), ("Linux", true, 0.0));
    let seen = broken.seen().await;
    assert_eq!(
        (seen.len(), sound.seen().await.len()),
        (2, 1),
        "a failure that may be over is tried once more"
    );
    let said: Vec<_> =
        seen[0].body["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(said[..3], ["first", "second", "tenth"]);
}

#[tokio::test]
async fn the_budget_of_a_day_stops_the_next_call() {
    let server = StandIn::start([Act::ok(openai_answer("x", 100, 100))]).await;
    let settings = settings(&format!(
        "[chat]\nproviders = [\"chatgpt\"]\nbudget_per_day = \"0.0002\"\ncache_entries = 0\n\
         [openai]\napi_key = \"k\"\nmodel = \"gpt-4o-mini\"\nbase_url = \"{}\"\n",
        server.url
    ));
    let (service, _) = build(&settings);
    let mut errors = Vec::new();
    for _ in 0..10 {
        errors.extend(service.send_message(&conversation()).await.err());
    }
    assert!(
        errors.iter().all(|e| matches!(e, ChatError::Budget { purse, .. } if purse == "day")),
        "{errors:?}"
    );
    let paid = server.seen().await.len();
    assert!((1..=2).contains(&paid), "0.000075 each, bounded by 0.0002: {paid} calls");
}

#[test]
fn missing_keys_and_unknown_prices_warn() {
    let warned = |text: &str| build(&settings(text)).1.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(warned("").len(), 1);
    assert!(warned("")[0].contains("OPENAI_API_KEY"));
    assert!(warned("[openai]\napi_key = \"k\"\n").is_empty(), "the other one was never asked for");
    let named = warned("[chat]\nproviders = [\"chatgpt\", \"claude\"]\n[openai]\napi_key = \"k\"\n");
    assert!(named.len() == 1 && named[0].contains("ANTHROPIC_API_KEY"), "{named:?}");
    assert!(warned("[chat]\nproviders = [\"canned\"]\n").is_empty());
    assert!(warned("[chat]\nproviders = [\"ollama\"]\nbudget_per_day = 1\n").is_empty());
    let openai = chat::OpenAiSection {
        api_key: Some(chat::Secret::new("k")),
        model: Some("mystery".to_owned()),
        ..chat::OpenAiSection::default()
    };
    let mut by_hand = ChatSettings { openai, ..ChatSettings::default() };
    assert!(build(&by_hand).1.is_empty());
    by_hand.chat.budget_per_session = Some(Usd::from_nanos(1));
    let [warning] = &build(&by_hand).1[..] else { panic!("one warning") };
    let told = warning.to_string();
    assert!(told.contains("[chat.prices.\"mystery\"]") && told.contains("30.00 USD in"), "{told}");
    // Where a program keeps its prices elsewhere, the advice says so.
    by_hand.chat.prices_key = "analysis.prices";
    assert!(build(&by_hand).1[0].to_string().contains("[analysis.prices.\"mystery\"]"));
    // Nobody can be asked: one warning, whether providers are named or not.
    let named = warned("[chat]\nproviders = [\"chatgpt\", \"claude\"]\n");
    assert!(
        named.len() == 1 && named[0].contains("OPENAI_API_KEY") && named[0].contains("ANTHROPIC_API_KEY")
    );
    let named = warned("[chat]\nproviders = [\"claude\"]\n");
    assert!(
        named.len() == 1 && !named[0].contains("OPENAI_API_KEY") && named[0].contains("ANTHROPIC_API_KEY")
    );
    assert!(
        warned("[chat]\nproviders = [\"chatgpt\", \"canned\"]\n").len() == 1,
        "it was named and is left out"
    );
}

#[test]
fn wrong_settings_are_named() {
    for (text, words) in [
        ("[chat]\nprovider = []\n", &["line 2: `chat.provider`", "did you mean `providers`"][..]),
        (
            "[chat]\nproviders = [\"claude\",\n\"gemini\",\n\"claude\"]\n",
            &["line 3", "gemini", "line 4", "named twice"],
        ),
        (
            "[chat]\ntimeout = \"8\"\nbudget_per_day = \"-1\"\n",
            &["line 2: `chat.timeout`", "line 3: `chat.budget_per_day`"],
        ),
        ("[openai.static_messages]\ngreeting = \"x\"\n", &["message1"]),
        ("[anthropic]\nkey = \"x\"\n", &["anthropic.key"]),
        (
            "[openai]\napi_key = 3\nbase_url = \"localhost\"\nmodel = \"\"\n",
            &["openai.api_key", "line 3: `openai.base_url`", "line 4: `openai.model`"],
        ),
        ("[ollama]\nbase_url = \"http://user:sk-secret@host\"\n", &["put the key into api_key"]),
        ("[chat]\nmax_concurrent = 0\n", &["1 to 10000"]),
        (
            "[chat]\nbudget_per_session = 0.5\n[openai]\nmodel = \"mystery\"\napi_key = \"k\"\n",
            &["chat.prices.\"mystery\""],
        ),
        ("[chat.prices.mystery]\ninput = 1\n", &["chat.prices.mystery", "needs `input` and `output`"]),
        (
            "[chat.prices.m]\ninput = 1\noutput = 2\nlong = { above = 10 }\n",
            &["chat.prices.m.long", "needs `above`"],
        ),
    ] {
        let faults = read(text).unwrap_err().to_string();
        for word in words {
            assert!(faults.contains(word), "{word} in {faults}");
        }
        assert!(!faults.contains("sk-secret"), "{faults}");
    }
    let priced = "[chat]\nbudget_per_session = \"0.5\"\n[openai]\nmodel = \"mystery\"\n\
                  [chat.prices.mystery]\ninput = 1\noutput = \"2.5\"\nlong = { above = 9, input = 2, output = 3 }\n";
    assert!(read(priced).is_ok());
}

#[test]
fn keys_come_from_the_settings_then_from_the_environment() {
    let environment = |name: &str| match name {
        "CHATGPT_API_KEY" => Some("from-chatgpt".to_owned()),
        "ANTHROPIC_API_KEY" => Some("  ".to_owned()),
        "CLAUDE_API_KEY" => Some("from-claude".to_owned()),
        _ => None,
    };
    let keyed = |text: &str| read(text).unwrap().with_environment(environment);
    let settings = keyed("[openai]\napi_key = \"\"\n");
    assert_eq!(settings.openai.api_key.unwrap().reveal(), "from-chatgpt");
    assert_eq!(settings.anthropic.api_key.unwrap().reveal(), "from-claude");
    assert_eq!(keyed("[openai]\napi_key = \"own\"\n").openai.api_key.unwrap().reveal(), "own");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_allowance_is_ever_exceeded(
        usd in proptest::collection::vec(proptest::option::of(0u64..400), 4),
        tokens in proptest::collection::vec(proptest::option::of(0u64..4000), 4),
        bound in 1u64..90, deals in proptest::collection::vec(deal(), 1..8),
        visits in proptest::collection::vec((0u8..3, 0u8..2), 1..16),
    ) {
        let charged = Arc::new(parking_lot::Mutex::new(Usd::ZERO));
        let shop = Shop { bound: Usd::from_nanos(bound), deals, calls: AtomicUsize::new(0), charged: charged.clone() };
        let day = usd[3].map(|limit| Arc::new(Purse::daily_by("day", Usd::from_nanos(limit), Arc::new(|| 1))));
        let mut settings = ChatSettings::default();
        settings.chat.budget_per_session = usd[0].map(Usd::from_nanos);
        settings.chat.budget_per_source_per_day = usd[1].map(Usd::from_nanos);
        settings.chat.budget_per_network_per_day = usd[2].map(Usd::from_nanos);
        settings.chat.tokens_per_session = tokens[0];
        settings.chat.tokens_per_source_per_day = tokens[1];
        settings.chat.tokens_per_network_per_day = tokens[2];
        let day_tokens = tokens[3].map(|limit| Arc::new(Purse::tokens_once("day", limit)));
        let allowances = settings.allowances();
        let written = Arc::new(parking_lot::Mutex::new(Usd::ZERO));
        if let Some(day) = &day {
            let written = written.clone();
            day.watch(move |_, committed| *written.lock() = committed);
        }
        let shared: Vec<_> = day.iter().chain(&day_tokens).cloned().collect();
        let service = Timed::new(Budgeted::new(shop, shared.clone()), Duration::from_millis(2));
        let purses: Vec<Vec<Arc<Purse>>> = visits
            .iter()
            .map(|(source, network)| allowances.of(&format!("10.{network}.0.{source}"), &format!("10.{network}.0.0")))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let question = conversation();
            let asking = purses.iter().map(|own| spending_from(own.clone(), service.send_message(&question)));
            futures_join(asking).await;
        });
        for purse in purses.iter().flatten().chain(&shared) {
            prop_assert!(purse.spent().1 <= purse.limit(), "{purse:?}");
        }
        if let Some(day) = &day {
            prop_assert!(*charged.lock() <= day.limit());
            prop_assert!(*written.lock() >= *charged.lock(), "what is written down covers what was charged");
        }
        // Nobody pays when nobody is allowed to.
        if usd.iter().flatten().any(|limit| *limit < bound) && usd[3].is_some_and(|limit| limit < bound) {
            prop_assert_eq!(*charged.lock(), Usd::ZERO);
        }
    }
}
