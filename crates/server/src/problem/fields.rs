//! The names of all fields that requests have.

/// The fields of all requests, by which an event may name what was wrong; others are a client's own.
pub const FIELDS: &[&str] = &[
    "args",
    "arguments",
    "argv",
    "artifacts",
    "background",
    "close",
    "cmd",
    "code",
    "columns",
    "compile_timeout",
    "content",
    "context",
    "cpu_seconds",
    "cwd",
    "data",
    "depth",
    "egress",
    "entry",
    "env",
    "file_size_bytes",
    "files",
    "fresh_interpreter",
    "from",
    "idle_timeout",
    "image",
    "kept_bytes",
    "lang",
    "language",
    "limit",
    "limits",
    "memory_mib",
    "metadata",
    "minutes",
    "normalize_time",
    "offset",
    "on_disconnect",
    "output_bytes",
    "packages",
    "path",
    "pids",
    "pty",
    "rows",
    "session_id",
    "signal",
    "since",
    "stdin",
    "timeout",
    "to",
    "trace_id",
    "user",
    "vcpus",
    "writable",
    "writable_mib",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A new field is named in events, too.
    #[test]
    fn every_field_of_a_request_is_known() {
        use utoipa::PartialSchema as _;
        let schemas = [
            crate::execute::request::ExecuteRequest::schema(),
            crate::execute::request::RequestFile::schema(),
            crate::sessions::body::SessionRequest::schema(),
            crate::sessions::body::CellRequest::schema(),
            crate::sandboxes::body::SandboxRequest::schema(),
            crate::sandboxes::body::SandboxLimits::schema(),
            crate::sandboxes::body::ExtendRequest::schema(),
            crate::sandboxes::process::ProcessRequest::schema(),
            crate::sandboxes::process::ProcessLimitsRequest::schema(),
            crate::sandboxes::process::SizeBody::schema(),
            crate::sandboxes::cell::ContextRequest::schema(),
            crate::sandboxes::cell::ExecuteCellRequest::schema(),
            crate::sandboxes::signal::SignalRequest::schema(),
            crate::sandboxes::file::FolderRequest::schema(),
            crate::sandboxes::file::MoveRequest::schema(),
        ];
        for schema in schemas {
            let schema = serde_json::to_value(schema).unwrap();
            for name in schema["properties"].as_object().unwrap().keys() {
                assert!(FIELDS.contains(&name.as_str()), "{name}");
            }
        }
    }
}
