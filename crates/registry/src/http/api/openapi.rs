//! `/api/openapi.json`: the API's description, made from the table of routes.

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use crate::http::{
    console::{Front, routes as all_routes},
    route::{Caller, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/openapi.json", Caller::Anybody, describe).api(
        "This description",
        &[],
        "Description",
    )]
}

async fn describe(State(_): State<Front>) -> Json<Value> {
    Json(description(&all_routes()))
}

fn description(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let Some(about) = route.description else { continue };
        let varying = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let in_path =
            varying.map(|name| json!({"name": name, "in": "path", "required": true, "schema": text()}));
        let in_query = about
            .query
            .iter()
            .map(|(name, what)| json!({"name": name, "in": "query", "description": what, "schema": text()}));
        let parameters: Vec<Value> = in_path.chain(in_query).collect();
        let good = if route.path.ends_with("/run") { "202" } else { "200" };
        let mut responses = Map::new();
        responses.insert(good.to_owned(), answer("Done", about.answer));
        let mut refuse = |status: &str, why: &str| {
            responses.insert(status.to_owned(), answer(why, "Refusal"));
        };
        refuse("503", "The database does not answer");
        if !about.query.is_empty() {
            refuse("400", "A parameter is wrong");
        }
        if route.path.contains('{') {
            refuse("404", "There is no such thing");
        }
        if route.caller.role().is_some() {
            refuse("401", "Nobody is signed in");
            refuse("403", "The role is not enough");
        }
        let role = route.caller.role().map_or("anybody", |role| role.as_str());
        let security =
            if route.caller == Caller::Anybody { json!([]) } else { json!([{"token": []}, {"cookie": []}]) };
        let operation = json!({
            "summary": about.summary,
            "description": format!("Who may call: {role}."),
            "operationId": operation_id(route),
            "parameters": parameters,
            "responses": responses,
            "security": security,
        });
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rustbucket registry",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The fleet, what its buckets saw, what the analysis says. Texts of visitors are passed on as they \
                            came: escape them before showing them.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token, made on the page People and keys."},
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "rustbucket",
                    "description": "A signed-in browser; a POST must carry the header X-CSRF-Token too.",
                },
            },
            "schemas": schemas(),
        },
    })
}

/// `GET /api/buckets/{name}` is `get_buckets_name`.
fn operation_id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/").replace(['/', '.'], "_").replace(['{', '}'], "");
    format!("{}_{path}", route.method.as_str().to_lowercase())
}

fn text() -> Value {
    json!({"type": "string"})
}

fn answer(what: &str, schema: &str) -> Value {
    let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
    json!({"description": what, "content": {"application/json": {"schema": schema}}})
}

/// An object: names with a letter each, `s` text, `n` whole number, `f` fraction, `b` flag, `o` anything; `?` after a name: may
/// be null.
fn object(fields: &[(&str, char)]) -> Value {
    let mut properties = Map::new();
    for (name, kind) in fields {
        let word = match kind {
            's' => "string",
            'n' => "integer",
            'f' => "number",
            'b' => "boolean",
            _ => "object",
        };
        let (name, kind) = match name.strip_suffix('?') {
            Some(name) => (name, json!([word, "null"])),
            None => (*name, json!(word)),
        };
        properties.insert(name.to_owned(), json!({ "type": kind }));
    }
    json!({"type": "object", "properties": properties})
}

fn listing(schema: &str) -> Value {
    json!({"type": "object", "required": ["items", "next"], "properties": {
        "items": {"type": "array", "items": {"$ref": format!("#/components/schemas/{schema}")}},
        "next": {"type": ["string", "null"], "description": "The parameter of the next page."},
    }})
}

