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

fn settings(text: &str) -> ChatSettings {
    toml::from_str::<ChatSettings>(text).unwrap().with_environment(|_| None)
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
    assert_eq!(settings.faults(), []);
    assert!(!format!("{settings:?}").contains("sk-secret"));
    let (service, warnings) = build(&settings);
    assert_eq!(warnings, []);
    let reply = service.send_message(&conversation()).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.cached), ("Linux", false));
    let again = service.send_message(&conversation()).await.unwrap();
    assert_eq!((again.text.as_str(), again.cached, again.cost_usd), ("Linux", true, 0.0));
    let seen = broken.seen().await;
    assert_eq!((seen.len(), sound.seen().await.len()), (1, 1));
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
    let unknown = "[chat]\nbudget_per_session = 0.5\n[openai]\napi_key = \"k\"\nmodel = \"mystery\"\n";
    assert!(warned(unknown).iter().any(|w| w.contains("mystery")));
    assert_eq!(settings(unknown).faults().len(), 1);
    let priced = format!("{unknown}[chat.prices.mystery]\ninput = 1\noutput = \"2.5\"\n");
    assert_eq!(settings(&priced).faults(), []);
}

#[test]
fn wrong_settings_are_named() {
    for (text, word) in [
        ("[chat]\nprovider = []\n", "provider"),
        ("[chat]\nproviders = [\"gemini\"]\n", "gemini"),
        ("[chat]\ntimeout = \"8\"\n", "8s"),
        ("[chat]\ntimeout = \"0s\"\n", "0s"),
        ("[chat]\nbudget_per_day = \"-1\"\n", "-1"),
        ("[openai.static_messages]\ngreeting = \"x\"\n", "message1"),
        ("[anthropic]\nkey = \"x\"\n", "key"),
        ("[openai]\napi_key = 3\n", "string"),
    ] {
        let error = toml::from_str::<ChatSettings>(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
    let faults = settings(
        "[chat]\nmax_concurrent = 0\nproviders = [\"claude\", \"claude\"]\n[openai]\nbase_url = \"localhost\"\nmodel = \"\"\n",
    )
    .faults();
    let keys: Vec<_> = faults.iter().map(|f| f.key).collect();
    assert_eq!(keys, ["openai.base_url", "openai.model", "chat.max_concurrent", "chat.providers"]);
}

#[test]
fn keys_come_from_the_settings_then_from_the_environment() {
    let environment = |name: &str| match name {
        "CHATGPT_API_KEY" => Some("from-chatgpt".to_owned()),
        "ANTHROPIC_API_KEY" => Some("  ".to_owned()),
        "CLAUDE_API_KEY" => Some("from-claude".to_owned()),
        _ => None,
    };
    let read = |text: &str| toml::from_str::<ChatSettings>(text).unwrap().with_environment(environment);
    let settings = read("[openai]\napi_key = \"\"\n");
    assert_eq!(settings.openai.api_key.unwrap().reveal(), "from-chatgpt");
    assert_eq!(settings.anthropic.api_key.unwrap().reveal(), "from-claude");
    assert_eq!(read("[openai]\napi_key = \"own\"\n").openai.api_key.unwrap().reveal(), "own");
}
