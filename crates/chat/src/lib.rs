//! Asking a language model: one trait, several providers, guards as decorators.
