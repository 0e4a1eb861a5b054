use serde_json::Value;

use super::{Needs, Syntax, ahead, all, concatenated, go_helpers as helpers, private_keys, quoted, seals, unicode};
use crate::mac::Digest;
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct Go;

impl Syntax for Go {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => literal(text),
            Expr::Secret => "secret".to_owned(),
            Expr::Step(name, _) => (*name).to_owned(),
            Expr::Time(format, later) => time(*format, *later, needs),
            Expr::Nonce => {
                needs.function(helpers::RANDOM_HEX);
                "randomHex()".to_owned()
            }
            Expr::Concat(parts) => concatenated(self, parts, " + ", needs),
            Expr::Escaped(Escape::Percent, text) => {
                needs.function(helpers::PERCENT);
                format!("percent({})", self.text(text, needs))
            }
            Expr::Escaped(Escape::Form, text) => {
                needs.import("net/url");
                format!("url.QueryEscape({})", self.text(text, needs))
            }
            Expr::Pairs(pairs) => {
                let pair =
                    |(name, value): &(String, Expr)| format!("\t{{{}, {}}},\n", literal(name), self.text(value, needs));
                format!("[][2]string{{\n{}}}", pairs.iter().map(pair).collect::<String>())
            }
            Expr::EscapedPairs(escape, pairs) => {
                needs.function(helpers::ESCAPED);
                let escape = match escape {
                    Escape::Percent => {
                        needs.function(helpers::PERCENT);
                        "percent"
                    }
                    Escape::Form => {
                        needs.import("net/url");
                        "url.QueryEscape"
                    }
                };
                format!("escaped({}, {escape})", self.expr(pairs, needs))
            }
            Expr::ByName(pairs) => {
                needs.function(helpers::BY_NAME);
                format!("byName({})", self.expr(pairs, needs))
            }
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                needs.function(helpers::WRITTEN);
                needs.import("strings");
                let pair = match equals {
                    Some(equals) => format!("pair[0] + {} + pair[1]", literal(equals)),
                    None => "pair[1]".to_owned(),
                };
                let write = format!("func(pair [2]string) string {{ return {pair} }}");
                let texts = format!("written({}, {write})", self.expr(pairs, needs));
                let texts = if *sorted {
                    needs.function(helpers::SORTED);
                    format!("sorted({texts})")
                } else {
                    texts
                };
                format!("strings.Join({texts}, {})", literal(between))
            }
            Expr::Json(members) => {
                needs.function(helpers::TO_JSON);
                let member =
                    |(name, value): &(String, Expr)| format!("\t{}: {},\n", literal(name), self.expr(value, needs));
                format!("toJSON(map[string]any{{\n{}}})", members.iter().map(member).collect::<String>())
            }
            Expr::Value(value) => json(value),
            Expr::Object(members) => {
                let member = |(name, value): &(String, Expr)| format!("{}: {}", literal(name), self.expr(value, needs));
                format!("map[string]any{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            Expr::List(items) => format!("[]any{{{}}}", all(self, items, needs)),
            Expr::Hash(digest, message) => {
                needs.function(helpers::SUM);
                format!("sum({}, {})", name(*digest, needs), self.bytes(message, needs))
            }
            Expr::Hmac { digest, key, message } => {
                needs.function(helpers::MAC);
                let (key, message) = (self.bytes(key, needs), self.bytes(message, needs));
                format!("mac({}, {key}, {message})", name(*digest, needs))
            }
            Expr::Signed(algorithm, message) => {
                let message = self.bytes(message, needs);
                private_keys::go(*algorithm, &message, needs)
            }
            Expr::Sealed(seal, text) => {
                let text = self.bytes(text, needs);
                seals::go(*seal, &text, needs)
            }
            Expr::Encoded(encoding, bytes) => {
                let bytes = self.bytes(bytes, needs);
                if matches!(encoding, Encoding::Hex | Encoding::Base64OfHex) {
                    needs.import("encoding/hex");
                }
                if *encoding != Encoding::Hex {
                    needs.import("encoding/base64");
                }
                match encoding {
                    Encoding::Hex => format!("hex.EncodeToString({bytes})"),
                    Encoding::Base64 => format!("base64.StdEncoding.EncodeToString({bytes})"),
                    Encoding::Base64Url => format!("base64.RawURLEncoding.EncodeToString({bytes})"),
                    Encoding::Base64OfHex => {
                        format!("base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString({bytes})))")
                    }
                }
            }
            Expr::FromBase64(prefix, text) => {
                needs.function(helpers::FROM_BASE64);
                format!("fromBase64({}, {})", literal(prefix), self.text(text, needs))
            }
            Expr::FromHex(text) => {
                needs.function(helpers::FROM_HEX);
                format!("fromHex({})", self.text(text, needs))
            }
            Expr::Fernet { key, text } => {
                needs.function(helpers::FERNET);
                format!("fernet({}, {})", self.text(key, needs), self.bytes(text, needs))
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        if expr.kind() != Kind::Number {
            return value;
        }
        needs.import("strconv");
        format!("strconv.FormatInt({value}, 10)")
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("{name} := {value}")
    }

    fn print(&self, text: &str) -> String {
        if text == "\"\"" { "fmt.Println()".to_owned() } else { format!("fmt.Println({text})") }
    }

    fn comment(&self, comment: &str) -> String {
        format!("// {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        let imports = needs.imports.iter().chain([&"fmt"]).collect::<std::collections::BTreeSet<_>>();
        let imports = imports.into_iter().map(|import| match import.strip_prefix("_ ") {
            Some(import) => format!("\t_ \"{import}\"\n"),
            None => format!("\t\"{import}\"\n"),
        });
        let imports: String = imports.collect();
        let helpers: String = needs.helpers.iter().map(|helper| format!("\n{helper}\n")).collect();
        let lines = super::indented(&lines.join("\n"), "\t");
        format!("package main\n\nimport (\n{imports})\n{helpers}\nfunc main() {{\n{lines}}}\n")
    }
}

impl Go {
    fn bytes(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.text(expr, needs);
        if expr.kind() == Kind::Bytes { value } else { format!("[]byte({value})") }
    }
}

fn literal(text: &str) -> String {
    quoted(text, &[], unicode)
}

fn name(digest: Digest, needs: &mut Needs) -> &'static str {
    let (package, function) = match digest {
        Digest::Sha1 => ("crypto/sha1", "sha1.New"),
        Digest::Sha256 => ("crypto/sha256", "sha256.New"),
        Digest::Sha384 => ("crypto/sha512", "sha512.New384"),
        Digest::Sha512 => ("crypto/sha512", "sha512.New"),
    };
    needs.import(package);
    function
}

fn time(format: TimeFormat, later: u64, needs: &mut Needs) -> String {
    needs.import("time");
    let plus = |later: u64| if later == 0 { String::new() } else { format!(" + {later}") };
    let at = match later {
        0 => "time.Now().UTC()".to_owned(),
        later => format!("time.Now().UTC().Add({later} * time.Second)"),
    };
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => format!("time.Now().Unix(){}", plus(later)),
        TimeFormat::Milliseconds => format!("time.Now().UnixMilli(){}", plus(later * 1000)),
        TimeFormat::Rfc3339 => format!("{at}.Format(time.RFC3339)"),
        TimeFormat::HttpDate => format!("{at}.Format(\"Mon, 02 Jan 2006 15:04:05 GMT\")"),
        TimeFormat::WallTime { hours_ahead } => {
            let ahead = ahead(later, hours_ahead);
            format!("time.Now().UTC().Add({ahead} * time.Second).Format(\"2006-01-02 15:04:05\")")
        }
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::String(text) => literal(text),
        Value::Array(items) => format!("[]any{{{}}}", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", literal(name), json(value));
            format!("map[string]any{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
