//! `mlfetch audit`: looking after audit logs.

use mlfetch::audit::check_log;

use crate::args::AuditVerifyArgs;
use crate::failure::Failure;
use crate::printer;

/// Whether a log is as it was written.
pub(super) fn verify(arguments: &AuditVerifyArgs) -> Result<(), Failure> {
    let noted = arguments.expect_hash.as_deref().map(str::parse).transpose()?;
    let checked = check_log(&arguments.file, noted)?;
    Ok(printer::checked_log(&checked, arguments.json)?)
}
