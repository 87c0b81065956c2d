//! The archive: every byte the buckets ever sent, as objects in a folder or on an S3 server.
//!
//! A key is made of the bucket and the sequence range, so a repeat writes the same key. Nothing here relies on the
//! server refusing to overwrite: whose object counts is decided by the row in `objects`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig};

use crate::config::Storage;

/// Digits of a sequence number in a key, so that names sort as numbers do.
const DIGITS: usize = 20;

/// A step of the archive that failed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The folder cannot be made.
    #[error("cannot make the archive folder {path}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The settings do not make an archive.
    #[error("cannot open the archive {place}")]
    Open {
        /// Which.
        place: String,
        /// Why.
        source: object_store::Error,
    },
    /// An object cannot be written.
    #[error("cannot write {key} to the archive")]
    Put {
        /// Which.
        key: String,
        /// Why.
        source: object_store::Error,
    },
    /// An object cannot be read.
    #[error("cannot read {key} from the archive")]
    Get {
        /// Which.
        key: String,
        /// Why.
        source: object_store::Error,
    },
    /// An object is larger than it can be.
    #[error("{key} has {size} bytes in the archive, more than {limit}")]
    TooLarge {
        /// Which.
        key: String,
        /// Its size.
        size: u64,
        /// The most it may have.
        limit: u64,
    },
    /// An object cannot be removed.
    #[error("cannot remove {key} from the archive")]
    Remove {
        /// Which.
        key: String,
        /// Why.
        source: object_store::Error,
    },
}

/// The archive. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogArchive {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    place: String,
}

impl LogArchive {
    /// Opens the archive of the settings; makes the folder, never an S3 bucket.
    pub fn open(storage: &Storage) -> Result<Self, ArchiveError> {
        match storage {
            Storage::Folder(folder) => {
                let place = folder.display().to_string();
                std::fs::create_dir_all(folder)
                    .map_err(|source| ArchiveError::Folder { path: place.clone(), source })?;
                let store = LocalFileSystem::new_with_prefix(folder)
                    .map_err(|source| ArchiveError::Open { place: place.clone(), source })?
                    .with_fsync(true);
                Ok(Self { store: Arc::new(store), prefix: String::new(), place })
            }
            Storage::S3 { bucket, prefix, endpoint, region, access_key_id, secret_access_key } => {
                let place = format!("s3://{bucket}/{prefix}");
                if rustls::crypto::CryptoProvider::get_default().is_none() {
                    // The client asks for a default. An error means that somebody was faster.
                    let _ = rustls::crypto::ring::default_provider().install_default();
                }
                let plain = endpoint.as_ref().is_some_and(|url| url.scheme() == "http");
                let mut builder = AmazonS3Builder::from_env()
                    .with_bucket_name(bucket)
                    .with_client_options(
                        ClientOptions::new().with_allow_http(plain).with_timeout(Duration::from_secs(60)),
                    )
                    .with_retry(RetryConfig {
                        max_retries: 4,
                        retry_timeout: Duration::from_secs(60),
                        ..RetryConfig::default()
                    });
                if let Some(url) = endpoint {
                    builder = builder
                        .with_endpoint(url.as_str().trim_end_matches('/'))
                        .with_virtual_hosted_style_request(false);
                }
                if let Some(region) = region {
                    builder = builder.with_region(region);
                }
                if let (Some(id), Some(key)) = (access_key_id, secret_access_key) {
                    builder = builder.with_access_key_id(id).with_secret_access_key(key.reveal());
                }
                let store =
                    builder.build().map_err(|source| ArchiveError::Open { place: place.clone(), source })?;
                Ok(Self { store: Arc::new(store), prefix: prefix.clone(), place })
            }
        }
    }

