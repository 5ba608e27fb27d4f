//! `openapi.json` against the server, both ways: what it answers to everything here is in the
//! document, and all that is in the document was answered.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ALL, CALM, PLAYERS, ROOMS, SELDOM};
use super::{ask, events, history, newest, results, seen, start, text};
use crate::games;
use crate::stored::{Folder, KEY, store};
use crate::support::{File, Response, Server, exchange, get, until};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The document, and what of it was seen.
struct Document {
    root: Value,
    /// As `GET /path 200`, and JSON pointers of fields.
    seen: BTreeSet<String>,
}

impl Document {
    fn new(root: Value) -> Document {
        let seen = BTreeSet::new();
        Document { root, seen }
    }

    /// What a reference leads to, and where that is.
    fn resolved<'a>(root: &'a Value, at: &'a Value, place: String) -> (&'a Value, String) {
        let Some(reference) = at.get("$ref") else {
            return (at, place);
        };
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let found = root.pointer(pointer);
        (
            found.unwrap_or_else(|| panic!("{pointer} is not there")),
            pointer.to_owned(),
        )
    }

    /// Each operation as its method, path and what the document says of it.
    fn operations(&self) -> Vec<(String, String, Value)> {
        let paths = self.root["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = METHODS
                .iter()
                .filter_map(|method| Some((*method, item.get(method)?)));
            methods
                .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        });
        operations.collect()
    }

    /// The answer is as the document says it of this method.
    fn check(&mut self, method: &str, target: &str, answer: &Response) {
        let path = target.split('?').next().unwrap();
        let status = answer.status.to_string();
        let root = self.root.clone();
        let operation = &root["paths"][path][method.to_lowercase()];
        let documented = &operation["responses"][&status];
        assert!(
            documented.is_object(),
            "{method} {path} {status} is not in the document: {}",
            answer.body
        );
        let (documented, _) = Document::resolved(&root, documented, String::new());
        for header in documented["headers"].as_object().into_iter().flatten() {
            assert!(
                answer.header(header.0).is_some(),
                "{method} {target} {status}: {}",
                header.0
            );
        }
        let media_type = answer.header("content-type").unwrap();
        let schema = &documented["content"][media_type]["schema"];
        assert!(schema.is_object(), "{method} {path} {status}: {media_type}");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        self.suits(&root, schema, String::new(), &body);
        self.seen.insert(format!("{method} {path} {status}"));
    }

    /// `value` is what the schema says.
    fn suits(&mut self, root: &Value, schema: &Value, place: String, value: &Value) {
        let (schema, place) = Document::resolved(root, schema, place);
        if let Some(constant) = schema.get("const") {
            assert_eq!(constant, value, "{place}");
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().collect(),
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_one = types
            .iter()
            .any(|one| *one == kind || (*one == "number" && kind == "integer"));
        assert!(
            types.is_empty() || is_one,
            "{place}: {value} is no {types:?}"
        );
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            assert!(
                (index as u64) < schema["maxItems"].as_u64().unwrap(),
                "{place} is bounded"
            );
            self.suits(root, &schema["items"], format!("{place}/items"), item);
        }
        let Some(fields) = value.as_object() else {
            return;
        };
        let Some(declared) = schema["properties"].as_object() else {
            return;
        };
        assert_eq!(schema["additionalProperties"], false, "{place} is whole");
        for name in schema["required"].as_array().unwrap() {
            assert!(
                fields.contains_key(name.as_str().unwrap()),
                "{place}: {name} is missing"
            );
        }
        for (name, value) in fields {
            let schema = declared.get(name);
            let schema = schema.unwrap_or_else(|| panic!("{place}: {name} is not in the document"));
            let place = format!("{place}/properties/{name}");
            self.seen.insert(place.clone());
            self.suits(root, schema, place, value);
        }
    }

    /// All that the document says the server may answer.
    fn all(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (method, path, operation) in self.operations() {
            for (status, documented) in operation["responses"].as_object().unwrap() {
                all.insert(format!("{method} {path} {status}"));
                let (documented, _) = Document::resolved(&self.root, documented, String::new());
                for (_, content) in documented["content"].as_object().unwrap() {
                    self.fields(&content["schema"], String::new(), &mut all);
                }
            }
        }
        all
    }

    fn fields(&self, schema: &Value, place: String, all: &mut BTreeSet<String>) {
        let (schema, place) = Document::resolved(&self.root, schema, place);
        if let Some(items) = schema.get("items") {
            self.fields(items, format!("{place}/items"), all);
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            let place = format!("{place}/properties/{name}");
            if all.insert(place.clone()) {
                self.fields(schema, place, all);
            }
        }
    }
}

