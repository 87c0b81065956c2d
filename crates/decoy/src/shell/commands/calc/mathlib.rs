//! The functions of `bc -l`: more digits are reckoned than are shown, and the rest is cut off, as the library does.

use super::number::{Fault, Number};

/// Digits beyond those asked for.
const GUARD: usize = 12;
/// More digits than this take too long.
const MOST: usize = 400;

type Reckoned = Result<Number, Fault>;

/// Whether this is a function of the library with one argument.
pub(super) fn has(name: &str) -> bool {
    matches!(name, "e" | "l" | "s" | "c" | "a")
}

/// One of them.
pub(super) fn of(name: &str, x: &Number, scale: usize) -> Reckoned {
    if scale > MOST || x.length() > 2 * MOST {
        return Err(Fault::TooLong);
    }
    let work = scale + GUARD;
    let value = match name {
        "e" => exponential(x, work)?,
        "l" if x.is_zero() || x.is_negative() => {
            // What the library gives in place of minus infinity.
            return Ok(Number::from(1).minus(&Number::from(10).power(scale as i64, 0)?).at_scale(scale));
        }
        "l" => logarithm(x, work)?,
        "s" => sine(x, work)?,
        "c" => sine(&x.plus(&pi(work + x.length())?.divided(&Number::from(2), work)?), work)?,
        _ => arctangent(x, work)?,
    };
    Ok(value.at_scale(scale))
}

/// `e^x`: the series for a small part of `x`, squared again and again.
fn exponential(x: &Number, scale: usize) -> Reckoned {
    if x.is_negative() {
        let inverse = exponential(&x.negated(), scale)?;
        return Number::from(1).divided(&inverse, scale);
    }
    let whole = x.whole().filter(|whole| *whole < 20_000).ok_or(Fault::TooLong)?;
    // The bigger the result, the more digits of it stand before the point.
    let scale = scale + (whole as usize * 4342) / 10_000 + 2;
    let halvings = 64 - (whole as u64 + 1).leading_zeros() + 4;
    let small = x.divided(&Number::from(1_i64 << halvings), scale + GUARD)?;
    let (mut sum, mut term, mut count) = (Number::from(1), Number::from(1), 0_i64);
    while !term.is_zero() {
        count += 1;
        term = term.times(&small, 0)?.at_scale(scale + GUARD).divided(&Number::from(count), scale + GUARD)?;
        sum = sum.plus(&term);
    }
    for _ in 0..halvings {
        sum = sum.times(&sum, scale + GUARD)?.at_scale(scale + GUARD);
    }
    Ok(sum.at_scale(scale))
}

/// The natural logarithm: roots until the argument is near one, then the series of the inverse hyperbolic tangent.
fn logarithm(x: &Number, scale: usize) -> Reckoned {
    let scale = scale + GUARD;
    let (mut near, mut factor) = (x.at_scale(x.scale().max(scale)), 2_i64);
    let one = Number::from(1);
    let small = Number::parse(".1", 10);
    for _ in 0..200 {
        let off = near.minus(&one);
        let off = if off.is_negative() { off.negated() } else { off };
        if off.minus(&small).is_negative() {
            break;
        }
        near = near.root(scale + 8)?;
        factor = factor.checked_mul(2).ok_or(Fault::TooLong)?;
    }
    let ratio = near.minus(&one).divided(&near.plus(&one), scale + 8)?;
    let sum = odd_powers(&ratio, scale + 8, false)?;
    Ok(sum.times(&Number::from(factor), scale)?.at_scale(scale))
}

/// `x + x^3/3 + x^5/5 …`, with changing signs for the arc tangent.
fn odd_powers(x: &Number, scale: usize, alternating: bool) -> Reckoned {
    let square = x.times(x, scale)?.at_scale(scale);
    let (mut sum, mut power, mut count) = (x.at_scale(scale), x.at_scale(scale), 1_i64);
    while !power.is_zero() {
        count += 2;
        power = power.times(&square, scale)?.at_scale(scale);
        let term = power.divided(&Number::from(count), scale)?;
        sum = if alternating && count % 4 == 3 { sum.minus(&term) } else { sum.plus(&term) };
    }
    Ok(sum)
}

