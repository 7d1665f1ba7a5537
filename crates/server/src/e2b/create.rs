//! A sandbox that an E2B client asks for. What is not honoured here is refused by its name, never ignored.

use super::body::ConnectedBody;
use super::error::AsE2b;
use super::facts::{E2bFacts, Guard, LifecycleRules};
use super::interpreter;
use super::template::{INTERPRETER_TEMPLATE, image_of, of_template, untagged};
use crate::app::App;
use crate::auth::Executor;
use crate::body::{JsonBody, null_as_absent};
use crate::paused::{check_engine, copies};
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::begin;
use crate::sandboxes::body::SandboxRequest;
use crate::sandboxes::slot::SandboxSlot;
use crate::staying::within;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use protocol::job::Job;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whether who has no token reaches what listens on a sandbox's ports.
const ALLOW_PUBLIC_TRAFFIC: &str = "allowPublicTraffic";
/// Seconds that a sandbox has where its client says nothing; what E2B's API says, too.
pub const DEFAULT_SECONDS: u64 = 300;

/// A sandbox that is wanted, in the words of both versions of the API.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSandbox {
    /// What it has: `base`, `code-interpreter-v1`, or an image of ours.
    #[serde(rename = "templateID")]
    template_id: String,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default, deserialize_with = "null_as_absent")]
    metadata: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "null_as_absent")]
    env_vars: BTreeMap<String, String>,
    /// Without a token it is opened to all only where the service is.
    #[serde(default)]
    secure: Option<bool>,
    /// Old clients always send `true`, which promises nothing: it is accepted, and there is no network all the same.
    #[serde(
        default,
        rename = "allow_internet_access",
        alias = "allowInternetAccess"
    )]
    allow_internet_access: Option<bool>,
    #[serde(default)]
    auto_pause: Option<bool>,
    /// Of use only with `autoPause`.
    #[serde(default)]
    auto_pause_memory: Option<bool>,
    #[serde(default)]
    auto_resume: Option<AutoResume>,
    #[serde(default)]
    network: Option<Value>,
    #[serde(default)]
    mcp: Option<Value>,
    #[serde(default)]
    iam: Option<Value>,
    #[serde(default)]
    volume_mounts: Option<Vec<Value>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct AutoResume {
    #[serde(default)]
    enabled: bool,
    /// Seconds that one stays that goes on.
    #[serde(default)]
    timeout: Option<u64>,
}

impl NewSandbox {
    /// Refuses what would be ignored otherwise.
    fn check(&self) -> Result<(), Problem> {
        let asks = |value: &Option<Value>| {
            value.as_ref().is_some_and(|value| match value {
                Value::Null => false,
                Value::Object(fields) => !fields.is_empty(),
                _ => true,
            })
        };
        let resumes = self
            .auto_resume
            .as_ref()
            .is_some_and(|resume| resume.enabled);
        let pauses = self.auto_pause == Some(true);
        let mounts = self
            .volume_mounts
            .as_ref()
            .is_some_and(|mounts| !mounts.is_empty());
        let refused = [
            ("volumeMounts", mounts, "there are no volumes"),
            (
                "network",
                asks(&self.network) && !self.is_private(),
                "a sandbox has no network, so there are no rules for it",
            ),
            (
                "mcp",
                asks(&self.mcp),
                "there is no MCP gateway in a sandbox",
            ),
            ("iam", asks(&self.iam), "a sandbox has no workload identity"),
            (
                "autoPauseMemory",
                pauses && self.auto_pause_memory == Some(false),
                "a sandbox's disk is its memory, so its files are kept with it",
            ),
            (
                "autoResume",
                resumes && !pauses,
                "without autoPause a sandbox is never paused by itself",
            ),
        ];
        match refused.into_iter().find(|(_, asked, _)| *asked) {
            None => Ok(()),
            Some((field, _, why)) => {
                let sentence = format!("{field} is not supported here: {why}");
                Err(Problem::with(HttpCode::FieldInvalid, sentence).field(field))
            }
        }
    }

