//! Piston's request: read as leniently as Piston reads it, refused in its words.

use crate::body::required_objects;
use crate::piston::runtime::{self, Runtime};
use crate::problem::{HttpCode, Problem};
use protocol::bytes::from_base64;
use protocol::job::{JobFile, JobRequest, RequestedLimits};
use protocol::path::check_relative;
use protocol::validate::{Policy, shown};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

const MIB: f64 = 1024.0 * 1024.0;

/// A program to run, in Piston's words. Fields that are not here are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"language": "python", "version": "3.x", "files": [{"content": "print(6 * 7)"}]}))]
pub struct PistonRequest {
    /// Name or alias of a language.
    pub language: String,
    /// A version selector as npm has them; `*` for any.
    pub version: String,
    /// The first one that is text is the program.
    #[serde(deserialize_with = "required_objects")]
    pub files: Vec<PistonFile>,
    /// Fed to the program; a line break is added when it does not end in one.
    pub stdin: Option<String>,
    /// The program's arguments.
    pub args: Option<Vec<String>>,
    /// Milliseconds that the program may run.
    pub run_timeout: Option<f64>,
    /// Milliseconds that the compiler may run.
    pub compile_timeout: Option<f64>,
    /// Milliseconds of CPU time that the program may use.
    pub run_cpu_time: Option<f64>,
    /// Milliseconds of CPU time that the compiler may use.
    pub compile_cpu_time: Option<f64>,
    /// Bytes of memory for the program; -1 for none of its own.
    pub run_memory_limit: Option<f64>,
    /// Bytes of memory for the compiler; -1 for none of its own.
    pub compile_memory_limit: Option<f64>,
}

/// A file that comes with the program.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PistonFile {
    /// Its name; chosen when absent.
    pub name: Option<String>,
    /// Its content.
    pub content: String,
    /// `utf8`, `base64` or `hex`.
    pub encoding: Option<String>,
}

/// A request taken apart.
#[derive(Debug)]
pub struct Asked {
    /// For [`sandbox::sandbox::Sandbox::admit`].
    pub job: JobRequest,
    /// Fed to the program.
    pub stdin: String,
    /// Which runtime was meant.
    pub runtime: Runtime,
}

/// A refusal in Piston's words.
pub fn refused(message: String) -> Problem {
    Problem::with(HttpCode::FieldInvalid, message)
}

/// Takes a request apart, in the order in which Piston looks at it.
pub fn parse(mut body: Map<String, Value>, policy: &Policy) -> Result<Asked, String> {
    let language = required_string(&body, "language")?;
    let version = required_string(&body, "version")?;
    let files = match body.remove("files") {
        Some(Value::Array(files)) => files,
        _ => return Err("files is required as an array".into()),
    };
    for (n, file) in files.iter().enumerate() {
        if !file.get("content").is_some_and(Value::is_string) {
            return Err(format!("files[{n}].content is required as a string"));
        }
    }
    let runtime = runtime::find(&language, &version).ok_or_else(|| {
        format!(
            "{}-{} runtime is unknown",
            shown(&language).trim_matches('"'),
            shown(&version).trim_matches('"')
        )
    })?;
    let given = program_and_files(files)?;
    let limits = limits(&body, policy)?;
    let mut stdin = optional_string(&mut body, "stdin")?;
    if !stdin.ends_with('\n') {
        stdin.push('\n');
    }
    let args = match body.remove("args") {
        None | Some(Value::Null) => Vec::new(),
        Some(args) => serde_json::from_value(args)
            .map_err(|_| "args must be an array of strings".to_owned())?,
    };
    Ok(Asked {
        job: JobRequest {
            language: runtime.language.name().into(),
            code: given.code,
            entry: given.entry,
            args,
            files: given.files,
            limits,
            ..JobRequest::default()
        },
        stdin,
        runtime,
    })
}

fn required_string(body: &Map<String, Value>, name: &str) -> Result<String, String> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| format!("{name} is required as a string"))
}

