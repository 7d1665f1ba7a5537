//! What `run` feeds to a program: files for its work folder, and standard input.

use crate::args::RunArgs;
use crate::exit;
use anyhow::Context as _;
use protocol::job::JobFile;
use std::path::Path;
use tokio::io::AsyncRead;

/// What a program reads from.
pub type Input = Box<dyn AsyncRead + Send + Unpin>;

/// Of `--input`: a file here, and its name there.
pub fn file(input: &str) -> anyhow::Result<JobFile> {
    let (host, name) = match input.rsplit_once(':') {
        Some((host, name)) if !name.is_empty() => (host, name.to_owned()),
        _ => {
            let name = Path::new(input)
                .file_name()
                .and_then(|name| name.to_str())
                .with_context(|| format!("--input {input}: the file has no plain name"))?;
            (input, name.to_owned())
        }
    };
    let data = std::fs::read(host).with_context(|| format!("reading --input {host}"))?;
    Ok(JobFile {
        path: name,
        data: data.into(),
    })
}

/// The program's standard input; `None` where the program itself came by it.
pub async fn of(args: &RunArgs) -> anyhow::Result<Option<Input>> {
    if let Some(path) = &args.stdin {
        let file = tokio::fs::File::open(path)
            .await
            .with_context(|| format!("opening --stdin {}", path.display()))
            .map_err(exit::usage)?;
        return Ok(Some(Box::new(file)));
    }
    let program_is_stdin = args
        .file
        .as_deref()
        .is_some_and(|file| file.as_os_str() == "-");
    if program_is_stdin {
        return Ok(None);
    }
    Ok(Some(Box::new(tokio::io::stdin())))
}
