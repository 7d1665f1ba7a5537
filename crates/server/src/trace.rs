//! A span a request, joined to the caller's trace (W3C Trace Context). Who wants spans subscribes to
//! `tracing`; without a collector nothing is kept.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, warn_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header that carries the caller's trace.
pub const HEADER: &str = "traceparent";

/// A caller's span, as `traceparent` names it.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceParent(SpanContext);

impl TraceParent {
    /// Reads the header; `None`: it is not as its standard says.
    pub fn parse(header: &str) -> Option<TraceParent> {
        let parts: Vec<&str> = header.split('-').collect();
        let [version, trace, span, flags, more @ ..] = parts.as_slice() else {
            return None;
        };
        let hex = |text: &str, length: usize| {
            let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
            text.len() == length && text.bytes().all(digit)
        };
        // A later version may have more parts; ff is none.
        let version_is_known =
            hex(version, 2) && *version != "ff" && (*version != "00" || more.is_empty());
        if !version_is_known || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        let context = SpanContext::new(
            TraceId::from_hex(trace).ok()?,
            SpanId::from_hex(span).ok()?,
            TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
            true,
            TraceState::NONE,
        );
        context.is_valid().then_some(TraceParent(context))
    }

    /// The trace's id, 32 hex digits.
    pub fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }
}

/// Puts a request into its span.
pub async fn request(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str);
    // At the level that is always told: a warning's line then says whose request it is of.
    let span = warn_span!(
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = Empty,
        job = Empty,
        key = Empty,
    );
    let header = request.headers().get(HEADER);
    let parent = header.and_then(|value| TraceParent::parse(value.to_str().ok()?));
    if let Some(TraceParent(parent)) = parent {
        // Without a collector there is nothing to join.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

/// Notes the job of the request that is being answered.
pub fn job(trace_id: &str) {
    Span::current().record("job", trace_id);
}

/// Notes whose request is being answered, by the key's id.
pub fn key(id: &str) {
    Span::current().record("key", id);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn traceparent_is_read_as_its_standard_says() {
        let id = |header: String| TraceParent::parse(&header).map(|parent| parent.trace_id());
        assert_eq!(id(format!("00-{TRACE}-{SPAN}-01")).as_deref(), Some(TRACE));
        assert_eq!(
            id(format!("cc-{TRACE}-{SPAN}-00-later")).as_deref(),
            Some(TRACE)
        );
        for wrong in [
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}"),
            "00-../../x-1-1".to_owned(),
            String::new(),
        ] {
            assert_eq!(id(wrong.clone()), None, "{wrong}");
        }
    }
}
