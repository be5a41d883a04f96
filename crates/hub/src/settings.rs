//! Where the Hub and the cache are, by the variables that Python's `huggingface_hub` reads.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const ENDPOINT: &str = "https://huggingface.co";

/// Where the Hub and the cache are, and whether the Hub may be asked.
#[derive(Clone)]
pub struct Settings {
    endpoint: String,
    token: Option<String>,
    cache: PathBuf,
    offline: bool,
}

/// Why the variables make no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No variable says where the cache is.
    #[error("there is no place for models of the Hub: neither `HF_HOME` nor `HOME` is set")]
    NoCache,
    /// `HF_ENDPOINT` is not an address.
    #[error("`HF_ENDPOINT` is `{0}`, which is not an http or https address")]
    Endpoint(String),
    /// `HF_TOKEN_PATH` names a file that cannot be read.
    #[error("`HF_TOKEN_PATH`: `{path}` cannot be read: {source}", path = path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Settings {
    /// Settings by these variables; those of a process are [`std::env::vars_os`].
    pub fn from_env(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let variables = Variables::new(variables);
        let home = home(&variables);
        let cache = variables
            .path("HF_HUB_CACHE")
            .or_else(|| variables.path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(home.as_ref()?.join("hub")))
            .ok_or(SettingsError::NoCache)?;
        let endpoint = variables
            .text("HF_ENDPOINT")
            .unwrap_or_else(|| ENDPOINT.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        if !["http://", "https://"]
            .iter()
            .any(|scheme| endpoint.starts_with(scheme))
        {
            return Err(SettingsError::Endpoint(endpoint));
        }
        Ok(Self {
            endpoint,
            token: token(&variables, home.as_deref())?,
            cache: std::path::absolute(&cache).unwrap_or(cache),
            offline: variables.is_on("HF_HUB_OFFLINE") || variables.is_on("TRANSFORMERS_OFFLINE"),
        })
    }

    /// The Hub's address, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The folder of the cache.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Whether no connection may be opened.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Who asks.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl std::fmt::Debug for Settings {
    /// The token is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("has_token", &self.token.is_some())
            .field("cache", &self.cache)
            .field("offline", &self.offline)
            .finish()
    }
}

/// `HF_HOME`, else `huggingface` in the user's cache folder.
fn home(variables: &Variables) -> Option<PathBuf> {
    let user_cache = || {
        let home = || variables.path("HOME").map(|home| home.join(".cache"));
        variables.path("XDG_CACHE_HOME").or_else(home)
    };
    variables
        .path("HF_HOME")
        .or_else(|| Some(user_cache()?.join("huggingface")))
}

/// `HF_TOKEN`, else what a login left in a file, unless `HF_HUB_DISABLE_IMPLICIT_TOKEN` forbids its use.
fn token(variables: &Variables, home: Option<&Path>) -> Result<Option<String>, SettingsError> {
    if variables.is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
        return Ok(None);
    }
    let trimmed = |token: &str| Some(token.trim().to_owned()).filter(|token| !token.is_empty());
    if let Some(token) = variables.text("HF_TOKEN").and_then(|token| trimmed(&token)) {
        return Ok(Some(token));
    }
    if let Some(path) = variables.path("HF_TOKEN_PATH") {
        return match std::fs::read_to_string(&path) {
            Ok(token) => Ok(trimmed(&token)),
            Err(source) => Err(SettingsError::Token { path, source }),
        };
    }
    // Most people never logged in: there is no such file.
    let stored = home.and_then(|home| std::fs::read_to_string(home.join("token")).ok());
    Ok(stored.and_then(|token| trimmed(&token)))
}

struct Variables(BTreeMap<OsString, OsString>);

impl Variables {
    /// An empty variable is as good as none.
    fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(
            variables
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let value = PathBuf::from(self.0.get(std::ffi::OsStr::new(name))?);
        match value.strip_prefix("~") {
            Ok(rest) if name != "HOME" => Some(self.path("HOME")?.join(rest)),
            _ => Some(value),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(
            self.0
                .get(std::ffi::OsStr::new(name))?
                .to_string_lossy()
                .into_owned(),
        )
    }

    fn is_on(&self, name: &str) -> bool {
        let value = self.text(name).unwrap_or_default().to_ascii_uppercase();
        ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::from_env(variables.iter().map(|(name, value)| (name.into(), value.into()))).unwrap()
    }

    fn cache(variables: &[(&str, &str)]) -> String {
        settings(variables).cache().display().to_string()
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        assert_eq!(cache(&[("HOME", "/h")]), "/h/.cache/huggingface/hub");
        assert_eq!(
            cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]),
            "/x/huggingface/hub"
        );
        assert_eq!(cache(&[("HOME", "/h"), ("HF_HOME", "~/models")]), "/h/models/hub");
        let all = [
            ("HF_HOME", "/f"),
            ("HUGGINGFACE_HUB_CACHE", "/old"),
            ("HF_HUB_CACHE", "/new"),
        ];
        assert_eq!(cache(&all[..2]), "/old");
        assert_eq!(cache(&all), "/new");
        assert!(matches!(Settings::from_env([]), Err(SettingsError::NoCache)));
    }

    #[test]
    fn either_variable_and_any_of_the_usual_words_mean_offline() {
        for (name, value) in [
            ("HF_HUB_OFFLINE", "1"),
            ("TRANSFORMERS_OFFLINE", "true"),
            ("HF_HUB_OFFLINE", "Yes"),
        ] {
            assert!(settings(&[("HOME", "/h"), (name, value)]).is_offline());
        }
        assert!(!settings(&[("HOME", "/h"), ("HF_HUB_OFFLINE", "0")]).is_offline());
    }

    #[test]
    fn the_token_is_the_variable_or_the_file_of_a_login() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        assert_eq!(settings(&[("HF_HOME", home)]).token(), None);
        std::fs::write(folder.path().join("token"), "stored\n").unwrap();
        assert_eq!(settings(&[("HF_HOME", home)]).token(), Some("stored"));
        assert_eq!(
            settings(&[("HF_HOME", home), ("HF_TOKEN", "given")]).token(),
            Some("given")
        );
        let forbidden = [
            ("HF_HOME", home),
            ("HF_TOKEN", "given"),
            ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"),
        ];
        assert_eq!(settings(&forbidden).token(), None);
    }

    #[test]
    fn the_token_is_not_shown() {
        let shown = format!("{:?}", settings(&[("HOME", "/h"), ("HF_TOKEN", "secret")]));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn an_endpoint_is_an_address() {
        assert_eq!(
            settings(&[("HOME", "/h"), ("HF_ENDPOINT", "http://mirror/")]).endpoint(),
            "http://mirror"
        );
        let variables = [("HOME", "/h"), ("HF_ENDPOINT", "mirror")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        assert!(matches!(
            Settings::from_env(variables),
            Err(SettingsError::Endpoint(_))
        ));
    }
}
