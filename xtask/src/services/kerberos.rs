//! HDFS that asks for Kerberos tickets, with a realm of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::cache::Cache;
use super::debian::Debian;
use super::health::Health;
use super::launch::{self, Launch};
use super::{Tools, Variables, hdfs, ports};

/// Writes the realm and the cluster, starts them, and looks after them.
const SCRIPT: &str = include_str!("kerberos.py");

/// It brings the KDC and `kinit`.
pub(crate) fn install(cache: &Cache) -> Result<Debian> {
    hdfs::LIBRARIES.install(cache)?;
    Debian::install(cache, &["krb5-admin-server"])
}

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let programs = install(&tools.cache)?;
    let files = Files::write(tools, directory)?;
    let mut command = launch::clean(Command::new(tools.python.interpreter()), directory);
    command.arg(&files.script).arg(&files.place).arg(&files.libraries).arg(programs.root());
    command.args(["--ports", &files.ports()]);
    let health = Health::Postmaster { file: files.place.join("cluster/state") };
    Ok(Launch { command, health, url: files.url(), variables: files.variables() })
}

/// What they are started with.
pub(crate) struct Files {
    script: PathBuf,
    place: PathBuf,
    libraries: PathBuf,
    http: u16,
    rpc: u16,
    kdc: u16,
}

impl Files {
    pub(crate) fn write(tools: &Tools, directory: &Path) -> Result<Self> {
        let [http, rpc, kdc] = ports::free()?;
        let libraries = hdfs::LIBRARIES.install(&tools.cache)?;
        let place = launch::subdirectory(directory, "realm")?;
        let script = directory.join("kerberos.py");
        launch::write_scripts(directory, &[("kerberos.py", SCRIPT), ("hdfs.py", hdfs::SCRIPT)])?;
        Ok(Self { script, place, libraries, http, rpc, kdc })
    }

    /// As the script takes them.
    pub(crate) fn ports(&self) -> String {
        format!("{},{},{}", self.http, self.rpc, self.kdc)
    }

    fn url(&self) -> String {
        format!("http://localhost:{}", self.http)
    }

    /// The first is the variable of Kerberos itself.
    pub(crate) fn variables(&self) -> Variables {
        let file = |name: &str| self.place.join(name).display().to_string();
        let cache = |name: &str| format!("FILE:{}", file(name));
        launch::variables([
            ("KRB5_CONFIG", file("krb5.conf")),
            ("MLFETCH_TEST_KERBEROS_URL", self.url()),
            ("MLFETCH_TEST_KERBEROS_CONF", file("cluster/conf")),
            ("MLFETCH_TEST_KERBEROS_KEYTAB", file("keytab")),
            ("MLFETCH_TEST_KERBEROS_CACHE", cache("alice.cache")),
            ("MLFETCH_TEST_KERBEROS_EXPIRED_CACHE", cache("expired.cache")),
            ("MLFETCH_TEST_KERBEROS_KEEPER_CACHE", cache("keeper.cache")),
            ("MLFETCH_TEST_KERBEROS_SKEWED_CACHE", cache("skewed.cache")),
            ("MLFETCH_TEST_KERBEROS_SKEWED_SERVICE_CACHE", cache("skewed-service.cache")),
        ])
    }
}
