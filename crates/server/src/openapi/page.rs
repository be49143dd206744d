//! The document as a page for people: no script, no style of its own but the browser's.

use std::fmt::Write as _;

use serde_json::Value;
use utoipa::openapi::OpenApi;

/// All calls by tag, in the order of their paths.
pub(super) fn html(document: &OpenApi) -> String {
    let document = serde_json::to_value(document).expect("the document serialises into memory");
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Tidebook: HTTP calls</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         </head><body><h1>Tidebook: HTTP calls</h1>",
    );
    let description = text(&document["info"]["description"]);
    push(&mut page, format_args!("<p>{description}</p><p><a href=\"openapi.json\">openapi.json</a></p>"));
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            operation_html(&mut page, path, method, operation);
        }
    }
    page.push_str("</body></html>");
    page
}

fn operation_html(page: &mut String, path: &str, method: &str, operation: &Value) {
    let (method, path) = (method.to_uppercase(), escape(path));
    push(page, format_args!("<section><h2><code>{method} {path}</code></h2>"));
    let summary = [&operation["summary"], &operation["description"]].map(text).join(" ");
    push(page, format_args!("<p>{summary}</p>"));
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters: Vec<String> = parameters.map(parameter_html).collect();
    if !parameters.is_empty() {
        push(page, format_args!("<h3>Parameters</h3><ul>{}</ul>", parameters.concat()));
    }
    if let Some(body) = operation["requestBody"]["content"].as_object() {
        let schemas: Vec<String> = body.values().map(|content| schema_name(&content["schema"])).collect();
        push(page, format_args!("<h3>Body</h3><p>{}</p>", schemas.join(", ")));
    }
    page.push_str("<h3>Answers</h3><ul>");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let contents = answer["content"].as_object().into_iter().flatten();
        let schemas: Vec<String> = contents.map(|(_, content)| schema_name(&content["schema"])).collect();
        let (status, description) = (escape(status), text(&answer["description"]));
        push(page, format_args!("<li><strong>{status}</strong> {description} {}</li>", schemas.join(", ")));
    }
    page.push_str("</ul></section>");
}

fn parameter_html(parameter: &Value) -> String {
    let (name, place, description) =
        (text(&parameter["name"]), text(&parameter["in"]), text(&parameter["description"]));
    let optional = if parameter["required"] == true { "" } else { ", optional" };
    format!("<li><code>{name}</code> ({place}{optional}) {description}</li>")
}

/// The schema's name where it has one, else itself.
fn schema_name(schema: &Value) -> String {
    match schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => format!("<code>{}</code>", escape(name)),
        None => format!("<code>{}</code>", escape(&schema.to_string())),
    }
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn push(page: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = page.write_fmt(piece);
}
