//! `bc` and `dc`: arbitrary precision arithmetic as GNU bc 1.07.1 does it.

mod bc;
mod dc;
mod mathlib;
mod number;
mod output;
mod program;
mod run;
mod words;

pub(super) use bc::bc;
pub(super) use dc::dc;
