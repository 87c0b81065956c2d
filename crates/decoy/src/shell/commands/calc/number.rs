//! Decimal numbers of any length with a scale, and the rules by which GNU bc gives results theirs.

use std::cmp::Ordering;

use num_bigint::BigUint;

/// The most digits that a number may have: what is longer takes a real bc minutes.
const MOST_DIGITS: usize = 12_000;
/// The most digits after the point that are reckoned with.
pub(super) const MOST_SCALE: usize = 6_000;

/// A number: `digits` divided by ten to the power of `scale`.
#[derive(Clone, Debug, Default)]
pub(super) struct Number {
    negative: bool,
    digits: BigUint,
    scale: usize,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A division by zero.
    ByZero,
    /// It would take too long.
    TooLong,
    /// The square root of a negative number.
    NegativeRoot,
}

fn ten(power: usize) -> BigUint {
    BigUint::from(10_u8).pow(u32::try_from(power.min(4 * MOST_DIGITS)).unwrap_or(u32::MAX))
}

/// Digits that `value` has in base ten.
fn length_of(value: &BigUint) -> usize {
    if *value == BigUint::ZERO { 1 } else { value.to_str_radix(10).len() }
}

impl Number {
    pub(super) fn from(value: i64) -> Self {
        Self { negative: value < 0, digits: value.unsigned_abs().into(), scale: 0 }
    }

    fn new(negative: bool, digits: BigUint, scale: usize) -> Self {
        Self { negative: negative && digits != BigUint::ZERO, digits, scale }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits == BigUint::ZERO
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(super) fn scale(&self) -> usize {
        self.scale
    }

    /// How many digits it has, as `length()` counts them.
    pub(super) fn length(&self) -> usize {
        let whole = &self.digits / ten(self.scale);
        if whole == BigUint::ZERO && self.scale > 0 { self.scale } else { length_of(&whole) + self.scale }
    }

    /// The number that these characters are in this base; letters are digits, and one digit alone is always itself.
    pub(super) fn parse(text: &str, base: u32) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let alone = whole.len() + fraction.len() == 1;
        let value = |sign: char| {
            let value = sign.to_digit(36).unwrap_or_default();
            if alone || value < base { value } else { base.saturating_sub(1) }
        };
        let read = |text: &str| {
            text.chars().take(MOST_DIGITS).fold(BigUint::ZERO, |sum, sign| sum * base + value(sign))
        };
        let scale = fraction.len().min(MOST_SCALE);
        let (whole, part) = (read(whole), read(fraction));
        let part = if base == 10 {
            part
        } else {
            part * ten(scale) / BigUint::from(base).pow(u32::try_from(scale).unwrap_or_default())
        };
        Self::new(false, whole * ten(scale) + part, scale)
    }

    fn digits_at(&self, scale: usize) -> BigUint {
        if scale >= self.scale {
            &self.digits * ten(scale - self.scale)
        } else {
            &self.digits / ten(self.scale - scale)
        }
    }

    /// The same with so many digits after the point; what is too much is cut off.
    pub(super) fn at_scale(&self, scale: usize) -> Self {
        Self::new(self.negative, self.digits_at(scale), scale)
    }

