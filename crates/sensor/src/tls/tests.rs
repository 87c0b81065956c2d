//! Certificates are made once, and what cannot be used is named.

use std::time::SystemTime;

use openssl::pkey::PKey;

use super::{PortTls, SnakeoilError, Subject, of_port, snakeoil};
use chat::Secret;

fn subject() -> Subject {
    Subject { name: "web01.lindqvist.example".to_owned(), since: SystemTime::now() }
}

#[test]
fn a_certificate_is_made_once_and_shown_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (_, first) = snakeoil(folder.path(), &subject()).unwrap();
    let (_, again) = snakeoil(folder.path(), &subject()).unwrap();
    assert_eq!(first, again);
    assert!(first.starts_with("-----BEGIN CERTIFICATE-----") && !first.contains("PRIVATE"));
    of_port(folder.path(), "https", &PortTls { given: None }, &subject()).unwrap();
    assert!(folder.path().join("port_https.pem").is_file());
}

#[test]
fn what_cannot_be_used_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snakeoil.pem");
    std::fs::write(&path, "nothing").unwrap();
    let damaged = snakeoil(folder.path(), &subject()).unwrap_err();
    assert!(matches!(damaged, SnakeoilError::Damaged { .. }));
    let said = damaged.to_string();
    assert!(said.contains("snakeoil.pem") && said.contains("delete it"), "{said}");
}

#[test]
fn a_foreign_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, certificate) = snakeoil(folder.path(), &subject()).unwrap();
    let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    let pem = |bytes: Vec<u8>| Secret::new(String::from_utf8(bytes).unwrap());
    let plain = PortTls { given: Some((certificate.clone(), pem(key.private_key_to_pem_pkcs8().unwrap()))) };
    let refused = of_port(folder.path(), "https", &plain, &subject()).unwrap_err();
    assert!(matches!(refused, SnakeoilError::Use { .. }), "{refused}");
    assert!(refused.to_string().contains("`ports.https`"));
    // Nobody is asked for a passphrase.
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let locked = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
    let locked = PortTls { given: Some((certificate, pem(locked))) };
    let refused = of_port(folder.path(), "https", &locked, &subject()).unwrap_err();
    assert!(matches!(refused, SnakeoilError::Damaged { .. }), "{refused}");
}