    /// Whether all that is asked of a network is that nothing gets in without the sandbox's token: that is so.
    fn is_private(&self) -> bool {
        let fields = self.network.as_ref().and_then(Value::as_object);
        fields.is_some_and(|fields| {
            let mut said = fields.iter().filter(|(_, value)| !value.is_null());
            said.next() == Some((&ALLOW_PUBLIC_TRAFFIC.to_owned(), &Value::Bool(false)))
                && said.next().is_none()
        })
    }

    /// In the words of this service.
    fn request(&self) -> SandboxRequest {
        SandboxRequest {
            image: image_of(&self.template_id).map(str::to_owned),
            env: self.env_vars.clone(),
            metadata: self.metadata.clone(),
            ..SandboxRequest::default()
        }
    }

    /// Its time. There is no idle time: an E2B client's sandbox stays until its time is up, whoever uses it.
    fn times(&self, app: &App) -> Result<(Duration, Duration), Problem> {
        let longest = app.config().sessions.total_seconds;
        let total = total_time(
            self.timeout.unwrap_or(DEFAULT_SECONDS.min(longest)),
            longest,
        )?;
        Ok((total, Duration::from_secs(longest)))
    }

    /// What becomes of it when its time is up; refused where this engine cannot do that.
    fn lifecycle(&self, app: &App) -> Result<LifecycleRules, Problem> {
        let auto_pause = self.auto_pause == Some(true);
        if auto_pause {
            check_engine(app, "paused").map_err(|problem| {
                let detail = format!("autoPause is not supported here: {}", problem.detail);
                Problem { detail, ..problem }.field("autoPause")
            })?;
        }
        let resume = self.auto_resume.as_ref().filter(|resume| resume.enabled);
        let longest = app.config().sessions.total_seconds;
        let resumed_for = resume.and_then(|resume| resume.timeout);
        let resumed_for = resumed_for.map(|seconds| total_time(seconds, longest));
        Ok(LifecycleRules {
            auto_pause,
            auto_resume: resume.is_some(),
            resumed_for: resumed_for.transpose()?,
        })
    }

    /// The second version knows no sandbox without a token; older clients that ask for none send none.
    fn guard(&self, version: Version, app: &App) -> Guard {
        let may_be_open = app.keys.is_open() || app.config().e2b.open_by_name;
        match (version, self.secure) {
            (Version::One, None | Some(false)) if may_be_open && !self.is_private() => Guard::Open,
            _ => Guard::Token,
        }
    }
}

/// What a sandbox from a snapshot has in its environment: the snapshot's, and what its client asks for, judged as the
/// environment of every other. Processes that run in it keep theirs.
fn with_env(job: Job, env: BTreeMap<String, String>) -> Result<Job, Problem> {
    let mut all: BTreeMap<String, String> = job.env.into_iter().collect();
    all.extend(env);
    protocol::validate::check_env(&all)?;
    Ok(Job {
        env: all.into_iter().collect(),
        ..job
    })
}

/// Seconds that a sandbox is to have from now on; none at all ends it.
pub fn total_time(seconds: u64, longest: u64) -> Result<Duration, Problem> {
    match seconds {
        0 => Ok(Duration::ZERO),
        _ => within("timeout", Some(seconds as f64), longest),
    }
}

/// Which version of the API a request is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Who asks, with which key of idempotency, for what.
type Asked = (
    Result<Executor, Problem>,
    HeaderMap,
    Result<JsonBody<NewSandbox>, Problem>,
);
/// What was made.
type Made = Result<(StatusCode, Json<ConnectedBody>), AsE2b>;

/// `POST /sandboxes`.
pub async fn create(
    State(app): State<Arc<App>>,
    who: Result<Executor, Problem>,
    headers: HeaderMap,
    body: Result<JsonBody<NewSandbox>, Problem>,
) -> Made {
    make(app, Version::One, (who, headers, body)).await
}

/// `POST /v2/sandboxes`.
pub async fn create_v2(
    State(app): State<Arc<App>>,
    who: Result<Executor, Problem>,
    headers: HeaderMap,
    body: Result<JsonBody<NewSandbox>, Problem>,
) -> Made {
    make(app, Version::Two, (who, headers, body)).await
}

