//! Requests answered: head and body, what nginx refuses, and the connection's end.

use std::fmt::Write as _;

use base64::Engine as _;
use bytes::{BufMut as _, BytesMut};
use wire::{EventKind, event::FIELD_LIMIT};

use super::{
    Answered, Http, LARGEST_BODY, LARGEST_COPY, MOST_REQUESTS, Scheme, State,
    body::{Body, Progress},
    check::{check, wants_keep_alive},
    head::Head,
    notes::{note, note_nothing},
    pages,
    serve::{self, Response},
};
use crate::{
    dialogue::Stage,
    memory::{self, Parcel},
};

impl Http {
    /// Answers a head; `rest` came with it.
    pub(super) async fn answer(&mut self, head: &Head<'_>, raw: &[u8], rest: &[u8], stage: &Stage) {
        self.requests += 1;
        let body = match check(head) {
            Ok(body) => body,
            Err(status) => return self.refuse(status, Some(head), raw, stage),
        };
        if self.scheme == Scheme::HttpToHttps {
            return self.refuse(pages::TO_HTTPS, Some(head), raw, stage);
        }
        let mut keep_alive = wants_keep_alive(head) && self.requests < MOST_REQUESTS;
        let announced = match &body {
            Some(Body::Length(length)) => *length,
            _ => 0,
        };
        let uploads = self.contact.visitor.uploads();
        let mut response = if announced > LARGEST_BODY {
            Response::page(413, Some(head))
        } else if body.is_some() && !uploads.has_room() {
            // What nginx says when there is no room for a body's temporary file.
            stage.note(EventKind::LimitHit { limit: memory::LIMIT.into(), value: uploads.taken() as u64 });
            let mut full = Response::page(500, Some(head));
            full.close = true;
            full
        } else {
            serve::respond(&self.contact, self.scheme, head).await
        };
        if response.reads_body {
            // nginx looks at what has come of the body before it sends a file.
            if matches!(body, Some(Body::Chunks(_)))
                && Body::chunks().take(&mut &*rest, |_| {}) == Progress::Broken
            {
                return self.refuse(400, Some(head), raw, stage);
            }
            let expects =
                head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
            if expects && head.number > 10 {
                stage.say(&b"HTTP/1.1 100 Continue\r\n\r\n"[..]);
            }
        }
        keep_alive &= !response.close;
        response.close = !keep_alive;
        self.send(head, &response, stage);
        let status = pages::shown(response.status);
        let keep_alive = keep_alive && !response.abrupt;
        let note = note(head, status);
        match body {
            Some(body) => {
                let kept = Parcel::new(self.contact.visitor.uploads());
                let answered = Answered { note, body, kept, truncated: false, starved: false, keep_alive };
                self.state = State::Body(Box::new(answered));
            }
            None => {
                stage.note(note);
                if !keep_alive {
                    self.hang_up(stage);
                }
            }
        }
    }

    /// Answers what is no request, or one that nginx does not read on from.
    pub(super) fn refuse(&mut self, status: u16, head: Option<&Head<'_>>, raw: &[u8], stage: &Stage) {
        let mut response = Response::page(status, head);
        response.close = true;
        let status = pages::shown(status);
        match head {
            Some(head) => self.send(head, &response, stage),
            None => {
                let nobody = Head {
                    method: b"",
                    target: b"",
                    version: b"",
                    number: 11,
                    host: None,
                    path: b"",
                    headers: Vec::new(),
                    heeded: Vec::new(),
                    length: 0,
                };
                self.send(&nobody, &response, stage);
            }
        }
        if matches!(response.status, 414 | 494) {
            stage.note(EventKind::LimitHit { limit: "line_bytes".into(), value: raw.len() as u64 });
        }
        let mut note = head.map_or_else(|| note_nothing(status), |head| note(head, status));
        if let EventKind::HttpRequest { raw_b64, truncated, .. } = &mut note {
            let kept = raw.get(..FIELD_LIMIT).unwrap_or(raw);
            *raw_b64 = Some(base64::engine::general_purpose::STANDARD.encode(kept));
            *truncated |= kept.len() < raw.len();
        }
        stage.note(note);
        self.hang_up(stage);
    }

    /// Head and body, in one piece unless the body is large; headers in nginx's order (ngx_http_header_filter).
    pub(super) fn send(&mut self, head: &Head<'_>, response: &Response, stage: &Stage) {
        let only_head = head.method == b"HEAD" && head.number != 9;
        let empty = response.status == 304;
        let apart = response.body.len() > LARGEST_COPY;
        let mut out = BytesMut::with_capacity(512 + if only_head || apart { 0 } else { response.body.len() });
        if head.number != 9 {
            let (status, reason) = (pages::shown(response.status), pages::reason(response.status));
            let date = self.date.text(self.contact.visitor.now());
            // Writing to memory cannot fail.
            let _ = write!(out, "HTTP/1.1 {status} {reason}\r\nServer: {}\r\nDate: {date}\r\n", self.server);
            if !empty {
                let _ = match &response.boundary {
                    Some(boundary) => {
                        write!(out, "Content-Type: multipart/byteranges; boundary={boundary}\r\n")
                    }
                    None => write!(out, "Content-Type: {}\r\n", response.content_type),
                };
                if !response.gzip {
                    let _ = write!(out, "Content-Length: {}\r\n", response.body.len());
                }
            }
            if let Some(time) = response.modified {
                let _ = write!(out, "Last-Modified: {}\r\n", pages::http_date(time));
            }
            if let Some(location) = &response.location {
                let _ = write!(out, "Location: {location}\r\n");
            }
            if response.gzip && !only_head {
                out.put_slice(b"Transfer-Encoding: chunked\r\n");
            }
            out.put_slice(if response.close {
                b"Connection: close\r\n"
            } else {
                b"Connection: keep-alive\r\n"
            });
            if let Some(etag) = &response.etag {
                let _ = write!(out, "ETag: {etag}\r\n");
            }
            if let Some(range) = &response.range {
                let _ = write!(out, "Content-Range: {range}\r\n");
            }
            if response.gzip {
                out.put_slice(b"Content-Encoding: gzip\r\n");
            }
            if response.accept_ranges {
                out.put_slice(b"Accept-Ranges: bytes\r\n");
            }
            out.put_slice(b"\r\n");
        }
        if !only_head && !empty {
            if response.gzip {
                let _ = write!(out, "{:x}\r\n", response.body.len());
            }
            if apart {
                stage.say(out.split().freeze());
                stage.say(response.body.clone());
            } else {
                out.put_slice(&response.body);
            }
            if response.gzip {
                out.put_slice(b"\r\n0\r\n\r\n");
            }
        }
        stage.say(out.freeze());
    }
}
