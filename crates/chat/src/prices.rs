//! What a token costs: list prices of a few current models, and the operator's own.
//!
//! Sources, read in November 2026: the model pages of platform.claude.com and developers.openai.com. Prices change;
//! `[chat.prices."MODEL"]` in the settings wins over this table.

use std::collections::BTreeMap;

use ::settings::Section;

use crate::money::Usd;

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Tokens of the conversation.
    pub input: Usd,
    /// Tokens of the answer.
    pub output: Usd,
    /// The dearer rate for the whole request when the conversation is long.
    pub long: Option<LongPrice>,
}

/// The rate for long conversations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongPrice {
    /// More tokens than this make a conversation long.
    pub above: u64,
    /// Tokens of the conversation.
    pub input: Usd,
    /// Tokens of the answer.
    pub output: Usd,
}

impl Price {
    /// A price that never changes with length, in thousandths of a dollar per million tokens.
    const fn flat(input: u64, output: u64) -> Self {
        Self { input: mills(input), output: mills(output), long: None }
    }

    const fn long(self, above: u64, input: u64, output: u64) -> Self {
        Self { long: Some(LongPrice { above, input: mills(input), output: mills(output) }), ..self }
    }

    /// A model on a machine of our own.
    pub const FREE: Self = Self::flat(0, 0);

    /// What a model of unknown price is counted at, so that a budget holds whatever it is: the dearest list price of the
    /// big providers, 30 and 150 US dollars per million tokens.
    pub const DEAREST: Self = Self::flat(30_000, 150_000);

