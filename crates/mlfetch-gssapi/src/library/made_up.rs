//! A library of Rust functions that answers as the C library does, so that what calls it runs under
//! Miri, which can call no C. Each thing that it hands out is memory of its own, of the exact size.
#![expect(
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    reason = "each function takes its caller at its word, as the header has it: whether the caller \
              may be taken at it is what is tested"
)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{dangling_mut, null_mut};

use super::{
    Buffer, Context, Credential, Gssapi, KeyValue, KeyValueSet, Name, Oid, OidSet, Status,
};

mod world;

pub(crate) use world::{CAUSE, FAILURE, Script, Texts, asked, faults};
use world::{Kind, give_back, hand_out, is_out, is_patient, scripted, step};

/// `GSS_S_CONTINUE_NEEDED`: a first token waits for an answer.
const CONTINUE: Status = 1;

/// What a name, a credential or a context is to the library: whose it is.
struct Object {
    owner: Vec<u8>,
}

/// The library as `script` has it. It is this thread's: its functions have no argument to tell
/// libraries apart.
pub(crate) fn library(script: Script) -> Gssapi {
    world::begin(script);
    Gssapi {
        import_name,
        acquire_cred_from,
        init_sec_context,
        inquire_cred,
        display_name,
        display_status,
        release_buffer,
        release_name,
        release_cred,
        delete_context,
    }
}

unsafe extern "C" fn import_name(
    minor: *mut Status,
    text: *const Buffer,
    kind: *const Oid,
    name: *mut Name,
) -> Status {
    let text = std::slice::from_raw_parts((*text).value.cast::<u8>(), (*text).length);
    let went = step(format!("import {} as {}", shown(text), dotted(kind)));
    *name = outcome(went, Kind::Name, text.to_vec());
    status(went, minor)
}

unsafe extern "C" fn acquire_cred_from(
    minor: *mut Status,
    name: Name,
    _seconds: u32,
    mechanisms: *const OidSet,
    _usage: c_int,
    store: *const KeyValueSet,
    credential: *mut Credential,
    _actual: *mut *mut OidSet,
    _lifetime: *mut u32,
) -> Status {
    let name = (!name.is_null()).then(|| owner(Kind::Name, name));
    let asked = name.as_deref().map_or("anybody".to_owned(), shown);
    let mechanism = dotted((*mechanisms).elements);
    let went = step(format!("acquire {asked} by {mechanism}{}", rows(store)));
    let there = scripted(|script| script.owner.to_vec());
    let went = went && name.is_none_or(|name| name == there);
    *credential = outcome(went, Kind::Credential, there);
    status(went, minor)
}

unsafe extern "C" fn init_sec_context(
    minor: *mut Status,
    credential: Credential,
    context: *mut Context,
    target: Name,
    mechanism: *const Oid,
    _flags: u32,
    _seconds: u32,
    _bindings: *const c_void,
    _input: *const Buffer,
    _actual: *mut *const Oid,
    token: *mut Buffer,
    _granted: *mut u32,
    _lifetime: *mut u32,
) -> Status {
    let (who, target) = (owner(Kind::Credential, credential), owner(Kind::Name, target));
    let (who, target) = (shown(&who), shown(&target));
    let went = step(format!("begin {who} to {target} by {}", dotted(mechanism)));
    let is_begun = went || scripted(|script| script.is_left_begun);
    *token = if is_begun { buffer(scripted(|script| script.token)) } else { EMPTY };
    *context = if is_begun { object(Kind::Context, Vec::new()) } else { null_mut() };
    status(went, minor) | if went { CONTINUE } else { 0 }
}

unsafe extern "C" fn inquire_cred(
    minor: *mut Status,
    credential: Credential,
    name: *mut Name,
    _lifetime: *mut u32,
    _usage: *mut c_int,
    _mechanisms: *mut *mut OidSet,
) -> Status {
    let who = owner(Kind::Credential, credential);
    let went = step(format!("inquire {}", shown(&who)));
    let is_nameless = scripted(|script| script.is_nameless);
    *name = if is_nameless { null_mut() } else { outcome(went, Kind::Name, who) };
    status(went, minor)
}

unsafe extern "C" fn display_name(
    minor: *mut Status,
    name: Name,
    text: *mut Buffer,
    _kind: *mut *const Oid,
) -> Status {
    let who = owner(Kind::Name, name);
    let went = step(format!("display {}", shown(&who)));
    *text = if went { buffer(&who) } else { EMPTY };
    status(went, minor)
}

