//! A process is started, or one that runs is followed: both answer with what it writes, as it comes.

use super::connect::{ConnectCode, ConnectError, Envelope, Envelopes, failed_stream, parsed};
use super::follow::{Follow, Until};
use super::process::{ConfigBody, Selector, Terminal};
use super::registry::Following;
use super::{problem, user};
use crate::body::RawBody;
use crate::e2b::address::Addressed;
use crate::e2b::error::AsE2b;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::follow::Audience;
use crate::sandboxes::process::{ProcessLimitsRequest, ProcessRequest, StdinRequest, Wanted};
use crate::sandboxes::table::UsedSandbox;
use crate::sandboxes::user::UserBody;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes kept of a process' output for who connects later: E2B's daemon keeps none.
const KEPT_BYTES: u64 = 64 * 1024;
/// Longest tag, in bytes.
const MAX_TAG_BYTES: usize = 256;

/// A process that is wanted.
#[derive(Debug, Deserialize)]
struct StartBody {
    process: ConfigBody,
    #[serde(default)]
    pty: Option<Terminal>,
    #[serde(default)]
    tag: Option<String>,
    /// Absent: open, as it was before clients could say.
    #[serde(default)]
    stdin: Option<bool>,
}

/// A process to follow.
#[derive(Debug, Deserialize)]
struct ConnectBody {
    process: Selector,
}

/// How long the call may take: `Connect-Timeout-Ms`.
fn call_time(headers: &HeaderMap) -> Result<Option<Duration>, ConnectError> {
    let Some(value) = headers.get("connect-timeout-ms") else {
        return Ok(None);
    };
    let millis = value.to_str().ok().and_then(|text| text.parse().ok());
    // Ten digits at most, by the protocol.
    let millis: u64 = millis
        .filter(|millis| *millis < 10_000_000_000)
        .ok_or_else(|| {
            ConnectError::new(
                ConnectCode::InvalidArgument,
                "Connect-Timeout-Ms is no number of milliseconds",
            )
        })?;
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}

/// The one message of such a call.
fn only<T: DeserializeOwned>(body: Result<RawBody, Problem>) -> Result<T, ConnectError> {
    let body = body?;
    let mut envelopes = Envelopes::default();
    envelopes.push(&body.bytes);
    match envelopes.next_whole() {
        Ok(Some(Envelope::Message(bytes))) => Ok(parsed(&bytes)?),
        Ok(Some(Envelope::End) | None) => Err(ConnectError::new(
            ConnectCode::InvalidArgument,
            "the call has no message",
        )),
        Err(error) => Err(ConnectError::new(
            ConnectCode::InvalidArgument,
            error.to_string(),
        )),
    }
}

/// `Start`.
pub async fn start(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<RawBody, Problem>,
) -> Response {
    let started = async {
        let Addressed { used, .. } = addressed?;
        let time = call_time(&headers)?;
        let user = user::of(&headers)?;
        begin(used, only(body)?, (user, time)).await
    };
    started.await.map_or_else(failed_stream, Follow::respond)
}

async fn begin(
    used: UsedSandbox,
    body: StartBody,
    (user, time): (UserBody, Option<Duration>),
) -> Result<Follow, ConnectError> {
    if used.app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5).into());
    }
    if body
        .tag
        .as_ref()
        .is_some_and(|tag| tag.len() > MAX_TAG_BYTES)
    {
        let sentence = format!("tag has over {MAX_TAG_BYTES} bytes");
        return Err(ConnectError::new(ConnectCode::InvalidArgument, sentence));
    }
    let StartBody {
        process: config,
        tag,
        ..
    } = &body;
    let said = (config.listed(), tag.clone());
    let request = request(&used, &body, (user, time)).await?;
    let Wanted { spec, .. } = request.wanted(&used.app, &used.slot)?;
    let started = used.live.start_followed(spec).await;
    let (id, output) = started.map_err(|error| problem(&used, error))?;
    let following = Following::begin(&used.app, (&used.slot, &used.live), id, said);
    let info = used
        .live
        .process(id)
        .map_err(|error| problem(&used, error))?;
    // The process' own time ends it, and that ends the stream.
    Ok(Follow::new(
        used,
        (info, output),
        following,
        Until::Over(Audience::Starter),
    ))
}

/// In the words of this service.
async fn request(
    used: &UsedSandbox,
    body: &StartBody,
    (user, time): (UserBody, Option<Duration>),
) -> Result<ProcessRequest, ConnectError> {
    let config = &body.process;
    let home = user::home(used, user).await?;
    let cwd = user::path(used, user, config.cwd.as_deref().unwrap_or_default()).await?;
    let name = match user {
        UserBody::Sandbox => user::USER,
        UserBody::Root => user::ROOT,
    };
    let of_slot = |name: &str| used.slot.job.env.iter().any(|(own, _)| own == name);
    let template = used.slot.e2b.as_ref().map_or("", |facts| &facts.template);
    let usual = [
        ("HOME", home),
        ("USER", name),
        ("LOGNAME", name),
        ("E2B_SANDBOX", "true"),
        ("E2B_SANDBOX_ID", &used.slot.id),
        ("E2B_TEMPLATE_ID", template),
    ];
    let usual = usual.into_iter().filter(|(name, _)| !of_slot(name));
    let mut env: std::collections::BTreeMap<String, String> = usual
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    env.extend(config.envs.clone());
    let longest = Duration::from_secs(used.app.config().sessions.total_seconds);
    Ok(ProcessRequest {
        argv: Some(
            std::iter::once(config.cmd.clone())
                .chain(config.args.clone())
                .collect(),
        ),
        cwd: Some(cwd),
        user,
        env,
        pty: body.pty.map(Terminal::size),
        stdin: match body.stdin {
            Some(false) => StdinRequest::Empty,
            Some(true) | None => StdinRequest::Open,
        },
        kept_bytes: Some(KEPT_BYTES),
        limits: ProcessLimitsRequest {
            timeout: time.map(|time| time.min(longest).as_secs_f64()),
            ..ProcessLimitsRequest::default()
        },
        ..ProcessRequest::default()
    })
}

/// `Connect`: what a process writes from now on.
pub async fn connect(
    addressed: Result<Addressed, AsE2b>,
    headers: HeaderMap,
    body: Result<RawBody, Problem>,
) -> Response {
    let followed = async {
        let Addressed { used, .. } = addressed?;
        let time = call_time(&headers)?;
        let ConnectBody { process } = only(body)?;
        let info = process.find(&used)?;
        let following = Following::of(&used.slot, info.id);
        // Later than all that was written: from now on.
        let output = used.live.follow(info.id, u64::MAX).await;
        let output = output.map_err(|error| problem(&used, error))?;
        let until = match time {
            Some(time) => Until::Time(Instant::now() + time),
            None => Until::Over(Audience::Onlooker),
        };
        Ok(Follow::new(used, (info, output), following, until))
    };
    followed.await.map_or_else(failed_stream, Follow::respond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calls_time_is_a_number_of_milliseconds() {
        for (text, expected) in [
            ("60000", Ok(Some(Duration::from_secs(60)))),
            ("0", Ok(None)),
            ("-1", Err(())),
            ("x", Err(())),
            ("99999999999", Err(())),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("connect-timeout-ms", text.parse().unwrap());
            assert_eq!(call_time(&headers).map_err(drop), expected, "{text}");
        }
        assert_eq!(call_time(&HeaderMap::new()).map_err(drop), Ok(None));
    }
}
