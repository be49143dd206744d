//! `view!`: markup in Rust that becomes calls, not types.
//!
//! What a framework makes of markup is one type per view, and code for building, changing and taking down each of them.
//! Here an element is made from a text of HTML wherever it says all, and else by calls that are the same for all views;
//! so a view costs hardly more than what it says. The calls are those of `crate::app::drawn`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use rstml::node::{Infallible, KeyedAttribute, Node, NodeAttribute, NodeBlock, NodeElement, NodeName};
use syn::{Expr, ExprLit, Lit, Path, Stmt};

/// Elements that have no end.
const VOID: [&str; 3] = ["br", "img", "input"];

/// Elements that are drawn, not written.
const DRAWING: [&str; 2] = ["path", "use"];

/// Makes the nodes now, as one `Drawn`.
///
/// `name="text"` and `name=value` set an attribute, `prop:name=value` a property, `on:name=handler` listens. A child is an
/// element, a `"text"`, or any `{value}` that can be drawn. `<Page id name=value/>` calls `page(id, value)`, and what is
/// inside it is one argument more.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let nodes = match rstml::parse(tokens) {
        Ok(nodes) => nodes,
        Err(error) => return error.to_compile_error().into(),
    };
    let written = match &nodes[..] {
        [node] => drawn(node),
        nodes => several(nodes),
    };
    written.unwrap_or_else(|error| error.to_compile_error()).into()
}

fn several(nodes: &[Node]) -> syn::Result<TokenStream> {
    let children = nodes.iter().map(drawn).collect::<syn::Result<Vec<_>>>()?;
    let all = private("all");
    Ok(quote!({
        let #all = crate::app::drawn::several();
        #(crate::app::drawn::put(&#all, #children);)*
        #all
    }))
}

/// A name that those written in the markup do not meet.
fn private(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn drawn(node: &Node) -> syn::Result<TokenStream> {
    if let Some(html) = html(node) {
        return Ok(match node {
            Node::Text(text) => {
                let text = text.value_string();
                quote!(crate::app::drawn::Draw::drawn(#text))
            }
            Node::Element(element) if DRAWING.contains(&element.name().to_string().as_str()) => {
                quote!(crate::app::drawn::drawing(#html))
            }
            _ => quote!(crate::app::drawn::html(#html)),
        });
    }
    match node {
        Node::Element(element) => match function(element.name()) {
            Some(function) => drawn_by(&function, element),
            None => drawn_element(element),
        },
        Node::Block(NodeBlock::ValidBlock(block)) => {
            let value = match &block.stmts[..] {
                [Stmt::Expr(value, None)] => quote!(#value),
                _ => quote!(#block),
            };
            Ok(quote!(crate::app::drawn::Draw::drawn(#value)))
        }
        other => Err(syn::Error::new_spanned(other, "neither an element, a text nor a {value}")),
    }
}

/// `Page` and `pages::Page` are drawn by `page` and `pages::page`.
fn function(name: &NodeName) -> Option<Path> {
    let NodeName::Path(path) = name else { return None };
    let mut path = path.path.clone();
    let last = path.segments.last_mut()?;
    let name = last.ident.to_string();
    name.starts_with(|c: char| c.is_ascii_uppercase())
        .then(|| last.ident = Ident::new(&snake(&name), last.ident.span()))?;
    Some(path)
}

fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for (place, c) in camel.char_indices() {
        if place > 0 && c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn drawn_by(function: &Path, element: &NodeElement<Infallible>) -> syn::Result<TokenStream> {
    let mut arguments = Vec::new();
    for attribute in element.attributes() {
        let NodeAttribute::Attribute(attribute) = attribute else {
            return Err(syn::Error::new_spanned(attribute, "not an argument"));
        };
        let key = &attribute.key;
        arguments.push(attribute.value().map_or_else(|| quote!(#key), |value| quote!(#value)));
    }
    if !element.children.is_empty() {
        arguments.push(several(&element.children)?);
    }
    Ok(quote!(crate::app::drawn::Draw::drawn(#function(#(#arguments),*))))
}

/// An element that is more than a text says: its start as HTML, and the rest by calls.
fn drawn_element(element: &NodeElement<Infallible>) -> syn::Result<TokenStream> {
    let name = element.name().to_string();
    let it = private("it");
    let mut start = format!("<{name}");
    let mut calls = Vec::new();
    for attribute in element.attributes() {
        let NodeAttribute::Attribute(attribute) = attribute else {
            return Err(syn::Error::new_spanned(attribute, "not an attribute"));
        };
        match fixed(attribute) {
            Some(fixed) => start += &fixed,
            None => calls.push(call(&it, attribute)?),
        }
    }
    start.push('>');
    // Children are put in one by one, unless all of them are fixed.
    let all: Option<String> = element.children.iter().map(html).collect();
    match all {
        Some(all) => start += &all,
        None => {
            for child in &element.children {
                let child = drawn(child)?;
                calls.push(quote!(crate::app::drawn::put(&#it, #child);));
            }
        }
    }
    if !VOID.contains(&name.as_str()) {
        start += &format!("</{name}>");
    }
    let make = if DRAWING.contains(&name.as_str()) { quote!(drawing) } else { quote!(html) };
    Ok(quote!({
        let #it = crate::app::drawn::#make(#start);
        #(#calls)*
        #it
    }))
}

fn call(it: &Ident, attribute: &KeyedAttribute) -> syn::Result<TokenStream> {
    let name = attribute.key.to_string();
    let value = attribute.value().ok_or_else(|| syn::Error::new_spanned(attribute, "an attribute without a value"))?;
    Ok(match name.split_once(':') {
        Some(("on", event)) => {
            let kind = Ident::new(kind_of(event), Span::call_site());
            quote!(crate::app::drawn::on::<web_sys::#kind>(&#it, #event, #value);)
        }
        Some(("prop", property)) => quote!(crate::app::drawn::Property::set(#value, &#it, #property);),
        _ => quote!(crate::app::drawn::Attribute::set(#value, &#it, #name);),
    })
}

/// What an event brings along.
fn kind_of(event: &str) -> &'static str {
    match event {
        "click" => "MouseEvent",
        "keydown" => "KeyboardEvent",
        "submit" => "SubmitEvent",
        _ => "Event",
    }
}

/// What is the same each time, as HTML.
fn html(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) => Some(escaped(&text.value_string())),
        Node::Element(element) if function(element.name()).is_none() => {
            let name = element.name().to_string();
            let attributes = element.attributes().iter().map(|attribute| match attribute {
                NodeAttribute::Attribute(attribute) => fixed(attribute),
                NodeAttribute::Block(_) => None,
            });
            let attributes: String = attributes.collect::<Option<_>>()?;
            let children: String = element.children.iter().map(html).collect::<Option<_>>()?;
            let end = if VOID.contains(&name.as_str()) { String::new() } else { format!("</{name}>") };
            Some(format!("<{name}{attributes}>{children}{end}"))
        }
        _ => None,
    }
}

/// An attribute whose value is written down, or that has none.
fn fixed(attribute: &KeyedAttribute) -> Option<String> {
    let name = attribute.key.to_string();
    match attribute.value() {
        None => Some(format!(" {name}")),
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if !name.contains(':') => {
            Some(format!(" {name}=\"{}\"", escaped(&text.value())))
        }
        Some(_) => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
