//! No row of the public tools' signatures fires on a bucket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use acceptance::{
    Bucket,
    bucket::PASSWORD,
    real::{self, RealDaemons},
    signatures::{self, Login},
};

#[tokio::test]
async fn nothing_fires_on_a_bucket() {
    acceptance::init();
    let mut bucket = Bucket::new();
    bucket.set(&["chat", "providers"], toml::Value::Array(Vec::new()));
    bucket.start().await;
    let findings = signatures::look(&bucket.ports, Login { user: "root", password: PASSWORD }).await;
    bucket.assert_sound();
    let fired: Vec<String> =
        findings.fired.iter().map(|fired| format!("{}: {}", fired.id, fired.why)).collect();
    assert!(fired.is_empty(), "{} fired:\n{}", fired.len(), fired.join("\n"));
    assert!(findings.looked.len() > 70, "{} rows were looked at", findings.looked.len());
    bucket.stop();
}

/// A row that fires on the real daemons tells nothing about ours.
#[tokio::test]
async fn nothing_fires_on_the_real_daemons() {
    acceptance::init();
    let Some(daemons) = RealDaemons::start().await else { return };
    let login = Login { user: real::USER, password: real::PASSWORD };
    let findings = signatures::look_at_daemons(&daemons.ports, login).await;
    let fired: Vec<String> =
        findings.fired.iter().map(|fired| format!("{}: {}", fired.id, fired.why)).collect();
    assert!(fired.is_empty(), "{} fired:\n{}", fired.len(), fired.join("\n"));
    assert!(findings.looked.len() > 45, "{} rows were looked at", findings.looked.len());
}
