//! What fuzz targets assert of `meta.yaml`.

use super::meta::parse;

/// Any text as a `meta.yaml`, and scalars of ours in one.
pub fn meta(text: &str) {
    let _ = parse(text);
    // What YAML cannot hold in a line between quotes is no name or value of MLflow's.
    let is_plain =
        |line: &&str| !line.is_empty() && line.chars().all(|letter| !letter.is_control());
    let lines: Vec<&str> = text.split('\n').filter(is_plain).take(8).collect();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let pairs = lines.iter().enumerate().map(|(at, line)| (format!("name{at}"), *line));
    let written = pairs.clone().map(|(name, line)| format!("{name}: {}\n", quoted(line)));
    let written = format!("first: 1\n{}", written.collect::<String>());
    let mut scalars = parse(&written).unwrap_or_else(|why| panic!("{why}\n{written:?}"));
    assert_eq!(scalars.remove("first").as_deref(), Some("1"));
    assert!(
        scalars.iter().map(|(name, line)| (name.clone(), line.as_str())).eq(pairs),
        "{written:?}"
    );
}
