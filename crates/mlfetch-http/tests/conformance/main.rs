//! The suite of `mlfetch-conformance`, and signing in, against a real nginx.

mod fixture;
mod nginx;
mod sign_in;
mod tls;

/// Directory indexes in HTML.
mod html {
    use crate::fixture::NginxFixture;

    mlfetch_conformance::conformance_suite!(NginxFixture::html());
}

/// Directory indexes in JSON.
mod json {
    use crate::fixture::NginxFixture;

    mlfetch_conformance::conformance_suite!(NginxFixture::json());
}

/// HTML again, signed in.
mod basic {
    use crate::fixture::NginxFixture;

    mlfetch_conformance::conformance_suite!(NginxFixture::basic());
}
