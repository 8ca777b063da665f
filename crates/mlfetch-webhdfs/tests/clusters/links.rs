//! Symbolic links. Hadoop's servers make none, but know those of an older cluster: here its image is
//! given one.

use mlfetch_store::{
    Depth, Entry, ErrorKind, Key, ListRequest, ReadRequest, StatRequest, Store as _,
};
use mlfetch_webhdfs::WebHdfsConfig;

use crate::cluster::{Cluster, wait_for_answer};
use crate::hadoop;

const ADMIN: &str = "org.apache.hadoop.hdfs.tools.DFSAdmin";
const VIEWER: &str = "org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewerPB";

/// Turns the file of this name into a link, in the form that Hadoop's own viewer writes.
fn with_link(xml: &str, name: &str, target: &str) -> String {
    let at = xml.find(&format!("<name>{name}</name>")).expect("the file is in the image");
    let begin = xml[..at].rfind("<inode>").expect("its inode");
    let end = at + xml[at..].find("</inode>").expect("its end");
    let inode = &xml[begin..end];
    let part = |tag: &str| {
        let (_, rest) = inode.split_once(&format!("<{tag}>")).expect(tag);
        rest.split_once('<').expect(tag).0
    };
    let (id, permission, time) = (part("id"), part("permission"), part("mtime"));
    let link = format!(
        "<inode><id>{id}</id><type>SYMLINK</type><name>{name}</name>\
         <permission>{permission}</permission><target>{target}</target>\
         <mtime>{time}</mtime><atime>{time}</atime>"
    );
    format!("{}{link}{}", &xml[..begin], &xml[end..])
}

/// Writes the image anew, with the file `/link` as a link to `/a.txt`.
fn make_link(cluster: &mut Cluster) {
    cluster.tool(ADMIN, &["-safemode", "enter"]);
    cluster.tool(ADMIN, &["-saveNamespace"]);
    cluster.kill("namenode-1");
    let current = cluster.path("name-1/current");
    let images = std::fs::read_dir(&current).expect("a directory").map(|row| row.expect("a row"));
    let names = images.map(|row| row.file_name().to_string_lossy().into_owned());
    // Beside each lies its digest, under its name and `.md5`.
    let newest = names.filter(|name| name.starts_with("fsimage_") && !name.contains('.')).max();
    let image = current.join(newest.expect("an image")).display().to_string();
    let xml = cluster.path("image.xml");
    let path = xml.display().to_string();
    cluster.tool(VIEWER, &["-p", "XML", "-i", &image, "-o", &path]);
    let text = std::fs::read_to_string(&xml).expect("the image");
    std::fs::write(&xml, with_link(&text, "link", "/a.txt")).expect("written");
    std::fs::remove_file(&image).expect("the old one");
    // It writes the digest that the NameNode checks beside the image.
    cluster.tool(VIEWER, &["-p", "ReverseXML", "-i", &path, "-o", &image]);
    cluster.start_again("namenode-1");
}

#[tokio::test]
async fn a_link_is_named_in_a_listing_and_is_not_read() {
    let mut cluster = Cluster::start(1, 1, &[]);
    cluster.put("/a.txt", b"bytes");
    hadoop::shell(&cluster.conf(), &["-touchz", "/link"]);
    make_link(&mut cluster);
    let store = cluster.store(WebHdfsConfig::new());
    wait_for_answer(&store).await;

    let list = ListRequest::new(Key::root(), Depth::One);
    let page = store.list_page(list).await.expect("a page");
    let link = page.entries.iter().find_map(|entry| match entry {
        Entry::Refused(refused) => Some(refused),
        _ => None,
    });
    let link = link.unwrap_or_else(|| panic!("no link: {page:?}"));
    assert_eq!((&link.key, link.error.kind()), (&Key::from("link"), ErrorKind::Unsupported));
    assert!(link.error.to_string().contains("symbolic link to `/a.txt`"), "{}", link.error);
    assert_eq!(page.entries.len(), 2);

    let key = Key::from("link");
    let stat = store.stat(&key, StatRequest::new()).await.expect_err("a link");
    let read = store.read(&key, ReadRequest::new()).await.expect_err("a link");
    for error in [stat, read] {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("symbolic link")), "{error:?}");
    }
}