    pub(super) fn negated(&self) -> Self {
        Self::new(!self.negative, self.digits.clone(), self.scale)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.digits_at(scale), other.digits_at(scale));
        if self.negative == other.negative {
            return Self::new(self.negative, left + right, scale);
        }
        match left.cmp(&right) {
            Ordering::Less => Self::new(other.negative, right - left, scale),
            _ => Self::new(self.negative, left - right, scale),
        }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }

    pub(super) fn times(&self, other: &Self, scale: usize) -> Result<Self, Fault> {
        if self.digits.bits() + other.digits.bits() > 4 * MOST_DIGITS as u64 {
            return Err(Fault::TooLong);
        }
        let full = self.scale + other.scale;
        let kept = full.min(scale.max(self.scale).max(other.scale));
        let product = Self::new(self.negative != other.negative, &self.digits * &other.digits, full);
        Ok(product.at_scale(kept))
    }

    pub(super) fn divided(&self, by: &Self, scale: usize) -> Result<Self, Fault> {
        if by.is_zero() {
            return Err(Fault::ByZero);
        }
        let top = &self.digits * ten(scale + by.scale);
        let bottom = &by.digits * ten(self.scale);
        Ok(Self::new(self.negative != by.negative, top / bottom, scale))
    }

    pub(super) fn remainder(&self, by: &Self, scale: usize) -> Result<Self, Fault> {
        let quotient = self.divided(by, scale)?;
        let kept = self.scale.max(by.scale + scale);
        Ok(self.minus(&quotient.times(by, kept)?).at_scale(kept))
    }

    /// To a whole power.
    pub(super) fn power(&self, exponent: i64, scale: usize) -> Result<Self, Fault> {
        let count = exponent.unsigned_abs();
        let bits = self.digits.bits().max(1);
        let trivial = self.digits == BigUint::ZERO || self.digits == BigUint::from(1_u8) && self.scale == 0;
        if !trivial && count.saturating_mul(bits) > 4 * MOST_DIGITS as u64 {
            return Err(Fault::TooLong);
        }
        let count = if trivial { count % 2 + 2 * u64::from(count > 1) } else { count };
        let count = u32::try_from(count).map_err(|_| Fault::TooLong)?;
        let full = Self::new(
            self.negative && count % 2 == 1,
            self.digits.pow(count),
            self.scale.saturating_mul(count as usize),
        );
        if exponent == 0 {
            return Ok(Self::from(1));
        }
        if exponent > 0 {
            return Ok(full.at_scale(full.scale.min(scale.max(self.scale))));
        }
        Self::from(1).divided(&full, scale)
    }

    pub(super) fn root(&self, scale: usize) -> Result<Self, Fault> {
        if self.negative {
            return Err(Fault::NegativeRoot);
        }
        let scale = scale.max(self.scale);
        Ok(Self::new(false, self.digits_at(2 * scale).sqrt(), scale))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let difference = self.minus(other);
        match (difference.is_zero(), difference.negative) {
            (true, _) => Ordering::Equal,
            (false, true) => Ordering::Less,
            (false, false) => Ordering::Greater,
        }
    }

    /// The whole part, if it fits.
    pub(super) fn whole(&self) -> Option<i64> {
        let whole = i64::try_from(&self.digits_at(0)).ok()?;
        Some(if self.negative { -whole } else { whole })
    }

    /// Its digits in a base between 2 and a million, as bc prints them; `.5` has no zero in front.
    pub(super) fn in_base(&self, base: u32) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let (whole, part) = (self.digits_at(0), &self.digits % ten(self.scale));
        if base == 10 {
            let whole = if whole == BigUint::ZERO { String::new() } else { whole.to_str_radix(10) };
            if self.scale == 0 {
                return format!("{sign}{whole}");
            }
            return format!("{sign}{whole}.{:0>width$}", part.to_str_radix(10), width = self.scale);
        }
        // Above sixteen every digit is a decimal number of its own.
        let width = (base - 1).to_string().len();
        let shown = |digit: &BigUint| {
            let digit = u32::try_from(digit).unwrap_or_default();
            match char::from_digit(digit, 16) {
                Some(sign) if base <= 16 => sign.to_ascii_uppercase().to_string(),
                _ => format!(" {digit:0>width$}"),
            }
        };
        let mut digits = Vec::new();
        let mut left = whole;
        while left != BigUint::ZERO {
            digits.push(shown(&(&left % base)));
            left /= base;
        }
        let mut text = sign.to_owned() + &digits.into_iter().rev().collect::<String>();
        if self.scale > 0 {
            text.push('.');
            let (one, mut part, mut reached) = (ten(self.scale), part, BigUint::from(1_u8));
            while length_of(&reached) <= self.scale {
                part *= base;
                text += &shown(&(&part / &one));
                part %= &one;
                reached *= base;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text, 10)
    }

    #[test]
    fn results_have_bcs_scale() {
        let said = |number: Result<Number, Fault>| number.unwrap().in_base(10);
        assert_eq!(said(number("10").divided(&number("3"), 2)), "3.33");
        assert_eq!(said(number("1.25").times(&number("1.25"), 0)), "1.56");
        assert_eq!(said(number("1.25").times(&number("1.25"), 4)), "1.5625");
        assert_eq!(said(number("7.5").remainder(&number("2"), 0)), "1.5");
        assert_eq!(said(number("2").power(100, 0)), "1267650600228229401496703205376");
        assert_eq!(said(number("2").power(-1, 3)), ".500");
        assert_eq!(said(number("2").root(5)), "1.41421");
        assert_eq!(number("1").divided(&number("0"), 0).unwrap_err(), Fault::ByZero);
        assert_eq!(number("9").power(i64::MAX, 0).unwrap_err(), Fault::TooLong);
    }

    #[test]
    fn bases_are_read_and_written() {
        assert_eq!(Number::parse("ZZ", 10).in_base(10), "99");
        assert_eq!(Number::parse("ZZ", 36).in_base(10), "1295");
        assert_eq!(Number::parse("F", 10).in_base(10), "15");
        assert_eq!(Number::parse("FF.8", 16).in_base(10), "255.5");
        assert_eq!(number("255").in_base(16), "FF");
        assert_eq!(number("1000").in_base(100), " 10 00");
        assert_eq!(number("0.012").minus(&number("0.012")).length(), 3);
    }
}
