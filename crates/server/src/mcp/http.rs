//! `/mcp`: the protocol over HTTP. Who asks, how often, and how much is decided here, as at every other door, before the
//! library reads a byte of it.

use super::call::UntilAnswered;
use super::server::McpServer;
use crate::app::App;
use crate::auth::{self, Executor};
use crate::body::RawBody;
use crate::outlet::UntilOut;
use crate::problem::{HttpCode, Problem};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use std::sync::Arc;
use tower::Service as _;

/// The route.
pub fn router() -> Router<Arc<App>> {
    Router::new().route("/mcp", post(serve).get(serve).delete(serve))
}

async fn serve(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    request: Request,
) -> Result<Response, Problem> {
    auth::check_page(request.headers(), request.uri())?;
    let until_answered = UntilAnswered::default();
    let mut request = bounded(request, &app, &until_answered).await?;
    // The library hands a request's head on to the call, and may log it.
    for name in [header::AUTHORIZATION.as_str(), "x-api-key"] {
        request.headers_mut().remove(name);
    }
    request.extensions_mut().insert(until_answered.clone());
    let method = request.method().clone();
    let (sessions, config) = (app.mcp.sessions_of(&who.id), config(&app, &method));
    let server = McpServer::new(app, who).await;
    let mut service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    let Ok(answer) = service.call(request).await;
    if answer.status() == StatusCode::INTERNAL_SERVER_ERROR {
        // The one thing that fails there is a session of the protocol that ended meanwhile.
        return Err(Problem::new(HttpCode::SessionNotFound));
    }
    if method == Method::DELETE && answer.status() == StatusCode::ACCEPTED {
        // It is over when this is told; the official client takes nothing else for an end.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut answer = answer.map(Body::new);
    answer.extensions_mut().insert(UntilOut::of(until_answered));
    Ok(answer)
}

/// The same request with its body read, within the bounds of every body; its room is kept until the answer is out.
async fn bounded(
    request: Request,
    app: &Arc<App>,
    until_answered: &UntilAnswered,
) -> Result<Request, Problem> {
    if request.method() != Method::POST {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let RawBody { bytes, held } = RawBody::from_request(whole, app).await?;
    until_answered.keep(held);
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn config(app: &App, method: &Method) -> StreamableHttpServerConfig {
    let stop = match *method {
        // A stream that only waits for what may come holds up no stop; a call may end.
        Method::GET => app.draining.child_token(),
        _ => app.mcp.stop.child_token(),
    };
    StreamableHttpServerConfig::default()
        // Both were judged already, by what is stricter: `auth`.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_sse_retry(None)
        .with_max_request_body_bytes(app.config().http.body_bytes)
        .with_cancellation_token(stop)
}
