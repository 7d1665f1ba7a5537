//! `llm-firecracker serve` as a service manager and its clients see it: a real process, real VMs,
//! real clients from package registries.
//!
//! [`lab`] is the state folder and says what can run here, [`service`] starts the process,
//! [`leftovers`] finds what VMs leave. The rest
//! are tests: how it starts, stops and comes back ([`manager`], [`stopping`], [`crash`]), what goes
//! with a client ([`gone`]), what a kill leaves of sandboxes ([`sandbox_kills`]), what it reads again ([`reload`], [`settings`]), what it tells ([`telling`], [`observed`], [`prometheus`]), who can talk to it ([`clients`], [`e2b`], [`e2b_code`], [`e2b_domain`], [`behaviours`], [`mcp`]), our own
//! client of its sandboxes ([`sandbox_command`]), what judges them ([`bench_sandbox`]), and the commands of the
//! documents ([`documents`], [`operations`], [`tour`]) in a user's shell ([`shell_session`]).
//!
//! A test whose image, VMM or client is missing says `not run: …`; with `LLM_FIRECRACKER_REQUIRE=1`
//! that is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod behaviours;
mod bench_sandbox;
mod clients;
#[path = "../shared/console.rs"]
mod console;
mod crash;
mod documents;
mod e2b;
mod e2b_code;
mod e2b_domain;
mod e2b_pause;
#[path = "../shared/engines.rs"]
#[expect(dead_code, reason = "the end-to-end tests look at all columns")]
mod engines;
mod gone;
mod lab;
mod leftovers;
mod manager;
mod mcp;
mod observed;
mod operations;
#[path = "../shared/pages.rs"]
#[expect(dead_code, reason = "where things stand is for those that check pages")]
mod pages;
#[path = "../shared/place.rs"]
mod place;
mod prometheus;
mod reload;
mod sandbox_command;
mod sandbox_kills;
mod service;
mod settings;
mod shell_session;
mod stopping;
mod telling;
mod tour;
