//! The application's variables: who sets which, and in which order of precedence. Pure.

use std::collections::BTreeMap;

use crate::manifest::{App, did_you_mean};

/// Where values come from, the strongest first.
#[derive(Debug, Default)]
pub struct Sources {
    /// `--variable name=value`.
    pub flags: BTreeMap<String, String>,
    /// What a runtime config's providers set, and `SPIN_VARIABLE_<NAME>`, under its variable's name.
    pub environment: BTreeMap<String, String>,
    /// Made by this host: generated secrets, and the addresses of the components' databases.
    pub made: BTreeMap<String, String>,
}

/// Reads `<PREFIX>_<NAME>` out of an environment.
pub fn from_environment(prefix: &str, environment: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let named = |key: &str| Some(key.strip_prefix(prefix)?.strip_prefix('_')?.to_ascii_lowercase());
    environment.filter_map(|(key, value)| Some((named(&key)?, value))).collect()
}

impl Sources {
    /// What somebody sets a variable to, by the command line or the environment.
    pub fn outside(&self, name: &str) -> Option<&String> {
        self.flags.get(name).or_else(|| self.environment.get(name))
    }
}

/// The value of every declared variable.
///
/// # Errors
/// The names of required variables that nobody sets, and of flags that name no variable.
pub fn resolve(app: &App, sources: &Sources) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut values = BTreeMap::new();
    let mut faults = Vec::new();
    for name in app.variables.keys() {
        match value_of(app, sources, name) {
            Ok(value) => _ = values.insert(name.clone(), value),
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(undeclared(app, sources));
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// The value of one variable.
///
/// # Errors
/// When it is not declared, or required and set by nobody.
pub fn value_of(app: &App, sources: &Sources, name: &str) -> Result<String, String> {
    let Some(variable) = app.variables.get(name) else {
        let known = app.variables.keys().map(String::as_str);
        return Err(format!("the manifest has no variable `{name}`: {}", did_you_mean(name, known)));
    };
    let given = sources.outside(name).or_else(|| sources.made.get(name)).or(variable.default.as_ref());
    given.cloned().ok_or_else(|| {
        let name_in_environment = name.to_ascii_uppercase();
        format!(
            "the variable `{name}` is required and not set; give --variable {name}=… or SPIN_VARIABLE_{name_in_environment}"
        )
    })
}

/// What is wrong with flags that name no variable.
pub fn undeclared<'a>(app: &'a App, sources: &'a Sources) -> impl Iterator<Item = String> + 'a {
    let strange = sources.flags.keys().filter(|name| !app.variables.contains_key(*name));
    strange.map(|name| format!("--variable {name}=… names no variable of the manifest; declare it under [variables]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::app::Variable;

    fn app(default: Option<&str>) -> App {
        let variable = Variable { default: default.map(str::to_owned), secret: false };
        App {
            name: "a".into(),
            version: None,
            description: None,
            manifest: "spin.toml".into(),
            variables: [("colour".to_owned(), variable)].into(),
            generate: BTreeMap::new(),
            routes: Vec::new(),
            static_routes: Vec::new(),
            channels: Vec::new(),
            components: BTreeMap::new(),
        }
    }

    fn one(value: &str) -> BTreeMap<String, String> {
        [("colour".to_owned(), value.to_owned())].into()
    }

    #[test]
    fn a_flag_goes_before_the_environment_and_that_before_what_the_host_made_and_the_default() {
        let app = app(Some("default"));
        let mut sources = Sources { flags: one("flag"), environment: one("environment"), made: one("made") };
        assert_eq!(resolve(&app, &sources).unwrap(), one("flag"));
        sources.flags.clear();
        assert_eq!(resolve(&app, &sources).unwrap(), one("environment"));
        sources.environment.clear();
        assert_eq!(resolve(&app, &sources).unwrap(), one("made"));
        sources.made.clear();
        assert_eq!(resolve(&app, &sources).unwrap(), one("default"));
    }

    #[test]
    fn a_required_variable_that_nobody_sets_is_named() {
        let faults = resolve(&app(None), &Sources::default()).unwrap_err();
        assert!(faults.concat().contains("SPIN_VARIABLE_COLOUR"), "{faults:?}");
    }

    #[test]
    fn one_alone_may_be_asked_for_whatever_the_others_lack() {
        let mut app = app(None);
        app.variables.insert("size".to_owned(), Variable { default: Some("9".to_owned()), secret: false });
        assert_eq!(value_of(&app, &Sources::default(), "size").unwrap(), "9");
        assert!(value_of(&app, &Sources::default(), "colour").unwrap_err().contains("not set"));
        let unknown = value_of(&app, &Sources::default(), "colur").unwrap_err();
        assert!(unknown.contains("no variable `colur`") && unknown.contains("`colour`"), "{unknown}");
    }

    #[test]
    fn the_environment_names_variables_in_capitals() {
        let environment = || [("SPIN_VARIABLE_COLOUR".to_owned(), "red".to_owned())].into_iter();
        assert_eq!(from_environment("SPIN_VARIABLE", environment()), one("red"));
        assert!(from_environment("SPIN", environment()).contains_key("variable_colour"));
        assert!(from_environment("SPIN_VAR", environment()).is_empty());
    }
}
