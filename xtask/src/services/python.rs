//! The Python environment with the MLflow that everything is compared with.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::Cache;
use crate::command;

/// The version that the semantics in the documentation were read from and run against.
const MLFLOW_VERSION: &str = "3.17.2";

/// Counts changes of [`REQUIREMENTS`]: two checkouts that want different ones share the cache.
const REVISION: u32 = 2;

/// What MLflow needs for its own side of the stores and databases under test.
const REQUIREMENTS: [&str; 9] = [
    "mlflow==3.17.2",
    "boto3==1.44.5",
    "azure-storage-blob==12.31.1",
    "azure-identity==1.27.0",
    "google-cloud-storage==3.17.1",
    // SQLAlchemy takes this one, not psycopg2, for `postgresql://`.
    "psycopg[binary]==3.3.9",
    "PyMySQL==1.2.4",
    "cryptography==50.0.2",
    // The basic-auth app refuses to start without it.
    "Flask-WTF==1.3.0",
];

/// An installed virtual environment.
pub(crate) struct Python {
    place: PathBuf,
}

impl Python {
    pub(crate) fn install(cache: &Cache) -> Result<Self> {
        let content = format!("{}\n", REQUIREMENTS.join("\n"));
        let name = format!("mlflow-{MLFLOW_VERSION}-{REVISION}");
        let place = cache.install_in_place(&name, &content, create)?;
        Ok(Self { place })
    }

    pub(crate) fn interpreter(&self) -> PathBuf {
        self.place.join("bin/python")
    }

    pub(crate) fn mlflow(&self) -> PathBuf {
        self.place.join("bin/mlflow")
    }
}

/// A virtual environment holds its own path in its scripts, so it is made where it stays.
fn create(place: &Path) -> Result<()> {
    command::run(Command::new("python3").args(["-m", "venv"]).arg(place))
        .context("MLflow needs Python 3.10 or newer with its `venv` module")?;
    let mut pip = Command::new(place.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command::run(pip.args(REQUIREMENTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_those_of_the_containers() {
        let file = include_str!("../../../docker-compose.yml");
        let packages = [
            "mlflow==",
            "boto3==",
            "google-cloud-storage==",
            "azure-storage-blob==",
            "Flask-WTF==",
        ];
        for package in packages {
            let pin = REQUIREMENTS.iter().find(|pin| pin.starts_with(package));
            assert!(pin.is_some_and(|pin| file.contains(pin)), "{package}");
        }
        assert_eq!(REQUIREMENTS[0], format!("mlflow=={MLFLOW_VERSION}"));
    }
}
