//! What a guest may reach: the operator's policies, the decision, and the parsers of what a guest sends on the way.
//!
//! Pure: it opens nothing, resolves nothing, reads no clock. Whoever moves the bytes asks it, in this order:
//!
//! | step | ask | of |
//! |---|---|---|
//! | configuration | [`policy::load_all`]: every fault with its rule and field | [`EgressConfig`], `[egress.policies.NAME]` |
//! | a query for a name | [`wire::dns::parse`], [`decide::lookup`], [`MadeUp::addresses_of`], [`wire::dns::answer`] | UDP to 127.0.0.1:53 |
//! | a connection | [`wire::socks5`] or [`wire::connect`] where the guest speaks to a proxy; else the address it meant, by [`MadeUp::name_of`] | [`Target`] |
//! | by name and port | [`decide::connection`]: a [`Route`], before anything is resolved | [`Attempt`] |
//! | addresses | [`address::pick`]: public ones that are not the host's own; dial one of those | the resolver's answers |
//! | TLS | [`wire::tls_hello::HelloReader`], then [`decide::hello`]: pass through or open | [`Way::Tls`], [`Way::OpenTls`] |
//! | each request | [`wire::head::HeadReader`], [`wire::http1::parse`], [`decide::request`], [`wire::http1::write_head`], [`wire::body::BodyReader`] | [`Way::OpenTls`], [`Way::Http`] |
//!
//! A refusal is a [`Reason`] everywhere: one list with a code, a sentence and what to do.
//!
//! | module | what |
//! |---|---|
//! | [`name`] | names of hosts, canonical, and patterns of them |
//! | [`address`] | which addresses are public |
//! | [`path`] | paths that mean one thing, and globs of them |
//! | [`policy`] | policies as they are written, and as they are compiled |
//! | [`decide`] | the decision |
//! | [`reason`] | why something was refused |
//! | [`made_up`] | the addresses that the guest's names get |
//! | [`wire`] | parsers: TLS hellos, SOCKS5, HTTP, DNS |
//!
//! | [`proxy`] | the process that moves the bytes and asks all this; it alone is not pure |
//! | [`client`], [`control`] | how a service starts it, and what the two say to each other |
//! | [`check`] | the decision without a connection, for people |
//!
//! It knows neither jobs nor engines.

pub mod address;
pub mod check;
pub mod client;
pub mod control;
pub mod decide;
pub mod made_up;
pub mod name;
pub mod path;
pub mod policy;
pub mod proxy;
pub mod reason;
pub mod wire;

pub use address::NotPublic;
pub use decide::{Attempt, Granted, Route, TlsVerdict, Used, Verdict, Way};
pub use made_up::MadeUp;
pub use name::{HostName, HostPattern, NameError, PatternError};
pub use policy::{EgressConfig, Inject, Policy, PolicyConfig, RuleConfig, SecretSource};
pub use reason::{REASONS, Reason};
pub use wire::authority::{Authority, Target};
