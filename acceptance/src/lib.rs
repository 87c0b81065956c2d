//! The whole river, driven from outside.