async fn make(app: Arc<App>, version: Version, (who, headers, body): Asked) -> Made {
    let Executor(who) = who?;
    let JsonBody { value, .. } = body?;
    value.check()?;
    let made = async {
        let request = value.request();
        request.check_metadata()?;
        let times = value.times(&app)?;
        let facts = E2bFacts::fresh(value.template_id.clone(), value.guard(version, &app))?;
        let facts = facts.with_lifecycle(value.lifecycle(&app)?);
        let metadata = request.metadata.clone();
        if let Some(snapshot) = app.paused.snapshot(&who, untagged(&value.template_id)) {
            let held = snapshot.about.e2b.as_ref();
            let facts =
                facts.with_processes(held.map(|held| held.processes.clone()).unwrap_or_default());
            let row = |job| {
                let job = with_env(job, request.env)?;
                Ok(SandboxSlot::new(&who, job, metadata, times).of_e2b(facts))
            };
            return copies::begin(&app, &who, &snapshot, row).await;
        }
        let slot = begin(&app, &who, request, |job| {
            Ok(SandboxSlot::new(&who, job, metadata, times).of_e2b(facts))
        });
        slot.await
            .map_err(|problem| of_template(problem, &value.template_id))
    };
    let key = headers.get("idempotency-key");
    let slot = match key {
        Some(key) => {
            let key = (who.id.clone(), key.as_bytes().to_vec());
            let once = &app.e2b.once;
            once.make((key, &value), &app.sandboxes, made).await?
        }
        None => made.await?,
    };
    if value.template_id == INTERPRETER_TEMPLATE {
        interpreter::warm_up(&app, &who, &slot.id);
    }
    let body = ConnectedBody::of(&slot, app.config().e2b.told_domain());
    let body = body.ok_or_else(|| Problem::new(HttpCode::SandboxNotFound))?;
    Ok((StatusCode::CREATED, Json(body)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn clients_are_never_sent_to_a_domain_of_somebody_elses() {
        let told = |domain: Option<&str>| {
            let domain = domain.map(str::to_owned);
            let config = crate::config::E2bConfig {
                domain,
                ..Default::default()
            };
            config.told_domain().to_owned()
        };
        assert!(told(None).ends_with(".invalid"));
        assert_eq!(told(Some("example.org")), "example.org");
    }

    #[test]
    fn what_is_not_honoured_is_refused_by_its_name() {
        for (more, field) in [
            (json!({}), None),
            (json!({"allow_internet_access": true, "secure": true}), None),
            (
                json!({"autoPause": false, "autoPauseMemory": true, "autoResume": {"enabled": false}}),
                None,
            ),
            (
                json!({"network": {}, "mcp": null, "volumeMounts": []}),
                None,
            ),
            (json!({"autoPause": true}), None),
            (
                json!({"autoPause": true, "autoPauseMemory": false}),
                Some("autoPauseMemory"),
            ),
            (
                json!({"autoPause": true, "autoResume": {"enabled": true}}),
                None,
            ),
            (json!({"autoResume": {"enabled": true}}), Some("autoResume")),
            (
                json!({"network": {"denyOut": ["0.0.0.0/0"]}}),
                Some("network"),
            ),
            (
                json!({"network": {"allowPublicTraffic": false, "denyOut": null}}),
                None,
            ),
            (
                json!({"network": {"allowPublicTraffic": true}}),
                Some("network"),
            ),
            (
                json!({"network": {"allowPublicTraffic": false, "allowOut": []}}),
                Some("network"),
            ),
            (json!({"mcp": {"a": {}}}), Some("mcp")),
            (json!({"iam": {"tokens": {}}}), Some("iam")),
            (
                json!({"volumeMounts": [{"name": "v"}]}),
                Some("volumeMounts"),
            ),
        ] {
            let mut body = json!({"templateID": "base"});
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let body: NewSandbox = serde_json::from_value(body).unwrap();
            let refused = body.check().err().and_then(|problem| problem.field);
            assert_eq!(refused.as_deref(), field, "{more}");
        }
    }

    #[test]
    fn a_time_of_nothing_is_one() {
        assert_eq!(total_time(0, 10).unwrap(), Duration::ZERO);
        assert_eq!(total_time(10, 10).unwrap(), Duration::from_secs(10));
        assert_eq!(total_time(11, 10).unwrap_err().status, 400);
    }
}
