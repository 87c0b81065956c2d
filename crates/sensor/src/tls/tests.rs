//! Certificates are made once, what cannot be used is named, and visitors are spoken with as the daemons do.

use std::{io, net::Ipv4Addr, pin::Pin, time::SystemTime};

use bytes::{Bytes, BytesMut};
use chat::Secret;
use openssl::{
    pkey::PKey,
    ssl::{Ssl, SslContextBuilder, SslMethod, SslVersion},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_openssl::SslStream;

use super::{PortTls, SnakeoilError, Speaker, Subject, of_port, snakeoil};
use crate::{handler::Line as _, line::TcpLine};

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
    let damaged = snakeoil(folder.path(), &subject()).err().unwrap();
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
    let refused = of_port(folder.path(), "https", &plain, &subject()).err().unwrap();
    assert!(matches!(refused, SnakeoilError::Use { .. }), "{refused}");
    assert!(refused.to_string().contains("`ports.https`"));
    // Nobody is asked for a passphrase.
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let locked = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
    let locked = PortTls { given: Some((certificate, pem(locked))) };
    let refused = of_port(folder.path(), "https", &locked, &subject()).err().unwrap();
    assert!(matches!(refused, SnakeoilError::Damaged { .. }), "{refused}");
}

/// A line that has heard one byte of TLS or of anything else, and its visitor.
async fn line(speaker: Speaker) -> (TcpLine, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let visitor = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (TcpLine::new(stream, speaker), visitor)
}

/// What a client of this version agrees on: version, cipher, ALPN.
async fn agreed(speaker: Speaker, newest: SslVersion) -> Result<(String, String, Vec<u8>), io::Error> {
    let (mut line, visitor) = line(speaker).await;
    let mut context = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
    context.set_security_level(0);
    context.set_max_proto_version(Some(newest)).unwrap();
    context.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
    let mut client = SslStream::new(Ssl::new(&context.build()).unwrap(), visitor).unwrap();
    let visit = async {
        Pin::new(&mut client).connect().await.map_err(io::Error::other)?;
        client.write_all(b"ping").await?;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await?;
        assert_eq!(said, b"pong");
        let ssl = client.ssl();
        let cipher = ssl.current_cipher().unwrap().name().to_owned();
        let alpn = ssl.selected_alpn_protocol().unwrap_or_default().to_vec();
        Ok((ssl.version_str().to_owned(), cipher, alpn))
    };
    let serve = async {
        line.start_tls().await?;
        let mut heard = BytesMut::new();
        while heard.len() < 4 {
            assert_ne!(line.hear(&mut heard).await?, 0);
        }
        assert_eq!(&heard[..], b"ping");
        line.say(Bytes::from_static(b"pong")).await?;
        line.hang_up(0).await
    };
    let (agreed, served) = tokio::join!(visit, serve);
    assert_eq!(agreed.is_ok(), served.is_ok());
    agreed
}

#[tokio::test]
async fn both_daemons_agree_on_what_the_real_ones_agree_on() {
    let folder = tempfile::tempdir().unwrap();
    let (postfix, _) = snakeoil(folder.path(), &subject()).unwrap();
    let nginx = of_port(folder.path(), "https", &PortTls { given: None }, &subject()).unwrap();
    let told =
        |version: &str, cipher: &str, alpn: &[u8]| (version.to_owned(), cipher.to_owned(), alpn.to_vec());
    let of_nginx = agreed(nginx.clone(), SslVersion::TLS1_2).await.unwrap();
    assert_eq!(of_nginx, told("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", b"http/1.1"));
    let of_postfix = agreed(postfix.clone(), SslVersion::TLS1).await.unwrap();
    assert_eq!(of_postfix, told("TLSv1", "ECDHE-RSA-AES256-SHA", b""));
    let newest = agreed(postfix, SslVersion::TLS1_3).await.unwrap();
    assert_eq!((newest.0.as_str(), newest.1.as_str()), ("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
    // Debian's level forbids the signatures of TLS 1.1.
    agreed(nginx, SslVersion::TLS1_1).await.unwrap_err();
}

#[tokio::test]
async fn whatever_is_no_handshake_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (speaker, _) = snakeoil(folder.path(), &subject()).unwrap();
    let pieces: [&[u8]; 6] = [
        b"",
        b"\x16",
        b"\x16\x03\x01\xff\xff\x01",
        b"GET / HTTP/1.0\r\n\r\n",
        &[0x80; 400],
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    ];
    for piece in pieces {
        let (mut line, mut visitor) = line(speaker.clone()).await;
        visitor.write_all(piece).await.unwrap();
        visitor.shutdown().await.unwrap();
        line.start_tls().await.unwrap_err();
        // Nothing more is heard or said.
        assert_eq!(line.hear(&mut BytesMut::new()).await.unwrap(), 0);
        line.say(Bytes::from_static(b"x")).await.unwrap_err();
        line.hang_up(0).await.unwrap();
    }
}
