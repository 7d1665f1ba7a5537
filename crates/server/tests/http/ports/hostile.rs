//! Programs that answer what no client should see, and clients that ask what no program should.

use super::{Open, PATIENCE, port};
use crate::e2b::text;
use crate::lab::answer;
use reqwest::Method;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_programs_get_no_further_than_their_own_answer() {
    let Some(open) = Open::begin().await else {
        return;
    };
    for port in [
        port::ENDLESS_HEAD,
        port::NO_STATUS,
        port::UNASKED_UPGRADE,
        port::MANY_HEADERS,
        port::FOLDED,
    ] {
        let (status, body) = answer(open.at(port)).await;
        assert_eq!(status, 502, "{port}: {body}");
        assert!(
            text(&body, "message").contains("no valid HTTP"),
            "{port}: {body}"
        );
    }
    // What follows an answer is no answer to the next request, on the same connection or another.
    let two = open.head(port::SPLIT, "\r\n") + &open.head(port::SPLIT, "Connection: close\r\n\r\n");
    let both = open.raw(&two).await;
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2, "{both}");
    assert!(!both.contains("evil"), "{both}");
    // A body that ends too early is no whole one.
    let cut = open.at(port::CUT_SHORT).send().await.unwrap();
    assert_eq!(cut.headers()["content-length"], "100");
    assert!(cut.bytes().await.is_err());
    // Chunks count, a length beside them does not.
    let got = open.at(port::TWO_LENGTHS).send().await.unwrap();
    assert!(got.headers().get("content-length").is_none());
    assert_eq!(got.text().await.unwrap(), "hello");
    // Interim answers without end are one client's wait, and end with it.
    let endless = open
        .at(port::ENDLESS_INTERIM)
        .timeout(Duration::from_secs(2))
        .send()
        .await;
    assert!(endless.is_err() || endless.unwrap().status() == 502);
    for _ in 0..2 {
        // More at one time than there may be; whose client left is gone.
        let silent = (0..40).map(|_| open.at(port::SILENT).timeout(Duration::from_secs(1)).send());
        futures_util::future::join_all(silent).await;
    }
    assert_eq!(open.at(port::ECHO).send().await.unwrap().status(), 200);
    open.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_its_sandbox_alone_whoever_reads_it() {
    let Some(open) = Open::begin().await else {
        return;
    };
    let headers = open
        .at(port::BROWSER)
        .send()
        .await
        .unwrap()
        .headers()
        .clone();
    let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Path=/"]);
    assert_eq!(headers["service-worker-allowed"], "/");
    assert!(headers.get("clear-site-data").is_none() && headers.get("alt-svc").is_none());
    assert_eq!(headers["vary"], "e2b-traffic-access-token");
    // At the service's own address it is not even that.
    let got = open
        .by_headers(Method::GET, port::BROWSER)
        .send()
        .await
        .unwrap();
    let headers = got.headers().clone();
    for name in [
        "set-cookie",
        "service-worker-allowed",
        "access-control-allow-origin",
        "refresh",
        "alt-svc",
        "link",
    ] {
        assert!(headers.get(name).is_none(), "{name}");
    }
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    // What a page of another site would have to ask first is not granted.
    let preflight = open
        .service
        .client
        .request(Method::OPTIONS, open.service.url("/"));
    let preflight = preflight
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "e2b-sandbox-id");
    let answered = preflight.send().await.unwrap();
    assert!(
        answered
            .headers()
            .get("access-control-allow-origin")
            .is_none()
    );
    open.service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_can_be_read_in_two_ways_reach_no_program() {
    let Some(open) = Open::begin().await else {
        return;
    };
    let host = open.host(port::ECHO);
    let other = open.host(port::BROWSER);
    let token = &open.token;
    for (what, request) in [
        (
            "a length twice",
            open.head(
                port::ECHO,
                "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            ),
        ),
        (
            "two hosts",
            open.head(port::ECHO, &format!("Host: {other}\r\n\r\n")),
        ),
        (
            "a target elsewhere",
            format!(
                "GET http://{other}/ HTTP/1.1\r\nHost: {host}\r\nE2b-Traffic-Access-Token: {token}\r\n\r\n"
            ),
        ),
        (
            "headers that name another port",
            open.head(
                port::ECHO,
                &format!(
                    "E2b-Sandbox-Id: {}\r\nE2b-Sandbox-Port: 9008\r\n\r\n",
                    open.id
                ),
            ),
        ),
        (
            "chunks that are not last",
            open.head(
                port::ECHO,
                "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            ),
        ),
        (
            "a tunnel",
            format!(
                "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nE2b-Traffic-Access-Token: {token}\r\n\r\n"
            ),
        ),
    ] {
        let request = request.replace("\r\n\r\n", "\r\nX-Reached: it\r\n\r\n");
        let mut stream = open.sent(&request).await;
        let mut first = vec![0; 64 * 1024];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut first))
            .await
            .unwrap()
            .unwrap();
        let told = String::from_utf8_lossy(&first[..read]);
        assert!(told.starts_with("HTTP/1.1 4"), "{what}: {told}");
        assert!(
            !told.contains("X-Reached") && !told.contains("x-reached"),
            "{what}: {told}"
        );
    }
    // A length beside chunks is taken out before anybody reads it; and nothing follows on that connection.
    for both in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
    ] {
        let smuggled = open.head(port::BROWSER, "\r\n");
        let request = open.head(port::ECHO, &format!("{both}\r\n\r\n0\r\n\r\n{smuggled}"));
        let told = open.raw(&request).await;
        assert_eq!(told.matches("HTTP/1.1 200 OK").count(), 1, "{told}");
        let (_, program) = told.split_once("GET /a HTTP/1.1").unwrap();
        assert!(!program.to_lowercase().contains("content-length"), "{told}");
    }
    open.service.end().await;
}
