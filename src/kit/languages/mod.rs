//! The steps as programs. Each language renders expressions; what is the same for all of them is here.

mod csharp;
mod go;
mod go_helpers;
mod java;
mod node;
mod php;
mod private_keys;
mod python;
mod ruby;
mod seals;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::mac::Digest;
use crate::steps::{Expr, Kind, SecretShape, Steps};

/// A language of the kit's programs.
///
/// ```
/// use tower_sso::kit::Language;
///
/// assert_eq!(Language::Python.name(), "Python");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// Python 3.9 or later. For Fernet, private keys and encryption, with the package `cryptography`.
    Python,
    /// PHP 8.0 or later. None for RSA-PSS.
    Php,
    /// Node.js 18 or later.
    Node,
    /// Ruby 2.5 or later.
    Ruby,
    /// Go 1.19 or later.
    Go,
    /// C# 6 or later, on .NET or Mono. None for private keys and for AES-GCM.
    CSharp,
    /// Java 11 or later, and 15 or later for Ed25519.
    Java,
}

/// A program that signs a request and prints it.
///
/// ```
/// use tower_sso::kit::{Language, Program};
///
/// fn python(programs: &[Program]) -> Option<&str> {
///     programs.iter().find(|program| program.language == Language::Python).map(|program| program.source.as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// Its language.
    pub language: Language,
    /// Its text. The only key in it is the kit's own.
    pub source: String,
}

impl Language {
    pub(crate) const ALL: [Self; 7] =
        [Self::Python, Self::Php, Self::Node, Self::Ruby, Self::Go, Self::CSharp, Self::Java];

    /// Its name, as headings have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Php => "PHP",
            Self::Node => "Node.js",
            Self::Ruby => "Ruby",
            Self::Go => "Go",
            Self::CSharp => "C#",
            Self::Java => "Java",
        }
    }

    /// The word after a Markdown fence.
    pub(crate) fn fence(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Php => "php",
            Self::Node => "js",
            Self::Ruby => "ruby",
            Self::Go => "go",
            Self::CSharp => "csharp",
            Self::Java => "java",
        }
    }

    /// The steps with this secret, and then the request, printed line by line as in an `.http` file.
    pub(crate) fn program(self, steps: &Steps, secret: &str) -> String {
        match self {
            Self::Python => write(&python::Python, steps, secret),
            Self::Php => write(&php::Php, steps, secret),
            Self::Node => write(&node::Node, steps, secret),
            Self::Ruby => write(&ruby::Ruby, steps, secret),
            Self::Go => write(&go::Go, steps, secret),
            Self::CSharp => write(&csharp::CSharp, steps, secret),
            Self::Java => write(&java::Java, steps, secret),
        }
    }
}

/// What an expression needs elsewhere in the program.
#[derive(Default)]
struct Needs {
    imports: BTreeSet<&'static str>,
    helpers: BTreeSet<&'static str>,
}

impl Needs {
    fn import(&mut self, import: &'static str) {
        self.imports.insert(import);
    }

    fn helper(&mut self, helper: &'static str) {
        self.helpers.insert(helper);
    }

    fn function(&mut self, function: Function) {
        self.helpers.insert(function.source);
        self.imports.extend(function.imports);
    }
}

/// A function, and what it imports.
struct Function {
    imports: &'static [&'static str],
    source: &'static str,
}

/// How a language writes expressions.
trait Syntax {
    /// The expression as a value of its own kind.
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String;

    /// The expression as text.
    fn text(&self, expr: &Expr, needs: &mut Needs) -> String;

    /// A variable with this value.
    fn variable(&self, name: &str, kind: Kind, value: &str) -> String;

    /// A line that prints a text and ends the line.
    fn print(&self, text: &str) -> String;

    /// The comment after the secret.
    fn comment(&self, comment: &str) -> String;

    /// The whole program.
    fn program(&self, needs: &Needs, lines: &[String]) -> String;
}

fn write(syntax: &impl Syntax, steps: &Steps, secret: &str) -> String {
    let mut needs = Needs::default();
    let literal = syntax.text(&Expr::text(secret.to_owned()), &mut needs);
    let note = syntax.comment(match steps.secret {
        SecretShape::PrivateKey(_) => {
            "This page's test key. Yours is of a pair that you make: keep it out of the source."
        }
        _ => "This page's test key. Yours comes from us: keep it out of the source.",
    });
    let mut lines = vec![note, syntax.variable("secret", Kind::Text, &literal), String::new()];
    for step in &steps.steps {
        let value = syntax.expr(&step.expr, &mut needs);
        lines.push(syntax.variable(step.name, step.expr.kind(), &value));
    }
    lines.push(String::new());
    for line in steps.request.lines() {
        let line = syntax.text(&line, &mut needs);
        lines.push(syntax.print(&line));
    }
    if let Some((body, _)) = steps.request.content() {
        let (nothing, body) = (syntax.text(&Expr::text(""), &mut needs), syntax.text(&body, &mut needs));
        lines.extend([syntax.print(&nothing), syntax.print(&body)]);
    }
    syntax.program(&needs, &lines)
}