/// Its texts come one by one: `more` says which is next, and that there is one (RFC 2744, 5.11).
unsafe extern "C" fn display_status(
    minor: *mut Status,
    value: Status,
    code: c_int,
    _mechanism: *const Oid,
    more: *mut u32,
    text: *mut Buffer,
) -> Status {
    let texts = scripted(|script| match (code, value) {
        (1, FAILURE) => script.general,
        (2, CAUSE) => script.special,
        // So MIT's has it, for what is no failure.
        (2, 0) => &[b"Unknown error" as &[u8]],
        _ => &[b"this status was never told" as &[u8]],
    });
    let next = *more + 1;
    // An empty list stands for a library that cannot say it.
    let said = usize::try_from(*more).ok().and_then(|index| texts.get(index));
    let is_endless = scripted(|script| script.is_endless) && is_patient(next);
    let is_last = !is_endless && usize::try_from(next).is_ok_and(|next| next >= texts.len());
    *more = if is_last { 0 } else { next };
    let went = said.is_some() || is_endless;
    // Whoever fails may leave a text: it has to be given back, and says nothing.
    *text = if went { buffer(said.copied().unwrap_or_default()) } else { buffer(b"no text") };
    status(went, minor)
}

unsafe extern "C" fn release_buffer(minor: *mut Status, buffer: *mut Buffer) -> Status {
    *minor = 0;
    let value = (*buffer).value.cast::<u8>();
    let size = if value.is_null() { None } else { give_back(Kind::Buffer, value.addr()) };
    if let Some(size) = size {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(value, size)));
    }
    *buffer = EMPTY;
    0
}

unsafe extern "C" fn release_name(minor: *mut Status, name: *mut Name) -> Status {
    release(Kind::Name, minor, name)
}

unsafe extern "C" fn release_cred(minor: *mut Status, credential: *mut Credential) -> Status {
    release(Kind::Credential, minor, credential)
}

unsafe extern "C" fn delete_context(
    minor: *mut Status,
    context: *mut Context,
    _token: *mut Buffer,
) -> Status {
    release(Kind::Context, minor, context)
}

/// Null is let be, as the library does; what is given back is null from then on.
unsafe fn release(kind: Kind, minor: *mut Status, handle: *mut *mut c_void) -> Status {
    *minor = 0;
    if !(*handle).is_null() && give_back(kind, (*handle).addr()).is_some() {
        drop(Box::from_raw((*handle).cast::<Object>()));
    }
    *handle = null_mut();
    0
}

const EMPTY: Buffer = Buffer { length: 0, value: null_mut() };

fn object(kind: Kind, owner: Vec<u8>) -> *mut c_void {
    let made = Box::into_raw(Box::new(Object { owner }));
    hand_out(kind, made.addr(), size_of::<Object>());
    made.cast()
}

/// What a failure leaves in the caller's variable is not promised to be null.
fn outcome(went: bool, kind: Kind, owner: Vec<u8>) -> *mut c_void {
    if went { object(kind, owner) } else { dangling_mut() }
}

/// No NUL follows the bytes: who reads on leaves the memory. Nothing is null, or a byte that does
/// not count, since C's libraries do either.
fn buffer(bytes: &[u8]) -> Buffer {
    if bytes.is_empty() && scripted(|script| script.empty_is_null) {
        return EMPTY;
    }
    let memory = if bytes.is_empty() { vec![0xff] } else { bytes.to_vec() };
    let size = memory.len();
    let value = Box::into_raw(memory.into_boxed_slice()).cast::<u8>();
    hand_out(Kind::Buffer, value.addr(), size);
    Buffer { length: bytes.len(), value: value.cast() }
}

unsafe fn owner(kind: Kind, handle: *mut c_void) -> Vec<u8> {
    if !is_out(kind, handle.addr()) {
        return Vec::new();
    }
    (*handle.cast::<Object>()).owner.clone()
}

unsafe fn status(went: bool, minor: *mut Status) -> Status {
    *minor = if went { 0 } else { CAUSE };
    if went { 0 } else { FAILURE }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

unsafe fn rows(store: *const KeyValueSet) -> String {
    let count = usize::try_from((*store).count).expect("it fits");
    let text = |text: *const c_char| shown(CStr::from_ptr(text).to_bytes());
    let row = |row: &KeyValue| format!(", {} {}", text(row.key), text(row.value));
    std::slice::from_raw_parts((*store).elements, count).iter().map(row).collect()
}

/// An identifier as people write it: seven bits a byte, the first number with the second (X.690, 8.19).
unsafe fn dotted(oid: *const Oid) -> String {
    let length = usize::try_from((*oid).length).expect("it fits");
    let bytes = std::slice::from_raw_parts((*oid).elements.cast::<u8>(), length);
    let mut numbers = vec![u32::from(bytes[0]) / 40, u32::from(bytes[0]) % 40];
    let mut number = 0;
    for byte in &bytes[1..] {
        number = number << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            numbers.push(std::mem::take(&mut number));
        }
    }
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}