    /// Where it is, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// `[prefix/]logs/NAME/YYYY/MM/DD/FIRSTSEQ-LASTSEQ.jsonl.zst`, numbers of 20 digits; the date is that of the first
    /// event (`micros` since 1970), so that the same events have the same key whenever they are pulled.
    pub fn log_key(&self, bucket: &str, micros: i64, first_seq: u64, last_seq: u64) -> String {
        let date = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y/%m/%d");
        self.key(&format!("logs/{bucket}/{date}/{first_seq:0DIGITS$}-{last_seq:0DIGITS$}.jsonl.zst"))
    }

    /// `[prefix/]artifacts/SHA256`.
    pub fn artifact_key(&self, sha256: &str) -> String {
        self.key(&format!("artifacts/{sha256}"))
    }

    fn key(&self, rest: &str) -> String {
        if self.prefix.is_empty() { rest.to_owned() } else { format!("{}/{rest}", self.prefix) }
    }

    /// Writes an object; when this returns, it is kept.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        let written = self.store.put(&Path::from(key), PutPayload::from_bytes(bytes)).await;
        written.map(drop).map_err(|source| ArchiveError::Put { key: key.to_owned(), source })
    }

    /// Reads an object of at most `limit` bytes.
    pub async fn get(&self, key: &str, limit: u64) -> Result<Bytes, ArchiveError> {
        let get = |source| ArchiveError::Get { key: key.to_owned(), source };
        let found = self.store.get(&Path::from(key)).await.map_err(get)?;
        if found.meta.size > limit {
            return Err(ArchiveError::TooLarge { key: key.to_owned(), size: found.meta.size, limit });
        }
        found.bytes().await.map_err(get)
    }

    /// Size of an object, or none when there is none.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, ArchiveError> {
        match self.store.head(&Path::from(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(ArchiveError::Get { key: key.to_owned(), source }),
        }
    }

    /// Removes an object; none there is well too.
    pub async fn remove(&self, key: &str) -> Result<(), ArchiveError> {
        match self.store.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(ArchiveError::Remove { key: key.to_owned(), source }),
        }
    }

    /// Writes, reads and removes a small object: whether the archive works.
    pub async fn probe(&self) -> Result<(), ArchiveError> {
        // A name of its own: two registries may probe at once.
        let key = self.key(&format!("probe/{}", uuid::Uuid::new_v4()));
        self.put(&key, Bytes::from_static(b"rustbucket")).await?;
        self.get(&key, 1024).await?;
        self.remove(&key).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_as_documented_and_a_repeat_is_the_same_object() {
        let folder = tempfile::tempdir().unwrap();
        let archive = LogArchive::open(&Storage::Folder(folder.path().join("deep"))).unwrap();
        let key = archive.log_key("rustbucket-AbCd1234", 1_795_291_262_000_000, 1, 250);
        assert_eq!(
            key,
            "logs/rustbucket-AbCd1234/2026/11/21/00000000000000000001-00000000000000000250.jsonl.zst"
        );
        archive.put(&key, Bytes::from_static(b"x")).await.unwrap();
        archive.put(&key, Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(archive.get(&key, 1).await.unwrap(), "x");
        assert!(matches!(archive.get(&key, 0).await, Err(ArchiveError::TooLarge { size: 1, limit: 0, .. })));
        assert_eq!(
            (archive.size(&key).await.unwrap(), archive.size("nothing").await.unwrap()),
            (Some(1), None)
        );
        archive.remove(&key).await.unwrap();
        archive.remove(&key).await.unwrap();
        assert!(matches!(archive.get(&key, 1).await, Err(ArchiveError::Get { .. })));
        archive.probe().await.unwrap();
    }

    #[test]
    fn a_prefix_stands_before_every_key() {
        let storage = Storage::S3 {
            bucket: "honey".into(),
            prefix: "a/b".into(),
            endpoint: None,
            region: Some("eu-central-1".into()),
            access_key_id: None,
            secret_access_key: None,
        };
        let archive = LogArchive::open(&storage).unwrap();
        assert_eq!(archive.artifact_key("00"), "a/b/artifacts/00");
        assert_eq!(archive.place(), "s3://honey/a/b");
    }
}
