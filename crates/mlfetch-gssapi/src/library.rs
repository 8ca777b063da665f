//! The library's functions, as its header declares them (RFC 2744, and MIT's `gssapi_ext.h`).
#![expect(unsafe_code, reason = "a C library's functions are declared, and found by their names")]

use std::ffi::{c_char, c_int, c_void};

use libloading::Library;

use crate::{Error, ErrorKind};

#[cfg(test)]
pub(crate) mod made_up;

/// Names under which the library is installed.
const NAMES: [&str; 3] = ["libgssapi_krb5.so.2", "libgssapi_krb5.so", "libgssapi_krb5.dylib"];

pub(crate) type Status = u32;
pub(crate) type Name = *mut c_void;
pub(crate) type Credential = *mut c_void;
pub(crate) type Context = *mut c_void;

/// `gss_buffer_desc`.
#[repr(C)]
pub(crate) struct Buffer {
    pub(crate) length: usize,
    pub(crate) value: *mut c_void,
}

/// `gss_OID_desc`. The header packs it on Apple's machines with Intel's processors, and on no others.
#[cfg_attr(not(all(target_vendor = "apple", target_arch = "x86_64")), repr(C))]
#[cfg_attr(all(target_vendor = "apple", target_arch = "x86_64"), repr(C, packed(2)))]
pub(crate) struct Oid {
    pub(crate) length: u32,
    pub(crate) elements: *const c_void,
}

/// `gss_OID_set_desc`.
#[repr(C)]
pub(crate) struct OidSet {
    pub(crate) count: usize,
    pub(crate) elements: *const Oid,
}

/// `gss_key_value_element_desc`.
#[repr(C)]
pub(crate) struct KeyValue {
    pub(crate) key: *const c_char,
    pub(crate) value: *const c_char,
}

/// `gss_key_value_set_desc`.
#[repr(C)]
pub(crate) struct KeyValueSet {
    pub(crate) count: u32,
    pub(crate) elements: *const KeyValue,
}

pub(crate) type ImportName =
    unsafe extern "C" fn(*mut Status, *const Buffer, *const Oid, *mut Name) -> Status;
pub(crate) type AcquireCredFrom = unsafe extern "C" fn(
    *mut Status,
    Name,
    u32,
    *const OidSet,
    c_int,
    *const KeyValueSet,
    *mut Credential,
    *mut *mut OidSet,
    *mut u32,
) -> Status;
pub(crate) type InitSecContext = unsafe extern "C" fn(
    *mut Status,
    Credential,
    *mut Context,
    Name,
    *const Oid,
    u32,
    u32,
    *const c_void,
    *const Buffer,
    *mut *const Oid,
    *mut Buffer,
    *mut u32,
    *mut u32,
) -> Status;
pub(crate) type InquireCred = unsafe extern "C" fn(
    *mut Status,
    Credential,
    *mut Name,
    *mut u32,
    *mut c_int,
    *mut *mut OidSet,
) -> Status;
pub(crate) type DisplayName =
    unsafe extern "C" fn(*mut Status, Name, *mut Buffer, *mut *const Oid) -> Status;
pub(crate) type DisplayStatus =
    unsafe extern "C" fn(*mut Status, Status, c_int, *const Oid, *mut u32, *mut Buffer) -> Status;
pub(crate) type ReleaseBuffer = unsafe extern "C" fn(*mut Status, *mut Buffer) -> Status;
pub(crate) type ReleaseHandle = unsafe extern "C" fn(*mut Status, *mut *mut c_void) -> Status;
pub(crate) type DeleteContext =
    unsafe extern "C" fn(*mut Status, *mut Context, *mut Buffer) -> Status;

/// The loaded library. It is loaded once and stays, so that its functions can be called at any time.
#[derive(Debug)]
pub struct Gssapi {
    pub(crate) import_name: ImportName,
    pub(crate) acquire_cred_from: AcquireCredFrom,
    pub(crate) init_sec_context: InitSecContext,
    pub(crate) inquire_cred: InquireCred,
    pub(crate) display_name: DisplayName,
    pub(crate) display_status: DisplayStatus,
    pub(crate) release_buffer: ReleaseBuffer,
    pub(crate) release_name: ReleaseHandle,
    pub(crate) release_cred: ReleaseHandle,
    pub(crate) delete_context: DeleteContext,
}

impl Gssapi {
    /// Loads the library.
    ///
    /// # Errors
    /// [`ErrorKind::NoLibrary`] where there is none, or one without the functions that are needed.
    pub fn load() -> Result<Self, Error> {
        let mut why = String::new();
        for name in NAMES {
            // SAFETY: the library of this name is Kerberos's. Its initialisers set up locks and
            // tables of its own, and depend on nothing of ours. It is unloaded only where it was
            // never called.
            match unsafe { Library::new(name) } {
                Ok(library) => return Self::of(library),
                Err(cause) if why.is_empty() => why = cause.to_string(),
                Err(_) => {}
            }
        }
        Err(Error::new(ErrorKind::NoLibrary, why))
    }

    fn of(library: Library) -> Result<Self, Error> {
        let found = Self {
            import_name: find(&library, c"gss_import_name")?,
            acquire_cred_from: find(&library, c"gss_acquire_cred_from")?,
            init_sec_context: find(&library, c"gss_init_sec_context")?,
            inquire_cred: find(&library, c"gss_inquire_cred")?,
            display_name: find(&library, c"gss_display_name")?,
            display_status: find(&library, c"gss_display_status")?,
            release_buffer: find(&library, c"gss_release_buffer")?,
            release_name: find(&library, c"gss_release_name")?,
            release_cred: find(&library, c"gss_release_cred")?,
            delete_context: find(&library, c"gss_delete_sec_context")?,
        };
        // It keeps something for each thread that called it, and says itself (MIT's `threads.c`) that
        // it is not safe when a thread ends while it is unloaded.
        std::mem::forget(library);
        Ok(found)
    }
}

/// One function, of the type that its name has in the header.
fn find<T: Copy>(library: &Library, name: &std::ffi::CStr) -> Result<T, Error> {
    // SAFETY: each caller asks for the type that the header declares for this name.
    let found = unsafe { library.get::<T>(name.to_bytes_with_nul()) };
    found.map(|function| *function).map_err(|cause| {
        Error::new(ErrorKind::NoLibrary, format!("the Kerberos library is too old: {cause}"))
    })
}
