//! The host's own addresses: nothing of the host can be reached from a guest, whatever interface an address is on.

use std::net::IpAddr;

/// All of them, now: interfaces come and go. Where the kernel does not say, none is known, and what is left are the ranges
/// that are no public ones.
pub fn addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else {
        return Vec::new();
    };
    let address = |interface: nix::ifaddrs::InterfaceAddress| {
        let address = interface.address?;
        let v4 = address.as_sockaddr_in().map(|it| IpAddr::V4(it.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|it| IpAddr::V6(it.ip())))
    };
    interfaces.filter_map(address).collect()
}
