//! One ticket for one service, as a token to send.
#![expect(unsafe_code, reason = "a C library is called; each call says why it may be")]

use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};

use crate::library::{
    Buffer, Credential, Gssapi, KeyValue, KeyValueSet, Name, Oid, OidSet, Status,
};
use crate::{Error, ErrorKind, Identity};

#[cfg(test)]
mod tests;

/// SPNEGO (RFC 4178): 1.3.6.1.5.5.2.
const SPNEGO: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];

/// Kerberos (RFC 1964): 1.2.840.113554.1.2.2.
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];

/// A service on a host (RFC 2743): 1.2.840.113554.1.2.1.4.
const HOST_SERVICE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];

/// A user (RFC 2743): 1.2.840.113554.1.2.1.1.
const USER: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x01];

/// `GSS_C_INITIATE`.
const INITIATE: i32 = 1;

/// The upper bytes of a status say that it failed (RFC 2744, 3.9.1).
const FAILED: Status = 0xffff_0000;

/// `GSS_C_GSS_CODE` and `GSS_C_MECH_CODE`.
const CODES: [i32; 2] = [1, 2];

/// As many texts as a status can have: two errors, and sixteen bits of what else there is to say.
const TEXTS: usize = 18;

impl Gssapi {
    /// The first token of SPNEGO for `service` on `host`: what `Authorization: Negotiate` carries.
    /// It may ask the realm's servers, and blocks until they answer.
    ///
    /// # Errors
    /// Every [`ErrorKind`]: no ticket, one that has expired, a service that the realm does not know.
    pub fn token(&self, service: &str, host: &str, who: &Identity) -> Result<Vec<u8>, Error> {
        let target = self.name(&format!("{service}@{host}"), HOST_SERVICE)?;
        let credential = self.credential(who)?;
        let mut context = null_mut();
        let mut token = Buffer { length: 0, value: null_mut() };
        let (oid, mut minor) = (oid(SPNEGO), 0);
        // SAFETY: every pointer is to a live value of the type that the header names; null stands
        // for "default" or "not wanted" where it is given.
        let status = unsafe {
            (self.init_sec_context)(
                &raw mut minor,
                credential.value,
                &raw mut context,
                target.value,
                &raw const oid,
                0,
                0,
                null(),
                null(),
                null_mut(),
                &raw mut token,
                null_mut(),
                null_mut(),
            )
        };
        // A failure may have a token too, for the server (RFC 2744, 5.19).
        let token = self.taken(&mut token);
        let result = if status & FAILED == 0 { Ok(token) } else { Err(self.error(status, minor)) };
        // SAFETY: the context is the one that was begun above, or null, which is let be.
        unsafe { (self.delete_context)(&raw mut minor, &raw mut context, null_mut()) };
        result
    }

