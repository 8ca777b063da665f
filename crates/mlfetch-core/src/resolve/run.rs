//! The loop.

use std::sync::Arc;

use mlfetch_store::{Error, ErrorKind, Gate, Result};

use super::{NamedBy, Resolver, RewriteRules, Step, Target, Trail};
use crate::policy::{Pattern, objection};

/// Hops from what was asked for to the bytes; more means that a store leads in circles.
const MAX_HOPS: usize = 16;

/// What resolution works with.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ResolveContext {
    /// Who knows which scheme.
    pub resolvers: Vec<Arc<dyn Resolver>>,
    /// The rewrite rules.
    pub rules: RewriteRules,
    /// What a tracking server elsewhere may name besides storage and itself.
    pub allowed: Vec<Pattern>,
    /// Asked for each place, before anybody is asked about it.
    pub gate: Option<Arc<dyn Gate>>,
    /// When a place is fetched through the server that named it.
    pub through_server: ThroughServer,
}

/// When a place is fetched through the server that named it, although it names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThroughServer {
    /// Never.
    Never,
    /// Where the place itself cannot be followed.
    #[default]
    IfNeeded,
    /// Wherever the server can.
    Always,
}

impl ResolveContext {
    /// Nobody who knows a scheme, no rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.resolvers.push(Arc::new(resolver));
        self
    }

    /// With these rewrite rules.
    #[must_use]
    pub fn with_rules(mut self, rules: RewriteRules) -> Self {
        self.rules = rules;
        self
    }

    /// With what a tracking server elsewhere may name besides storage and itself: web servers, paths
    /// on this machine's disk.
    #[must_use]
    pub fn with_allowed(mut self, allowed: Vec<Pattern>) -> Self {
        self.allowed = allowed;
        self
    }

    /// With a gate, such as a [policy](crate::policy::Policy).
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Fetch through the server that named a place.
    #[must_use]
    pub fn with_through_server(mut self, through_server: ThroughServer) -> Self {
        self.through_server = through_server;
        self
    }

    fn resolver(&self, scheme: &str) -> Option<&Arc<dyn Resolver>> {
        self.resolvers.iter().find(|resolver| resolver.schemes().contains(&scheme))
    }
}

/// A place a backend can open, and how it was found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// The place.
    pub target: Target,
    /// The way to it.
    pub trail: Trail,
}