fn pi(scale: usize) -> Reckoned {
    arctangent(&Number::from(1), scale + 2)?.times(&Number::from(4), scale)
}

/// The arc tangent: halved until the argument is small.
fn arctangent(x: &Number, scale: usize) -> Reckoned {
    let scale = scale + GUARD;
    let (mut small, mut factor) = (x.at_scale(x.scale().max(scale)), 1_i64);
    let (one, bound) = (Number::from(1), Number::parse(".1", 10));
    for _ in 0..24 {
        let size = if small.is_negative() { small.negated() } else { small.clone() };
        if size.minus(&bound).is_negative() {
            break;
        }
        let root = one.plus(&small.times(&small, scale)?.at_scale(scale)).root(scale)?;
        small = small.divided(&one.plus(&root), scale)?;
        factor *= 2;
    }
    Ok(odd_powers(&small, scale, true)?.times(&Number::from(factor), scale)?.at_scale(scale))
}

/// The sine: whole turns are taken away, then the series.
fn sine(x: &Number, scale: usize) -> Reckoned {
    let scale = scale + GUARD;
    let turn = pi(scale + x.length())?.times(&Number::from(2), scale)?;
    let turns = x.divided(&turn, 0)?;
    let rest = x.minus(&turn.times(&turns, scale)?).at_scale(scale);
    let square = rest.times(&rest, scale)?.at_scale(scale);
    let (mut sum, mut term, mut count) = (rest.clone(), rest, 1_i64);
    while !term.is_zero() {
        term = term
            .times(&square, scale)?
            .at_scale(scale)
            .divided(&Number::from((count + 1) * (count + 2)), scale)?;
        count += 2;
        sum = if count % 4 == 3 { sum.minus(&term) } else { sum.plus(&term) };
    }
    Ok(sum)
}

/// The Bessel function of a whole order.
pub(super) fn bessel(order: i64, x: &Number, scale: usize) -> Reckoned {
    let size = order.unsigned_abs() as i64;
    if scale > MOST || size > 500 || x.whole().is_none_or(|whole| whole.abs() > 500) {
        return Err(Fault::TooLong);
    }
    let work = 2 * (scale + GUARD) + x.length() * 8;
    let half = x.divided(&Number::from(2), work)?;
    let mut term = Number::from(1).at_scale(work);
    for factor in 1..=size {
        term = term.times(&half, work)?.at_scale(work).divided(&Number::from(factor), work)?;
    }
    let square = half.times(&half, work)?.at_scale(work);
    let (mut sum, mut count) = (term.clone(), 0_i64);
    while !term.is_zero() {
        count += 1;
        term =
            term.times(&square, work)?.at_scale(work).divided(&Number::from(count * (count + size)), work)?;
        sum = if count % 2 == 1 { sum.minus(&term) } else { sum.plus(&term) };
    }
    let sum = if order < 0 && order % 2 != 0 { sum.negated() } else { sum };
    Ok(sum.at_scale(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_right_to_the_last() {
        let said = |name: &str, x: &str| of(name, &Number::parse(x, 10), 20).unwrap().in_base(10);
        assert_eq!(said("e", "1"), "2.71828182845904523536");
        assert_eq!(said("e", "10"), "22026.46579480671651695790");
        assert_eq!(said("l", "2"), ".69314718055994530941");
        assert_eq!(said("l", "1000"), "6.90775527898213705205");
        assert_eq!(said("a", "1"), ".78539816339744830961");
        assert_eq!(said("s", "1"), ".84147098480789650665");
        assert_eq!(said("c", "1"), ".54030230586813971740");
        assert_eq!(said("e", "0"), "1.00000000000000000000");
        assert_eq!(bessel(0, &Number::from(1), 20).unwrap().in_base(10), ".76519768655796655144");
    }
}
