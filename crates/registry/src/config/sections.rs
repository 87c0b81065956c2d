//! The sections of `Registry.toml`, read key by key; what is wrong is reported to the tree of the file.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chat::{AnthropicSection, ChatSection, ChatSettings, OllamaSection, OpenAiSection, Usd};
use ipnet::IpNet;
use settings::Section;
use url::Url;

use super::{Analysis, DatabaseUrl, Provider, Pull, Registration, Retention, Schedule, Server, Storage, Tls};
use crate::secret::Secret;

pub(super) fn server(mut section: Section<'_>) -> Server {
    let listen = section.parse("listen", "an address and a port such as \"127.0.0.1:8000\"");
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000)));
    let public_url = url(&mut section, "public_url");
    let trusted_proxies = networks(&mut section, "trusted_proxies");
    let mut inner = section.section("tls");
    let origin = inner.origin.clone();
    let (certificate, key) = (inner.text("certificate"), inner.text("key"));
    drop(inner);
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate: certificate.into(), key: key.into() }),
        (None, None) => None,
        _ => {
            section.fault("tls", origin, "needs both `certificate` and `key`");
            None
        }
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = public_url.map_or_else(|| format!("{scheme}://{listen}/"), String::from);
    Server { listen, public_url, tls, trusted_proxies }
}

pub(super) fn database(mut section: Section<'_>) -> DatabaseUrl {
    let wanted = "\"sqlite://PATH\" or \"mysql://user:password@host/database\"";
    let url = section.parsed("url", wanted, |text| {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return (!path.is_empty()).then(|| DatabaseUrl::Sqlite(path.into()));
        }
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "mysql" && url.has_host())?;
        (!url.path().trim_matches('/').is_empty()).then(|| DatabaseUrl::MySql(Secret::new(text)))
    });
    url.unwrap_or_else(|| DatabaseUrl::Sqlite("./data/registry.db".into()))
}

pub(super) fn storage(mut section: Section<'_>) -> Storage {
    let mut s3 = section.section("s3");
    let origin = s3.origin.clone();
    let endpoint = url(&mut s3, "endpoint");
    let (region, access_key_id) = (s3.text("region"), s3.text("access_key_id"));
    let secret_access_key = s3.text("secret_access_key").map(Secret::new);
    if access_key_id.is_some() != secret_access_key.is_some() {
        s3.fault(
            "",
            origin,
            "needs both `access_key_id` and `secret_access_key`, or neither (then AWS_* are used)",
        );
    }
    drop(s3);
    let wanted = "\"file://PATH\" or \"s3://BUCKET/PREFIX\" (letters, digits, dots and dashes)";
    let place = section.parsed("url", wanted, |text| {
        if let Some(path) = text.strip_prefix("file://") {
            return (!path.is_empty()).then(|| Storage::Folder(path.into()));
        }
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        let part = |part: &str| plain(part) && !matches!(part, "" | "." | "..");
        let right = bucket.len() >= 3 && plain(bucket) && (prefix.is_empty() || prefix.split('/').all(part));
        right.then(|| Storage::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint,
            region,
            access_key_id,
            secret_access_key,
        })
    });
    place.unwrap_or_else(|| Storage::Folder("./data/archive".into()))
}

pub(super) fn schedule(mut section: Section<'_>) -> Schedule {
    const MINUTE: u64 = 60;
    let mut period = |key, seconds| duration(&mut section, key, seconds);
    Schedule {
        update_buckets: period("update_buckets", 5 * MINUTE),
        extract_logs: period("extract_logs", 15 * MINUTE),
        parse_logs: period("parse_logs", 60 * MINUTE),
        analyze_logs: period("analyze_logs", 240 * MINUTE),
        health_check: period("health_check", MINUTE),
        retention: period("retention", 60 * MINUTE),
    }
}

