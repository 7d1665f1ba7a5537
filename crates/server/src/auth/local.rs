//! Without keys a browser is the way in: a page of another site could send requests to this address, or
//! have its own name resolve to it. So a request must name this host as itself, and come from no page
//! of another's. Both are told by headers that no page can set, and read strictly: what is not exactly
//! one of the forms below is another's.

use axum::http::{HeaderMap, Uri};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a browser says of the page that asks (Fetch Metadata).
const FETCH_SITE: &str = "sec-fetch-site";

/// Whether the request is this host's own.
pub fn is_own(headers: &HeaderMap, uri: &Uri) -> bool {
    let Ok(host) = only(headers, "host") else {
        return false;
    };
    let authority = uri.authority().map(|authority| authority.as_str());
    // A request line that names a host counts before the header (RFC 9112, section 3.2.2): both are read.
    let named = [host, authority];
    let Some(host) = host.or(authority) else {
        return false;
    };
    named.into_iter().flatten().all(is_local_name) && is_own_page(headers, host)
}

/// Whether the request comes from no page at all, or from one that the host it names itself served.
pub fn is_from_own_page(headers: &HeaderMap, uri: &Uri) -> bool {
    let Ok(host) = only(headers, "host") else {
        return false;
    };
    let host = host.or(uri.authority().map(|authority| authority.as_str()));
    host.is_some_and(|host| is_own_page(headers, host))
}

/// From no page at all, or from one that this host itself served.
fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    let (Ok(site), Ok(origin)) = (only(headers, FETCH_SITE), only(headers, "origin")) else {
        return false;
    };
    // `none`: a person typed the address.
    let by_itself = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let from_here = origin.is_none_or(|origin| {
        let authority = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    by_itself && from_here
}

/// The value of a header that comes once or not at all.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// The host that a request names, where it is spelled as a name or an address may be: letters, digits, dots and dashes, or
/// an IPv6 address in brackets, with or without a port. Others' pages repeat it.
pub fn named_host(headers: &HeaderMap) -> Option<&str> {
    const MAX_BYTES: usize = 253 + 6;
    let host = only(headers, "host").ok()??;
    let (is_name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address.parse::<Ipv6Addr>().is_ok(), port)
        }
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            (!name.is_empty() && name.bytes().all(plain), port)
        }
    };
    (host.len() <= MAX_BYTES && is_name && is_port(port)).then_some(host)
}

/// `localhost`, or an address written as one; with or without a port, and nothing else.
fn is_local_name(host: &str) -> bool {
    let (is_local, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) => (name.parse::<Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
            let is_local =
                name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok();
            (is_local, port)
        }
    };
    is_local && is_port(port)
}

/// Nothing, or `:` and a number from 0 to 65535.
fn is_port(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| digits(port) && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own(pairs: &[(&'static str, &str)], uri: &str) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        is_own(&headers, &uri.parse().unwrap())
    }

    #[test]
    fn another_sites_page_is_refused_without_keys() {
        for fine in [
            &[("host", "localhost:8080")][..],
            &[("host", "127.0.0.1")],
            &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")],
            &[("host", "LOCALHOST:1"), ("origin", "http://localhost:1")],
            &[("host", "localhost"), ("sec-fetch-site", "same-origin")],
            &[("host", "localhost"), ("sec-fetch-site", "none")],
        ] {
            assert!(own(fine, "/"), "{fine:?}");
        }
        for wrong in [
            &[("host", "evil.example")][..],
            &[("host", "localhost.evil.example:8080")],
            &[("host", "[::1]evil.com")],
            &[("host", "[::1]:80evil.com")],
            &[("host", "[::1")],
            &[("host", "[127.0.0.1]")],
            &[("host", "::1")],
            &[("host", "127.0.0.1:1@evil.com")],
            &[("host", "localhost:+80")],
            &[("host", "localhost:")],
            &[("host", "localhost:65536")],
            &[("host", "127.1")],
            &[("host", "")],
            &[("host", "localhost"), ("host", "localhost")],
            &[
                ("host", "127.0.0.1:8080"),
                ("origin", "https://evil.example"),
            ],
            &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9")],
            &[("host", "127.0.0.1:8080"), ("origin", "null")],
            &[("host", "127.0.0.1:8080"), ("origin", "x://127.0.0.1:8080")],
            &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
            &[("host", "localhost"), ("sec-fetch-site", "same-site")],
            &[("host", "localhost"), ("sec-fetch-site", "")],
            &[],
        ] {
            assert!(!own(wrong, "/"), "{wrong:?}");
        }
        assert!(own(&[("host", "localhost")], "http://127.0.0.1/"));
        assert!(!own(&[("host", "localhost")], "http://evil.example/"));
    }

    proptest! {
        #[test]
        fn what_passes_is_an_address_or_localhost_and_a_port(host in "[\\[\\]a-z0-9.:@/-]{0,24}|(localhost|127\\.0\\.0\\.1|\\[::1\\])[\\]:@a-z0-9.]{0,8}") {
            if is_local_name(&host) {
                let colon = host.rfind(':').filter(|at| !host[*at..].contains(']'));
                let name = &host[..colon.unwrap_or(host.len())];
                let bare = name.trim_start_matches('[').trim_end_matches(']');
                prop_assert!(name == "localhost" || bare.parse::<std::net::IpAddr>().is_ok(), "{}", host);
            }
        }
    }
}
