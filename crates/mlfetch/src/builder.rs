//! Putting the parts together.

use std::sync::Arc;

use mlfetch_core::engine::{Engine, Witness};
use mlfetch_core::policy::{Pattern, Policy};
use mlfetch_core::resolve::{ResolveContext, Rewrite, RewriteRules, ThroughServer};
use mlfetch_http::Url;
use mlfetch_mlflow::{
    Environment, HttpSettings, ModelsResolver, RunsResolver, Settings, Stores, Via,
};
use mlfetch_store::{Gate, Options, Result, RetryPolicy};

use crate::client::Mlfetch;
use crate::{builtin, builtin_options};

/// Puts a [`Mlfetch`] together. What is not given comes from the environment, as MLflow reads it.
#[derive(Debug, Default)]
pub struct MlfetchBuilder {
    tracking_uri: Option<String>,
    registry_uri: Option<String>,
    environment: Option<Environment>,
    rewrites: Vec<Rewrite>,
    via: Via,
    options: Options,
    retry: RetryPolicy,
    allowed: Vec<Pattern>,
    gate: Option<Arc<dyn Gate>>,
    witness: Option<Arc<dyn Witness>>,
}

impl MlfetchBuilder {
    /// Where runs and logged models are looked up, instead of `MLFLOW_TRACKING_URI`.
    #[must_use]
    pub fn tracking_uri(mut self, uri: impl Into<String>) -> Self {
        self.tracking_uri = Some(uri.into());
        self
    }

    /// Where registered models are looked up, instead of `MLFLOW_REGISTRY_URI`.
    #[must_use]
    pub fn registry_uri(mut self, uri: impl Into<String>) -> Self {
        self.registry_uri = Some(uri.into());
        self
    }

    /// Other surroundings than those of the process.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// One more rule that maps a root to where it lies.
    #[must_use]
    pub fn rewrite(mut self, rule: Rewrite) -> Self {
        self.rewrites.push(rule);
        self
    }

    /// The way to bytes that lie behind a tracking server.
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// Settings of the backends, by the names of [`builtin_options`].
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How patiently servers are asked.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// One more pattern of places that a tracking server elsewhere may name, besides storage and
    /// itself: web servers, paths on this machine's disk.
    #[must_use]
    pub fn allow(mut self, pattern: Pattern) -> Self {
        self.allowed.push(pattern);
        self
    }

    /// What may be asked at all, whoever names it: nothing is asked or opened that the policy does not
    /// allow.
    ///
    /// ```
    /// use mlfetch::policy::{Policy, Rule};
    /// use mlfetch::{ErrorKind, Mlfetch, asked_for};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let policy = Policy::new("the policy of this service")
    ///     .with_rule(Rule::allow("rule 1", vec!["models".parse()?, "s3://models".parse()?]));
    /// let mlfetch = Mlfetch::builder().policy(policy).build()?;
    /// let error = mlfetch.resolve(asked_for("s3://payroll/2026")?).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Refused);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.gate = Some(Arc::new(policy));
        self
    }

    /// Somebody who takes part: an [attempt](crate::audit::Attempt) that is put on record.
    #[must_use]
    pub fn witness(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Puts it together. Nothing is asked or opened yet.
    ///
    /// # Errors
    /// `Io` if the process has no current directory.
    pub fn build(self) -> Result<Mlfetch> {
        let environment = match self.environment {
            Some(environment) => environment,
            None => Environment::from_process()?,
        };
        let lookup = |name: &str| environment.text(name).map(str::to_owned);
        let options = self.options.with_env(&builtin_options(), lookup);
        let settings =
            Settings::new(self.tracking_uri.as_deref(), self.registry_uri.as_deref(), &environment)
                .with_retry(self.retry.clone())
                .with_gate(self.gate.clone());
        let retry = patience(&settings, &environment, self.retry);
        let tracking_user = tracking_user(&settings, &environment);
        let stores = Arc::new(Stores::new(settings, environment));
        let mut engine = Engine::new(builtin::backends(&stores, self.via))
            .with_options(options)
            .with_retry(retry);
        if let Some(witness) = self.witness {
            engine = engine.with_witness(witness);
        }
        let mut context = ResolveContext::new()
            .with_resolver(RunsResolver::new(Arc::clone(&stores)))
            .with_resolver(ModelsResolver::new(Arc::clone(&stores)))
            .with_rules(rules(self.rewrites, self.via))
            .with_through_server(through_server(self.via))
            .with_allowed(self.allowed);
        if let Some(gate) = self.gate {
            engine = engine.with_gate(Arc::clone(&gate));
            context = context.with_gate(gate);
        }
        Ok(Mlfetch::new(engine, context, tracking_user))
    }
}

/// Whom a tracking server sees, where a user signs in. What is malformed is told when the server is
/// asked.
fn tracking_user(settings: &Settings, environment: &Environment) -> Option<String> {
    let url = Url::parse(&settings.tracking_uri).ok()?;
    url.has_host().then_some(())?;
    let http = HttpSettings::from_environment(settings, environment).ok()?;
    let credential = http.credential_for(&url).ok()??;
    credential.user().map(str::to_owned)
}

/// MLflow's variables for requests count for artifacts too. One that is malformed is told where a
/// tracking server is asked; nobody needs it for a bucket.
fn patience(settings: &Settings, environment: &Environment, retry: RetryPolicy) -> RetryPolicy {
    HttpSettings::from_environment(settings, environment).map_or(retry, |http| http.retry)
}

/// Who asks for the server's own ways does not want its root mapped to another place.
fn rules(mut rules: Vec<Rewrite>, via: Via) -> RewriteRules {
    rules.retain(|rule| via.follows_rewrites() || rule.scheme() != "mlflow-artifacts");
    RewriteRules::new(rules)
}

fn through_server(via: Via) -> ThroughServer {
    match via {
        Via::Auto => ThroughServer::IfNeeded,
        Via::Proxy => ThroughServer::Always,
        Via::Direct | Via::Presigned => ThroughServer::Never,
    }
}
