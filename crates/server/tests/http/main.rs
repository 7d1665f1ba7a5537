//! The service over real HTTP on loopback, in front of a real sandbox.
//!
//! [`lab`] starts services and says what can run here. [`refusals`], [`auth`], [`bounds`], [`pages`]
//! and [`tls`] need no VM; [`jobs`], [`stopping`], [`piston`] and [`sessions`] run real ones and say
//! `not run: …` where the image or the VMM is missing (with `LLM_FIRECRACKER_REQUIRE=1`: fail).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod auth;
mod bounds;
mod browser;
mod chromium;
mod fidelity;
mod jobs;
mod lab;
mod pages;
mod piston;
mod refusals;
mod sessions;
mod stopping;
mod tls;
