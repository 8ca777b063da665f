//! What to say of something that is not there: what there is instead.

use async_trait::async_trait;
use mlfetch_store::{Error, ErrorKind, Result, escape};

use super::run_id::usual_shape;
use super::{RunId, Stage};

/// The most names, versions or aliases that a hint lists.
const MAX_LISTED: usize = 10;

/// What a registry can list, for errors. It is asked only after a look-up failed, best effort.
#[async_trait]
pub(crate) trait Catalogue: Send + Sync {
    /// The names of registered models; perhaps only the first thousand.
    async fn model_names(&self) -> Result<Vec<String>>;

    /// The versions of a model that exist, with their stages.
    async fn versions(&self, name: &str) -> Result<Vec<(u64, String)>>;

    /// The aliases of a model.
    async fn aliases(&self, name: &str) -> Result<Vec<String>>;
}

/// What was looked for in a registered model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    Version(u64),
    Alias(&'a str),
    Stage(Stage),
}

/// The error of a model version that is not there.
pub(crate) async fn explain(
    catalogue: &dyn Catalogue,
    store: &str,
    name: &str,
    wanted: Wanted<'_>,
) -> Error {
    let names = catalogue.model_names().await.unwrap_or_default();
    let versions = catalogue.versions(name).await.unwrap_or_default();
    // The list of names may be only the first thousand.
    if versions.is_empty() && !names.iter().any(|known| known == name) {
        return missing_model(name, store, &names);
    }
    match wanted {
        Wanted::Version(version) => missing_version(name, version, &versions),
        Wanted::Stage(stage) => missing_stage(name, stage, &versions),
        Wanted::Alias(alias) => {
            missing_alias(name, alias, &catalogue.aliases(name).await.unwrap_or_default())
        }
    }
}

/// The error of a run that is not there.
pub(crate) fn missing_run(run_id: &RunId, store: &str) -> Error {
    let error = not_found("find the run", run_id.as_str())
        .with_message(format!("no run has this id in {store}"));
    if run_id.looks_usual() {
        error.with_hint("check the id, and that MLFLOW_TRACKING_URI names the store it is in")
    } else {
        error.with_hint(usual_shape(run_id.as_str()))
    }
}

/// The error of a logged model that is not there.
pub(crate) fn missing_logged_model(model_id: &str, store: &str) -> Error {
    let error = not_found("find the logged model", model_id)
        .with_message(format!("no logged model has this id in {store}"));
    if model_id.starts_with("m-") {
        error.with_hint("check the id, and that MLFLOW_TRACKING_URI names the store it is in")
    } else {
        error.with_hint(
            "for a registered model give its version, stage or alias: models:/name/1, \
             models:/name@alias; ids of logged models begin with m-",
        )
    }
}

/// A version as a number. MLflow 3.17 takes leading zeros.
///
/// # Errors
/// `InvalidInput` if it is none.
pub(crate) fn version_number(name: &str, version: &str) -> Result<u64> {
    let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    let number = version.parse().ok().filter(|_| digits);
    number.ok_or_else(|| {
        Error::new(ErrorKind::InvalidInput, "find the model version", subject(name, "/", version))
            .with_message("a version is a whole number")
    })
}

fn missing_model(name: &str, store: &str, names: &[String]) -> Error {
    let error = not_found("find the registered model", name)
        .with_message(format!("no registered model has this name in {store}"));
    let near = near(name, names);
    if !near.is_empty() {
        error.with_hint(format!("there is {}", listed(&near)))
    } else if names.is_empty() {
        error.with_hint("check that MLFLOW_REGISTRY_URI or MLFLOW_TRACKING_URI names its store")
    } else if names.len() <= MAX_LISTED {
        error.with_hint(format!("there is {}", listed(names)))
    } else {
        error.with_hint("check the name; MLflow tells upper from lower case")
    }
}

fn missing_version(name: &str, version: u64, versions: &[(u64, String)]) -> Error {
    let error = not_found("find the model version", &subject(name, "/", &version.to_string()))
        .with_message("the model has no such version");
    let mut numbers: Vec<u64> = versions.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    let hint = match numbers.last() {
        None => "the model has no versions".to_owned(),
        Some(highest) if numbers.len() > MAX_LISTED => {
            format!("it has {} versions, the highest is {highest}", numbers.len())
        }
        Some(_) => format!("it has {}", listed(&texts(&numbers))),
    };
    error.with_hint(hint)
}

