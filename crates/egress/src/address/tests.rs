#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn what_is_not_public_is_known_by_its_reason() {
    use NotPublic::*;
    for (text, why) in [
        ("0.0.0.0", ThisNetwork),
        ("0.1.2.3", ThisNetwork),
        ("10.0.0.1", Private),
        ("172.16.0.1", Private),
        ("172.31.255.255", Private),
        ("192.168.1.1", Private),
        ("100.64.0.1", CarrierNat),
        ("100.100.100.200", CarrierNat),
        ("127.0.0.1", Loopback),
        ("127.255.255.254", Loopback),
        ("168.63.129.16", Metadata),
        ("169.254.169.254", LinkLocal),
        ("192.0.0.192", Reserved),
        ("192.0.2.1", Documentation),
        ("192.88.99.1", Reserved),
        ("198.18.0.1", Benchmarking),
        ("198.19.255.255", Benchmarking),
        ("198.51.100.1", Documentation),
        ("203.0.113.1", Documentation),
        ("224.0.0.1", Multicast),
        ("239.255.255.255", Multicast),
        ("240.0.0.1", Reserved),
        ("255.255.255.255", Broadcast),
        ("::", ThisNetwork),
        ("::1", Loopback),
        ("::2", Embedded),
        ("::127.0.0.1", Embedded),
        ("::8.8.8.8", Embedded),
        ("::ffff:127.0.0.1", Embedded),
        ("::ffff:8.8.8.8", Embedded),
        ("::ffff:0:8.8.8.8", Embedded),
        ("64:ff9b::a9fe:a9fe", Embedded),
        ("64:ff9b:1::1", Embedded),
        ("2001::1", Embedded),
        ("2001:2::1", Benchmarking),
        ("2001:1::1", Reserved),
        ("2001:20::1", Reserved),
        ("2001:1ff::1", Reserved),
        ("2001:db8::1", Documentation),
        ("2002:7f00:1::", Embedded),
        ("3fff::1", Documentation),
        ("3fff:fff::1", Documentation),
        ("5f00::1", SegmentRouting),
        ("100::1", Unassigned),
        ("4000::1", Unassigned),
        ("1fff::1", Unassigned),
        ("fc00::1", UniqueLocal),
        ("fd00:ec2::254", UniqueLocal),
        ("fe80::1", LinkLocal),
        ("febf::1", LinkLocal),
        ("fec0::1", UniqueLocal),
        ("ff02::1", Multicast),
        ("e000::1", Unassigned),
    ] {
        assert_eq!(is_public(ip(text)), Err(why), "{text}");
    }
}

#[test]
fn neighbours_of_what_is_not_public_are() {
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff::",
        "3fff:1000::",
    ] {
        assert_eq!(is_public(ip(text)), Ok(()), "{text}");
    }
}

#[test]
fn private_answers_are_dropped_and_ours_are_refused() {
    let own = [ip("9.9.9.9"), ip("2620:fe::9")];
    let mixed = [
        ip("10.0.0.1"),
        ip("8.8.8.8"),
        ip("9.9.9.9"),
        ip("8.8.8.8"),
        ip("2001:4860::8"),
    ];
    assert_eq!(
        pick(&mixed, &own).unwrap(),
        [ip("8.8.8.8"), ip("2001:4860::8")]
    );
    assert_eq!(pick(&[], &own), Err(AddressRefusal::Nothing));
    let address = ip("9.9.9.9");
    assert_eq!(
        pick(&[address, ip("127.0.0.1")], &own),
        Err(AddressRefusal::Own { address })
    );
    let address = ip("::ffff:8.8.8.8");
    let refusal = pick(&[address, ip("9.9.9.9")], &own).unwrap_err();
    assert_eq!(
        refusal,
        AddressRefusal::NotPublic {
            address,
            why: NotPublic::Embedded
        }
    );
    assert_eq!(refusal.reason(), Reason::AddressNotPublic);
    assert_eq!(
        refusal.to_string(),
        "::ffff:8.8.8.8 is no public address: IPv4 within IPv6"
    );
}

/// What the standard library knows of addresses, as a second opinion.
fn is_surely_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_unspecified()
                || v4.is_multicast()
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unspecified()
                || v6.to_ipv4().is_some()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

proptest! {
    #[test]
    fn the_standard_library_agrees(bits in any::<u128>(), prefix in prop::sample::select(RANGES)) {
        let addresses = [IpAddr::V6(bits.into()), IpAddr::V4((bits as u32).into())];
        for address in addresses {
            prop_assert!(!(is_surely_special(address) && is_public(address).is_ok()), "{}", address);
        }
        // Any address of a range of the table.
        let (range, _) = prefix;
        let inside: IpAddr = match range {
            IpNet::V4(net) => Ipv4Addr::from(u32::from(net.network()) | (bits as u32 & u32::from(net.hostmask()))).into(),
            IpNet::V6(net) => Ipv6Addr::from(u128::from(net.network()) | (bits & u128::from(net.hostmask()))).into(),
        };
        prop_assert!(is_public(inside).is_err(), "{}", inside);
    }

    #[test]
    fn nothing_is_picked_that_was_not_answered(v4 in prop::collection::vec(any::<u32>(), 0..40), own in any::<[u32; 4]>()) {
        let answers: Vec<IpAddr> = v4.iter().map(|bits| Ipv4Addr::from(*bits).into()).collect();
        let mut own: Vec<IpAddr> = own.iter().map(|bits| Ipv4Addr::from(*bits).into()).collect();
        own.extend(answers.first());
        if let Ok(picked) = pick(&answers, &own) {
            prop_assert!((1..=MAX_ADDRESSES).contains(&picked.len()));
            for address in picked {
                prop_assert!(answers.contains(&address) && !own.contains(&address) && is_public(address).is_ok());
            }
        }
    }
}
