//! What an image's config says of how its program is run.

use crate::oci::document::Run;
use crate::oci::error::{OciError, shown};
use serde::{Deserialize, Serialize};

/// Defaults of what runs in the image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Names and values, in order.
    pub env: Vec<(String, String)>,
    /// An absolute path.
    pub working_dir: Option<String>,
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// What follows the entrypoint unless something else is given, or all of it.
    pub cmd: Vec<String>,
}

/// Defaults of a config. Its user is not followed: programs run as the job's, as everywhere.
pub(crate) fn of_config(run: &Run) -> Result<RunConfig, OciError> {
    let refused = |why: String| OciError::document("the image's config", why);
    let env = run.env.iter().flatten().map(|line| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let holds = !name.is_empty() && !line.contains('\0');
        let why = || refused(format!("has {} as a variable", shown(line.as_bytes())));
        holds
            .then(|| (name.to_owned(), value.to_owned()))
            .ok_or_else(why)
    });
    let env = env.collect::<Result<_, _>>()?;
    let working_dir = run.working_dir.clone().filter(|path| !path.is_empty());
    if let Some(path) = working_dir.as_ref().filter(|path| !is_plain(path)) {
        let why = format!("has {} as its working folder", shown(path.as_bytes()));
        return Err(refused(why));
    }
    let words = |words: &Option<Vec<String>>| {
        let words = words.clone().unwrap_or_default();
        match words.iter().find(|word| word.contains('\0')) {
            Some(word) => Err(refused(format!("has {} as a word", shown(word.as_bytes())))),
            None => Ok(words),
        }
    };
    Ok(RunConfig {
        env,
        working_dir,
        entrypoint: words(&run.entrypoint)?,
        cmd: words(&run.cmd)?,
    })
}

fn is_plain(path: &str) -> bool {
    path.starts_with('/') && path.len() < 4096 && !path.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_becomes_defaults_or_says_what_is_wrong() {
        let run = |json: &str| of_config(&serde_json::from_str(json).unwrap());
        let json = r#"{"Env":["PATH=/bin","A=b=c","E"],"WorkingDir":"/app","Cmd":["sh"],"Entrypoint":null,"User":"app"}"#;
        let defaults = run(json).unwrap();
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let env = [("PATH", "/bin"), ("A", "b=c"), ("E", "")];
        assert_eq!(defaults.env, env.map(|(name, value)| variable(name, value)));
        assert_eq!(defaults.working_dir.as_deref(), Some("/app"));
        assert_eq!(
            (defaults.entrypoint, defaults.cmd),
            (vec![], vec!["sh".to_owned()])
        );
        assert_eq!(run("{}").unwrap(), RunConfig::default());
        for (json, why) in [
            (r#"{"Env":["=b"]}"#, "as a variable"),
            (r#"{"Env":["A=\u0000"]}"#, "as a variable"),
            (r#"{"WorkingDir":"app"}"#, "as its working folder"),
            (r#"{"Cmd":["\u0000"]}"#, "as a word"),
        ] {
            let error = run(json).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