pub(super) fn registration(mut section: Section<'_>) -> Registration {
    Registration {
        require_key: section.flag("require_key").unwrap_or(true),
        auto_approve: section.flag("auto_approve").unwrap_or(false),
        allowed_networks: networks(&mut section, "allowed_networks"),
        max_pending: section.number("max_pending", 1..=1_000_000).unwrap_or(1000),
        per_minute: section.number("per_minute", 1..=1_000_000).unwrap_or(60),
    }
}

pub(super) fn pull(mut section: Section<'_>) -> Pull {
    const SIZES: std::ops::RangeInclusive<u64> = 64 * 1024..=1024 * 1024 * 1024;
    let wanted = "a size from 64KiB to 1GiB such as \"64MiB\"";
    let max_response = section.size_within("max_response", SIZES, wanted);
    Pull {
        concurrency: section.number::<u32>("concurrency", 1..=65_536).unwrap_or(256) as usize,
        connect_timeout: duration(&mut section, "connect_timeout", 5),
        timeout: duration(&mut section, "timeout", 30),
        max_response: max_response.unwrap_or(64 * 1024 * 1024),
        max_rounds: section.number("max_rounds", 1..=100_000).unwrap_or(64),
    }
}

pub(super) fn analysis(top: &mut Section<'_>) -> Analysis {
    let mut section = top.section("analysis");
    let provider =
        section.parsed("provider", "\"claude\", \"chatgpt\", \"ollama\" or \"local\"", |text| match text {
            "claude" => Some(Provider::Claude),
            "chatgpt" => Some(Provider::ChatGpt),
            "ollama" => Some(Provider::Ollama),
            "local" => Some(Provider::Local),
            _ => None,
        });
    let provider = provider.unwrap_or(Provider::Claude);
    let mut chat = ChatSection { cache_entries: 0, max_concurrent: 4, ..ChatSection::default() };
    chat.budget_per_day = Usd::from_dollars(section.amount("budget_per_day").unwrap_or(5.0));
    chat.timeout = duration(&mut section, "timeout", 120);
    chat.prices_key = "analysis.prices";
    chat.prices = chat::prices::Prices::read(section.section("prices"));
    chat.providers = Some(match provider {
        Provider::Claude => vec![chat::settings::Provider::Claude],
        Provider::ChatGpt => vec![chat::settings::Provider::ChatGpt],
        Provider::Ollama => vec![chat::settings::Provider::Ollama],
        Provider::Local => Vec::new(),
    });
    let max_tokens = section.number("max_tokens", 64..=64_000).unwrap_or(2000);
    drop(section);
    let chat = ChatSettings {
        chat,
        openai: OpenAiSection::read(top.section("openai")),
        anthropic: AnthropicSection::read(top.section("anthropic")),
        ollama: OllamaSection::read(top.section("ollama")),
    };
    Analysis { provider, chat, max_tokens }
}

pub(super) fn retention(mut section: Section<'_>) -> Retention {
    let mut days = |key, default| section.number(key, 0..=36_500).or(Some(default)).filter(|days| *days > 0);
    Retention { events_days: days("events_days", 180), archive_days: days("archive_days", 0) }
}

/// A time of a second to a year.
fn duration(section: &mut Section<'_>, key: &str, default_seconds: u64) -> Duration {
    let wanted = "a time from one second to a year such as \"30s\", \"5m\" or \"4h\"";
    let range = Duration::from_secs(1)..=Duration::from_secs(366 * 86_400);
    let found = section
        .parsed(key, wanted, |text| humantime::parse_duration(text).ok().filter(|time| range.contains(time)));
    found.unwrap_or(Duration::from_secs(default_seconds))
}

fn url(section: &mut Section<'_>, key: &str) -> Option<Url> {
    section.parsed(key, "a URL that begins with http:// or https://", |text| {
        Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    })
}

fn networks(section: &mut Section<'_>, key: &str) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for found in section.texts(key).unwrap_or_default() {
        match found.value.parse().or_else(|_| found.value.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => section.fault(
                key,
                found.origin,
                format!(
                    "`{}` is not a network such as \"10.0.0.0/8\" or \"::1/128\"",
                    found.value.escape_debug()
                ),
            ),
        }
    }
    networks
}
