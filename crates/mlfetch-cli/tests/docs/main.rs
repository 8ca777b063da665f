//! The documents are true of the program: their examples run, their flags, files and limits exist.

mod console;
mod flags;
mod limits;
mod links;
mod pages;
mod programs;

use pages::Page;

/// What is wrong, all of it at once.
fn report(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n\n{}\n", problems.len(), problems.join("\n\n"));
}

#[test]
fn every_console_example_prints_what_is_shown() {
    report(&Page::all().iter().flat_map(console::problems).collect::<Vec<_>>());
}

#[test]
fn every_flag_that_is_shown_exists() {
    report(&flags::problems(&Page::all()));
}

#[test]
fn every_limit_is_in_the_code_and_on_the_page() {
    report(&limits::problems());
}

#[test]
fn every_link_leads_somewhere() {
    report(&Page::all().iter().flat_map(links::problems).collect::<Vec<_>>());
}

#[test]
fn every_file_that_is_named_exists() {
    report(&Page::all().iter().flat_map(links::missing_files).collect::<Vec<_>>());
}

#[test]
fn every_program_for_embedders_is_one_that_is_compiled() {
    report(&programs::problems());
}