/// Follows `asked` to the places where its bytes lie: one, or the parts that MLflow lays over each
/// other (a run's artifacts, then its logged model).
///
/// # Errors
/// Those of the resolvers; `Protocol` for a store that leads in circles; `Refused` for what a server
/// elsewhere may not name, and for what the gate does not permit.
///
/// ```
/// use mlfetch_core::resolve::{ResolveContext, Rewrite, RewriteRules, Target, resolve};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), mlfetch_store::Error> {
/// let rules = RewriteRules::new(vec![Rewrite::parse("mlflow-artifacts:/=s3://bucket/mlflow")?]);
/// let context = ResolveContext::new().with_rules(rules);
/// let parts = resolve(&context, Target::new("mlflow-artifacts:/1/models")).await?;
/// assert_eq!(parts[0].target.uri, "s3://bucket/mlflow/1/models");
/// assert_eq!(parts[0].trail.hops().len(), 2);
/// # Ok(())
/// # }
/// ```
pub async fn resolve(context: &ResolveContext, asked: Target) -> Result<Vec<Resolved>> {
    let trail = Trail::begin(&asked);
    let mut waiting = vec![Resolved { target: asked, trail }];
    let mut arrived = Vec::new();
    let mut missing: Option<Error> = None;
    while let Some(here) = waiting.pop() {
        match step(context, &here).await {
            Ok(None) => arrived.push(here),
            // The last is popped first: what comes first must lie on top.
            Ok(Some(next)) => waiting.extend(next.into_iter().rev()),
            Err(error) if here.target.optional && error.kind() == ErrorKind::NotFound => {
                missing.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if arrived.is_empty() => Err(error),
        _ => Ok(arrived),
    }
}

async fn step(context: &ResolveContext, here: &Resolved) -> Result<Option<Vec<Resolved>>> {
    let target = &here.target;
    if let Some(gate) = &context.gate {
        gate.permit(&target.location()?, &target.path)?;
    }
    if let Some((uri, why)) = context.rules.apply(&target.uri) {
        // A rule is the user's word: what it names, the user names.
        let rewritten = target.hop(uri, NamedBy::User);
        if !here.trail.has_been_at(&rewritten) {
            return advance(here, vec![(rewritten, why)]).map(Some);
        }
    }
    let location = target.location()?;
    let step = match context.resolver(location.scheme()) {
        Some(resolver) => resolver.step(target).await?,
        None => Step::Arrived,
    };
    match step {
        Step::Onward(next) => advance(here, next).map(Some),
        Step::Arrived => arrive(context, here),
    }
}

/// Stays at a place that may be opened, or goes on to where its server gives it out.
fn arrive(context: &ResolveContext, here: &Resolved) -> Result<Option<Vec<Resolved>>> {
    let target = &here.target;
    let permitted = permit(context, target);
    let why = match (context.through_server, &permitted) {
        (ThroughServer::Always, _) => "through the server, as asked for",
        (ThroughServer::IfNeeded, Err(_)) => "not to be followed from here: through the server",
        _ => return permitted.map(|()| None),
    };
    let Some(uri) = &target.through_server else { return permitted.map(|()| None) };
    let next = target.hop(uri.clone(), target.named_by.clone());
    advance(here, vec![(next, why.to_owned())]).map(Some)
}

fn advance(here: &Resolved, next: Vec<(Target, String)>) -> Result<Vec<Resolved>> {
    let mut places = Vec::with_capacity(next.len());
    for (target, why) in next {
        if here.trail.hops().len() >= MAX_HOPS || here.trail.has_been_at(&target) {
            return Err(Error::new(ErrorKind::Protocol, "resolve", target.display())
                .with_message("the store leads in circles")
                .with_hint("`mlfetch resolve` shows the hops"));
        }
        let trail = here.trail.and(&target, why);
        places.push(Resolved { target, trail });
    }
    Ok(places)
}

/// A server elsewhere may not name files of this machine (CVE-2023-1177 and its family), nor send
/// us to servers that only we can reach.
fn permit(context: &ResolveContext, target: &Target) -> Result<()> {
    let NamedBy::RemoteStore(server) = &target.named_by else { return Ok(()) };
    let location = target.location()?;
    let Some(what) = objection(server, &location) else { return Ok(()) };
    if context.allowed.iter().any(|pattern| pattern.names_tree(&location, &target.path)) {
        return Ok(());
    }
    let place = target.display();
    let hint = if matches!(location.scheme(), "" | "file") {
        format!(
            "say where that directory is seen from here with --rewrite {place}=PATH, or \
             --allow file if it is the same path on this machine"
        )
    } else {
        format!("if that is where the data is, --allow {place}")
    };
    let error = Error::new(ErrorKind::Refused, "follow", place);
    Err(error.with_message(format!("{server} names {what}")).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::policy::{Policy, Rule};
    use crate::resolve::Rewrite;

    /// Leads `a:` to `b:`, `b:` to where it is told.
    #[derive(Debug)]
    struct Leads(&'static str, NamedBy);

    #[async_trait]
    impl Resolver for Leads {
        fn schemes(&self) -> &'static [&'static str] {
            &["aa", "bb"]
        }
        async fn step(&self, target: &Target) -> Result<Step> {
            let next = if target.uri.starts_with("aa") { "bb:/x" } else { self.0 };
            Ok(Step::Onward(vec![(target.hop(next, self.1.clone()), "told so".into())]))
        }
    }

    async fn run(leads_to: &'static str, named_by: NamedBy, rules: &str) -> Result<String> {
        let mut context = ResolveContext::new().with_resolver(Leads(leads_to, named_by));
        if !rules.is_empty() {
            context = context.with_rules(RewriteRules::new(vec![Rewrite::parse(rules)?]));
        }
        let resolved = resolve(&context, Target::new("aa:/x")).await?;
        Ok(resolved[0].target.uri.clone())
    }

    #[tokio::test]
    async fn hops_are_followed_to_the_end() {
        assert_eq!(run("s3://b/x", NamedBy::User, "").await.expect("arrives"), "s3://b/x");
    }

    #[tokio::test]
    async fn a_circle_is_an_error() {
        let error = run("aa:/x", NamedBy::User, "").await.expect_err("a circle");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }

    #[tokio::test]
    async fn what_only_the_server_can_reach_comes_through_it() {
        use ThroughServer::{Always, IfNeeded, Never};
        let named_by = || NamedBy::RemoteStore("http://server".into());
        let rows = [
            (IfNeeded, "/disk", "get-artifact:/1"),
            (IfNeeded, "s3://b", "s3://b"),
            (Always, "s3://b", "get-artifact:/1"),
            (Never, "s3://b", "s3://b"),
        ];
        for (through_server, place, expected) in rows {
            let context = ResolveContext::new().with_through_server(through_server);
            let mut asked = Target::new(place).with_through_server("get-artifact:/1".to_owned());
            asked.named_by = named_by();
            let resolved = resolve(&context, asked).await.expect(place);
            assert_eq!(resolved[0].target.uri, expected, "{through_server:?} {place}");
        }
        let context = ResolveContext::new().with_through_server(Never);
        let mut asked = Target::new("/disk").with_through_server("get-artifact:/1".to_owned());
        asked.named_by = named_by();
        let error = resolve(&context, asked).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Refused);
    }

    #[tokio::test]
    async fn a_server_elsewhere_names_storage_and_itself_and_the_rest_by_somebody_s_word() {
        let server = || NamedBy::RemoteStore("http://server".into());
        let with = async |named: &'static str, allowed: &[&str]| {
            let allowed = allowed.iter().map(|text| text.parse().expect("a pattern")).collect();
            let context =
                ResolveContext::new().with_resolver(Leads(named, server())).with_allowed(allowed);
            resolve(&context, Target::new("aa:/x")).await
        };
        let local = ["file:///etc", "/etc", "etc/passwd"];
        let web = ["http://other/x", "http://127.0.0.1/x", "http://169.254.169.254/latest"];
        for named in local.into_iter().chain(web) {
            let error = with(named, &[]).await.expect_err(named);
            assert_eq!(error.kind(), ErrorKind::Refused, "{named}");
            assert!(error.hint().is_some_and(|hint| hint.contains("--allow")), "{named}");
            with(named, &["file", "http"]).await.expect(named);
        }
        with("/etc/x", &["file:///etc", "https"]).await.expect("a path is a file: URI");
        with("/etc/x", &["file:///etcetera", "http"]).await.expect_err("another path");
        with("http://other/x", &["http://other/y"]).await.expect_err("another place");
        for named in ["s3://b/x", "http://server:80/x"] {
            with(named, &[]).await.expect(named);
        }
        assert_eq!(run("/etc", server(), "/etc=./here").await.expect("a rule"), "./here");
        let here = NamedBy::LocalStore("sqlite".into());
        assert_eq!(run("/data", here, "").await.expect("local"), "/data");
    }

    #[tokio::test]
    async fn a_policy_holds_for_each_hop_before_anybody_is_asked_about_it() {
        let run = async |allowed: &[&str], rule: &str| {
            let allowed = allowed.iter().map(|text| text.parse().expect("a pattern")).collect();
            let policy = Policy::new("the policy").with_rule(Rule::allow("rule 1", allowed));
            let rules = if rule.is_empty() { Vec::new() } else { vec![Rewrite::parse(rule)?] };
            let context = ResolveContext::new()
                .with_resolver(Leads("s3://b/x", NamedBy::User))
                .with_rules(RewriteRules::new(rules))
                .with_gate(Arc::new(policy));
            resolve(&context, Target::new("aa:/x")).await
        };
        run(&["aa", "bb", "s3://b"], "").await.expect("all are allowed");
        for (allowed, denied) in [
            (&["bb", "s3://b"][..], "aa:/x"),
            (&["aa", "s3://b"], "bb:/x"),
            (&["aa", "bb", "s3://other"], "s3://b/x"),
        ] {
            let error = run(allowed, "").await.expect_err(denied);
            assert_eq!((error.kind(), error.subject()), (ErrorKind::Refused, denied));
        }
        let rewritten = run(&["aa", "bb", "s3://b"], "s3://b=/elsewhere").await;
        let error = rewritten.expect_err("a rewrite rule is no way out");
        assert_eq!(error.subject(), "/elsewhere/x");
    }
}
