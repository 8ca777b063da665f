use super::*;

fn parse(text: &str) -> Parsed {
    Address::parse(&Location::parse(text).expect("a location")).expect(text)
}

fn refuse(text: &str) -> Error {
    Address::parse(&Location::parse(text).expect("a location")).expect_err(text)
}

fn path_of(key: &Key) -> Result<String> {
    let url = parse("http://h/root/").address.url_of("read", key)?;
    Ok(url.path().to_owned())
}

#[test]
fn each_segment_is_encoded_exactly_once() {
    let rows: [(&[u8], &str); 9] = [
        (b"a b/c", "/root/a%20b/c"),
        (b"%41", "/root/%2541"),
        (b"a%2Fb", "/root/a%252Fb"),
        (b"a+b;c?d#e", "/root/a%2Bb%3Bc%3Fd%23e"),
        (b"a\\b", "/root/a%5Cb"),
        (b"a\tb\n", "/root/a%09b%0A"),
        (b"\xff", "/root/%FF"),
        (b" ", "/root/%20"),
        ("größe".as_bytes(), "/root/gr%C3%B6%C3%9Fe"),
    ];
    for (key, path) in rows {
        assert_eq!(path_of(&Key::new(key)).expect(path), path);
    }
}

#[test]
fn empty_segments_are_sent_as_they_are() {
    for (key, path) in
        [("a//b", "/root/a//b"), ("/a", "/root//a"), ("a/", "/root/a/"), ("", "/root/")]
    {
        assert_eq!(path_of(&Key::from(key)).expect(key), path);
    }
}

#[test]
fn a_key_that_a_url_cannot_carry_is_refused_by_name() {
    for key in ["..", ".", "a/../b", "a/./b", "./a", "a/..", "a\0b"] {
        let error = path_of(&Key::from(key)).expect_err(key);
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
        assert_eq!(error.subject(), Key::from(key).to_string());
    }
}

#[test]
fn dots_that_are_no_dot_segments_are_carried() {
    for key in ["...", "a..", ".a", "%2e", "%2e%2e", ".%2e"] {
        path_of(&Key::from(key)).expect(key);
    }
}

#[test]
fn the_directory_is_the_root_and_the_last_part_the_key() {
    let rows = [
        ("http://h/dir/", "http://h/dir/", ""),
        ("http://h/dir/file", "http://h/dir/", "file"),
        ("http://h", "http://h/", ""),
        ("http://h/", "http://h/", ""),
        ("http://h/x", "http://h/", "x"),
        ("https://h:8443/a%20b/c%2520d", "https://h:8443/a%20b/", "c%20d"),
        ("http://h/a//b", "http://h/a//", "b"),
        ("http://h/a b/c d ", "http://h/a%20b/", "c d "),
        ("http://h/50%.txt", "http://h/", "50%.txt"),
        ("http://h/a%2Fb/c", "http://h/a%2Fb/", "c"),
    ];
    for (location, root, key) in rows {
        let parsed = parse(location);
        assert_eq!((parsed.address.root(), parsed.key), (root, Key::from(key)), "{location}");
    }
}

#[test]
fn the_given_key_is_sent_as_it_was_spelled() {
    let sent = |text| {
        let parsed = parse(text);
        parsed.address.url_of("read", &parsed.key).expect("a URL").to_string()
    };
    let kept = "https://h/a(1)/file@(2)+b.txt?sig=a%2Bb%2F&x=1";
    assert_eq!(sent(kept), kept);
    assert_eq!(sent("http://h/50%.txt"), "http://h/50%25.txt");
    assert_eq!(sent("http://h/a "), "http://h/a%20");
}

#[test]
fn the_query_goes_with_each_request_and_is_never_shown() {
    let parsed = parse("https://h/dir/file?sig=s3cr%2Fet");
    let url = parsed.address.url_of("read", &Key::from("other")).expect("a URL");
    assert_eq!(url.as_str(), "https://h/dir/other?sig=s3cr%2Fet");
    assert!(!format!("{parsed:?}").contains("s3cr"));
    let secrets: Vec<_> = parsed.address.secrets();
    assert!(secrets.iter().any(|secret| secret.expose() == "s3cr/et"));
}

#[test]
fn user_and_password_become_the_credential() {
    let parsed = parse("http://us%40er:pa%2Fss@h/x");
    let Some(Credential::Basic { username, password }) = parsed.credential else {
        panic!("a credential")
    };
    assert_eq!((username.as_str(), password.expose()), ("us@er", "pa/ss"));
    assert_eq!(parsed.address.root(), "http://h/");
}

#[test]
fn a_location_that_a_parser_would_change_is_refused() {
    for location in [
        "http:x",
        "http://",
        "http:///x",
        "http://h/a#b",
        "http://h#b",
        "http://h/x?y#z",
        "http://h/a/../b",
        "http://h/a/%2e%2E/b",
        "http://h/.",
        "http://h/a\\b",
        "http://h/a\tb",
        "http://h/a%2Fb",
        "http://h/a%00",
        "http://h:port/x",
        "http://u:p@/x",
    ] {
        assert_eq!(refuse(location).kind(), ErrorKind::InvalidInput, "{location}");
    }
    assert!(refuse("http://h/a#b").hint().is_some_and(|hint| hint.contains("%23")));
}

#[test]
fn an_error_about_a_location_shows_no_secret() {
    for location in ["http://u:s3cret@h/a#b", "http://h/a#s3cret", "http://h:x/?sig=s3cret"] {
        assert!(!format!("{:?}", refuse(location)).contains("s3cret"), "{location}");
    }
}