fn missing_stage(name: &str, stage: Stage, versions: &[(u64, String)]) -> Error {
    let error = not_found("find the model version", &subject(name, "/", stage.name()));
    let error = match stage {
        Stage::Latest => return error.with_message("the model has no versions"),
        _ => error.with_message("no version of the model is in this stage"),
    };
    let mut stages: Vec<&str> = versions.iter().map(|(_, stage)| stage.as_str()).collect();
    stages.sort_unstable();
    stages.dedup();
    if stages.is_empty() {
        return error.with_hint("the model has no versions");
    }
    error.with_hint(format!("its versions are in {}", listed(&texts(&stages))))
}

fn missing_alias(name: &str, alias: &str, aliases: &[String]) -> Error {
    let error = not_found("find the model version", &subject(name, "@", alias))
        .with_message("the model has no such alias");
    if aliases.is_empty() {
        return error.with_hint("it has none; give a version instead");
    }
    let near = near(alias, aliases);
    let few = if aliases.len() > MAX_LISTED && !near.is_empty() { &near } else { aliases };
    error.with_hint(format!("it has {}", listed(few)))
}

fn not_found(operation: &'static str, subject: &str) -> Error {
    Error::new(ErrorKind::NotFound, operation, escape(subject.as_bytes()))
}

fn subject(name: &str, separator: &str, rest: &str) -> String {
    escape(format!("{name}{separator}{rest}").as_bytes())
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// Names that one may have meant: the same but for case, one the beginning of the other, or a few
/// letters apart.
fn near(name: &str, names: &[String]) -> Vec<String> {
    let wanted = name.to_lowercase();
    let allowed = wanted.chars().count() / 4 + 1;
    let mut found: Vec<(usize, &String)> = names
        .iter()
        .filter_map(|known| {
            let lower = known.to_lowercase();
            let distance = strsim::osa_distance(&wanted, &lower);
            let begins = lower.starts_with(&wanted) || wanted.starts_with(&lower);
            (distance <= allowed || begins).then_some((distance, known))
        })
        .collect();
    found.sort();
    found.into_iter().take(MAX_LISTED).map(|(_, known)| known.clone()).collect()
}

fn listed(items: &[String]) -> String {
    let shown: Vec<String> = items
        .iter()
        .take(MAX_LISTED)
        .map(|item| format!("`{}`", escape(item.as_bytes())))
        .collect();
    let more = items.len().saturating_sub(MAX_LISTED);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(error: &Error) -> &str {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        error.hint().expect("a hint")
    }

    #[test]
    fn near_names_are_offered_and_far_ones_only_if_few() {
        let mut names = vec!["fraud".to_owned(), "fraud-eu".to_owned(), "churn".to_owned()];
        assert_eq!(hint(&missing_model("frued", "x", &names)), "there is `fraud`");
        assert_eq!(hint(&missing_model("Fraud", "x", &names)), "there is `fraud`, `fraud-eu`");
        assert_eq!(hint(&missing_model("q", "x", &names)), "there is `fraud`, `fraud-eu`, `churn`");
        names.extend((0..20).map(|number| format!("model-{number}")));
        assert!(hint(&missing_model("q", "x", &names)).starts_with("check the name"));
    }

    #[test]
    fn versions_are_listed_if_they_are_few() {
        let versions = |count: u64| -> Vec<_> { (1..=count).map(|n| (n, String::new())).collect() };
        assert_eq!(hint(&missing_version("m", 9, &versions(2))), "it has `1`, `2`");
        let many = missing_version("m", 99, &versions(11));
        assert_eq!(hint(&many), "it has 11 versions, the highest is 11");
        assert_eq!(hint(&missing_version("m", 1, &[])), "the model has no versions");
    }

    #[test]
    fn a_missing_stage_lists_the_stages_there_are() {
        let versions = [(1, "None".to_owned()), (2, "Staging".to_owned()), (3, "None".to_owned())];
        let error = missing_stage("m", Stage::Production, &versions);
        assert_eq!(hint(&error), "its versions are in `None`, `Staging`");
    }

    #[test]
    fn a_run_id_of_another_shape_gets_told_the_usual_one() {
        let odd = RunId::parse("run-1").expect("an id");
        assert!(hint(&missing_run(&odd, "x")).contains("32 hexadecimal digits"));
    }

    #[test]
    fn a_version_is_digits_and_nothing_else() {
        assert_eq!(version_number("m", "01").expect("a number"), 1);
        for bad in ["", "+1", "1.0", "one", "99999999999999999999"] {
            assert_eq!(version_number("m", bad).expect_err(bad).kind(), ErrorKind::InvalidInput);
        }
    }
}