fn optional_string(body: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match body.remove(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{name} must be a string")),
    }
}

/// What a request's files come to.
struct Given {
    code: String,
    /// The program's name, where it has one.
    entry: Option<String>,
    files: Vec<JobFile>,
}

/// The first text file is the program, under its own name.
fn program_and_files(files: Vec<Value>) -> Result<Given, String> {
    let mut program = None;
    let mut kept = Vec::new();
    for (n, file) in files.into_iter().enumerate() {
        let named = file.get("name").and_then(Value::as_str);
        let named = named.filter(|name| !name.is_empty()).map(str::to_owned);
        let name = named.clone().unwrap_or_else(|| format!("file{n}.code"));
        if check_relative(&name).is_err() {
            return Err(format!("files[{n}].name must be a plain relative path"));
        }
        let content = file.get("content").and_then(Value::as_str).unwrap_or("");
        let encoding = file
            .get("encoding")
            .and_then(Value::as_str)
            .unwrap_or("utf8");
        let wrong = || format!("files[{n}].content is not valid {encoding}");
        let data = match encoding {
            "base64" => from_base64(content).map_err(|_| wrong())?,
            "hex" => hex::decode(content).map_err(|_| wrong())?,
            _ => content.as_bytes().to_vec(),
        };
        if program.is_none() && !matches!(encoding, "base64" | "hex") {
            program = Some((content.to_owned(), named));
            continue;
        }
        let data = data.into();
        kept.push(JobFile { path: name, data });
    }
    let (code, entry) = program.ok_or("files must include at least one utf8 encoded file")?;
    Ok(Given {
        code,
        entry,
        files: kept,
    })
}

fn limits(body: &Map<String, Value>, policy: &Policy) -> Result<RequestedLimits, String> {
    let max = &policy.maxima;
    let memory_max = f64::from(max.memory_mib) * MIB;
    let cpu_max = max.cpu_seconds as f64 * 1000.0;
    let run_timeout = limit(body, "run_timeout", max.timeout_seconds * 1000.0)?;
    let compile_timeout = limit(
        body,
        "compile_timeout",
        max.compile_timeout_seconds * 1000.0,
    )?;
    let cpu = larger(
        limit(body, "run_cpu_time", cpu_max)?,
        limit(body, "compile_cpu_time", cpu_max)?,
    );
    let memory = larger(
        limit(body, "run_memory_limit", memory_max)?,
        limit(body, "compile_memory_limit", memory_max)?,
    );
    let smallest = f64::from(protocol::limits::MIN_MEMORY_MIB);
    Ok(RequestedLimits {
        timeout_seconds: run_timeout.map(|millis| millis / 1000.0),
        compile_timeout_seconds: compile_timeout.map(|millis| millis / 1000.0),
        cpu_seconds: cpu.map(|millis| (millis / 1000.0).ceil() as u64),
        memory_mib: memory.map(|bytes| (bytes / MIB).ceil().max(smallest) as u64),
        ..RequestedLimits::default()
    })
}

/// Both phases share a VM and a process limit: the larger wish is the one that can be kept.
fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    }
}

