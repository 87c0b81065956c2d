//! US dollars without rounding: whole billionths.

use std::fmt;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_print() {
        for (dollars, shown) in [
            (5.0, "5.00 USD"),
            (0.25, "0.25 USD"),
            (1.005, "1.005 USD"),
            (0.0, "0.00 USD"),
            (1e-9, "0.000000001 USD"),
        ] {
            assert_eq!(Usd::from_dollars(dollars).unwrap().to_string(), shown);
        }
        for dollars in [-1.0, f64::NAN, f64::INFINITY, 1e30] {
            assert!(Usd::from_dollars(dollars).is_none(), "{dollars}");
        }
    }
}
