//! A member of an archive: its header, read.

/// One member of an archive.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: usize,
    pub(super) mtime: u64,
    pub(super) kind: u8,
    pub(super) link: String,
    pub(super) user: String,
    pub(super) group: String,
    pub(super) device: (u64, u64),
}

pub(super) fn text_of(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = text_of(field);
    let text = text.trim();
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

pub(super) fn header(block: &[u8]) -> Option<Member> {
    let field = |from: usize, length: usize| block.get(from..from + length);
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    if octal(field(148, 8)?)? != sum {
        return None;
    }
    let prefix = if field(257, 5)? == b"ustar" && block.get(263) == Some(&b'0') {
        text_of(field(345, 155)?)
    } else {
        String::new()
    };
    let name = text_of(field(0, 100)?);
    Some(Member {
        name: if prefix.is_empty() { name } else { format!("{prefix}/{name}") },
        mode: octal(field(100, 8)?)? as u32 & 0o7777,
        uid: octal(field(108, 8)?)? as u32,
        gid: octal(field(116, 8)?)? as u32,
        size: octal(field(124, 12)?)? as usize,
        mtime: octal(field(136, 12)?)?,
        kind: *block.get(156)?,
        link: text_of(field(157, 100)?),
        user: text_of(field(265, 32)?),
        group: text_of(field(297, 32)?),
        device: (octal(field(329, 8)?).unwrap_or(0), octal(field(337, 8)?).unwrap_or(0)),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::BLOCK, header};

    #[test]
    fn damaged_headers_are_no_headers() {
        assert!(header(&[1; BLOCK]).is_none());
        assert!(header(b"short").is_none());
    }
}
