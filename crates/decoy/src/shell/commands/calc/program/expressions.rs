//! Expressions of `bc`, by the ranks of their signs.

use super::super::{
    syntax::{Expr, Place},
    words::Word,
};
use super::{Misfit, Parser, Read, is_keyword};

impl Parser {
    pub(super) fn expression(&mut self) -> Read<Expr> {
        self.deeper(|parser| parser.binary(0))
    }

    /// Operators that bind less than an assignment, by rank: `||`, `&&`, `!`, comparisons; above are sums and products.
    fn binary(&mut self, rank: usize) -> Read<Expr> {
        const RANKS: [&[&str]; 6] =
            [&["||"], &["&&"], &[], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];
        let Some(signs) = RANKS.get(rank) else { return self.power() };
        if rank == 2 {
            return self.deeper(|parser| {
                if parser.takes("!") {
                    return Ok(Expr::Not(Box::new(parser.binary(2)?)));
                }
                parser.binary(3)
            });
        }
        let mut left = self.binary(rank + 1)?;
        loop {
            let Some(sign) = signs.iter().find(|sign| self.takes(sign)) else { return Ok(left) };
            // `a < b + c` and `1 + !x`: what stands on the right may begin with a `!`.
            let right = self.binary(rank + 1)?;
            left = Expr::Binary(sign, Box::new(left), Box::new(right));
        }
    }

    /// Powers bind to the right, and a minus in front binds stronger.
    fn power(&mut self) -> Read<Expr> {
        self.deeper(|parser| {
            let base = parser.signed()?;
            if parser.takes("^") {
                let exponent = parser.power()?;
                return Ok(Expr::Binary("^", Box::new(base), Box::new(exponent)));
            }
            Ok(base)
        })
    }

    fn signed(&mut self) -> Read<Expr> {
        if self.takes("-") {
            return self.deeper(|parser| Ok(Expr::Negated(Box::new(parser.signed()?))));
        }
        if self.takes("!") {
            return self.deeper(|parser| Ok(Expr::Not(Box::new(parser.signed()?))));
        }
        for (sign, step) in [("++", 1), ("--", -1)] {
            if self.takes(sign) {
                let Expr::Place(place) = self.primary()? else { return Err(Misfit) };
                return Ok(Expr::Step(place, step, true));
            }
        }
        let value = self.primary()?;
        let Expr::Place(place) = value else { return Ok(value) };
        const ASSIGNMENTS: [(&str, Option<&str>); 7] = [
            ("=", None),
            ("+=", Some("+")),
            ("-=", Some("-")),
            ("*=", Some("*")),
            ("/=", Some("/")),
            ("%=", Some("%")),
            ("^=", Some("^")),
        ];
        for (sign, operator) in ASSIGNMENTS {
            if self.takes(sign) {
                // Sums on the right belong to the assignment, comparisons do not.
                let value = self.deeper(|parser| parser.binary(4))?;
                return Ok(Expr::Assign(place, operator, Box::new(value)));
            }
        }
        for (sign, step) in [("++", 1), ("--", -1)] {
            if self.takes(sign) {
                return Ok(Expr::Step(place, step, false));
            }
        }
        Ok(Expr::Place(place))
    }

    fn primary(&mut self) -> Read<Expr> {
        match self.word().clone() {
            Word::Number(text) => {
                self.at += 1;
                Ok(Expr::Number(text))
            }
            Word::Sign("(") => {
                self.at += 1;
                let inside = self.expression()?;
                self.needs(")")?;
                // In brackets an assignment is a value like any other.
                Ok(Expr::Binary("()", Box::new(inside), Box::new(Expr::Number("0".to_owned()))))
            }
            Word::Name(name) if !is_keyword(&name) => {
                self.at += 1;
                if self.takes("(") {
                    return self.arguments(name);
                }
                if !self.takes("[") {
                    return Ok(Expr::Place(Place::Name(name)));
                }
                if self.takes("]") {
                    return Ok(Expr::Array(name));
                }
                let index = self.expression()?;
                self.needs("]")?;
                Ok(Expr::Place(Place::Element(name, Box::new(index))))
            }
            _ => Err(Misfit),
        }
    }

    fn arguments(&mut self, name: String) -> Read<Expr> {
        let mut arguments = Vec::new();
        if !self.takes(")") {
            loop {
                arguments.push(self.expression()?);
                if self.takes(")") {
                    break;
                }
                self.needs(",")?;
            }
        }
        Ok(Expr::Call(name, arguments))
    }
}
