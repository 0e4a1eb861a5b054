use serde_json::Value;

use super::{Needs, Syntax, ahead, all, concatenated, private_keys, quoted, seals, sha, unicode};
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct Python;

impl Syntax for Python {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => quoted(text, &[], unicode),
            Expr::Secret => "secret".to_owned(),
            Expr::Step(name, _) => (*name).to_owned(),
            Expr::Time(format, later) => time(*format, *later, needs),
            Expr::Nonce => {
                needs.import("import secrets");
                "secrets.token_hex(16)".to_owned()
            }
            Expr::Concat(parts) => concatenated(self, parts, " + ", needs),
            Expr::Escaped(escape, text) => escaped(*escape, &self.text(text, needs), needs),
            Expr::Pairs(pairs) => {
                let pair = |(name, value): &(String, Expr)| {
                    format!("({}, {})", quoted(name, &[], unicode), self.text(value, needs))
                };
                list("[", "]", pairs.iter().map(pair).collect())
            }
            Expr::EscapedPairs(escape, pairs) => {
                let (name, value) = (escaped(*escape, "name", needs), escaped(*escape, "value", needs));
                format!("[({name}, {value}) for name, value in {}]", self.expr(pairs, needs))
            }
            Expr::ByName(pairs) => format!("sorted({})", self.expr(pairs, needs)),
            Expr::Joined(joined) => self.joined(joined, needs),
            Expr::Json(members) => {
                needs.import("import json");
                let member = |(name, value): &(String, Expr)| {
                    format!("{}: {}", quoted(name, &[], unicode), self.expr(value, needs))
                };
                format!("json.dumps({})", list("{", "}", members.iter().map(member).collect()))
            }
            Expr::Value(value) => json(value),
            Expr::Object(members) => {
                let member = |(name, value): &(String, Expr)| {
                    format!("{}: {}", quoted(name, &[], unicode), self.expr(value, needs))
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            Expr::List(items) => format!("[{}]", all(self, items, needs)),
            Expr::Hash(digest, message) => {
                needs.import("import hashlib");
                format!("hashlib.{}({}).digest()", sha(*digest), self.bytes(message, needs))
            }
            Expr::Hmac { digest, key, message } => {
                needs.import("import hashlib");
                needs.import("import hmac");
                let (key, message) = (self.bytes(key, needs), self.bytes(message, needs));
                format!("hmac.digest({key}, {message}, hashlib.{})", sha(*digest))
            }
            Expr::Signed(algorithm, message) => {
                let message = self.bytes(message, needs);
                private_keys::python(*algorithm, &message, needs)
            }
            Expr::Sealed(seal, text) => {
                let text = self.bytes(text, needs);
                seals::python(*seal, &text, needs)
            }
            Expr::Encoded(encoding, bytes) => {
                let bytes = self.bytes(bytes, needs);
                if *encoding != Encoding::Hex {
                    needs.import("import base64");
                }
                match encoding {
                    Encoding::Hex => format!("{bytes}.hex()"),
                    Encoding::Base64 => format!("base64.b64encode({bytes}).decode()"),
                    Encoding::Base64OfHex => format!("base64.b64encode({bytes}.hex().encode()).decode()"),
                    Encoding::Base64Url => format!("base64.urlsafe_b64encode({bytes}).decode().rstrip(\"=\")"),
                }
            }
            Expr::FromBase64(prefix, text) => {
                needs.import("import base64");
                let text = self.text(text, needs);
                // More padding than is owed is left alone.
                match prefix.is_empty() {
                    true => format!("base64.b64decode({text} + \"==\")"),
                    false => {
                        format!("base64.b64decode({text}.removeprefix({}) + \"==\")", quoted(prefix, &[], unicode))
                    }
                }
            }
            Expr::FromHex(text) => format!("bytes.fromhex({})", self.text(text, needs)),
            Expr::Fernet { key, text } => {
                needs.import("from cryptography.fernet import Fernet  # pip install cryptography");
                let (key, text) = (self.text(key, needs), self.bytes(text, needs));
                format!("Fernet({key}).encrypt({text}).decode()")
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        if expr.kind() == Kind::Number { format!("str({value})") } else { value }
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("{name} = {value}")
    }

    fn print(&self, text: &str) -> String {
        if text == "\"\"" { "print()".to_owned() } else { format!("print({text})") }
    }

    fn comment(&self, comment: &str) -> String {
        format!("# {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        let imports = needs.imports.iter().copied().collect::<Vec<_>>().join("\n");
        let helpers: String = needs.helpers.iter().map(|helper| format!("\n\n{helper}\n")).collect();
        format!("{imports}\n{helpers}\n{}\n", lines.join("\n"))
    }
}

impl Python {
    fn bytes(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.text(expr, needs);
        match expr {
            expr if expr.kind() == Kind::Bytes => value,
            Expr::Text(text) if text.is_empty() => "b\"\"".to_owned(),
            Expr::Concat(_) => format!("({value}).encode()"),
            _ => format!("{value}.encode()"),
        }
    }

    fn joined(&self, joined: &Joined, needs: &mut Needs) -> String {
        let between = quoted(&joined.between, &[], unicode);
        let pair = match joined.equals {
            Some(equals) => format!("name + {} + value", quoted(equals, &[], unicode)),
            None => "value".to_owned(),
        };
        // Escaping and joining in one go.
        let (pair, pairs) = match &joined.pairs {
            Expr::EscapedPairs(escape, pairs) => {
                let (name, value) = (escaped(*escape, "name", needs), escaped(*escape, "value", needs));
                (pair.replace("name", &name).replace("+ value", &format!("+ {value}")), &**pairs)
            }
            pairs => (pair, pairs),
        };
        let all = format!("{pair} for name, value in {}", self.expr(pairs, needs));
        match joined.sorted {
            true => format!("{between}.join(sorted({all}))"),
            false => format!("{between}.join({all})"),
        }
    }
}

fn escaped(escape: Escape, text: &str, needs: &mut Needs) -> String {
    match escape {
        Escape::Percent => {
            needs.import("from urllib.parse import quote");
            format!("quote({text}, safe=\"\")")
        }
        Escape::Form => {
            needs.import("from urllib.parse import quote_plus");
            format!("quote_plus({text})")
        }
    }
}

fn time(format: TimeFormat, seconds: u64, needs: &mut Needs) -> String {
    let later = |unit: u64| if seconds == 0 { String::new() } else { format!(" + {}", seconds * unit) };
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => {
            needs.import("import time");
            format!("int(time.time()){}", later(1))
        }
        TimeFormat::Milliseconds => {
            needs.import("import time");
            format!("int(time.time() * 1000){}", later(1000))
        }
        TimeFormat::Rfc3339 => {
            needs.import("import time");
            format!("time.strftime(\"%Y-%m-%dT%H:%M:%SZ\", time.gmtime(time.time(){}))", later(1))
        }
        TimeFormat::HttpDate => {
            needs.import("import time");
            needs.import("from email.utils import formatdate");
            format!("formatdate(time.time(){}, usegmt=True)", later(1))
        }
        TimeFormat::WallTime { hours_ahead } => {
            needs.import("import time");
            let ahead = ahead(seconds, hours_ahead);
            format!("time.strftime(\"%Y-%m-%d %H:%M:%S\", time.gmtime(time.time() + {ahead}))")
        }
    }
}

fn list(open: &str, close: &str, items: Vec<String>) -> String {
    match items.len() {
        0..=2 => format!("{open}{}{close}", items.join(", ")),
        _ => format!("{open}\n{}{close}", items.iter().map(|item| format!("    {item},\n")).collect::<String>()),
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text, &[], unicode),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", quoted(name, &[], unicode), json(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}
