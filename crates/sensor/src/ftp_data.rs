//! Passive FTP data connections: one port at a time, for the visitor's own address only.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use decoy::{
    ftp::{DataConnections, DataFault, Received},
    memory::Parcel,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::session::Session;

/// vsftpd.conf(5): accept_timeout.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(60);
/// vsftpd.conf(5): data_connection_timeout.
const DATA_TIMEOUT: Duration = Duration::from_secs(300);
/// How much is read at once.
const READ: usize = 64 * 1024;

/// Opens data ports beside a control connection.
pub struct DataPort {
    local: IpAddr,
    visitor: IpAddr,
    session: Session,
    /// How many bytes the visit may move.
    bytes: u64,
    listener: Option<TcpListener>,
    stream: Option<TcpStream>,
}

impl DataPort {
    /// Ports on our address of the control connection, for its visitor; what they move counts among the `bytes` of
    /// the visit.
    pub fn new(local: IpAddr, visitor: IpAddr, session: Session, bytes: u64) -> Self {
        Self { local, visitor, session, bytes, listener: None, stream: None }
    }

    /// Counts; an error over the bound, which the control connection tells when it goes on.
    fn count(&self, bytes: usize) -> io::Result<()> {
        if self.session.count_bytes(bytes) > self.bytes {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(())
    }

    /// Waits for the visitor; anybody else is closed on.
    async fn connection(&mut self) -> Result<TcpStream, DataFault> {
        if let Some(stream) = self.stream.take() {
            return Ok(stream);
        }
        let listener = self.listener.take().ok_or(DataFault::NotConnected)?;
        let visitor = async {
            loop {
                let (stream, peer) = listener.accept().await?;
                if peer.ip().to_canonical() == self.visitor.to_canonical() {
                    return Ok::<_, io::Error>(stream);
                }
                tracing::debug!(%peer, "somebody else knocked at a data port");
            }
        };
        match timeout(ACCEPT_TIMEOUT, visitor).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) | Err(_) => Err(DataFault::NotConnected),
        }
    }
}

#[async_trait]
impl DataConnections for DataPort {
    async fn listen(&mut self) -> Option<u16> {
        let listener = TcpListener::bind(SocketAddr::new(self.local, 0)).await;
        match listener.and_then(|listener| Ok((listener.local_addr()?.port(), listener))) {
            Ok((port, listener)) => {
                self.stream = None;
                self.listener = Some(listener);
                Some(port)
            }
            Err(error) => {
                tracing::warn!(%error, "no data port could be opened");
                None
            }
        }
    }

    async fn accept(&mut self) -> Result<(), DataFault> {
        self.stream = Some(self.connection().await?);
        Ok(())
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), DataFault> {
        let mut stream = self.connection().await?;
        let sent = async {
            self.count(bytes.len())?;
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        };
        match timeout(DATA_TIMEOUT, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(DataFault::Broken),
        }
    }

    async fn receive(&mut self, limit: usize, mut parcel: Parcel) -> Result<Received, DataFault> {
        let stream = self.connection().await?;
        let (mut truncated, mut starved) = (false, false);
        let received = async {
            loop {
                // The buffer is made only when there is something to read: a silent visitor costs none.
                stream.readable().await?;
                let mut bytes = BytesMut::with_capacity(READ);
                let read = match stream.try_read_buf(&mut bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    read => read?,
                };
                if read == 0 {
                    return Ok::<_, io::Error>(());
                }
                self.count(read)?;
                let room = limit.saturating_sub(parcel.len());
                truncated = bytes.len() > room;
                bytes.truncate(room);
                starved = !parcel.add(&bytes);
                if truncated || starved {
                    return Ok(());
                }
            }
        };
        match timeout(DATA_TIMEOUT, received).await {
            Ok(Ok(())) => Ok(Received { bytes: parcel.into_bytes(), truncated, starved }),
            Ok(Err(_)) | Err(_) => Err(DataFault::Broken),
        }
    }

    fn close(&mut self) {
        self.stream = None;
        self.listener = None;
    }
}
