//! Names to addresses. One question a dial, and the answer is what is dialled: nothing is asked again between the check of
//! an address and the connection to it.

use crate::address;
use crate::name::HostName;
use crate::reason::Reason;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long one server may take, and how often one is asked.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// Names whose answers are kept, for as long as they say.
const KEPT_ANSWERS: u64 = 1024;

/// Asks the operator's DNS servers.
pub struct Resolver(TokioResolver);

impl Resolver {
    /// Of these servers; of none, of those in the host's `resolv.conf`. An error: why they are of no use.
    pub fn new(servers: &[SocketAddr]) -> Result<Resolver, String> {
        let builder = match servers {
            [] => TokioResolver::builder_tokio().map_err(|error| error.to_string())?,
            servers => {
                let servers = servers.iter().map(|server| name_server(*server)).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let mut builder = builder;
        let options = builder.options_mut();
        // What the host calls itself is none of a guest's business.
        options.use_hosts_file = ResolveHosts::Never;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = ATTEMPT_DEADLINE;
        options.attempts = ATTEMPTS;
        options.cache_size = KEPT_ANSWERS;
        let built = builder.build().map_err(|error| error.to_string())?;
        Ok(Resolver(built))
    }

    /// The public addresses of a name, in the order of the answer.
    pub async fn addresses(&self, name: &HostName, own: &[IpAddr]) -> Result<Vec<IpAddr>, Reason> {
        // With the root's dot: no search domain is tried.
        let answers = self.0.lookup_ip(format!("{name}.")).await;
        let answers = answers.map_err(|_| Reason::NoAddress)?;
        let answers: Vec<IpAddr> = answers.iter().collect();
        address::pick(&answers, own).map_err(|refusal| refusal.reason())
    }
}

fn name_server(at: SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(at.ip());
    let with_port = |mut connection: ConnectionConfig| {
        connection.port = at.port();
        connection
    };
    server.connections = server.connections.into_iter().map(with_port).collect();
    server
}
