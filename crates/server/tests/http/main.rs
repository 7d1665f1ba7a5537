//! The service over real HTTP on loopback, in front of a real sandbox.
//!
//! [`lab`] starts services and says what can run here. [`refusals`], [`codings`], [`telling`], [`auth`],
//! [`bounds`], [`pages`] and [`tls`] need no VM; [`jobs`], [`accounts`], [`answers`], [`as_reported`], [`stopping`],
//! [`docs`], [`mcp`], [`one_shape`], [`packages`], [`piston`], [`sessions`], [`shells`] and [`sandboxes`] run real ones and say
//! `not run: …` where the image or the VMM is missing (with `LLM_FIRECRACKER_REQUIRE=1`: fail).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod answers;
mod as_reported;
mod auth;
mod bounds;
mod browser;
mod chromium;
mod codings;
mod docs;
mod e2b;
mod fidelity;
mod jobs;
mod lab;
mod mcp;
mod one_shape;
mod packages;
mod pages;
mod piston;
mod ports;
mod refusals;
mod reports;
mod sandboxes;
mod sessions;
mod shells;
mod stopping;
mod telling;
mod tls;
