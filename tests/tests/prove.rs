//! Manifests, lists, digests and `verify`, by the program itself.

use mlfetch_tests::Desk;

/// Files as the store has them.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("store/MLmodel", "flavors: {}");
    desk.write("store/data/a.bin", "aaaa");
    desk.write("store/data/new\nline", "b");
    desk
}

fn text(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.path().join(name)).expect(name)
}

#[test]
fn a_manifest_holds_what_came_and_verify_finds_each_difference() {
    let desk = desk();
    let get = ["get", "store/", "-d", "out", "--manifest", "out/MANIFEST"];
    let ran = desk.run(&get, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let first = text(&desk, "out/MANIFEST");
    assert_eq!(first.lines().count(), 4);
    assert_eq!(desk.run(&get, &[]).code, 0);
    assert_eq!(text(&desk, "out/MANIFEST"), first, "the same tree, the same bytes");
    let verify = ["verify", "out", "--manifest", "out/MANIFEST", "--fail-on-extra-files"];
    let ran = desk.run(&verify, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    desk.write("out/data/a.bin", "aaab");
    desk.write("out/more", "x");
    let ran = desk.run(&verify, &[]);
    assert_eq!(ran.code, 6);
    assert!(ran.stdout.starts_with("changed  data/a.bin (its sha256 is "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("extra    more\n"), "{}", ran.stdout);
}

#[test]
fn missing_and_extra_files_fail_only_where_that_is_asked_for() {
    let desk = desk();
    assert_eq!(desk.run(&["get", "-q", "store/", "-d", "out"], &[]).code, 0);
    desk.write("out/more", "x");
    std::fs::remove_file(desk.path().join("out/MLmodel")).expect("removed");
    for (flags, code) in
        [(&[][..], 0), (&["--fail-on-missing-files"], 6), (&["--fail-on-extra-files"], 6)]
    {
        let ran = desk.run(&[&["verify", "out", "store/"][..], flags].concat(), &[]);
        assert_eq!(ran.code, code, "{flags:?} {}", ran.stderr);
        assert_eq!(ran.stdout, "extra    more\nmissing  MLmodel\n");
    }
}

#[test]
fn other_bytes_than_those_of_a_list_never_get_their_name() {
    let desk = desk();
    desk.write("SUMS", format!("{}  ./MLmodel\n", "0".repeat(64)));
    let arguments = ["get", "store/MLmodel", "-d", "out", "--checksums", "SUMS"];
    desk.fail(6, &arguments, &[]).says("the list of checksums says 0000").advises("checksums anew");
    let arguments = ["get", "store/data/", "-d", "out", "--checksums", "SUMS"];
    desk.fail(6, &arguments, &[]).says("does not name it").advises("--exclude");
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_fetched() {
    let desk = desk();
    let get = |more: [&'static str; 2]| [&["get", "store/", "-d", "out"][..], &more].concat();
    desk.fail(7, &get(["--manifest", "none/m"]), &[])
        .says("its directory is not there")
        .advises("make the directory");
    desk.fail(2, &get(["--expect-digest", "abc"]), &[]).advises("sha256sum");
    desk.fail(3, &get(["--checksums", "none"]), &[])
        .says("cannot read the checksums `none`")
        .advises("check the path");
    desk.fail(2, &["verify", "store"], &[]).advises("--manifest");
    desk.fail(3, &["verify", "none", "store/"], &[]).says("cannot read `none`").advises("path");
    desk.fail(2, &["verify", "store/MLmodel", "store/"], &[])
        .says("it is no directory")
        .advises("fetched to");
}

#[test]
fn a_lock_brings_the_same_bytes_again_or_fails() {
    let desk = desk();
    let get = ["get", "-q", "store", "-d", "out", "--include", "*.bin", "--lock", "LOCK"];
    let ran = desk.run(&get, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    desk.write("store/data/more.bin", "x");
    desk.fail(6, &["get", "-d", "new", "--lock", "LOCK", "--locked"], &[])
        .says("the lock does not name it")
        .advises("write the lock anew");
    std::fs::remove_file(desk.path().join("store/data/more.bin")).expect("removed");
    let ran = desk.run(&["get", "-d", "again", "--lock", "LOCK", "--locked"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(desk.tree().below("again"), desk.tree().below("out"));
    desk.write("store/data/a.bin", "bbbb");
    let before = text(&desk, "LOCK");
    desk.fail(6, &["get", "store", "-d", "new", "--lock", "LOCK", "--locked"], &[])
        .says("the lock says")
        .advises("write the lock anew");
    assert_eq!(text(&desk, "LOCK"), before);
    desk.fail(2, &["get", "store/data", "-d", "new", "--lock", "LOCK", "--locked"], &[])
        .says("the lock is of `store`")
        .advises("leave --locked out");
    desk.fail(3, &["get", "-d", "new", "--lock", "NONE", "--locked"], &[])
        .says("cannot read the lock `NONE`")
        .advises("check the path");
}
