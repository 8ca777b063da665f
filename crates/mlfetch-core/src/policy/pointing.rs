//! What a tracking server elsewhere may name without anybody's word.

use mlfetch_store::{Location, is_beside_the_asker};

use super::head::{Head, without_port};

/// Why a server should not name a place, if it should not: it would be another place to us than to
/// the server, or a web server that nobody here named. Storage with hosts of its own is what servers
/// are there to name.
pub(crate) fn objection(server: &str, named: &Location) -> Option<&'static str> {
    let Some(head) = Head::of(named) else {
        return Some("a place whose host is not clear");
    };
    if head.is_local() {
        return Some("a path, which is one on its own disk");
    }
    let server = Location::parse(server).ok();
    let origin = server.as_ref().and_then(Head::of);
    let origin = origin.filter(|origin| matches!(origin.scheme.as_ref(), "http" | "https"));
    let is_own = match (head.scheme.as_ref(), origin) {
        ("http" | "https", Some(origin)) => {
            origin.scheme == head.scheme && origin.host == head.host
        }
        ("mlflow-artifacts", Some(origin)) if !head.host.is_empty() => {
            // It is asked with the tracking server's scheme.
            let asked = Location::parse(format!("{}://{}/", origin.scheme, head.host)).ok();
            asked.as_ref().and_then(Head::of).is_some_and(|asked| asked.host == origin.host)
        }
        ("http" | "https", None) => false,
        ("mlflow-artifacts", _) => head.host.is_empty(),
        // What stands in the place of a host is the name of a bucket or a container.
        ("s3" | "gs" | "az" | "runs" | "models", _) => true,
        _ => {
            let host = head.host.rsplit('@').next().unwrap_or_default();
            return is_beside_the_asker(without_port(host))
                .then_some("an address that is another machine here than there");
        }
    };
    if is_own {
        return None;
    }
    if is_beside_the_asker(without_port(&head.host)) {
        return Some("an address that is another machine here than there");
    }
    Some("a web server that is not itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(server: &str, named: &str) -> bool {
        objection(server, &Location::parse(named).expect(named)).is_some()
    }

    #[test]
    fn a_server_may_name_storage_and_itself() {
        let server = "https://tracking.example/ml";
        for named in [
            "s3://bucket/x",
            "s3a://localhost/a-bucket-of-that-name",
            "gs://bucket/x",
            "wasbs://c@account.blob.core.windows.net/x",
            "abfss://c@account.dfs.core.windows.net/x",
            "r2://bucket@account.r2.cloudflarestorage.com/x",
            "hdfs://namenode:8020/x",
            "hdfs:///x",
            "viewfs://cluster/x",
            "mlflow-artifacts:/1/x",
            "mlflow-artifacts://tracking.example/1/x",
            "mlflow-artifacts://Tracking.example:443/1/x",
            "https://tracking.example:443/api/2.0/mlflow-artifacts/artifacts/1/x",
            "runs:/abc/x",
            "models:/m-1",
        ] {
            assert!(!objects(server, named), "{named}");
        }
    }

    #[test]
    fn what_is_another_place_here_than_there_or_another_web_server_needs_somebody_s_word() {
        for named in [
            "/etc",
            "etc/passwd",
            "file:///etc",
            "file://elsewhere/etc",
            "FILE:/etc",
            "sqlite:////etc/x.db",
            "https://other.example/x",
            "http://tracking.example/x",
            "https://tracking.example:8443/x",
            "https://tracking.example.evil.example/x",
            "https://tracking.example@evil.example/x",
            "https://tracking.example\\@evil.example/x",
            "https:evil.example/x",
            "http://127.0.0.1/x",
            "http://2130706433/x",
            "http://0x7f.1/x",
            "http://[::1]:8080/x",
            "http://169.254.169.254/latest/meta-data",
            "http://[fd00:ec2::254]/latest",
            "mlflow-artifacts://other.example/x",
            "mlflow-artifacts://169.254.169.254/x",
            "webhdfs://127.0.0.1:9870/x",
            "webhdfs://me@169.254.169.254/x",
            "hdfs://localhost:8020/x",
            "swebhdfs://[::ffff:127.0.0.1]/x",
        ] {
            assert!(objects("https://tracking.example/ml", named), "{named}");
        }
        for named in ["https://db.example/x", "http://other/x"] {
            assert!(objects("postgresql://db.example/mlflow", named), "{named}");
        }
    }
}
