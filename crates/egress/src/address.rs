//! Which addresses are public. A name's answers are judged here, and what is dialled is one of those that passed.

use crate::reason::Reason;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one name that are tried: more are no better, and a zone may have thousands.
pub const MAX_ADDRESSES: usize = 16;

/// Why an address is no public one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotPublic {
    /// This host.
    Loopback,
    /// RFC 1918.
    Private,
    /// Shared address space of carriers (RFC 6598).
    CarrierNat,
    /// One link's; metadata services of clouds are there.
    LinkLocal,
    /// `0.0.0.0/8` and `::`: this host, where a program connects to it.
    ThisNetwork,
    /// Groups.
    Multicast,
    /// All of a link.
    Broadcast,
    /// Examples.
    Documentation,
    /// Benchmarks (RFC 2544, RFC 5180): the guest's made-up addresses are of it.
    Benchmarking,
    /// IANA's, for protocols and for later.
    Reserved,
    /// A cloud's service for the host, at an address that is public elsewhere.
    Metadata,
    /// An IPv4 address within an IPv6 address: what it leads to, a translator decides.
    Embedded,
    /// Unique local addresses (RFC 4193), and the site-local ones before them.
    UniqueLocal,
    /// Segments of an operator's own network (RFC 9602).
    SegmentRouting,
    /// Outside of `2000::/3`, which is all of IPv6 that is given out.
    Unassigned,
}

impl NotPublic {
    /// What such addresses are, for people.
    pub fn label(self) -> &'static str {
        match self {
            NotPublic::Loopback => "loopback",
            NotPublic::Private => "private",
            NotPublic::CarrierNat => "carrier NAT",
            NotPublic::LinkLocal => "link-local",
            NotPublic::ThisNetwork => "this network",
            NotPublic::Multicast => "multicast",
            NotPublic::Broadcast => "broadcast",
            NotPublic::Documentation => "documentation",
            NotPublic::Benchmarking => "benchmarking",
            NotPublic::Reserved => "reserved",
            NotPublic::Metadata => "a cloud's metadata",
            NotPublic::Embedded => "IPv4 within IPv6",
            NotPublic::UniqueLocal => "unique local",
            NotPublic::SegmentRouting => "segment routing",
            NotPublic::Unassigned => "not assigned",
        }
    }
}

/// Networks that are not public: the registries of special-purpose addresses of IANA, and what clouds added. Of two
/// that hold an address the first says why.
const RANGES: &[(IpNet, NotPublic)] = &[
    v4([0, 0, 0, 0], 8, NotPublic::ThisNetwork),
    v4([10, 0, 0, 0], 8, NotPublic::Private),
    v4([100, 64, 0, 0], 10, NotPublic::CarrierNat),
    v4([127, 0, 0, 0], 8, NotPublic::Loopback),
    // Azure's virtual machines reach their host there.
    v4([168, 63, 129, 16], 32, NotPublic::Metadata),
    v4([169, 254, 0, 0], 16, NotPublic::LinkLocal),
    v4([172, 16, 0, 0], 12, NotPublic::Private),
    v4([192, 0, 0, 0], 24, NotPublic::Reserved),
    v4([192, 0, 2, 0], 24, NotPublic::Documentation),
    // 6to4 relays, given up by RFC 7526.
    v4([192, 88, 99, 0], 24, NotPublic::Reserved),
    v4([192, 168, 0, 0], 16, NotPublic::Private),
    v4([198, 18, 0, 0], 15, NotPublic::Benchmarking),
    v4([198, 51, 100, 0], 24, NotPublic::Documentation),
    v4([203, 0, 113, 0], 24, NotPublic::Documentation),
    v4([224, 0, 0, 0], 4, NotPublic::Multicast),
    v4([255, 255, 255, 255], 32, NotPublic::Broadcast),
    v4([240, 0, 0, 0], 4, NotPublic::Reserved),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, NotPublic::ThisNetwork),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, NotPublic::Loopback),
    // `::a.b.c.d`, then `::ffff:a.b.c.d`.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, NotPublic::Embedded),
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, NotPublic::Embedded),
    // `::ffff:0:a.b.c.d` (RFC 2765).
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, NotPublic::Embedded),
    // NAT64, everybody's prefix and local ones.
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, NotPublic::Embedded),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, NotPublic::Embedded),
    // Teredo.
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, NotPublic::Embedded),
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, NotPublic::Benchmarking),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, NotPublic::Reserved),
    v6(
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0],
        32,
        NotPublic::Documentation,
    ),
    // 6to4.
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, NotPublic::Embedded),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, NotPublic::Documentation),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, NotPublic::SegmentRouting),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, NotPublic::UniqueLocal),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, NotPublic::LinkLocal),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, NotPublic::UniqueLocal),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, NotPublic::Multicast),
];

/// All of IPv6 that is given out; what else is not, the table above need not know.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const fn v4([a, b, c, d]: [u8; 4], bits: u8, why: NotPublic) -> (IpNet, NotPublic) {
    (
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)),
        why,
    )
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], bits: u8, why: NotPublic) -> (IpNet, NotPublic) {
    let address = Ipv6Addr::new(a, b, c, d, e, f, g, h);
    (IpNet::V6(Ipv6Net::new_assert(address, bits)), why)
}

/// Whether an address is one that anybody in the world may have, or why it is not.
pub fn is_public(address: IpAddr) -> Result<(), NotPublic> {
    let found = RANGES.iter().find(|(range, _)| range.contains(&address));
    match (found, address) {
        (Some((_, why)), _) => Err(*why),
        (None, IpAddr::V6(address)) if !GLOBAL_V6.contains(&address) => Err(NotPublic::Unassigned),
        (None, _) => Ok(()),
    }
}

/// Why no answer of a name can be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// There were no answers.
    #[error("the name has no address")]
    Nothing,
    /// The first one's reason.
    #[error("{address} is no public address: {}", why.label())]
    NotPublic {
        /// The first answer.
        address: IpAddr,
        /// Why it is not.
        why: NotPublic,
    },
    /// The first one is the host's.
    #[error("{address} is this host's own address")]
    Own {
        /// The first answer.
        address: IpAddr,
    },
}

impl AddressRefusal {
    /// The reason for refusing the connection.
    pub fn reason(self) -> Reason {
        match self {
            AddressRefusal::Nothing => Reason::NoAddress,
            AddressRefusal::NotPublic { .. } => Reason::AddressNotPublic,
            AddressRefusal::Own { .. } => Reason::AddressOwn,
        }
    }
}

/// What of a name's answers may be dialled, in their order and each once: public addresses that are not the host's
/// `own`, at most [`MAX_ADDRESSES`]. Where none is left, the first answer's reason.
pub fn pick(answers: &[IpAddr], own: &[IpAddr]) -> Result<Vec<IpAddr>, AddressRefusal> {
    let mut picked = Vec::new();
    let mut first = None;
    for &address in answers {
        match judge(address, own) {
            Ok(()) if !picked.contains(&address) => picked.push(address),
            Ok(()) => {}
            Err(refusal) => {
                first.get_or_insert(refusal);
            }
        }
        if picked.len() == MAX_ADDRESSES {
            break;
        }
    }
    match picked.is_empty() {
        true => Err(first.unwrap_or(AddressRefusal::Nothing)),
        false => Ok(picked),
    }
}

fn judge(address: IpAddr, own: &[IpAddr]) -> Result<(), AddressRefusal> {
    if let Err(why) = is_public(address) {
        return Err(AddressRefusal::NotPublic { address, why });
    }
    match own.contains(&address) {
        true => Err(AddressRefusal::Own { address }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
