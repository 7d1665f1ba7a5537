//! A request's JSON body: bounded, in time, and with the name of the field that is wrong.

mod fault;

use crate::app::App;
use crate::inflate::{Coding, gunzip};
use crate::memory::Held;
use crate::problem::{HttpCode, Problem};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use fault::{describe, not_json};
use http_body_util::BodyExt as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt::Formatter;
use std::marker::PhantomData;
use std::sync::Arc;

/// A body of JSON, and the part of the budget that it takes for as long as this lives.
#[derive(Debug)]
pub struct JsonBody<T> {
    /// What it says.
    pub value: T,
    /// Keep it as long as the value's bytes are held.
    pub held: Held,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(HttpCode::MediaTypeUnsupported).close());
        }
        let (bytes, held) = read(request, app).await?;
        let value = parse(&bytes)?;
        Ok(JsonBody { value, held })
    }
}

/// A body of any bytes.
#[derive(Debug)]
pub struct RawBody {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Keep it as long as the bytes are held.
    pub held: Held,
}

impl FromRequest<Arc<App>> for RawBody {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (bytes, held) = read(request, app).await?;
        Ok(RawBody { bytes, held })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"))
}

async fn read(request: Request, app: &App) -> Result<(Vec<u8>, Held), Problem> {
    let max = app.config().http.body_bytes;
    let coding = Coding::of(request.headers())?;
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    // What says itself that it is too large is not waited for.
    if announced.is_some_and(|length| length > max as u64) {
        return Err(too_large(max).close());
    }
    let mut body = request.into_body();
    let mut held = Held::default();
    let mut bytes = Vec::new();
    let reading = async {
        while let Some(data) = next_data(&mut body).await? {
            if bytes.len() + data.len() > max {
                return Err(too_large(max).close());
            }
            app.memory.body(&mut held, data.len())?;
            bytes.extend_from_slice(&data);
        }
        Ok(())
    };
    match tokio::time::timeout(app.config().http.body_timeout(), reading).await {
        Ok(read) => read?,
        Err(_) => return Err(Problem::new(HttpCode::RequestTimeout).close()),
    }
    match coding {
        Coding::Identity => Ok((bytes, held)),
        Coding::Gzip => inflated(&bytes, app),
    }
}

/// What a body holds, within the bounds of one that came as it is.
fn inflated(bytes: &[u8], app: &App) -> Result<(Vec<u8>, Held), Problem> {
    let max = app.config().http.body_bytes;
    let (mut held, mut sum) = (Held::default(), 0);
    let out = gunzip(bytes, |more| {
        sum += more;
        match sum > max {
            true => Err(too_large(max)),
            false => app.memory.body(&mut held, more),
        }
    })?;
    Ok((out, held))
}

/// Where files go that are over the bound of a body.
pub const LARGER_FILES: &str = "files of any size go as they are into a session (PUT /api/v1/sessions/{id}/files) or a sandbox \
                                (PUT /api/v1/sandboxes/{id}/files)";

fn too_large(max: usize) -> Problem {
    let sentence = format!("the request's body is over {max} bytes; {LARGER_FILES}");
    Problem::with(HttpCode::BodyTooLarge, sentence)
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::with(HttpCode::JsonInvalid, "the request's body ended too early").close()
        })?;
        // Trailers say nothing here.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Values in a body: the most arguments, variables and files that a job may have come to some 6,000.
const MAX_VALUES: usize = 16 * 1024;

/// Reads JSON; a wrong field is named.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if !protocol::json::holds_at_most(bytes, MAX_VALUES) {
        let sentence = format!("the request's body holds more than {MAX_VALUES} values");
        return Err(Problem::with(HttpCode::BodyTooLarge, sentence));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json);
    let Object(value) = parsed.map_err(|error| {
        let path = error.path().to_string();
        describe(path, error.into_inner())
    })?;
    json.end()
        .map_err(|error| Problem::with(HttpCode::JsonInvalid, not_json(&error)))?;
    Ok(value)
}

/// For optional fields that are no `Option`: `null` is as absent, as it is for those that are.
pub fn null_as_absent<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// An object and nothing else: serde takes a list for one, its fields by their places.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(Fields(PhantomData))
            .map(Object)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, text: &mut Formatter<'_>) -> std::fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// For optional objects within a body.
pub fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let known = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(known.map(|Object(value)| value))
}

/// For objects within a body that have a default.
pub fn object_or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    object(deserializer).map(Option::unwrap_or_default)
}

/// For lists of objects that a body must have.
pub fn required_objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let known = Vec::<Object<T>>::deserialize(deserializer)?.into_iter();
    Ok(known.map(|Object(value)| value).collect())
}

