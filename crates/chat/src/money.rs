//! US dollars without rounding: whole billionths.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de};

/// An amount in billionths of a US dollar. Budgets add up exactly, which floating point would not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(u64);

/// Billionths in a dollar.
const NANOS: f64 = 1e9;
/// The largest amount that can be written in settings, in dollars.
const MOST: f64 = 1e9;

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From billionths.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// In billionths.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// From dollars. `None` when negative, not finite or above a billion.
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        if (0.0..=MOST).contains(&dollars) {
            // In range, so the cast neither truncates below zero nor saturates.
            Some(Self((dollars * NANOS).round() as u64))
        } else {
            None
        }
    }

    /// In dollars, for events and people.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// The sum, or the largest amount there is.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let rest = format!("{rest:09}");
        let trimmed = rest.trim_end_matches('0');
        write!(f, "{whole}.{trimmed:0<2} USD")
    }
}

impl FromStr for Usd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_start_matches('$').trim_end_matches("USD").trim();
        number
            .parse::<f64>()
            .ok()
            .and_then(Self::from_dollars)
            .ok_or_else(|| format!("`{text}` is not an amount in US dollars, write for example \"2.50\""))
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;

        impl de::Visitor<'_> for Amount {
            type Value = Usd;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in US dollars, for example \"2.50\" or 2.5")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Usd, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, dollars: f64) -> Result<Usd, E> {
                Usd::from_dollars(dollars)
                    .ok_or_else(|| E::custom(format!("{dollars} is not an amount in US dollars")))
            }

            fn visit_i64<E: de::Error>(self, dollars: i64) -> Result<Usd, E> {
                self.visit_f64(dollars as f64)
            }

            fn visit_u64<E: de::Error>(self, dollars: u64) -> Result<Usd, E> {
                self.visit_f64(dollars as f64)
            }
        }

        deserializer.deserialize_any(Amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_and_print() {
        for (text, shown) in [
            ("5", "5.00 USD"),
            ("$0.25", "0.25 USD"),
            ("1.005 USD", "1.005 USD"),
            ("0", "0.00 USD"),
            ("0.000000001", "0.000000001 USD"),
        ] {
            assert_eq!(text.parse::<Usd>().unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "-1", "NaN", "inf", "five", "1e30"] {
            assert!(text.parse::<Usd>().is_err(), "{text}");
        }
    }
}
