//! Checksums over parts: the sizes of the parts are asked for, or the checksum is left out.

use mlfetch_store::{Algorithm, Checksum, Coverage, Key, ReadRequest, StatRequest, Store as _};

use crate::server::{Answer, Request, S3Answer, Server};
use crate::support::open;

const TAG: &str = "ETag: \"3858f62230ac3c915f300c664312c11f-3\"";
const COMPOSITE: &str = "x-amz-checksum-crc32: y/Q5Jg==-3";
const SIZES: [usize; 3] = [8_388_608, 8_388_608, 1000];

fn composite(sizes: &[u64]) -> Checksum {
    Checksum::new(Algorithm::Crc32, [0xcb, 0xf4, 0x39, 0x26])
        .with_coverage(Coverage::Parts(sizes.to_vec()))
}

/// An object in three parts; `attributes` is what the list of them is answered with.
fn in_three_parts(request: &Request, attributes: &Answer) -> Answer {
    in_parts(request, attributes, SIZES)
}

fn in_parts(request: &Request, attributes: &Answer, sizes: [usize; 3]) -> Answer {
    if request.target.contains("?attributes=") {
        return attributes.clone();
    }
    let number = request.parameter("partNumber").and_then(|text| text.parse::<usize>().ok());
    let length = number.map_or_else(|| sizes.iter().sum(), |number| sizes[number - 1]);
    Answer::head("200 OK", length, &[TAG, COMPOSITE])
}

async fn checksums(attributes: Answer) -> (Vec<Checksum>, Vec<Request>) {
    let server = Server::start(move |request| in_three_parts(request, &attributes)).await;
    let store = open(&server.url()).await;
    let request = StatRequest::new().with_checksums();
    let info = store.stat(&Key::from("a"), request).await.expect("facts");
    (info.checksums, server.seen())
}

fn listed() -> Answer {
    Answer::new("200 OK", &[], include_str!("../data/attributes.xml"))
}

#[tokio::test]
async fn the_sizes_of_the_parts_come_from_one_list() {
    let (checksums, seen) = checksums(listed()).await;
    assert_eq!(checksums, [composite(&[8_388_608, 8_388_608, 1000])]);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].header("x-amz-object-attributes"), Some("ETag,ObjectParts"));
}

#[tokio::test]
async fn a_reader_who_may_not_see_the_list_asks_for_the_first_part_and_the_last() {
    let (checksums, seen) = checksums(Answer::error("403 Forbidden", "AccessDenied", &[])).await;
    assert_eq!(checksums, [composite(&[8_388_608, 8_388_608, 1000])]);
    let mut asked: Vec<_> = seen.iter().filter_map(|part| part.parameter("partNumber")).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["1", "3"]);
    assert!(seen[2..].iter().all(|part| part.header("if-match").is_some()));
}

#[tokio::test]
async fn each_part_is_asked_for_where_they_are_not_equal_or_nothing_is_to_be_taken_for_granted() {
    let request = StatRequest::new().with_checksums();
    let exact = StatRequest::new().with_exact_checksums();
    let uneven = [8_388_608, 5_242_880, 1000];
    let longer = [5_242_880, 5_242_880, 8_388_608];
    for (sizes, request) in [(uneven, request.clone()), (longer, request), (SIZES, exact)] {
        let refused = Answer::error("403 Forbidden", "AccessDenied", &[]);
        let server = Server::start(move |request| in_parts(request, &refused, sizes)).await;
        let store = open(&server.url()).await;
        let info = store.stat(&Key::from("a"), request).await.expect("facts");
        assert_eq!(info.checksums, [composite(&sizes.map(|size| size as u64))]);
        let seen = server.seen();
        assert!(seen.iter().any(|part| part.parameter("partNumber") == Some("2")));
    }
}

#[tokio::test]
async fn a_list_of_another_version_counts_for_nothing() {
    let other = include_str!("../data/attributes.xml").replace("3858", "9999");
    let (checksums, seen) = checksums(Answer::new("200 OK", &[], other)).await;
    assert_eq!(checksums, [composite(&[8_388_608, 8_388_608, 1000])]);
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn sizes_that_do_not_add_up_leave_the_checksum_out() {
    let other = include_str!("../data/attributes.xml").replace("1000</Size>", "1001</Size>");
    let (checksums, _) = checksums(Answer::new("200 OK", &[], other)).await;
    assert_eq!(checksums, []);
}

#[tokio::test]
async fn a_list_that_was_refused_is_not_asked_for_again() {
    let refused = Answer::error("403 Forbidden", "AccessDenied", &[]);
    let server = Server::start(move |request| in_three_parts(request, &refused)).await;
    let store = open(&server.url()).await;
    for key in ["a", "b"] {
        let request = StatRequest::new().with_checksums();
        store.stat(&Key::from(key), request).await.expect("facts");
    }
    let lists = server.seen().iter().filter(|seen| seen.target.contains("attributes")).count();
    assert_eq!(lists, 1);
}

#[tokio::test]
async fn a_stat_without_checksums_asks_for_none() {
    let server = Server::start(|request| in_three_parts(request, &listed())).await;
    let stat = open(&server.url()).await.stat(&Key::from("a"), StatRequest::new()).await;
    assert_eq!(stat.expect("facts").checksums, []);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].header("x-amz-checksum-mode"), None);
}

#[tokio::test]
async fn one_part_needs_no_list() {
    let headers = [TAG, "x-amz-checksum-crc32: y/Q5Jg==-1"];
    let server = Server::start(move |_| Answer::new("200 OK", &headers, "12345")).await;
    let store = open(&server.url()).await;
    let object = store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object");
    assert_eq!(object.info.checksums, [composite(&[5])]);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_knows_no_checksums_gives_none() {
    let server = Server::start(|_| Answer::new("200 OK", &["ETag: \"t\""], "12345")).await;
    let store = open(&server.url()).await;
    let object = store.read(&Key::from("a"), ReadRequest::new()).await.expect("an object");
    assert_eq!(object.info.checksums, []);
}
