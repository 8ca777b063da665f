//! The same servers in containers, for machines that have an engine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::certificates::Certificates;
use super::launch::{self, subdirectory};
use super::{Tools, Variables, azurite, cache, hdfs, httpfs, kerberos, ports, secret};
use crate::{command, interrupt, report, workspace};

/// Where a container's port ends up: variable, service, port, and the URL around the address.
const ADDRESSES: [(&str, &str, u16, &str); 16] = [
    ("MLFETCH_TEST_MLFLOW_PROXIED", "mlflow-proxied", 5000, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_MLFLOW_DIRECT", "mlflow-direct", 5000, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_MLFLOW_AUTH", "mlflow-auth", 5000, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_MLFLOW_GCS", "fake-gcs", 5000, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_MLFLOW_AZURE", "mlflow-azure", 5000, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_MLFLOW_S3", "minio", 5000, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_NGINX_URL", "nginx", 8080, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_NGINX_JSON_URL", "nginx", 8081, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_NGINX_AUTH_URL", "nginx", 8082, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_NGINX_SLOW_URL", "nginx", 8083, "http://127.0.0.1:{port}"),
    ("MLFETCH_TEST_NGINX_TLS_URL", "nginx", 8443, "https://localhost:{port}"),
    ("MLFETCH_TEST_NGINX_CLIENT_TLS_URL", "nginx", 8444, "https://localhost:{port}"),
    (
        "MLFETCH_TEST_POSTGRES_URL",
        "postgres",
        5432,
        "postgresql://mlflow:{password}@127.0.0.1:{port}/mlflow",
    ),
    ("MLFETCH_TEST_MYSQL_URL", "mysql", 3306, "mysql://mlflow:{password}@127.0.0.1:{port}/mlflow"),
    ("MLFETCH_TEST_AZURITE_URL", "azurite", 10000, "http://127.0.0.1:{port}/mlfetchtest"),
    ("MLFETCH_TEST_AZURITE_TLS_URL", "azurite-tls", 10000, "https://localhost:{port}/mlfetchtest"),
];

/// Running containers; dropping it removes them with their volumes.
pub(crate) struct Compose {
    project: String,
    directory: PathBuf,
    settings: Variables,
    variables: Variables,
}

impl Compose {
    pub(crate) fn start(tools: &Tools) -> Result<Self> {
        if !is_available() {
            bail!("`docker compose` does not answer; `cargo xtask test` needs no container engine");
        }
        let project = format!("mlfetch-test-{}", std::process::id());
        let directory = workspace::scratch().join(&project);
        cache::create(&directory)?;
        let (settings, variables) = (Variables::new(), tools.variables());
        let mut compose = Self { project, directory, settings, variables };
        compose.prepare(tools)?;
        command::run(compose.command().args(["up", "--detach", "--wait", "--build"]))?;
        compose.ask_for_ports()?;
        Ok(compose)
    }

    pub(crate) fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Draws credentials and makes what the containers mount.
    fn prepare(&mut self, tools: &Tools) -> Result<()> {
        for name in ["proxied", "direct", "nginx-root"] {
            subdirectory(&self.directory, name)?;
        }
        let certificates = Certificates::write(&tools.python, &self.directory)?;
        let [minio_port, gcs_port, toxiproxy_port] = ports::free()?;
        let azurite_key = secret::random()?;
        let shared = launch::variables([
            ("MLFETCH_TEST_MINIO_ACCESS_KEY", secret::random()?),
            ("MLFETCH_TEST_MINIO_SECRET_KEY", secret::random()?),
            ("MLFETCH_TEST_MLFLOW_AUTH_USERNAME", "administrator".to_owned()),
            ("MLFETCH_TEST_MLFLOW_AUTH_PASSWORD", secret::random()?),
            ("MLFETCH_TEST_NGINX_PASSWORD", secret::random()?),
            ("MLFETCH_TEST_AZURITE_KEY", azurite_key.clone()),
            ("MLFETCH_TEST_AZURITE_TLS_KEY", azurite_key),
        ]);
        let (user, group) = (nix::unistd::getuid(), nix::unistd::getgid());
        self.settings = launch::variables([
            ("MLFETCH_COMPOSE_DIRECTORY", self.directory.display().to_string()),
            ("MLFETCH_COMPOSE_USER", format!("{user}:{group}")),
            ("MLFETCH_COMPOSE_FLASK_KEY", secret::random()?),
            ("MLFETCH_COMPOSE_DATABASE_PASSWORD", secret::random()?),
            ("MLFETCH_COMPOSE_MINIO_PORT", minio_port.to_string()),
            ("MLFETCH_COMPOSE_GCS_PORT", gcs_port.to_string()),
            ("MLFETCH_COMPOSE_TOXIPROXY_PORT", toxiproxy_port.to_string()),
        ]);
        self.settings.extend(shared.clone());
        self.variables.extend(shared);
        let file = |name: &str| self.directory.join(name).display().to_string();
        self.variables.extend(launch::variables([
            ("MLFETCH_TEST_MINIO_URL", format!("http://127.0.0.1:{minio_port}")),
            ("MLFETCH_TEST_MINIO_BUCKET", "mlfetch-test".to_owned()),
            ("MLFETCH_TEST_GCS_URL", format!("http://127.0.0.1:{gcs_port}")),
            ("MLFETCH_TEST_GCS_BUCKET", "mlfetch-test".to_owned()),
            ("MLFETCH_TEST_TOXIPROXY_URL", format!("http://127.0.0.1:{toxiproxy_port}")),
            ("MLFETCH_TEST_MLFLOW_PROXIED_DB", file("proxied/mlflow.db")),
            ("MLFETCH_TEST_MLFLOW_PROXIED_ROOT", file("proxied/artifacts")),
            ("MLFETCH_TEST_MLFLOW_DIRECT_DB", file("direct/mlflow.db")),
            ("MLFETCH_TEST_NGINX_ROOT", file("nginx-root")),
            ("MLFETCH_TEST_NGINX_USERNAME", "reader".to_owned()),
            ("MLFETCH_TEST_NGINX_CA", certificates.authority.display().to_string()),
            ("MLFETCH_TEST_NGINX_CLIENT_CERT", certificates.client.display().to_string()),
            ("MLFETCH_TEST_AZURITE_ACCOUNT", azurite::ACCOUNT.to_owned()),
            ("MLFETCH_TEST_AZURITE_TLS_ACCOUNT", azurite::ACCOUNT.to_owned()),
            ("MLFETCH_TEST_AZURITE_TLS_CA", certificates.authority.display().to_string()),
        ]));
        self.prepare_hdfs(tools, &certificates)
    }

    /// The container has Java; the jars and the script are the host's, since tests use them too.
    fn prepare_hdfs(&mut self, tools: &Tools, certificates: &Certificates) -> Result<()> {
        let hdfs = hdfs::Files::write(tools, &subdirectory(&self.directory, "hdfs")?)?;
        let libraries = hdfs.libraries.display().to_string();
        self.settings.insert("MLFETCH_COMPOSE_HADOOP".to_owned(), libraries);
        self.settings.insert("MLFETCH_COMPOSE_HDFS_PORTS".to_owned(), hdfs.ports());
        self.variables.extend(hdfs.variables());
        let tls = hdfs::Files::write(tools, &subdirectory(&self.directory, "hdfs-tls")?)?;
        self.settings.insert("MLFETCH_COMPOSE_HDFS_TLS_PORTS".to_owned(), tls.ports());
        self.variables.extend(hdfs::tls_variables(&tls.variables(), &certificates.authority));
        let gateway = httpfs::Files::write(tools, &subdirectory(&self.directory, "httpfs")?)?;
        self.settings.insert("MLFETCH_COMPOSE_HTTPFS_PORT".to_owned(), gateway.port.to_string());
        self.variables.extend(gateway.variables());
        let realm = subdirectory(&self.directory, "hdfs-kerberos")?;
        let realm = kerberos::Files::write(tools, &realm)?;
        self.settings.insert("MLFETCH_COMPOSE_KERBEROS_PORTS".to_owned(), realm.ports());
        self.variables.extend(realm.variables());
        Ok(())
    }

    fn ask_for_ports(&mut self) -> Result<()> {
        let password = self.settings["MLFETCH_COMPOSE_DATABASE_PASSWORD"].clone();
        for (variable, service, port, url) in ADDRESSES {
            interrupt::check()?;
            let answer =
                command::capture(self.command().args(["port", service, &port.to_string()]))?;
            let port = host_port(&answer)
                .with_context(|| format!("the engine does not say where {service}:{port} is"))?;
            let url = url.replace("{port}", &port.to_string()).replace("{password}", &password);
            self.variables.insert(variable.to_owned(), url);
        }
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.current_dir(workspace::root()).envs(&self.settings);
        command.args(["compose", "--project-name", &self.project]);
        command
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        let mut down = self.command();
        let result = command::capture(down.args(["down", "--volumes", "--timeout", "5"]));
        if let Err(error) = result.map(drop).and_then(|()| cache::remove(&self.directory)) {
            report::say(&format!("error: the containers did not stop: {error:#}"));
        }
    }
}

/// Whether the engine's client understands compose files.
pub(crate) fn is_available() -> bool {
    command::succeeds(Command::new("docker").args(["compose", "version"]))
}

fn host_port(answer: &str) -> Option<u16> {
    answer.trim().parse::<SocketAddr>().ok().map(|address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../docker-compose.yml");

    #[test]
    fn the_engines_answer_is_an_address() {
        assert_eq!(host_port("127.0.0.1:32768\n"), Some(32768));
        assert_eq!(host_port(""), None);
    }

    #[test]
    fn every_address_is_of_a_service_and_port_in_the_file() {
        for (variable, service, port, _) in ADDRESSES {
            assert!(FILE.contains(&format!("\n  {service}:\n")), "{variable}: {service}");
            assert!(FILE.contains(&format!("127.0.0.1::{port}")), "{variable}: {port}");
        }
    }
}
