//! Addresses that names get in the guest. They lead nowhere: whoever takes a connection to one learns the name that was
//! meant. Each name of a VM has one IPv4 and one IPv6 address, for the VM's life.

use crate::name::HostName;
use crate::reason::Reason;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names of one VM: 4096 of 253 bytes are 1 MiB of the host's memory.
pub const MAX_NAMES: usize = 4096;

/// The networks of both are for benchmarks within one's own walls (RFC 2544, RFC 5180), so no program has a use for
/// their addresses, and [`crate::address::is_public`] has them refused as answers. Bits of the first are 15.
const V4_NETWORK: u32 = 0xc612_0000;
const V4_BITS: u32 = 15;
/// `2001:2::/48`.
const V6_NETWORK: u128 = 0x2001_0002 << 96;
const V6_BITS: u32 = 48;

/// Names of one VM, and their addresses.
#[derive(Debug, Clone, Default)]
pub struct MadeUp {
    names: Vec<HostName>,
    places: HashMap<HostName, usize>,
}

impl MadeUp {
    /// The addresses of a name, the same each time; a name that is new over [`MAX_NAMES`] gets none.
    pub fn addresses_of(&mut self, name: &HostName) -> Result<(Ipv4Addr, Ipv6Addr), Reason> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.names.len() == MAX_NAMES => return Err(Reason::TooManyNames),
            None => {
                let place = self.names.len();
                self.names.push(name.clone());
                self.places.insert(name.clone(), place);
                place
            }
        };
        // The network's own address stands for nobody.
        let number = u32::try_from(place + 1).map_err(|_| Reason::TooManyNames)?;
        let v4 = Ipv4Addr::from(V4_NETWORK + number);
        Ok((v4, Ipv6Addr::from(V6_NETWORK + u128::from(number))))
    }

    /// The name that an address stands for.
    pub fn name_of(&self, address: IpAddr) -> Option<&HostName> {
        if !is_made_up(address) {
            return None;
        }
        let number = match address {
            IpAddr::V4(v4) => u128::from(u32::from(v4) - V4_NETWORK),
            IpAddr::V6(v6) => u128::from(v6) - V6_NETWORK,
        };
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.names.get(place)
    }
}

/// Whether an address is of the networks that names get addresses of.
pub fn is_made_up(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => (u32::from(v4) ^ V4_NETWORK) >> (32 - V4_BITS) == 0,
        IpAddr::V6(v6) => (u128::from(v6) ^ V6_NETWORK) >> (128 - V6_BITS) == 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

    use super::*;
    use crate::address::{NotPublic, is_public};
    use proptest::prelude::*;

    fn name(number: usize) -> HostName {
        HostName::parse(&format!("n{number}.example")).unwrap()
    }

    #[test]
    fn each_name_has_its_own_and_no_more_than_are_allowed_for() {
        let mut made_up = MadeUp::default();
        let (v4, v6) = made_up.addresses_of(&name(0)).unwrap();
        assert_eq!(
            (v4.to_string(), v6.to_string()),
            ("198.18.0.1".into(), "2001:2::1".into())
        );
        for number in 0..MAX_NAMES {
            let (v4, v6) = made_up.addresses_of(&name(number)).unwrap();
            assert_eq!(made_up.name_of(v4.into()), Some(&name(number)));
            assert_eq!(made_up.name_of(v6.into()), Some(&name(number)));
            assert_eq!(is_public(v4.into()), Err(NotPublic::Benchmarking));
            assert_eq!(is_public(v6.into()), Err(NotPublic::Benchmarking));
        }
        assert_eq!(
            made_up.addresses_of(&name(MAX_NAMES)),
            Err(Reason::TooManyNames)
        );
        assert_eq!(made_up.addresses_of(&name(0)).unwrap().0, v4);
    }

    proptest! {
        #[test]
        fn no_other_address_has_a_name(v4 in any::<u32>(), low in any::<u128>()) {
            let mut made_up = MadeUp::default();
            let (own_v4, own_v6) = made_up.addresses_of(&name(1)).unwrap();
            let near = V6_NETWORK + (low >> V6_BITS);
            for address in [IpAddr::V4(v4.into()), IpAddr::V6(low.into()), IpAddr::V6(near.into()), IpAddr::V4((V4_NETWORK | v4 >> V4_BITS).into())] {
                let known = made_up.name_of(address).is_some();
                prop_assert_eq!(known, address == IpAddr::V4(own_v4) || address == IpAddr::V6(own_v6));
            }
            prop_assert!(is_made_up(IpAddr::V6(near.into())));
        }
    }
}
