//! Where things are looked up, and how stores are reached.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueHint;
use mlfetch::audit::{Audit, AuditLog};
use mlfetch::{Environment, Mlfetch, MlfetchBuilder, RetryPolicy, Rewrite, Via};

use super::BackendArgs;
use super::fetch::lines;
use super::values::ViaWord;
use crate::config::Config;
use crate::failure::Failure;
use crate::oversight::Oversight;
use crate::printer;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Finding and reaching")]
pub(crate) struct ConnectionArgs {
    /// Where runs and logged models are looked up; else MLFLOW_TRACKING_URI, else ./mlruns if that
    /// is there, else sqlite:///mlflow.db
    #[arg(
        long,
        value_name = "URI",
        env = "MLFETCH_TRACKING_URI",
        hide_env = true,
        hide_env_values = true
    )]
    tracking_uri: Option<String>,
    /// Where registered models are looked up; else MLFLOW_REGISTRY_URI, else the tracking URI
    #[arg(
        long,
        value_name = "URI",
        env = "MLFETCH_REGISTRY_URI",
        hide_env = true,
        hide_env_values = true
    )]
    registry_uri: Option<String>,
    /// Read what lies below FROM at TO, like mlflow-artifacts:/=s3://bucket/prefix; may be repeated,
    /// and comes before those of the configuration file
    #[arg(long, value_name = "FROM=TO", env = "MLFETCH_REWRITE", hide_env = true)]
    rewrite: Vec<String>,
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_CONFIG",
        hide_env = true,
        value_hint = ValueHint::FilePath
    )]
    config: Option<PathBuf>,
    /// The way to bytes that lie behind a tracking server
    #[arg(long, value_enum, default_value = "auto", env = "MLFETCH_VIA", hide_env = true)]
    via: ViaWord,
    /// Let a tracking server elsewhere name places that match, besides storage and itself: a URI,
    /// with * and ** where it is any, or a scheme; file is any path on this disk. May be repeated
    #[arg(long, value_name = "PATTERN", env = "MLFETCH_ALLOW", hide_env = true)]
    allow: Vec<String>,
    /// How often a request that may pass is made again
    #[arg(long, value_name = "N", env = "MLFETCH_RETRIES", hide_env = true)]
    retries: Option<u32>,
    /// Seconds without progress after which a request is given up and made again
    #[arg(long, value_name = "SECONDS", env = "MLFETCH_TIMEOUT", hide_env = true, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// Put what is done on record in FILE, also what fails: JSON lines, each tied to the one before
    #[arg(
        long,
        value_name = "FILE",
        env = "MLFETCH_AUDIT_LOG",
        hide_env = true,
        value_hint = ValueHint::FilePath,
        help_heading = "Recording"
    )]
    audit_log: Option<PathBuf>,
    /// Do nothing that is not on record: no file gets its name before its record is on the disk
    #[arg(long, env = "MLFETCH_AUDIT_STRICT", hide_env = true, help_heading = "Recording")]
    audit_strict: bool,
    #[command(flatten)]
    backend: BackendArgs,
}

impl ConnectionArgs {
    /// The log that the user asked for.
    pub(crate) fn audit_log(&self) -> Option<&Path> {
        self.audit_log.as_deref().filter(|path| !path.as_os_str().is_empty())
    }

    /// The logs that were asked for: by the administrator, by the user.
    pub(crate) fn audit(
        &self,
        mut audit: Audit,
        of_machine: Option<AuditLog>,
    ) -> Result<Audit, Failure> {
        let own = self.audit_log().map(AuditLog::at);
        if self.audit_strict && own.is_none() && of_machine.is_none() {
            return Err(Failure::usage_said(
                "--audit-strict needs a log",
                "name one with --audit-log",
            ));
        }
        for log in [of_machine, own].into_iter().flatten() {
            let strict = log.is_strict() || self.audit_strict;
            audit = audit.with_log(log.with_strict(strict));
        }
        Ok(audit)
    }

    /// Puts the library together; what it does is part of an attempt.
    pub(crate) fn mlfetch(&self, oversight: &Oversight) -> Result<Mlfetch, Failure> {
        let Oversight { attempt, policy } = oversight;
        let environment = Environment::from_process()?;
        let config = Config::read(self.config.as_deref(), &environment)?;
        let mut builder = Mlfetch::builder()
            .environment(self.without_overridden(environment))
            .via(Via::from(self.via))
            .options(self.backend.options())
            .retry(self.retry());
        if attempt.is_recorded() {
            builder = builder.witness(Arc::clone(attempt) as _);
        }
        if let Some(policy) = policy {
            builder = builder.policy(policy.clone());
        }
        for rule in self.rules(&config)? {
            builder = builder.rewrite(rule);
        }
        for pattern in lines(&self.allow).iter().chain(&config.allow) {
            builder = builder.allow(pattern.parse()?);
        }
        let mlfetch = self.stores(builder).build()?;
        if let Some(user) = mlfetch.tracking_user() {
            attempt.note("tracking_user", user);
        }
        Ok(mlfetch)
    }

    fn stores(&self, mut builder: MlfetchBuilder) -> MlfetchBuilder {
        if let Some(uri) = &self.tracking_uri {
            builder = builder.tracking_uri(uri);
        }
        if let Some(uri) = &self.registry_uri {
            builder = builder.registry_uri(uri);
        }
        builder
    }

    /// A rule that was typed comes before one of the file with the same root.
    fn rules(&self, config: &Config) -> Result<Vec<Rewrite>, Failure> {
        let typed = lines(&self.rewrite);
        let mut rules =
            typed.iter().map(|text| Rewrite::parse(text)).collect::<Result<Vec<_>, _>>()?;
        for (from, to) in &config.rewrite {
            rules.push(Rewrite::new(from, to)?);
        }
        Ok(rules)
    }

    fn retry(&self) -> RetryPolicy {
        let mut policy = RetryPolicy::default().with_observer(printer::retry_observer());
        if let Some(retries) = self.retries {
            policy = policy.with_attempts(retries.saturating_add(1));
        }
        if let Some(seconds) = self.timeout {
            policy = policy.with_stall(Duration::from_secs(seconds.into()));
        }
        policy
    }

    /// What is typed wins over MLflow's variable for the same thing.
    fn without_overridden(&self, environment: Environment) -> Environment {
        let overridden = [
            (self.retries.is_some(), "MLFLOW_HTTP_REQUEST_MAX_RETRIES"),
            (self.timeout.is_some(), "MLFLOW_HTTP_REQUEST_TIMEOUT"),
        ];
        let names = overridden.into_iter().filter(|(given, _)| *given).map(|(_, name)| name);
        names.fold(environment, |environment, name| environment.with_variable(name, ""))
    }
}