/// Asks, and compares the answer with the document.
async fn compared(
    document: &mut Document,
    server: &Server,
    method: &str,
    target: &str,
    key: &str,
) -> Response {
    let answer = ask(server, method, target, key).await;
    document.check(method, target, &answer);
    answer
}

impl Document {
    /// The names of a request's fields.
    fn names(&self, schema: &str) -> BTreeSet<String> {
        let fields = &self.root["components"]["schemas"][schema]["properties"];
        fields.as_object().unwrap().keys().cloned().collect()
    }
}

/// What a request to say something is answered.
async fn posted(document: &mut Document, server: &Server, lines: &str, body: &str) -> Value {
    let answer = events::post(server, ALL, lines, body).await;
    document.check("POST", "/api/v1/events", &answer);
    serde_json::from_str(&answer.body).unwrap()
}

/// What the server says that it knows, in a problem's words.
fn expected(problem: &Value) -> BTreeSet<String> {
    let detail = problem["detail"].as_str().unwrap();
    let (_, known) = detail.split_once("expected").unwrap();
    known
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Requests to say something: the document's fields are those that the server takes.
async fn events_compared(document: &mut Document, server: &Server, player: &str, room: &Value) {
    let odd = posted(document, server, "", r#"{"odd": 1}"#).await;
    assert_eq!(expected(&odd), document.names("Event"));
    let odd = posted(document, server, "", r#"{"event": {"odd": 1}}"#).await;
    assert_eq!(expected(&odd), document.names("GameEvent"));
    let odd = posted(document, server, "", r#"{"class": "odd"}"#).await;
    let classes = &document.root["components"]["schemas"]["Event"]["properties"]["class"]["enum"];
    let classes = classes
        .as_array()
        .unwrap()
        .iter()
        .map(|class| class.as_str().unwrap().to_owned());
    assert_eq!(expected(&odd), classes.collect());

    let fields = json!({"level": 1, "where": "here"});
    let whole = json!({
        "to": {"player": player}, "text": "x", "class": "durable", "ttl_s": 60,
        "event": {"game": "calm", "name": "alarm", "fields": fields},
    });
    assert!(
        whole
            .as_object()
            .unwrap()
            .keys()
            .eq(&document.names("Event"))
    );
    assert!(
        whole["event"]
            .as_object()
            .unwrap()
            .keys()
            .eq(&document.names("GameEvent"))
    );
    posted(
        document,
        server,
        "Idempotency-Key: whole\r\n",
        &whole.to_string(),
    )
    .await;

    let to = document.root["components"]["schemas"]["Event"]["properties"]["to"]["oneOf"].clone();
    for one in to.as_array().unwrap() {
        let to = match &one["required"][0] {
            Value::Null => one["const"].clone(),
            name if name == "game" => json!({"game": "calm"}),
            name if name == "room" => json!({"room": room}),
            _ => json!({"player": player}),
        };
        let body = json!({"to": to, "text": "x", "class": "now"});
        let said = posted(document, server, "", &body.to_string()).await;
        assert!(said["reached_now"].is_u64(), "{said}");
    }
    let good = json!({"to": "everybody", "text": "x", "class": "now"}).to_string();
    posted(document, server, "", "{").await;
    posted(document, server, "", &" ".repeat(16 * 1024 + 1)).await;
    posted(document, server, "Content-Encoding: gzip\r\n", &good).await;
    let whole = events::request(ALL, "", &good);
    let half = exchange(server.api.unwrap(), &whole.as_bytes()[..whole.len() - 1]).await;
    document.check("POST", "/api/v1/events", &half);
    let away = json!({"to": {"player": "user:away"}, "text": "x", "class": "durable"}).to_string();
    for number in 0.. {
        let line = format!("Idempotency-Key: {number}\r\n");
        if posted(document, server, &line, &away).await["status"] == 409 {
            break;
        }
    }
}

/// A key that is for other things than this.
fn key_of_another(scope: &str) -> &'static str {
    match scope {
        "rooms:read" => PLAYERS,
        _ => ROOMS,
    }
}

#[tokio::test]
async fn the_document_and_the_server_say_the_same() {
    let (folder, key) = (Folder::new("document"), File::new("key", KEY));
    let server = start(|config| {
        config.header_timeout = Duration::from_millis(300);
        store(config, &folder, &key);
    });
    results::fill(&server, &folder, "still", "", 2).await;
    history::fill(&folder, "said", 1);
    let hosts = [
        games::host(&server, "still", "one").await,
        games::host(&server, "still", "two").await,
    ];
    let (player, room) = newest(&server).await;
    let mut document = Document::new(seen(&server, "/api/v1/openapi.json").await);
    assert_eq!(document.root["openapi"], "3.1.0");
    // A room is stored soon after it was made.
    let of_room = format!("/api/v1/history?room={room}");
    until(async || ask(&server, "GET", &of_room, ALL).await.status == 200).await;

    for (target, key, status) in [
        ("/api/v1/openapi.json", "", 200),
        ("/api/v1/rooms?limit=1", ALL, 200),
        ("/api/v1/rooms?limit=x", ALL, 400),
        ("/api/v1/rooms?game=chess", ALL, 404),
        ("/api/v1/rooms?game=still", CALM, 403),
        (&format!("/api/v1/presence?player={player}"), ALL, 200),
        ("/api/v1/presence", ALL, 400),
        ("/api/v1/boards?game=still&limit=1", ALL, 200),
        ("/api/v1/boards?game=still&around=user:000", ALL, 200),
        ("/api/v1/boards", ALL, 400),
        ("/api/v1/boards?game=still", CALM, 403),
        ("/api/v1/boards?game=chess", ALL, 404),
        ("/api/v1/matches?game=still&limit=1", ALL, 200),
        ("/api/v1/matches?game=still&player=user:000", ALL, 200),
        ("/api/v1/matches", ALL, 400),
        ("/api/v1/matches?game=still", CALM, 403),
        ("/api/v1/matches?game=chess", ALL, 404),
        (&of_room, ALL, 200),
        ("/api/v1/history?channel=said", ALL, 200),
        ("/api/v1/history", ALL, 400),
        ("/api/v1/history?channel=said", CALM, 403),
        ("/api/v1/history?room=0", ALL, 404),
    ] {
        let answer = compared(&mut document, &server, "GET", target, key).await;
        assert_eq!(answer.status, status, "{target}");
    }
    events_compared(&mut document, &server, &player, &room).await;
    let with_body = text("GET", "/api/v1/openapi.json", "", "{}");
    let with_body = exchange(server.api.unwrap(), with_body.as_bytes()).await;
    document.check("GET", "/api/v1/openapi.json", &with_body);

    // What holds for each of them: keys and scopes, rates, methods, what a query may have.
    let operations = document.operations();
    for (method, path, operation) in &operations {
        let other = ask(&server, "TRACE", path, ALL).await;
        document.check(method, path, &other);
        let Some(scopes) = operation["security"].as_array().unwrap().first() else {
            continue;
        };
        let scope = scopes["key"][0].as_str().unwrap();
        let wrong = compared(&mut document, &server, method, path, "no-key").await;
        assert_eq!(wrong.status, 401);
        let another = compared(&mut document, &server, method, path, key_of_another(scope)).await;
        assert!(
            another.status == 403 && another.body.contains(scope),
            "{scope}: {}",
            another.body
        );
        while compared(&mut document, &server, method, path, SELDOM)
            .await
            .status
            != 429
        {}
        if method == "GET" {
            let odd = ask(&server, method, &format!("{path}?odd=1"), ALL).await;
            assert_eq!(odd.status, 400);
            let odd: Value = serde_json::from_str(&odd.body).unwrap();
            let names = operation["parameters"].as_array().unwrap().iter();
            let names: Vec<&str> = names.map(|one| one["name"].as_str().unwrap()).collect();
            let told = format!("there is {} alone", names.join(", "));
            assert_eq!(odd["detail"], told, "{path}");
        }
    }

    // Each has a figure, and no other has one.
    let names = operations
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap());
    let mut names: Vec<&str> = names.collect();
    names.push("none");
    let figures = get(server.ops, "/metrics").await.body;
    let figures = figures
        .lines()
        .filter_map(|line| line.strip_prefix("tickwire_api_requests_total{route=\""));
    let figures: BTreeSet<&str> = figures
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect();
    assert_eq!(figures, names.into_iter().collect());

    // Players who read nothing hold the stop.
    let port = server.api.unwrap();
    let stopped = server.stop();
    for (method, path, operation) in &operations {
        if operation["responses"].get("503").is_none() {
            continue;
        }
        loop {
            let answer = exchange(port, text(method, path, ALL, "").as_bytes()).await;
            document.check(method, path, &answer);
            if answer.status == 503 {
                break;
            }
        }
    }
    drop(hosts);
    stopped.await.unwrap().unwrap();

    let all = document.all();
    let unseen: Vec<&String> = all.difference(&document.seen).collect();
    assert!(
        unseen.is_empty(),
        "in the document, but never answered: {unseen:#?}"
    );
}
