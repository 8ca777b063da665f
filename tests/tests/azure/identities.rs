//! Who Entra ID knows a machine or a user as: each kind gets a token from where it comes from, and a
//! real Azurite takes it. Azurite checks issuer, audience and time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use mlfetch_tests::{Answer, Asked, Desk, Node, Ran, ScriptedServer, variable};
use serde_json::{Value, json};

use crate::support::{Environment, body, borrowed, fresh_container, seed_at, with};

const SECRET: &str = "s3cret-of-the-machine";

fn azurite(name: &str) -> String {
    variable(&format!("MLFETCH_TEST_AZURITE_TLS_{name}"))
}

/// Azurite over HTTPS, with nobody who asks.
fn nobody() -> Environment {
    let environment = vec![("MLFETCH_AZURE_ENDPOINT", azurite("URL"))];
    with(environment, "MLFETCH_AZURE_CA_BUNDLE", &azurite("CA"))
}

/// A container in it, with some blobs.
fn container() -> String {
    let container = fresh_container();
    let blobs: Vec<Value> =
        ["dir/a", "dir/b", "dir/c"].iter().map(|key| json!({ "key": key, "size": 10 })).collect();
    let place = [
        ("MLFETCH_TEST_AZURITE_URL", azurite("URL")),
        ("MLFETCH_TEST_AZURITE_KEY", azurite("KEY")),
        ("REQUESTS_CA_BUNDLE", azurite("CA")),
    ];
    seed_at(&place, "put", &json!({ "container": container, "blobs": blobs }));
    container
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A token that Azurite takes: it checks all but the signature.
fn token() -> String {
    let claims = json!({
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/tenant/",
        "iat": now() - 60,
        "nbf": now() - 60,
        "exp": now() + 3600,
    });
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    format!("{}.{}.sig", base64(&header.to_string()), base64(&claims.to_string()))
}

/// RFC 4648, 5, without padding.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letters = text.as_bytes().chunks(3).flat_map(|chunk| {
        let number = (0..3).fold(0, |number, at| {
            number << 8 | u32::from(chunk.get(at).copied().unwrap_or_default())
        });
        (0..=chunk.len()).map(move |at| LETTERS[(number >> (18 - 6 * at) & 63) as usize] as char)
    });
    letters.collect()
}

/// What a metadata service and App Service answer.
fn granted() -> Answer {
    Answer::json(&json!({
        "access_token": token(),
        "expires_on": (now() + 3600).to_string(),
        "resource": "https://storage.azure.com",
        "token_type": "Bearer",
    }))
}

/// Fetches a container's directory, and names who was seen.
fn fetch(desk: &Desk, environment: &Environment) -> Ran {
    let uri = format!("az://{}/dir/", container());
    let ran = desk.run(&["get", &uri, "-d", "out", "-v"], &borrowed(environment));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for name in ["a", "b", "c"] {
        assert_eq!(desk.tree().get(format!("out/{name}")), Some(&Node::file(body(10))), "{name}");
    }
    assert!(!ran.stderr.contains("eyJ") && !ran.stderr.contains(SECRET), "{}", ran.stderr);
    ran
}

/// One question for a token: there, with this header, for that client.
#[track_caller]
fn assert_asks(asked: &[Asked], path: &str, header: (&str, &str), client: Option<&str>) {
    let [asked] = asked else { panic!("one question for a token: {asked:?}") };
    assert_eq!((asked.method.as_str(), asked.header(header.0)), ("GET", Some(header.1)));
    let (place, query) = asked.target.split_once('?').expect("a query");
    assert_eq!(place, path);
    let parts: Vec<&str> = query.split('&').collect();
    assert!(parts.contains(&"resource=https%3A%2F%2Fstorage.azure.com"), "{query}");
    let named = parts.iter().find_map(|part| part.strip_prefix("client_id="));
    assert_eq!(named, client, "{query}");
}

/// For the machine's own identity, and for one that somebody assigned to it.
const CLIENTS: [Option<&str>; 2] = [None, Some("client-7")];

