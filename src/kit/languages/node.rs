use super::{Needs, Syntax, ahead, all, concatenated, private_keys, quoted, seals, sha, unicode};
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct Node;

/// RFC 3986, 2.3.
const PERCENT: &str = r#"function percent(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => "%" + mark.charCodeAt(0).toString(16).toUpperCase());
}"#;

const FERNET: &str = r#"// https://github.com/fernet/spec: AES-128-CBC, and HMAC-SHA256 over all of it.
function fernet(key, text) {
  const bytes = Buffer.from(key, "base64url");
  const start = Buffer.alloc(9);
  start.writeUInt8(0x80, 0);
  start.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000)), 1);
  const iv = crypto.randomBytes(16);
  const cipher = crypto.createCipheriv("aes-128-cbc", bytes.subarray(16), iv);
  const signed = Buffer.concat([start, iv, cipher.update(text), cipher.final()]);
  const mac = crypto.createHmac("sha256", bytes.subarray(0, 16)).update(signed).digest();
  return Buffer.concat([signed, mac]).toString("base64url");
}"#;

impl Syntax for Node {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => quoted(text, &[], unicode),
            Expr::Secret => "secret".to_owned(),
            Expr::Step(name, _) => (*name).to_owned(),
            Expr::Time(format, later) => time(*format, *later),
            Expr::Nonce => self.crypto(needs, "randomBytes(16).toString(\"hex\")"),
            Expr::Concat(parts) => concatenated(self, parts, " + ", needs),
            Expr::Escaped(escape, text) => {
                needs.helper(PERCENT);
                format!("percent({}){}", self.text(text, needs), plus(*escape))
            }
            Expr::Pairs(pairs) => {
                let pair = |(name, value): &(String, Expr)| {
                    format!("  [{}, {}],\n", quoted(name, &[], unicode), self.text(value, needs))
                };
                format!("[\n{}]", pairs.iter().map(pair).collect::<String>())
            }
            Expr::EscapedPairs(escape, pairs) => {
                needs.helper(PERCENT);
                let pairs = self.expr(pairs, needs);
                match escape {
                    Escape::Percent => format!("{pairs}.map((pair) => pair.map(percent))"),
                    Escape::Form => {
                        format!("{pairs}.map((pair) => pair.map((text) => percent(text){}))", plus(*escape))
                    }
                }
            }
            Expr::ByName(pairs) => {
                format!("[...{}].sort(([one], [other]) => (one < other ? -1 : 1))", self.expr(pairs, needs))
            }
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                let pair = match equals {
                    Some(equals) => format!("(pair) => pair.join({})", quoted(equals, &[], unicode)),
                    None => "([, value]) => value".to_owned(),
                };
                let sort = if *sorted { ".sort()" } else { "" };
                let (pairs, between) = (self.expr(pairs, needs), quoted(between, &[], unicode));
                format!("{pairs}.map({pair}){sort}.join({between})")
            }
            Expr::Json(members) => {
                let member = |(name, value): &(String, Expr)| {
                    format!("  {}: {},\n", quoted(name, &[], unicode), self.expr(value, needs))
                };
                format!("JSON.stringify({{\n{}}})", members.iter().map(member).collect::<String>())
            }
            // JSON is JavaScript.
            Expr::Value(value) => value.to_string(),
            Expr::Object(members) => {
                let member = |(name, value): &(String, Expr)| {
                    format!("{}: {}", quoted(name, &[], unicode), self.expr(value, needs))
                };
                format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            Expr::List(items) => format!("[{}]", all(self, items, needs)),
            Expr::Hash(digest, message) => {
                let message = self.expr(message, needs);
                self.crypto(needs, &format!("createHash(\"{}\").update({message}).digest()", sha(*digest)))
            }
            Expr::Hmac { digest, key, message } => {
                let (key, message) = (self.expr(key, needs), self.expr(message, needs));
                self.crypto(needs, &format!("createHmac(\"{}\", {key}).update({message}).digest()", sha(*digest)))
            }
            Expr::Signed(algorithm, message) => {
                let message = self.text(message, needs);
                private_keys::node(*algorithm, &message, needs)
            }
            Expr::Sealed(seal, text) => {
                let text = self.text(text, needs);
                seals::node(*seal, &text, needs)
            }
            Expr::Encoded(encoding, inner) => {
                let bytes = match inner.kind() {
                    Kind::Bytes => self.expr(inner, needs),
                    _ => format!("Buffer.from({})", self.text(inner, needs)),
                };
                match encoding {
                    Encoding::Hex => format!("{bytes}.toString(\"hex\")"),
                    Encoding::Base64 => format!("{bytes}.toString(\"base64\")"),
                    Encoding::Base64Url => format!("{bytes}.toString(\"base64url\")"),
                    Encoding::Base64OfHex => format!("Buffer.from({bytes}.toString(\"hex\")).toString(\"base64\")"),
                }
            }
            Expr::FromBase64(prefix, text) => {
                let text = self.text(text, needs);
                match prefix.is_empty() {
                    true => format!("Buffer.from({text}, \"base64\")"),
                    false => format!("Buffer.from({text}.replace({}, \"\"), \"base64\")", quoted(prefix, &[], unicode)),
                }
            }
            Expr::FromHex(text) => format!("Buffer.from({}, \"hex\")", self.text(text, needs)),
            Expr::Fernet { key, text } => {
                needs.helper(FERNET);
                needs.import("const crypto = require(\"node:crypto\");");
                format!("fernet({}, {})", self.text(key, needs), self.text(text, needs))
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        if expr.kind() == Kind::Number { format!("String({value})") } else { value }
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("const {name} = {value};")
    }

    fn print(&self, text: &str) -> String {
        format!("console.log({text});")
    }

    fn comment(&self, comment: &str) -> String {
        format!("// {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        let imports: String = needs.imports.iter().map(|import| format!("{import}\n\n")).collect();
        let helpers: String = needs.helpers.iter().map(|helper| format!("{helper}\n\n")).collect();
        format!("{imports}{helpers}{}\n", lines.join("\n"))
    }
}

impl Node {
    fn crypto(&self, needs: &mut Needs, call: &str) -> String {
        needs.import("const crypto = require(\"node:crypto\");");
        format!("crypto.{call}")
    }
}

fn plus(escape: Escape) -> &'static str {
    match escape {
        Escape::Percent => "",
        Escape::Form => ".replaceAll(\"%20\", \"+\")",
    }
}

fn time(format: TimeFormat, later: u64) -> String {
    let milliseconds = match later {
        0 => "Date.now()".to_owned(),
        later => format!("Date.now() + {}", later * 1000),
    };
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => {
            let later = if later == 0 { String::new() } else { format!(" + {later}") };
            format!("Math.floor(Date.now() / 1000){later}")
        }
        TimeFormat::Milliseconds => milliseconds,
        TimeFormat::Rfc3339 => format!("new Date({milliseconds}).toISOString()"),
        TimeFormat::HttpDate => format!("new Date({milliseconds}).toUTCString()"),
        TimeFormat::WallTime { hours_ahead } => {
            let ahead = ahead(later, hours_ahead) * 1000;
            format!("new Date(Date.now() + {ahead}).toISOString().slice(0, 19).replace(\"T\", \" \")")
        }
    }
}
