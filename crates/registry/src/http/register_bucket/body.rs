//! The body of an enrolment, checked field by field so that every fault is named at once.

use std::net::IpAddr;

use serde_json::{Map, Value};
use wire::bucket::FIELD_MAX_LENGTH;
use wire::{BucketName, Token};

use crate::log_parser::is_sha256;
use crate::pull::Guard;
use crate::store::Registration;

/// The management port of a bucket that names none.
const DEFAULT_PORT: u16 = 8443;

/// A request without a fault.
pub(super) struct Request {
    pub registration: Registration,
    pub token: Token,
    /// The registration key, if one came.
    pub key: Option<String>,
}

struct Fields {
    map: Map<String, Value>,
    errors: Vec<String>,
}

impl Fields {
    /// An optional text of at most 255 characters. Absent, null and empty are the same.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.map.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() > FIELD_MAX_LENGTH => {
                self.errors.push(format!("`{name}` must have at most {FIELD_MAX_LENGTH} characters"));
                None
            }
            Some(Value::String(text)) if text.chars().any(char::is_control) => {
                self.errors.push(format!("`{name}` must not have control characters"));
                None
            }
            Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
            Some(_) => {
                self.errors.push(format!("`{name}` must be a string"));
                None
            }
        }
    }

    /// A text that must be there. A fault of its kind is named once.
    fn required<T: TryFrom<String, Error = String>>(&mut self, name: &str) -> Option<T> {
        let faults = self.errors.len();
        match self.text(name).map(T::try_from) {
            Some(Ok(value)) => Some(value),
            Some(Err(fault)) => {
                self.errors.push(fault);
                None
            }
            None if self.errors.len() == faults => {
                self.errors.push(format!("`{name}` is missing"));
                None
            }
            None => None,
        }
    }
}

/// Reads a body; every fault, in the order of the interface's description.
pub(super) fn read(
    body: &[u8],
    header_key: Option<&[u8]>,
    source: IpAddr,
    guard: &Guard,
) -> Result<Request, Vec<String>> {
    let map = match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return Err(vec!["the body must be a JSON object".to_owned()]),
        Err(error) => return Err(vec![format!("the body is not JSON: {error}")]),
    };
    let mut fields = Fields { map, errors: Vec::new() };
    let name = fields.required::<BucketName>("name");
    let token = fields.required::<Token>("token");
    let ip_address = fields.text("ip_address").unwrap_or_else(|| source.to_string());
    let management_port = match fields.map.get("management_port") {
        // As a number it is understood too; the description says text.
        Some(Value::Number(number)) => {
            let port = number.to_string();
            fields.map.remove("management_port");
            Some(port)
        }
        _ => fields.text("management_port"),
    };
    let management_port = match management_port.map(|port| port.parse::<u16>()) {
        None => DEFAULT_PORT,
        Some(Ok(port)) if port > 0 => port,
        Some(_) => {
            fields.errors.push("`management_port` must be a port from 1 to 65535".to_owned());
            DEFAULT_PORT
        }
    };
    if let Err(error) = guard.check(&ip_address, management_port) {
        fields.errors.push(error.to_string());
    }
    let certificate_sha256 = fields.text("certificate_sha256").map(|sum| sum.to_ascii_lowercase());
    if certificate_sha256.as_deref().is_some_and(|sum| !is_sha256(sum)) {
        fields.errors.push("`certificate_sha256` must be 64 hex digits".to_owned());
    }
    let operating_system = fields.text("operating_system");
    let cpu_usage = fields.text("cpu_usage");
    let memory_usage = fields.text("memory_usage");
    let disk_space = fields.text("disk_space");
    let uptime = fields.text("uptime");
    let connections = fields.text("connections");
    let version = fields.text("version");
    let body_key = fields.text("registration_key");
    let key = match (body_key, header_key) {
        (Some(key), _) => Some(key),
        (None, Some(bytes)) => match std::str::from_utf8(bytes) {
            Ok(key) if key.len() <= FIELD_MAX_LENGTH => Some(key.to_owned()).filter(|key| !key.is_empty()),
            _ => {
                fields
                    .errors
                    .push(format!("`X-API-Key` must be text of at most {FIELD_MAX_LENGTH} characters"));
                None
            }
        },
        (None, None) => None,
    };
    match (name, token) {
        (Some(name), Some(token)) if fields.errors.is_empty() => Ok(Request {
            registration: Registration {
                name,
                ip_address,
                management_port,
                certificate_sha256,
                operating_system,
                cpu_usage,
                memory_usage,
                disk_space,
                uptime,
                connections,
                version,
            },
            token,
            key,
        }),
        _ => Err(fields.errors),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(body: &str) -> Result<Request, Vec<String>> {
        read(body.as_bytes(), None, "9.9.9.9".parse().unwrap(), &Guard::new(&[]))
    }

    const NAME: &str = "\"name\":\"rustbucket-AbCd1234\",\"token\":\"0123456789abcdef0123456789abcdef\"";

    #[test]
    fn the_least_request_is_understood() {
        let request = ask(&format!("{{{NAME}}}")).unwrap();
        assert_eq!(
            (request.registration.ip_address.as_str(), request.registration.management_port),
            ("9.9.9.9", 8443)
        );
        let request =
            ask(&format!("{{{NAME},\"management_port\":9000,\"uptime\":null,\"unknown\":[1]}}")).unwrap();
        assert_eq!((request.registration.management_port, request.registration.uptime), (9000, None));
    }

    #[test]
    fn every_fault_is_named() {
        let long = "x".repeat(256);
        let errors = ask(&format!(
            "{{\"name\":\"bucket-1\",\"token\":\"short\",\"ip_address\":\"127.0.0.1\",\"management_port\":\"0\",\
             \"certificate_sha256\":\"zz\",\"cpu_usage\":3,\"uptime\":\"{long}\",\"version\":\"a\\u001bb\"}}"
        ));
        let errors = errors.err().unwrap();
        for (error, expected) in errors.iter().zip([
            "name must be `rustbucket-`",
            "token must have at least 32",
            "`management_port` must be",
            "`ip_address` 127.0.0.1 is loopback",
            "`certificate_sha256` must be",
            "`cpu_usage` must be a string",
            "`uptime` must have at most 255",
            "`version` must not have control",
        ]) {
            assert!(error.starts_with(expected), "{error} / {expected}");
        }
        assert_eq!(errors.len(), 8, "{errors:?}");
        assert_eq!(ask("{}").err().unwrap(), ["`name` is missing", "`token` is missing"]);
        assert_eq!(ask("[]").err().unwrap(), ["the body must be a JSON object"]);
        assert!(ask("{").err().unwrap()[0].starts_with("the body is not JSON"));
        assert_eq!(
            ask(&format!("{{{NAME},\"ip_address\":\"evil.example\"}}")).err().unwrap(),
            ["`ip_address` must be an IPv4 or IPv6 address"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let answer = read(&body, Some(&body), "9.9.9.9".parse().unwrap(), &Guard::new(&[]));
            match answer {
                Ok(request) => prop_assert!(request.token.reveal().len() >= 32),
                Err(errors) => prop_assert!(!errors.is_empty()),
            }
        }
    }
}
