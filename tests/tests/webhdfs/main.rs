//! HDFS as a user meets it: the binary and a real cluster, whose files Hadoop's own client put there.

mod checksums;
mod errors;
mod kerberos;
mod runs;
mod support;
mod tls;
mod trees;
