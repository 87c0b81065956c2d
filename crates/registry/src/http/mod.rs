//! HTTP: enrolment for buckets, pages for people, an API for programs.

mod api;
pub mod console;
mod failure;
mod health;
mod metrics;
mod pages;
mod params;
pub mod route;
mod show;
mod sign_in;
mod throttle;
mod who;

pub use console::{Front, router};
