//! Signatures that several regions take: ECDSA over P-256, with a key that is derived from the secret
//! key as "Signature Version 4a" has it (NIST SP 800-108, counter mode, one block).

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Signature};
use mlfetch_store::{Error, ErrorKind, Result};

use super::hmac;
use crate::credentials::Keys;

const LABEL: &[u8] = b"AWS4-ECDSA-P256-SHA256";

/// The order of the curve's group, less two: what a derived number may be at most.
const MOST: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
];

/// The private key of an access key.
pub(super) struct RegionsKey(EcdsaKeyPair);

impl RegionsKey {
    /// Derives it.
    ///
    /// # Errors
    /// `InvalidInput` if none can be derived, which nobody has seen yet.
    pub(super) fn derive(keys: &Keys) -> Result<Self> {
        let none = || {
            Error::new(ErrorKind::InvalidInput, "sign with", "the access key")
                .with_message("no key for several regions can be derived of it")
        };
        let scalar = (1..=254).find_map(|counter| scalar(keys, counter)).ok_or_else(none)?;
        let private = PrivateKey::from_private_key(&ECDH_P256, &scalar).map_err(|_| none())?;
        let public = private.compute_public_key().map_err(|_| none())?;
        EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &scalar,
            public.as_ref(),
        )
        .map(Self)
        .map_err(|_| none())
    }

    /// The signature of a text, in DER.
    ///
    /// # Errors
    /// `Other` if the machine gives no random numbers.
    pub(super) fn sign(&self, text: &[u8]) -> Result<Signature> {
        self.0.sign(&SystemRandom::new(), text).map_err(|_| {
            Error::new(ErrorKind::Other, "sign", "a request")
                .with_message("the machine gives no random numbers")
        })
    }
}

/// The number that a counter leads to, plus one; `None` if it is too large for the curve.
fn scalar(keys: &Keys, counter: u8) -> Option<[u8; 32]> {
    let input: Vec<u8> = [
        &[0, 0, 0, 1],
        LABEL,
        &[0],
        keys.id.as_bytes(),
        &[counter],
        // The length of what is derived, in bits.
        &[0, 0, 1, 0],
    ]
    .concat();
    let mut number = hmac(format!("AWS4A{}", keys.secret.expose()).as_bytes(), &input);
    if number > MOST {
        return None;
    }
    for byte in number.iter_mut().rev() {
        let carries;
        (*byte, carries) = byte.overflowing_add(1);
        if !carries {
            break;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, KeyPair as _, UnparsedPublicKey};
    use sha2::{Digest as _, Sha256};

    use super::super::{Scope, Signer, Unsigned, push_hex};
    use super::*;

    fn keys() -> Keys {
        Keys::of("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom")
    }

    fn hex(bytes: &[u8]) -> String {
        let mut text = String::new();
        push_hex(&mut text, bytes);
        text
    }

    #[test]
    fn the_published_key_is_derived() {
        let key = scalar(&keys(), 1).expect("the first will do");
        let expected = "7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd";
        assert_eq!(hex(&key), expected);
        let pair = RegionsKey::derive(&keys()).expect("derived");
        let expected = "0415d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb\
                        0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0";
        assert_eq!(hex(pair.0.public_key().as_ref()), expected);
    }

    #[test]
    fn a_signature_is_one_of_the_text_that_the_regions_make_of_the_request() {
        let keys = Arc::new(keys());
        let scope = Scope::Regions("*".to_owned());
        let signer = Signer::new(Arc::clone(&keys), "20130524", &scope, "s3").expect("a signer");
        let headers = [("host", "h"), ("x-amz-date", "t"), ("x-amz-region-set", "*")];
        let request = Unsigned { method: "GET", path: "/k", query: "", headers: &headers };
        let value = signer.authorization(&request, "20130524T000000Z").expect("signed");
        let (before, signature) = value.rsplit_once("Signature=").expect("a signature");
        assert_eq!(
            before,
            "AWS4-ECDSA-P256-SHA256 Credential=AKISORANDOMAASORANDOM/20130524/s3/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-region-set, "
        );
        let canonical = "GET\n/k\n\nhost:h\nx-amz-date:t\nx-amz-region-set:*\n\n\
                         host;x-amz-date;x-amz-region-set\n\
                         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let to_sign = format!(
            "AWS4-ECDSA-P256-SHA256\n20130524T000000Z\n20130524/s3/aws4_request\n{}",
            hex(&Sha256::digest(canonical))
        );
        let byte = |at| u8::from_str_radix(&signature[at..at + 2], 16).expect("hexadecimal");
        let signature: Vec<u8> = (0..signature.len()).step_by(2).map(byte).collect();
        let pair = RegionsKey::derive(&keys).expect("derived");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, pair.0.public_key().as_ref());
        public.verify(to_sign.as_bytes(), &signature).expect("it is ours");
        public.verify(b"another text", &signature).expect_err("of this text alone");
    }
}