fn schemas() -> Value {
    let bucket = [
        ("name", 's'),
        ("status", 's'),
        ("ip_address", 's'),
        ("management_port", 'n'),
        ("certificate_sha256?", 's'),
        ("operating_system", 's'),
        ("cpu_usage", 's'),
        ("memory_usage", 's'),
        ("disk_space", 's'),
        ("uptime", 's'),
        ("connections", 's'),
        ("version", 's'),
        ("first_seq", 'n'),
        ("last_seq", 'n'),
        ("acked_seq", 'n'),
        ("registered_at", 's'),
        ("updated_at", 's'),
        ("decided_at?", 's'),
        ("decided_by?", 's'),
        ("last_contact_at?", 's'),
        ("last_error?", 's'),
        ("last_error_at?", 's'),
        ("failures", 'n'),
    ];
    let session = [
        ("id", 's'),
        ("bucket", 's'),
        ("session", 's'),
        ("protocol", 's'),
        ("src_ip", 's'),
        ("src_port", 'n'),
        ("dst_port", 'n'),
        ("started_at", 's'),
        ("last_at", 's'),
        ("ended_at?", 's'),
        ("duration_ms?", 'n'),
        ("events", 'n'),
        ("logins_ok", 'n'),
        ("logins_failed", 'n'),
        ("commands", 'n'),
        ("uploads", 'n'),
        ("downloads", 'n'),
        ("username?", 's'),
        ("client?", 's'),
        ("label?", 's'),
    ];
    let analysis = [
        ("id", 'n'),
        ("bucket", 's'),
        ("ip_address", 's'),
        ("created_at", 's'),
        ("provider", 's'),
        ("model", 's'),
        ("tokens_in", 'n'),
        ("tokens_out", 'n'),
        ("cost_usd", 'f'),
        ("events", 'n'),
        ("from?", 's'),
        ("to?", 's'),
        ("text", 's'),
        ("facts", 'o'),
    ];
    let job = [
        ("name", 's'),
        ("next_due_at", 's'),
        ("nudged", 'b'),
        ("last_started_at?", 's'),
        ("last_finished_at?", 's'),
        ("last_status?", 's'),
        ("last_report?", 'o'),
        ("runs", 'n'),
        ("failures", 'n'),
    ];
    let event =
        [("bucket", 's'), ("seq", 'n'), ("at", 's'), ("eventid", 's'), ("message", 's'), ("event?", 'o')];
    let artifact = [
        ("sha256", 's'),
        ("bucket", 's'),
        ("state", 's'),
        ("size", 'n'),
        ("found_at", 's'),
        ("stored_at?", 's'),
        ("last_error?", 's'),
    ];
    let mut whole = object(&session);
    if let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("transcript".to_owned(), json!({"$ref": "#/components/schemas/EventList"}));
    }
    json!({
        "Bucket": object(&bucket),
        "BucketList": listing("Bucket"),
        "SessionRow": object(&session),
        "SessionList": listing("SessionRow"),
        "Session": whole,
        "Event": object(&event),
        "EventList": listing("Event"),
        "Analysis": object(&analysis),
        "AnalysisList": listing("Analysis"),
        "Job": object(&job),
        "JobList": listing("Job"),
        "Findings": {"type": "object", "properties": {
            "findings": {"type": "array", "items": object(&[
                ("id", 'n'), ("bucket", 's'), ("kind", 's'), ("severity", 's'), ("subject", 's'), ("detail", 's'),
                ("found_at", 's'),
            ])},
            "gaps": {"type": "array", "items": object(&[
                ("bucket", 's'), ("from_seq", 'n'), ("to_seq", 'n'), ("source", 's'), ("reason", 's'), ("bytes", 'n'),
                ("found_at", 's'),
            ])},
        }},
        "Artifact": object(&artifact),
        "ArtifactList": listing("Artifact"),
        "File": {"type": "string", "format": "binary"},
        "Done": object(&[("status", 's')]),
        "Refusal": object(&[("error", 's'), ("message", 's')]),
        "Description": {"type": "object"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_api_is_described_and_every_reference_resolves() {
        let routes = all_routes();
        let described = description(&routes);
        for route in routes.iter().filter(|route| route.path.starts_with("/api/")) {
            let method = route.method.as_str().to_lowercase();
            let operation = &described["paths"][route.path][&method];
            assert!(operation["summary"].is_string(), "{method} {}", route.path);
        }
        let text = described.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(described["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