/// For lists of objects within a body.
pub fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let known = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    let known = known.unwrap_or_default().into_iter();
    Ok(known.map(|Object(value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::request::{ExecuteRequest, RequestFile};
    use crate::sandboxes::body::SandboxRequest;
    use crate::sandboxes::process::ProcessRequest;
    use crate::sandboxes::signal::SignalRequest;
    use crate::sessions::body::{CellRequest, SessionRequest};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn wrong(json: &str) -> (&'static str, Option<String>) {
        let problem = parse::<ExecuteRequest>(json.as_bytes()).unwrap_err();
        (problem.code, problem.field)
    }

    #[test]
    fn the_wrong_field_is_named() {
        let some = |field: &str| Some(field.to_owned());
        assert_eq!(
            wrong(r#"{"language":"python"}"#),
            ("field_invalid", some("code"))
        );
        assert_eq!(wrong(r#"{"code":1}"#), ("field_invalid", some("code")));
        assert_eq!(
            wrong(r#"{"code":"x","cod":1}"#),
            ("field_invalid", some("cod"))
        );
        assert_eq!(
            wrong(r#"{"code":"x","timeout":"1"}"#),
            ("timeout_invalid", some("timeout"))
        );
        assert_eq!(
            wrong(r#"{"code":"x","memory_mib":-1}"#),
            ("memory_invalid", some("memory_mib"))
        );
        assert_eq!(
            wrong(r#"{"code":"x","args":["a",1]}"#),
            ("args_invalid", some("args[1]"))
        );
        assert_eq!(
            wrong(r#"{"code":"x","args":[null]}"#),
            ("args_invalid", some("args[0]"))
        );
        assert_eq!(wrong(r#"{"code":null}"#), ("field_invalid", some("code")));
        assert_eq!(
            wrong(r#"{"code":"x","code":"y"}"#),
            ("field_invalid", some("code"))
        );
        assert_eq!(wrong("{").0, "json_invalid");
        assert_eq!(wrong(r#"{"code":"x"} x"#).0, "json_invalid");
        assert_eq!(wrong(r#"{"code":"\ud800"}"#).0, "json_invalid");
        for list in ["[]", " [null, null]", "[\"python\", \"1\"]"] {
            assert_eq!(wrong(list).0, "field_invalid", "{list}");
        }
        let (_, field) = wrong(r#"{"language":"bash","code":"x","files":[["a","b"]]}"#);
        assert_eq!(field, some("files[0]"));
    }

    #[test]
    fn a_field_with_a_slip_of_the_pen_is_answered_with_the_right_one() {
        fn told<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> String {
            parse::<T>(body.as_bytes()).unwrap_err().detail
        }
        for (told, meant) in [
            (told::<ExecuteRequest>(r#"{"cod":"x"}"#), Some("code")),
            (
                told::<ExecuteRequest>(r#"{"code":"x","timeuot":1}"#),
                Some("timeout"),
            ),
            (
                told::<SessionRequest>(r#"{"lnaguage":"x"}"#),
                Some("language"),
            ),
            (
                told::<SandboxRequest>(r#"{"limits":{"memory_mb":1}}"#),
                Some("memory_mib"),
            ),
            (told::<ProcessRequest>(r#"{"argvs":["x"]}"#), Some("argv")),
            (told::<ExecuteRequest>(r#"{"language":"x"}"#), None),
            (told::<ExecuteRequest>(r#"{"code":"x","zzzzzz":1}"#), None),
        ] {
            let said = told.strip_prefix("did you mean ");
            let said = said.and_then(|rest| Some(rest.split_once('?')?.0));
            assert_eq!(said, meant, "{told}");
        }
    }

    /// Whatever field a body gets: it may be `null` wherever it may be left out.
    #[test]
    fn null_is_as_absent_in_every_optional_field() {
        fn check<T: DeserializeOwned + std::fmt::Debug + utoipa::ToSchema>(required: Value) {
            let schema = serde_json::to_value(<T as utoipa::PartialSchema>::schema()).unwrap();
            let bare = parse::<T>(required.to_string().as_bytes()).unwrap();
            let mut names: Vec<&String> =
                schema["properties"].as_object().unwrap().keys().collect();
            names.retain(|name| required.get(name.as_str()).is_none());
            assert!(!names.is_empty());
            for name in names {
                let mut body = required.clone();
                body[name] = Value::Null;
                let parsed = parse::<T>(body.to_string().as_bytes());
                let parsed = parsed.unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
                assert_eq!(format!("{parsed:?}"), format!("{bare:?}"), "{name}");
            }
        }
        check::<ExecuteRequest>(json!({"code": "x"}));
        check::<RequestFile>(json!({"path": "x"}));
        check::<SessionRequest>(json!({"language": "x"}));
        check::<CellRequest>(json!({"code": "x"}));
        check::<SandboxRequest>(json!({}));
        check::<ProcessRequest>(json!({"argv": ["x"]}));
        check::<SignalRequest>(json!({"signal": 2}));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_and_no_answer_is_long_or_raw(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(problem) = parse::<ExecuteRequest>(&bytes) {
                prop_assert!(problem.detail.len() < 4_000);
                prop_assert!(!problem.detail.contains(char::is_control));
            }
        }

        #[test]
        fn an_unknown_field_is_named_escaped(name in "\\PC{1,20}|[\\x00-\\x1f]{1,5}") {
            let body = serde_json::json!({"code": "x", name: 1}).to_string();
            if let Err(problem) = parse::<ExecuteRequest>(body.as_bytes()) {
                prop_assert!(!problem.field.unwrap_or_default().contains(char::is_control));
            }
        }
    }
}
