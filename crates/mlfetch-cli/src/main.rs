//! mlfetch
fn main() {}
