//! Content types by extension, from Debian's /etc/nginx/mime.types.

/// The type of a path; nginx's `default_type` for what it does not know.
pub(super) fn of(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((_, extension)) = name.rsplit_once('.') else { return OTHER };
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" | "shtml" => "text/html",
        "css" => "text/css",
        "xml" => "text/xml",
        "gif" => "image/gif",
        "jpeg" | "jpg" => "image/jpeg",
        "js" => "application/javascript",
        "atom" => "application/atom+xml",
        "rss" => "application/rss+xml",
        "txt" => "text/plain",
        "avif" => "image/avif",
        "png" => "image/png",
        "svg" | "svgz" => "image/svg+xml",
        "tif" | "tiff" => "image/tiff",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "bmp" => "image/x-ms-bmp",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "jar" | "war" | "ear" => "application/java-archive",
        "json" => "application/json",
        "doc" => "application/msword",
        "pdf" => "application/pdf",
        "rtf" => "application/rtf",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "wasm" => "application/wasm",
        "7z" => "application/x-7z-compressed",
        "pl" | "pm" => "application/x-perl",
        "rar" => "application/x-rar-compressed",
        "rpm" => "application/x-redhat-package-manager",
        "swf" => "application/x-shockwave-flash",
        "der" | "pem" | "crt" => "application/x-x509-ca-cert",
        "xhtml" => "application/xhtml+xml",
        "zip" => "application/zip",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mpeg" | "mpg" => "video/mpeg",
        "webm" => "video/webm",
        "avi" => "video/x-msvideo",
        _ => OTHER,
    }
}

const OTHER: &str = "application/octet-stream";
