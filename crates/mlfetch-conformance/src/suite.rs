//! The macro that makes each case a test.

use std::future::Future;
use std::time::Duration;

/// The longest that one case may take, its server's start included.
const LIMIT: Duration = Duration::from_mins(2);

/// Runs one case in a runtime of its own.
#[doc(hidden)]
pub fn run_case(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    runtime.block_on(async {
        tokio::time::timeout(LIMIT, case).await.expect("the case ends in time");
    });
}

/// Makes each case of the suite a test of its own, with the fixture that the expression gives. The
/// expression is evaluated in each test, in an async block: it may `.await`.
///
/// Use it outside any function, once in a module; the [crate](crate) has an example.
#[macro_export]
macro_rules! conformance_suite {
    ($fixture:expr) => {
        $crate::conformance_cases! { ($fixture)
            a_directory_lists_its_objects_and_directories_and_nothing_below: listing::one_directory;
            the_top_is_listed_as_any_other_directory: listing::the_top;
            a_listing_in_pages_of_one_and_two_is_complete: listing::small_pages;
            a_walk_in_pages_of_one_and_two_is_complete: listing::walk_in_small_pages;
            a_walk_finds_every_key: listing::walk;
            a_sibling_with_the_same_beginning_is_not_listed: listing::siblings;
            a_missing_prefix_is_empty_or_not_found: listing::missing_prefix;
            an_empty_namespace_lists_nothing: listing::empty_namespace;
            listed_sizes_are_those_of_the_bytes: listing::sizes;
            a_listing_of_all_depths_is_whole_or_refused: listing::depth_all;
            stat_tells_key_and_size: stat::an_object;
            stat_of_a_missing_object_names_it: stat::a_missing_object;
            stat_of_a_directory_is_an_error: stat::a_directory;
            a_whole_object_is_read: reading::whole;
            an_empty_object_is_read: reading::empty;
            a_range_is_exactly_what_was_asked_for: reading::ranges;
            a_range_behind_the_end_has_no_bytes: reading::a_range_behind_the_end;
            read_of_a_missing_object_names_it: reading::a_missing_object;
            read_of_a_directory_is_an_error: reading::a_directory;
            a_read_tied_to_a_stale_tag_is_changed: reading::conditions;
            listing_stat_and_read_give_the_same_tag: reading::one_tag_everywhere;
            a_large_object_arrives_exactly: streaming::a_large_object;
            ranges_of_a_large_object_are_exact: streaming::ranges_of_a_large_object;
            a_body_is_a_stream: streaming::a_body_is_a_stream;
            a_dropped_body_leaves_the_store_usable: streaming::a_dropped_body;
            sixty_four_objects_are_read_at_a_time: streaming::many_at_a_time;
            nothing_secret_is_shown: manners::nothing_secret_is_shown;
            errors_read_well: manners::errors_read_well;
            the_root_can_be_shown: manners::the_root_can_be_shown;
        }
        $crate::conformance_names! { ($fixture)
            keys_with_spaces_are_exact: Spaces;
            keys_with_plus_signs_are_exact: Plus;
            keys_with_percent_signs_are_exact: Percent;
            keys_with_hash_signs_are_exact: Hash;
            keys_with_question_marks_are_exact: QuestionMark;
            keys_with_reserved_characters_are_exact: Reserved;
            keys_with_quotes_are_exact: Quotes;
            keys_with_backslashes_are_exact: Backslash;
            keys_with_wildcards_are_exact: Wildcards;
            keys_with_tildes_are_exact: Tilde;
            keys_with_dots_at_their_ends_are_exact: Dots;
            keys_with_letters_outside_latin_are_exact: NonLatin;
            keys_in_two_normal_forms_are_two_keys: NormalForms;
            keys_with_emoji_are_exact: Emoji;
            keys_with_tabs_and_newlines_are_exact: Whitespace;
            keys_with_control_characters_are_exact: Control;
            keys_with_a_segment_of_255_bytes_are_exact: LongSegment;
            keys_with_sixty_levels_are_exact: DeepNesting;
            keys_that_differ_in_case_are_two_keys: CaseTwins;
            keys_with_empty_segments_are_exact: EmptySegments;
            keys_with_a_leading_slash_are_exact: LeadingSlash;
            keys_with_a_trailing_slash_are_exact: TrailingSlash;
            keys_with_dot_segments_are_exact: DotSegments;
            an_object_beside_a_directory_of_its_name_is_exact: ObjectBesideDirectory;
            keys_that_are_not_utf_8_are_exact: NotUtf8;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    (($fixture:expr) $($name:ident: $module:ident::$case:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::run_case(async {
                    let fixture = $fixture;
                    $crate::cases::$module::$case(&fixture).await;
                });
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_names {
    (($fixture:expr) $($name:ident: $class:ident;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::run_case(async {
                    let fixture = $fixture;
                    $crate::cases::names::exact(&fixture, $crate::KeyClass::$class).await;
                });
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// A case that nobody calls would be a promise that nobody checks.
    #[test]
    fn every_case_is_in_the_macro() {
        let sources = [
            ("listing", include_str!("cases/listing.rs")),
            ("manners", include_str!("cases/manners.rs")),
            ("reading", include_str!("cases/reading.rs")),
            ("stat", include_str!("cases/stat.rs")),
            ("streaming", include_str!("cases/streaming.rs")),
        ];
        for (module, source) in sources {
            for line in source.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
                let name = line.split('(').next().unwrap_or_default();
                let called = format!("{module}::{name};");
                assert!(include_str!("suite.rs").contains(&called), "{called} is not in the macro");
            }
        }
    }

    #[test]
    fn every_class_of_keys_is_in_the_macro() {
        let classes = include_str!("keys.rs").split("pub enum KeyClass {").nth(1);
        let classes = classes.and_then(|rest| rest.split("\n}").next()).expect("the enum");
        for line in classes.lines().map(str::trim).filter(|line| line.ends_with(',')) {
            let called = format!(": {}", line.replace(',', ";"));
            let doc = line.starts_with("//");
            assert!(doc || include_str!("suite.rs").contains(&called), "{called} is missing");
        }
    }
}