    /// Who asks: by a cache, a keytab and a name, each if it is given.
    fn credential(&self, who: &Identity) -> Result<Handle<'_>, Error> {
        let name = match &who.principal {
            Some(principal) => Some(self.name(principal, USER)?),
            None => None,
        };
        let name = name.as_ref().map_or(null_mut(), |name| name.value);
        let store = Store::new(who.ticket_cache.as_deref(), who.keytab.as_deref())?;
        // Kerberos says what is wrong; SPNEGO says only that it has nothing to offer.
        self.acquire(name, &store.rows(), KERBEROS).map(drop).map_err(|error| {
            let is_missing = matches!(error.kind(), ErrorKind::NoTicket | ErrorKind::Other);
            let asked = who.principal.as_deref().filter(|_| is_missing);
            let other = asked.and_then(|asked| Some((asked, self.owner(who)?)));
            other
                .filter(|(asked, owner)| asked != owner)
                .map_or(error, |(asked, owner)| Error::other(asked, &owner))
        })?;
        self.acquire(name, &store.rows(), SPNEGO)
    }

    /// Whose ticket is in the cache, or whose key is the first in the file, where somebody else's was
    /// asked for. The library asks the realm whether a key is good; what it gets stays in memory.
    fn owner(&self, who: &Identity) -> Option<String> {
        let keytab = who.keytab.as_deref();
        let memory = format!("MEMORY:mlfetch-{who:p}");
        let cache = keytab.map_or(who.ticket_cache.as_deref(), |_| Some(memory.as_str()));
        let store = Store::new(cache, keytab).ok()?;
        let credential = self.acquire(null_mut(), &store.rows(), KERBEROS).ok()?;
        let (mut name, mut minor) = (null_mut(), 0);
        // SAFETY: the credential is a live one; null stands for what is not wanted.
        let status = unsafe {
            (self.inquire_cred)(
                &raw mut minor,
                credential.value,
                &raw mut name,
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        if status & FAILED != 0 || name.is_null() {
            return None;
        }
        let name = Handle { value: name, release: self.release_name, _library: self };
        let mut text = Buffer { length: 0, value: null_mut() };
        // SAFETY: the name is a live one; null stands for its kind, which is not wanted.
        let status =
            unsafe { (self.display_name)(&raw mut minor, name.value, &raw mut text, null_mut()) };
        let text = self.taken(&mut text);
        (status & FAILED == 0).then(|| String::from_utf8_lossy(&text).into_owned())
    }

    fn acquire(
        &self,
        name: Name,
        rows: &[KeyValue],
        mechanism: &'static [u8],
    ) -> Result<Handle<'_>, Error> {
        let count = u32::try_from(rows.len()).expect("there are two at most");
        let store = KeyValueSet { count, elements: rows.as_ptr() };
        let oid = oid(mechanism);
        let mechanisms = OidSet { count: 1, elements: &raw const oid };
        let (mut credential, mut minor): (Credential, Status) = (null_mut(), 0);
        // SAFETY: every pointer is to a live value of the type that the header names; the texts that
        // `rows` points at live in the caller.
        let status = unsafe {
            (self.acquire_cred_from)(
                &raw mut minor,
                name,
                0,
                &raw const mechanisms,
                INITIATE,
                &raw const store,
                &raw mut credential,
                null_mut(),
                null_mut(),
            )
        };
        if status & FAILED != 0 {
            return Err(self.error(status, minor));
        }
        Ok(Handle { value: credential, release: self.release_cred, _library: self })
    }

    fn name(&self, text: &str, kind: &'static [u8]) -> Result<Handle<'_>, Error> {
        let text = Buffer { length: text.len(), value: text.as_ptr().cast_mut().cast() };
        let (kind, mut name, mut minor) = (oid(kind), null_mut(), 0);
        // SAFETY: the text is read up to its length and not kept; the rest are live values.
        let status = unsafe {
            (self.import_name)(&raw mut minor, &raw const text, &raw const kind, &raw mut name)
        };
        if status & FAILED != 0 {
            return Err(self.error(status, minor));
        }
        Ok(Handle { value: name, release: self.release_name, _library: self })
    }

    /// What both parts of a status mean, in the library's words.
    fn error(&self, status: Status, minor: Status) -> Error {
        let [general, special] = CODES;
        let words = [self.words(status, general), self.words(minor, special)];
        // The special part says more, if there is one.
        let words = words.into_iter().rev().find(|words| is_of_use(words));
        Error::of_words(words.unwrap_or_else(|| "Kerberos failed without a word".to_owned()))
    }

    /// What one part means. Each text tells whether there is another (RFC 2744, 5.11).
    fn words(&self, status: Status, code: i32) -> String {
        let mut more = 0;
        let mut texts = Vec::new();
        for _ in 0..TEXTS {
            let Some(text) = self.text(status, code, &mut more) else { break };
            texts.push(text);
            if more == 0 {
                break;
            }
        }
        texts.retain(|text| !text.is_empty());
        texts.join("; ")
    }

    fn text(&self, status: Status, code: i32, more: &mut u32) -> Option<String> {
        let oid = oid(KERBEROS);
        let mut minor = 0;
        let mut text = Buffer { length: 0, value: null_mut() };
        // SAFETY: every pointer is to a live value of the type that the header names.
        let shown = unsafe {
            (self.display_status)(&raw mut minor, status, code, &raw const oid, more, &raw mut text)
        };
        let text = self.taken(&mut text);
        (shown & FAILED == 0).then(|| String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// The bytes of a buffer of the library, which gets it back.
    fn taken(&self, buffer: &mut Buffer) -> Vec<u8> {
        if buffer.value.is_null() {
            return Vec::new();
        }
        // SAFETY: the library filled in that many bytes, and keeps them until it gets them back.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.value.cast::<u8>(), buffer.length) };
        let bytes = bytes.to_vec();
        let mut minor = 0;
        // SAFETY: the buffer is the library's own and is given back once.
        unsafe { (self.release_buffer)(&raw mut minor, buffer) };
        bytes
    }
}

/// Where the library looks, as it takes it.
struct Store(Vec<(&'static CStr, CString)>);

impl Store {
    fn new(cache: Option<&str>, keytab: Option<&Path>) -> Result<Self, Error> {
        let keytab = keytab.map(|path| path.display().to_string());
        let given = [(c"ccache", cache), (c"client_keytab", keytab.as_deref())];
        let given = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given.map(|(key, value)| Ok((key, c_text(value)?))).collect::<Result<_, _>>().map(Self)
    }

    /// Good as long as the texts are.
    fn rows(&self) -> Vec<KeyValue> {
        let row =
            |(key, value): &(&CStr, CString)| KeyValue { key: key.as_ptr(), value: value.as_ptr() };
        self.0.iter().map(row).collect()
    }
}

/// A name or credential of the library, given back in the end.
struct Handle<'a> {
    value: *mut c_void,
    release: crate::library::ReleaseHandle,
    _library: &'a Gssapi,
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the handle is the library's own, or null, and is given back once.
        unsafe { (self.release)(&raw mut minor, &raw mut self.value) };
    }
}

fn oid(bytes: &'static [u8]) -> Oid {
    let length = u32::try_from(bytes.len()).expect("it has a few bytes");
    Oid { length, elements: bytes.as_ptr().cast() }
}

fn c_text(text: &str) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::new(ErrorKind::NoTicket, "a path cannot hold a NUL"))
}

/// Whether words say anything: the library has some for "no error" as well.
fn is_of_use(words: &str) -> bool {
    !words.is_empty() && words != "Success" && words != "Unknown error"
}