/// A string literal in double quotes, with `\u…` for what no source should hold.
fn quoted(text: &str, also: &[char], unicode: impl Fn(u32) -> String) -> String {
    let mut literal = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '"' | '\\' => literal.extend(['\\', letter]),
            letter if also.contains(&letter) => literal.extend(['\\', letter]),
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                literal.push_str(&unicode(u32::from(letter)));
            }
            letter => literal.push(letter),
        }
    }
    literal.push('"');
    literal
}

/// As [`quoted`], with nothing but ASCII: whatever the compiler's character set is, it reads the same.
fn ascii(text: &str) -> String {
    let mut literal = String::new();
    for letter in quoted(text, &[], unicode).chars() {
        if letter.is_ascii() {
            literal.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| literal.push_str(&unicode(u32::from(*unit))));
        }
    }
    literal
}

/// Texts with the language's operator between them.
fn concatenated(syntax: &impl Syntax, parts: &[Expr], operator: &str, needs: &mut Needs) -> String {
    parts.iter().map(|part| syntax.text(part, needs)).collect::<Vec<_>>().join(operator)
}

/// JSON as concatenated text, for a language without a JSON library. Strings go through a function.
fn json_text(syntax: &impl Syntax, json: &Expr, quote: &str, needs: &mut Needs) -> String {
    let mut parts = Vec::new();
    json_parts(syntax, json, quote, needs, &mut parts);
    parts.join(" + ")
}

fn json_parts(syntax: &impl Syntax, json: &Expr, quote: &str, needs: &mut Needs, parts: &mut Vec<String>) {
    match json {
        Expr::Value(value) => json_value(value, quote, parts),
        Expr::Object(members) => {
            for (at, (name, value)) in members.iter().enumerate() {
                let before = if at == 0 { "{" } else { "," };
                parts.push(ascii(&format!("{before}{}:", Value::from(name.as_str()))));
                json_parts(syntax, value, quote, needs, parts);
            }
            parts.push(ascii(if members.is_empty() { "{}" } else { "}" }));
        }
        Expr::List(items) => {
            for (at, item) in items.iter().enumerate() {
                parts.push(ascii(if at == 0 { "[" } else { "," }));
                json_parts(syntax, item, quote, needs, parts);
            }
            parts.push(ascii(if items.is_empty() { "[]" } else { "]" }));
        }
        value if value.kind() == Kind::Number => parts.push(syntax.text(value, needs)),
        value => parts.push(format!("{quote}({})", syntax.text(value, needs))),
    }
}

/// Expressions with commas between them.
fn all(syntax: &impl Syntax, items: &[Expr], needs: &mut Needs) -> String {
    items.iter().map(|item| syntax.expr(item, needs)).collect::<Vec<_>>().join(", ")
}

fn json_value(value: &Value, quote: &str, parts: &mut Vec<String>) {
    match value {
        Value::String(text) => parts.push(format!("{quote}({})", ascii(text))),
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                parts.push(ascii(if at == 0 { "[" } else { "," }));
                json_value(item, quote, parts);
            }
            parts.push(ascii("]"));
        }
        Value::Object(members) if !members.is_empty() => {
            for (at, (name, member)) in members.iter().enumerate() {
                let before = if at == 0 { "{" } else { "," };
                parts.push(ascii(&format!("{before}{}:", Value::from(name.as_str()))));
                json_value(member, quote, parts);
            }
            parts.push(ascii("}"));
        }
        other => parts.push(ascii(&other.to_string())),
    }
}

/// Indents every line that is not empty.
fn indented(text: &str, space: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{space}{line}\n") }).collect()
}

/// How many seconds a clock without a zone is ahead of now in UTC.
fn ahead(later: u64, hours: i8) -> i64 {
    i64::try_from(later).unwrap_or(i64::MAX).saturating_add(i64::from(hours) * 3600)
}

pub(super) fn sha(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha1 => "sha1",
        Digest::Sha256 => "sha256",
        Digest::Sha384 => "sha384",
        Digest::Sha512 => "sha512",
    }
}

/// `\u001f`, as most languages write a character by its number.
fn unicode(number: u32) -> String {
    format!("\\u{number:04x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_any_text() {
        let text = "a\"\\\n\r\t\u{1}\u{2028}\u{feff}$é";
        assert_eq!(quoted(text, &['$'], unicode), r#""a\"\\\n\r\t\u0001\u2028\ufeff\$é""#);
        assert_eq!(ascii("é😀"), r#""\u00e9\ud83d\ude00""#);
    }
}
