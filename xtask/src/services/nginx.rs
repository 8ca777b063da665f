//! nginx: plain HTTP with ranges and listings, in every way that the HTTP backend must handle.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};

use super::certificates::Certificates;
use super::debian::Debian;
use super::health::Health;
use super::launch::{self, Launch};
use super::{Cache, Tools, ports, secret};

const USERNAME: &str = "reader";

pub(crate) fn install(cache: &Cache) -> Result<Debian> {
    Debian::install(cache, &["nginx"])
}

pub(crate) fn prepare(tools: &Tools, directory: &Path) -> Result<Launch> {
    let package = install(&tools.cache)?;
    let ports = Ports::new(ports::free()?);
    let password = secret::random()?;
    let root = launch::subdirectory(directory, "root")?;
    let certificates = Certificates::write(&tools.python, directory)?;
    let users = directory.join("users");
    fs::write(&users, format!("{USERNAME}:{{PLAIN}}{password}\n"))
        .context("cannot write the file of users")?;
    let places = Places { directory, root: &root, users: &users, certificates: &certificates };
    let configuration = directory.join("nginx.conf");
    fs::write(&configuration, configure(&places, &ports))
        .with_context(|| format!("cannot write `{}`", configuration.display()))?;
    let mut command = launch::clean(package.command("usr/sbin/nginx")?, directory);
    command.arg("-p").arg(directory).args(["-e", "stderr", "-c"]).arg(&configuration);
    let address = SocketAddr::from(([127, 0, 0, 1], ports.html));
    let url = format!("http://{address}");
    let variables = launch::variables([
        ("MLFETCH_TEST_NGINX_URL", url.clone()),
        ("MLFETCH_TEST_NGINX_JSON_URL", format!("http://127.0.0.1:{}", ports.json)),
        ("MLFETCH_TEST_NGINX_AUTH_URL", format!("http://127.0.0.1:{}", ports.auth)),
        ("MLFETCH_TEST_NGINX_USERNAME", USERNAME.to_owned()),
        ("MLFETCH_TEST_NGINX_PASSWORD", password),
        ("MLFETCH_TEST_NGINX_SLOW_URL", format!("http://127.0.0.1:{}", ports.slow)),
        ("MLFETCH_TEST_NGINX_TLS_URL", format!("https://localhost:{}", ports.tls)),
        ("MLFETCH_TEST_NGINX_CA", certificates.authority.display().to_string()),
        ("MLFETCH_TEST_NGINX_CLIENT_TLS_URL", format!("https://localhost:{}", ports.client_tls)),
        ("MLFETCH_TEST_NGINX_CLIENT_CERT", certificates.client.display().to_string()),
        ("MLFETCH_TEST_NGINX_ROOT", root.display().to_string()),
    ]);
    let health = Health::Http { address, path: "/".to_owned() };
    Ok(Launch { command, health, url, variables })
}

/// One port per way of serving the same directory.
struct Ports {
    html: u16,
    json: u16,
    auth: u16,
    slow: u16,
    tls: u16,
    client_tls: u16,
}

impl Ports {
    fn new([html, json, auth, slow, tls, client_tls]: [u16; 6]) -> Self {
        Self { html, json, auth, slow, tls, client_tls }
    }
}

struct Places<'a> {
    directory: &'a Path,
    root: &'a Path,
    users: &'a Path,
    certificates: &'a Certificates,
}

fn configure(places: &Places<'_>, ports: &Ports) -> String {
    let mut text = global(places);
    let certificates = places.certificates;
    let tls = format!(
        "ssl_certificate \"{server}\"; ssl_certificate_key \"{server}\";",
        server = certificates.server.display()
    );
    let client = format!(
        "{tls} ssl_client_certificate \"{}\"; ssl_verify_client on;",
        certificates.authority.display()
    );
    let auth = format!("auth_basic \"test\"; auth_basic_user_file \"{}\";", places.users.display());
    let servers = [
        (ports.html, "", ""),
        (ports.json, "", "autoindex_format json;"),
        (ports.auth, "", auth.as_str()),
        (ports.slow, "", "limit_rate 64k;"),
        (ports.tls, " ssl", tls.as_str()),
        (ports.client_tls, " ssl", client.as_str()),
    ];
    for (port, kind, directives) in servers {
        let _ = writeln!(text, "  server {{ listen 127.0.0.1:{port}{kind}; {directives} }}");
    }
    text.push_str("}\n");
    text
}

fn global(places: &Places<'_>) -> String {
    // Tests own their files; a worker that is somebody else could not read them.
    let user = if nix::unistd::getuid().is_root() { "user root root;\n" } else { "" };
    let directory = places.directory.display();
    let mut text = format!(
        "{user}daemon off;\nworker_processes 1;\npid \"{directory}/pid\";\n\
         events {{ worker_connections 512; }}\nhttp {{\n  access_log off;\n"
    );
    for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        let _ = writeln!(text, "  {name}_temp_path \"{directory}/{name}\";");
    }
    let _ = writeln!(text, "  default_type application/octet-stream;");
    let _ = writeln!(text, "  autoindex on;\n  autoindex_exact_size on;");
    let _ = writeln!(text, "  root \"{}\";", places.root.display());
    text
}