    /// What so many tokens cost, rounded up to the next billionth of a dollar.
    pub fn cost(&self, tokens_in: u64, tokens_out: u64) -> Usd {
        let (input, output) = match self.long {
            Some(long) if tokens_in > long.above => (long.input, long.output),
            _ => (self.input, self.output),
        };
        let total = u128::from(tokens_in) * u128::from(input.nanos())
            + u128::from(tokens_out) * u128::from(output.nanos());
        Usd::from_nanos(u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The most that so many tokens, or fewer, can cost.
    pub fn cost_at_most(&self, tokens_in: u64, tokens_out: u64) -> Usd {
        let short = match self.long {
            // Below the step the short rate holds; were it the dearer one, it must not be missed.
            Some(long) => Self { long: None, ..*self }.cost(tokens_in.min(long.above), tokens_out),
            None => Usd::ZERO,
        };
        self.cost(tokens_in, tokens_out).max(short)
    }
}

const fn mills(mills: u64) -> Usd {
    Usd::from_nanos(mills * 1_000_000)
}

/// Thousandths of a dollar per million tokens.
const LIST: &[(&str, Price)] = &[
    ("claude-fable-5-1", Price::flat(10_000, 50_000)),
    ("claude-opus-5-5", Price::flat(4_000, 20_000)),
    ("claude-opus-5", Price::flat(5_000, 25_000)),
    ("claude-opus-4-6", Price::flat(5_000, 25_000)),
    ("claude-opus-4-5", Price::flat(5_000, 25_000)),
    ("claude-sonnet-5-5", Price::flat(2_000, 10_000)),
    ("claude-sonnet-5", Price::flat(2_000, 10_000)),
    ("claude-sonnet-4-6", Price::flat(3_000, 15_000)),
    ("claude-sonnet-4-5", Price::flat(3_000, 15_000)),
    ("claude-haiku-5-5", Price::flat(100, 500).long(100_000, 500, 2_500)),
    ("claude-haiku-4-5", Price::flat(1_000, 5_000)),
    ("gpt-5.6-terra", Price::flat(2_000, 12_000).long(272_000, 4_000, 18_000)),
    ("gpt-5.6-luna", Price::flat(200, 1_200).long(272_000, 400, 1_800)),
    ("gpt-5.4-mini", Price::flat(750, 4_500).long(272_000, 1_500, 6_750)),
    ("gpt-5-mini", Price::flat(250, 2_000)),
    ("gpt-5-nano", Price::flat(50, 400)),
    ("gpt-5", Price::flat(1_250, 10_000)),
    ("gpt-4.1", Price::flat(2_000, 8_000)),
    ("gpt-4.1-mini", Price::flat(400, 1_600)),
    ("gpt-4.1-nano", Price::flat(100, 400)),
    ("gpt-4o", Price::flat(2_500, 10_000)),
    ("gpt-4o-mini", Price::flat(150, 600)),
];

/// Prices by model: the operator's first, then the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    /// Sets a price, as `[chat.prices."MODEL"]` does.
    pub fn set(&mut self, model: impl Into<String>, price: Price) {
        self.0.insert(model.into(), price);
    }

    /// `[chat.prices."MODEL"]`: `input`, `output`, and `long = { above, input, output }`.
    pub fn read(mut section: Section<'_>) -> Self {
        let mut prices = Self::default();
        for model in section.keys() {
            let mut entry = section.section(&model);
            let input = usd(&mut entry, "input");
            let output = usd(&mut entry, "output");
            let long = entry.has("long").then(|| {
                let mut long = entry.section("long");
                let above = long.number("above", 1..=i64::MAX).and_then(|n| u64::try_from(n).ok());
                let (input, output) = (usd(&mut long, "input"), usd(&mut long, "output"));
                if above.is_none() || input.is_none() || output.is_none() {
                    long.fault("", None, "needs `above`, `input` and `output`");
                }
                Some(LongPrice { above: above?, input: input?, output: output? })
            });
            match (input, output) {
                (Some(input), Some(output)) => {
                    prices.set(model, Price { input, output, long: long.flatten() })
                }
                _ => entry.fault("", None, "needs `input` and `output`, in US dollars per million tokens"),
            }
        }
        prices
    }

    /// The price of a model; a dated name (`…-20251001`, `…-2024-07-18`, `…-latest`) has that of its family.
    pub fn of(&self, model: &str) -> Option<Price> {
        let family = family(model);
        self.0
            .get(model)
            .or_else(|| self.0.get(family))
            .or_else(|| LIST.iter().find(|(name, _)| *name == family).map(|(_, price)| price))
            .copied()
    }
}

/// An amount in US dollars.
pub(crate) fn usd(section: &mut Section<'_>, key: &str) -> Option<Usd> {
    let amount = section.amount(key)?;
    let usd = Usd::from_dollars(amount);
    if usd.is_none() {
        section.fault(key, None, "is more than a billion US dollars");
    }
    usd
}

/// The model's name without its date.
fn family(model: &str) -> &str {
    let model = model.strip_suffix("-latest").unwrap_or(model);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if let Some((name, day)) = model.rsplit_once('-') {
        if day.len() == 8 && digits(day) {
            return name;
        }
        if let Some((name, month)) = name.rsplit_once('-')
            && let Some((name, year)) = name.rsplit_once('-')
            && [year.len(), month.len(), day.len()] == [4, 2, 2]
            && digits(year)
            && digits(month)
            && digits(day)
        {
            return name;
        }
    }
    model
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dated_model_costs_what_its_family_costs() {
        let prices = Prices::default();
        for (dated, name) in [
            ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
            ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
            ("claude-sonnet-5-latest", "claude-sonnet-5"),
        ] {
            assert_eq!(prices.of(dated), prices.of(name), "{dated}");
            assert!(prices.of(name).is_some(), "{name}");
        }
        assert_eq!(prices.of("llama3"), None);
        assert_eq!(prices.of(""), None);
    }

    #[test]
    fn costs_are_exact_and_step_up_for_long_conversations() {
        let price = Prices::default().of("claude-haiku-5-5").unwrap();
        assert_eq!(price.cost(1_000, 100), Usd::from_nanos(100_000 + 50_000));
        assert_eq!(price.cost(100_001, 0), Usd::from_nanos(100_001 * 500));
    }

    #[test]
    fn no_listed_price_is_above_the_dearest() {
        for (name, price) in LIST {
            for (tokens_in, tokens_out) in [(1_000_000, 0), (0, 1_000_000)] {
                assert!(
                    price.cost(tokens_in, tokens_out) <= Price::DEAREST.cost(tokens_in, tokens_out),
                    "{name}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn fewer_tokens_never_cost_more_than_the_bound(
            tokens_in in 0u64..400_000, tokens_out in 0u64..100_000, less_in in 0u64..400_000, less_out in 0u64..100_000,
            long_in in 0u64..5_000, long_out in 0u64..5_000,
        ) {
            let price = Price::flat(1_000, 2_000).long(100_000, long_in, long_out);
            let bound = price.cost_at_most(tokens_in, tokens_out);
            prop_assert!(price.cost(less_in.min(tokens_in), less_out.min(tokens_out)) <= bound);
        }
    }
}