fn limit(body: &Map<String, Value>, name: &str, max: f64) -> Result<Option<f64>, String> {
    let value = match body.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value
            .as_f64()
            .ok_or_else(|| format!("If specified, {name} must be a number"))?,
    };
    if value == 0.0 || (value == -1.0 && name.ends_with("memory_limit")) {
        return Ok(None);
    }
    if value > max {
        return Err(format!(
            "{name} cannot exceed the configured limit of {max}"
        ));
    }
    if value < 0.0 {
        return Err(format!("{name} must be non-negative"));
    }
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::limits::{LimitValues, SandboxRules, default_maxima};
    use protocol::scan::Scanner;
    use serde_json::json;

    fn policy() -> Policy {
        Policy {
            defaults: LimitValues::default(),
            maxima: default_maxima(),
            scan_mode: Default::default(),
            scanner: Scanner::new(&[]).unwrap(),
            sandboxes: SandboxRules::default(),
        }
    }

    fn asked(body: Value) -> Result<Asked, String> {
        parse(body.as_object().unwrap().clone(), &policy())
    }

    #[test]
    fn pistons_own_example_is_understood() {
        let asked = asked(json!({
            "language": "js", "version": "24.x",
            "files": [
                {"name": "logo.bin", "content": "00ff", "encoding": "hex"},
                {"name": "my_cool_code.js", "content": "console.log(process.argv)"},
            ],
            "stdin": "", "args": ["1", "2", "3"],
            "compile_timeout": 10000, "run_timeout": 3000,
            "compile_memory_limit": -1, "run_memory_limit": -1,
        }))
        .unwrap();
        assert_eq!(asked.job.language, "node");
        assert_eq!(asked.job.code, "console.log(process.argv)");
        assert_eq!(asked.job.files[0].data.0, [0, 255]);
        assert_eq!(asked.job.entry.as_deref(), Some("my_cool_code.js"));
        assert_eq!(asked.job.limits.timeout_seconds, Some(3.0));
        assert_eq!(asked.job.limits.memory_mib, None);
        assert_eq!(asked.stdin, "\n");
    }

    #[test]
    fn null_is_as_absent_and_base64_may_have_line_breaks() {
        let mut body = json!({
            "language": "python", "version": "*",
            "files": [
                {"content": "x", "name": null, "encoding": null},
                {"content": "bm90\nZQ==\r\n", "name": "note.txt", "encoding": "base64"},
            ],
        });
        let bare = format!("{:?}", asked(body.clone()).unwrap());
        let optional = [
            "stdin",
            "args",
            "run_timeout",
            "compile_timeout",
            "run_cpu_time",
            "compile_cpu_time",
            "run_memory_limit",
            "compile_memory_limit",
        ];
        for name in optional {
            body[name] = Value::Null;
        }
        let nulls = asked(body).unwrap();
        assert_eq!(format!("{nulls:?}"), bare);
        assert_eq!(nulls.job.files[0].data.0, b"note");
    }

    #[test]
    fn refusals_are_in_pistons_words() {
        let with = |name: &str, value: Value| {
            let mut body =
                json!({"language": "python", "version": "*", "files": [{"content": "x"}]});
            body[name] = value;
            asked(body).map(|_| ()).unwrap_err()
        };
        assert_eq!(
            with("language", json!(1)),
            "language is required as a string"
        );
        assert_eq!(
            with("version", json!("")),
            "version is required as a string"
        );
        assert_eq!(with("version", json!("2")), "python-2 runtime is unknown");
        assert_eq!(with("files", json!({})), "files is required as an array");
        assert_eq!(
            with("files", json!([{"content": 1}])),
            "files[0].content is required as a string"
        );
        assert_eq!(
            with("files", json!([{"content": "AA==", "encoding": "base64"}])),
            "files must include at least one utf8 encoded file"
        );
        assert_eq!(
            with("run_timeout", json!("1")),
            "If specified, run_timeout must be a number"
        );
        assert_eq!(
            with("run_timeout", json!(1e9)),
            "run_timeout cannot exceed the configured limit of 300000"
        );
        assert_eq!(
            with("run_timeout", json!(-5)),
            "run_timeout must be non-negative"
        );
        assert!(with("files", json!([{"name": "../x", "content": ""}])).contains("plain relative"));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(
            language in "\\PC{0,9}|python", version in "\\PC{0,9}|\\*",
            content in "\\PC{0,9}", encoding in "utf8|hex|base64|\\PC{0,4}", limit in any::<f64>(),
        ) {
            let _ = asked(json!({
                "language": language, "version": version, "run_timeout": limit, "run_memory_limit": limit,
                "files": [{"content": content, "encoding": encoding, "name": content}],
            }));
        }
    }
}
