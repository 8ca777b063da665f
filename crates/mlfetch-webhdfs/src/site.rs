//! Hadoop's own configuration: `core-site.xml` and `hdfs-site.xml`.

use std::collections::BTreeMap;
use std::path::Path;

use mlfetch_store::{Error, ErrorKind, Result};

/// The files that are read, the later over the earlier.
const FILES: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];

/// The longest file that is read, in bytes (`docs/concepts/limits.md`).
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// How often a value may name another one, as Hadoop itself counts.
const MAX_SUBSTITUTIONS: usize = 20;

/// The settings of a cluster, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site(BTreeMap<String, String>);

impl Site {
    /// Reads the files of a directory. One that is not there adds nothing.
    ///
    /// # Errors
    /// `InvalidInput` for a directory that is not there, and for a file that is not what it should
    /// be.
    pub(crate) fn read(directory: &Path) -> Result<Self> {
        if !directory.is_dir() {
            return Err(invalid(directory, "it is no directory"));
        }
        let mut site = Self::default();
        for name in FILES {
            let path = directory.join(name);
            match std::fs::metadata(&path) {
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => continue,
                Err(cause) => return Err(invalid(&path, cause.to_string())),
                Ok(facts) if facts.len() > MAX_FILE_BYTES => {
                    return Err(invalid(&path, "it is too long"));
                }
                Ok(_) => {}
            }
            let text = std::fs::read_to_string(&path)
                .map_err(|cause| invalid(&path, cause.to_string()))?;
            site.add(&text).map_err(|why| invalid(&path, why))?;
        }
        Ok(site)
    }

    /// The settings of one file's text.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), String> {
        let document = roxmltree::Document::parse(text).map_err(|cause| cause.to_string())?;
        let root = document.root_element();
        if root.tag_name().name() != "configuration" {
            return Err("it is no configuration of Hadoop".to_owned());
        }
        for property in root.children().filter(|node| node.has_tag_name("property")) {
            let part = |name| {
                let found = property.children().find(|node| node.has_tag_name(name))?;
                Some(found.text().unwrap_or_default().trim().to_owned())
            };
            if let (Some(name), Some(value)) = (part("name"), part("value")) {
                self.0.insert(name, value);
            }
        }
        Ok(())
    }

    /// A setting; an empty one is none. `${name}` in it stands for another setting.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let mut value = self.0.get(name)?.clone();
        for _ in 0..MAX_SUBSTITUTIONS {
            let Some((before, rest)) = value.split_once("${") else { break };
            let Some((inner, after)) = rest.split_once('}') else { break };
            let Some(found) = self.0.get(inner) else { break };
            value = format!("{before}{found}{after}");
        }
        Some(value).filter(|value| !value.is_empty())
    }

    /// The settings whose names begin so, with what follows.
    pub(crate) fn below<'a>(
        &'a self,
        start: &'a str,
    ) -> impl Iterator<Item = (&'a str, String)> + 'a {
        let names = self.0.keys().filter_map(move |name| Some((name, name.strip_prefix(start)?)));
        names.filter_map(|(name, rest)| Some((rest, self.get(name)?)))
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }
}

fn invalid(path: &Path, why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    let shown = mlfetch_store::escape(path.display().to_string().as_bytes());
    Error::new(ErrorKind::InvalidInput, "read Hadoop's configuration", shown)
        .with_message(why)
        .with_hint("`HADOOP_CONF_DIR` is the directory with core-site.xml and hdfs-site.xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_name_another_and_an_empty_one_is_none() {
        let site = Site::of(&[("host", "nn"), ("x", "${host}:${port}"), ("y", " "), ("z", "")]);
        assert_eq!(site.get("x").as_deref(), Some("nn:${port}"));
        assert_eq!(site.get("z"), None);
        assert_eq!(Site::of(&[("a", "${a}")]).get("a").as_deref(), Some("${a}"));
    }

    #[test]
    fn the_later_file_counts_and_other_elements_do_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let property = |value| {
            format!(
                "<?xml version=\"1.0\"?><!-- x --><configuration><property><name>fs.defaultFS\
                 </name><value> {value} </value><final>true</final></property></configuration>"
            )
        };
        for (name, value) in [("core-site.xml", "hdfs://a"), ("hdfs-site.xml", "hdfs://b")] {
            std::fs::write(directory.path().join(name), property(value)).expect("written");
        }
        let site = Site::read(directory.path()).expect("settings");
        assert_eq!(site.get("fs.defaultFS").as_deref(), Some("hdfs://b"));
    }

    #[test]
    fn a_file_that_is_no_configuration_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        for text in ["<html/>", "<configuration>", ""] {
            std::fs::write(directory.path().join("core-site.xml"), text).expect("written");
            let error = Site::read(directory.path()).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("core-site.xml"), "{error}");
        }
        let error = Site::read(&directory.path().join("nowhere")).expect_err("no directory");
        assert!(error.hint().is_some_and(|hint| hint.contains("HADOOP_CONF_DIR")));
    }
}
