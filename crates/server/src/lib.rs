//! The HTTP front door: parses, authenticates, waits for each key's turn, answers. How a job runs is `sandbox`'s.
//!
//! In the order in which a request meets it:
//!
//! | module | what |
//! |---|---|
//! | [`config`] | everything an operator may set |
//! | [`serve`](mod@serve) | the listener: accepts, bounds, drains; with [`connections`], [`descriptors`], `holder`, [`tls`], [`systemd`] |
//! | [`talk`] | one connection; [`outlet`] is its way out, [`peer`] says when its client is gone |
//! | [`app`] | what requests share, and the table of routes; start reading here |
//! | [`auth`], [`keys`], [`rate`], [`whoami`] | who asks, and how often |
//! | [`body`], [`inflate`] | a bounded JSON body, and the name of the field that is wrong |
//! | [`memory`] | the bytes that bodies, results and answers may hold together |
//! | [`written`], [`pieces`], [`sse`] | an answer's bytes: from where they lie, piece by piece, as events |
//! | [`packages`] | an image that has what a request asks for |
//! | [`turn`] | a job's turn: its key's place in the sandbox's queue, and room for its result |
//! | [`execute`], [`piston`] | a job, in our words and in Piston's |
//! | [`e2b`] | sandboxes in E2B's words |
//! | [`sessions`] | a VM that stays between programs |
//! | [`paused`] | sandboxes that are saved, and go on later |
//! | [`sandboxes`] | a VM that stays, with many processes and clients at one time |
//! | [`mcp`] | the tools of assistants, over HTTP and over standard input |
//! | [`places`], [`staying`] | how many of both there may be, how long, and how what runs there is judged |
//! | [`lists`], [`health`], [`metrics`], [`observe`], [`feed`], [`history`] | what there is and what happens |
//! | [`jobs`] | what became of each job; one place where all that is counted of one is counted |
//! | [`usage`] | what each key used, kept on disk |
//! | [`trace`] | a span a request, joined to the caller's trace |
//! | [`problem`], [`refusals`] | every answer that is no success, and what the event log hears of it |
//! | [`openapi`], [`docs`] | what the code says of itself |
//! | [`dashboard`] | one page for people |
//!
//! Out of this crate: flags, and what an answer is made of.

pub mod app;
pub mod auth;
pub mod body;
pub mod config;
pub mod connections;
pub mod dashboard;
pub mod descriptors;
pub mod docs;
pub mod e2b;
pub mod error;
pub mod execute;
pub mod feed;
pub mod health;
pub mod history;
pub mod holder;
pub mod inflate;
pub mod jobs;
pub mod keys;
pub mod lists;
pub mod mcp;
pub mod memory;
pub mod metrics;
pub mod mime;
pub mod moment;
pub mod observe;
pub mod openapi;
pub mod outlet;
pub mod packages;
pub mod paused;
pub mod peer;
pub mod pieces;
pub mod piston;
pub mod places;
pub mod problem;
pub mod rate;
pub mod refusals;
pub mod sandboxes;
pub mod serve;
pub mod sessions;
pub mod sse;
pub mod staying;
pub mod systemd;
pub mod talk;
pub mod tls;
pub mod trace;
pub mod turn;
mod unread;
pub mod usage;
pub mod whoami;
pub mod written;

pub use app::{Doctor, Rooms};
pub use config::ServerConfig;
pub use error::ServerError;
pub use feed::Feed;
pub use serve::{Reloader, Service, listen, serve};
