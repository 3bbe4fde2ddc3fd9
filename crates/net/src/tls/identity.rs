//! Who a party is on the network: an Ed25519 key, and a certificate that carries it.

use std::fmt;
use std::str::FromStr;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

/// What precedes an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A party's public key. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// Why something is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(String);

/// A party's private key, with its certificate. Never printed.
pub struct Identity {
    pkcs8: Zeroizing<Vec<u8>>,
    certificate: CertificateDer<'static>,
    public_key: PublicKey,
}

impl PublicKey {
    /// The raw key.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key in the raw bytes; whether it is a point on the curve shows in the handshake.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        PublicKey(bytes)
    }

    /// The key inside a `SubjectPublicKeyInfo`, if that is Ed25519 and nothing else.
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = spki.strip_prefix(&SPKI_PREFIX)?;
        Some(PublicKey(key.try_into().ok()?))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(format!("a public key is 64 hexadecimal digits, not `{}`", text.escape_debug()));
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        let digits: [u8; 64] = digits.and_then(|digits| digits.try_into().ok()).ok_or_else(bad)?;
        Ok(PublicKey(std::array::from_fn(|k| digits[2 * k] << 4 | digits[2 * k + 1])))
    }
}

impl Identity {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn generate() -> Result<Self, BadKey> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(|error| BadKey(error.to_string()))?;
        Identity::from_key_pair(&key)
    }

    /// The key in a PEM document that [`Identity::to_pem`] wrote.
    ///
    /// # Errors
    /// If there is none, or it is no Ed25519 key.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        // The reason would quote the document; a broken private key is still private.
        let bad = |_| BadKey("the private key is no Ed25519 key in PEM form (PKCS #8)".into());
        let key = KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_ED25519).map_err(bad)?;
        Identity::from_key_pair(&key)
    }

    /// The private key as PEM, for a file that only its owner reads.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let key = KeyPair::try_from(&self.pkcs8_der()).expect("it came out of a key pair");
        Zeroizing::new(key.serialize_pem())
    }

    /// The half that the peers pin.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    fn from_key_pair(key: &KeyPair) -> Result<Self, BadKey> {
        let bad = |error: rcgen::Error| BadKey(error.to_string());
        let mut params = CertificateParams::new(vec!["junto".to_owned()]).map_err(bad)?;
        params.distinguished_name.push(DnType::CommonName, "junto party");
        let certificate = params.self_signed(key).map_err(bad)?.der().clone();
        let public_key = key.public_key_raw().try_into().map_err(|_| BadKey("no Ed25519 key".into()))?;
        Ok(Identity {
            pkcs8: Zeroizing::new(key.serialize_der()),
            certificate,
            public_key: PublicKey(public_key),
        })
    }

    fn pkcs8_der(&self) -> PrivatePkcs8KeyDer<'_> {
        PrivatePkcs8KeyDer::from(self.pkcs8.as_slice())
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.pkcs8_der()).clone_key()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, <private key hidden>)", self.public_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_writing_and_bad_ones_are_refused_quietly() {
        let identity = Identity::generate().unwrap();
        let again = Identity::from_pem(&identity.to_pem()).unwrap();
        assert_eq!(again.public_key(), identity.public_key());
        let text = identity.public_key().to_string();
        assert_eq!(text.parse::<PublicKey>().unwrap(), identity.public_key());
        for bad in ["", "00", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g")] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
        let mut lines: Vec<String> = identity.to_pem().lines().map(str::to_owned).collect();
        lines.remove(2);
        let broken = lines.join("\n");
        let error = Identity::from_pem(&broken).unwrap_err().to_string();
        assert!(!error.contains(identity.to_pem().lines().nth(1).unwrap()));
        assert!(!format!("{identity:?}").contains(identity.to_pem().lines().nth(1).unwrap()));
    }

    #[test]
    fn only_an_exact_ed25519_key_is_read() {
        let spki = [&SPKI_PREFIX[..], &[7; 32]].concat();
        assert_eq!(PublicKey::from_spki(&spki), Some(PublicKey([7; 32])));
        assert_eq!(PublicKey::from_spki(&spki[..43]), None);
        assert_eq!(PublicKey::from_spki(&[&spki[..], &[0]].concat()), None);
        let mut other = spki;
        other[8] ^= 1;
        assert_eq!(PublicKey::from_spki(&other), None);
    }
}
