//! Java libraries out of Maven Central, kept in the cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::cache::Cache;
use crate::command;

/// Libraries with all that they need at run time.
pub(crate) struct MavenLibraries {
    /// The directory's name in the cache, with the version.
    pub(crate) name: &'static str,
    /// Group, artifact and version of each, as `group:artifact:version`.
    pub(crate) artifacts: &'static [&'static str],
}

impl MavenLibraries {
    /// The directory of the `.jar` files.
    pub(crate) fn install(&self, cache: &Cache) -> Result<PathBuf> {
        has_java()?;
        cache.install(self.name, |partial| self.copy(partial))
    }

    fn copy(&self, partial: &Path) -> Result<()> {
        let project = tempfile::tempdir().context("cannot make a temporary directory")?;
        let file = project.path().join("pom.xml");
        std::fs::write(&file, self.pom())
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        let mut maven = Command::new("mvn");
        maven
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(&file)
            .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", partial.display()))
            .stdin(Stdio::null());
        command::capture(&mut maven).map(drop).with_context(|| {
            format!(
                "{} comes from Maven Central by `mvn`: install Maven (Debian: maven)",
                self.name
            )
        })
    }

    /// A project that does nothing but depend on the libraries.
    fn pom(&self) -> String {
        let dependencies = self.artifacts.iter().map(|artifact| {
            let mut words = artifact.split(':');
            let mut next = || words.next().unwrap_or_default();
            let (group, name, version) = (next(), next(), next());
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version></dependency>"
            )
        });
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
             <groupId>mlfetch</groupId><artifactId>test-servers</artifactId><version>1</version>\
             <dependencies>{}</dependencies></project>",
            dependencies.collect::<String>()
        )
    }
}

/// The oldest Java that the servers are started with.
const MIN_JAVA: u32 = 11;

fn has_java() -> Result<()> {
    let text = command::capture(Command::new("java").arg("--version")).context(
        "HDFS runs on Java: install a Java runtime, 11 or newer (Debian: openjdk-17-jre-headless)",
    )?;
    let version = java_version(&text).context("`java --version` says something unknown")?;
    ensure!(
        version >= MIN_JAVA,
        "HDFS needs Java {MIN_JAVA} or newer, and `java` is {version}: install another one"
    );
    Ok(())
}

/// The first number of `openjdk 17.0.15 2025-04-15`.
fn java_version(text: &str) -> Option<u32> {
    text.split_whitespace().nth(1)?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_java_is_its_first_number() {
        assert_eq!(java_version("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime …"), Some(17));
        assert_eq!(java_version("java 21 2023-09-19 LTS"), Some(21));
        assert_eq!(java_version("bash: java"), None);
    }

    #[test]
    fn each_library_is_in_the_project() {
        let libraries = MavenLibraries { name: "x-1", artifacts: &["a.b:c:1", "d:e:2.0"] };
        let pom = libraries.pom();
        for part in ["<groupId>a.b</groupId>", "<artifactId>e</artifactId>", "<version>2.0<"] {
            assert!(pom.contains(part), "{pom}");
        }
    }
}