fn for_client(environment: Environment, client: Option<&str>) -> Environment {
    match client {
        Some(client) => with(environment, "AZURE_CLIENT_ID", client),
        None => environment,
    }
}

#[test]
fn the_identity_of_a_virtual_machine_is_asked_for_once_and_not_through_a_proxy() {
    let proxy = ScriptedServer::start(|_, _| Answer::new(502, ""));
    for client in CLIENTS {
        let metadata = ScriptedServer::start(|_, _| granted());
        let environment = with(nobody(), "AZURE_POD_IDENTITY_AUTHORITY_HOST", &metadata.url);
        let environment = with(environment, "HTTP_PROXY", &proxy.url);
        fetch(&Desk::new(), &for_client(environment, client));
        let path = "/metadata/identity/oauth2/token";
        assert_asks(&metadata.asked(), path, ("metadata", "true"), client);
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[test]
fn the_identity_of_an_app_service_is_asked_for_with_the_secret_of_the_machine() {
    for client in CLIENTS {
        let service = ScriptedServer::start(|_, _| granted());
        let place = format!("{}/msi/token", service.url);
        let environment = with(nobody(), "IDENTITY_ENDPOINT", &place);
        let environment = with(environment, "IDENTITY_HEADER", SECRET);
        fetch(&Desk::new(), &for_client(environment, client));
        assert_asks(&service.asked(), "/msi/token", ("x-identity-header", SECRET), client);
    }
}

#[test]
fn an_identity_that_the_machine_does_not_have_is_passed_over_with_the_reason() {
    let service = ScriptedServer::start(|_, _| Answer::new(400, "no such identity"));
    let place = format!("{}/msi/token", service.url);
    let environment = with(nobody(), "IDENTITY_ENDPOINT", &place);
    let environment = with(environment, "IDENTITY_HEADER", SECRET);
    let uri = format!("az://{}/dir/", container());
    let failure = Desk::new().fail(4, &["get", &uri, "-d", "out"], &borrowed(&environment));
    let failure = failure.says("managed identity: ").says("has not been assigned");
    assert!(!failure.ran.stderr.contains(SECRET), "{}", failure.ran.stderr);
}

/// A program on the path that writes down how it was called, and what it prints.
fn program(desk: &Desk, name: &str, prints: &Value) -> Environment {
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\ncat <<'END'\n{prints}\nEND\n",
        desk.path().join("calls").display()
    );
    desk.write(format!("bin/{name}"), script);
    let path = desk.path().join("bin").join(name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
    let path = format!("{}:/usr/bin:/bin", desk.path().join("bin").display());
    // Elsewhere than on a virtual machine of Azure nobody answers.
    let environment = with(nobody(), "AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9");
    with(environment, "PATH", &path)
}

fn calls(desk: &Desk) -> Vec<String> {
    let text = fs::read_to_string(desk.path().join("calls")).expect("it was called");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_azure_cli_is_called_once_for_all_blobs() {
    let desk = Desk::new();
    let environment = program(
        &desk,
        "az",
        &json!({ "accessToken": token(), "expires_on": now() + 3600, "tokenType": "Bearer" }),
    );
    fetch(&desk, &environment);
    let scope = "--scope https://storage.azure.com/.default";
    assert_eq!(calls(&desk), [format!("account get-access-token -o json {scope}")]);
}

#[test]
fn the_azure_developer_cli_is_called_where_the_other_is_not_signed_in() {
    let desk = Desk::new();
    let prints = json!({ "token": token(), "expiresOn": "2099-01-01T00:00:00Z" });
    let environment = program(&desk, "azd", &prints);
    desk.write("bin/az", "#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n");
    let az = desk.path().join("bin/az");
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).expect("it can be run");
    fetch(&desk, &environment);
    let scope = "--scope https://storage.azure.com/.default";
    assert_eq!(calls(&desk), [format!("auth token -o json --no-prompt {scope}")]);
}
