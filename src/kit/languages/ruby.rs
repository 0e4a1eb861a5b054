use serde_json::Value;

use super::{Needs, Syntax, ahead, all, concatenated, private_keys, quoted, seals, sha, unicode};
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct Ruby;

const FERNET: &str = r##"# https://github.com/fernet/spec: AES-128-CBC, and HMAC-SHA256 over all of it.
def fernet(key, text)
  bytes = key.tr("-_", "+/").unpack1("m")
  cipher = OpenSSL::Cipher.new("aes-128-cbc").encrypt
  cipher.key = bytes[16..]
  iv = cipher.random_iv
  signed = "\x80".b + [Time.now.to_i].pack("Q>") + iv + cipher.update(text) + cipher.final
  mac = OpenSSL::HMAC.digest("SHA256", bytes[0, 16], signed)
  [signed + mac].pack("m0").tr("+/", "-_")
end"##;

impl Syntax for Ruby {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => literal(text),
            Expr::Secret => "secret".to_owned(),
            Expr::Step(name, _) => (*name).to_owned(),
            Expr::Time(format, later) => time(*format, *later),
            Expr::Nonce => {
                needs.import("require \"securerandom\"");
                "SecureRandom.hex(16)".to_owned()
            }
            Expr::Concat(parts) => concatenated(self, parts, " + ", needs),
            Expr::Escaped(escape, text) => {
                let text = self.text(text, needs);
                escaped(*escape, &text, needs)
            }
            Expr::Pairs(pairs) => {
                let pair =
                    |(name, value): &(String, Expr)| format!("  [{}, {}],\n", literal(name), self.text(value, needs));
                format!("[\n{}]", pairs.iter().map(pair).collect::<String>())
            }
            Expr::EscapedPairs(escape, pairs) => {
                let (pairs, text) = (self.expr(pairs, needs), escaped(*escape, "text", needs));
                format!("{pairs}.map {{ |pair| pair.map {{ |text| {text} }} }}")
            }
            Expr::ByName(pairs) => format!("{}.sort", self.expr(pairs, needs)),
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                let pair = match equals {
                    Some(equals) => format!(" {{ |pair| pair.join({}) }}", literal(equals)),
                    None => "(&:last)".to_owned(),
                };
                let sort = if *sorted { ".sort" } else { "" };
                format!("{}.map{pair}{sort}.join({})", self.expr(pairs, needs), literal(between))
            }
            Expr::Json(members) => {
                needs.import("require \"json\"");
                let member =
                    |(name, value): &(String, Expr)| format!("  {} => {},\n", literal(name), self.expr(value, needs));
                format!("JSON.generate({{\n{}}})", members.iter().map(member).collect::<String>())
            }
            Expr::Value(value) => json(value),
            Expr::Object(members) => {
                let member =
                    |(name, value): &(String, Expr)| format!("{} => {}", literal(name), self.expr(value, needs));
                format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            Expr::List(items) => format!("[{}]", all(self, items, needs)),
            Expr::Hash(digest, message) => {
                needs.import("require \"openssl\"");
                format!("OpenSSL::Digest.digest(\"{}\", {})", sha(*digest).to_uppercase(), self.text(message, needs))
            }
            Expr::Hmac { digest, key, message } => {
                needs.import("require \"openssl\"");
                let (key, message) = (self.text(key, needs), self.text(message, needs));
                format!("OpenSSL::HMAC.digest(\"{}\", {key}, {message})", sha(*digest).to_uppercase())
            }
            Expr::Signed(algorithm, message) => {
                let message = self.text(message, needs);
                private_keys::ruby(*algorithm, &message, needs)
            }
            Expr::Sealed(seal, text) => {
                let text = self.text(text, needs);
                seals::ruby(*seal, &text, needs)
            }
            Expr::Encoded(encoding, bytes) => {
                let bytes = self.text(bytes, needs);
                match encoding {
                    Encoding::Hex => format!("{bytes}.unpack1(\"H*\")"),
                    Encoding::Base64 => format!("[{bytes}].pack(\"m0\")"),
                    Encoding::Base64Url => format!("[{bytes}].pack(\"m0\").tr(\"+/\", \"-_\").delete(\"=\")"),
                    Encoding::Base64OfHex => format!("[{bytes}.unpack1(\"H*\")].pack(\"m0\")"),
                }
            }
            Expr::FromBase64("", text) => format!("{}.unpack1(\"m\")", self.text(text, needs)),
            Expr::FromBase64(prefix, text) => {
                format!("{}.delete_prefix({}).unpack1(\"m\")", self.text(text, needs), literal(prefix))
            }
            Expr::FromHex(text) => format!("[{}].pack(\"H*\")", self.text(text, needs)),
            Expr::Fernet { key, text } => {
                needs.import("require \"openssl\"");
                needs.helper(FERNET);
                format!("fernet({}, {})", self.text(key, needs), self.text(text, needs))
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        match expr {
            Expr::Time(..) if expr.kind() == Kind::Number => format!("({value}).to_s"),
            _ if expr.kind() == Kind::Number => format!("{value}.to_s"),
            _ => value,
        }
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("{name} = {value}")
    }

    fn print(&self, text: &str) -> String {
        if text == "\"\"" { "puts".to_owned() } else { format!("puts {text}") }
    }

    fn comment(&self, comment: &str) -> String {
        format!("# {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        let imports: String = needs.imports.iter().map(|import| format!("{import}\n")).collect();
        let helpers: String = needs.helpers.iter().map(|helper| format!("\n{helper}\n")).collect();
        format!("{imports}{helpers}\n{}\n", lines.join("\n"))
    }
}

fn literal(text: &str) -> String {
    quoted(text, &['#'], unicode)
}

fn escaped(escape: Escape, text: &str, needs: &mut Needs) -> String {
    needs.import("require \"erb\"");
    match escape {
        Escape::Percent => format!("ERB::Util.url_encode({text})"),
        Escape::Form => format!("ERB::Util.url_encode({text}).gsub(\"%20\", \"+\")"),
    }
}

fn time(format: TimeFormat, later: u64) -> String {
    let plus = |later: u64| if later == 0 { String::new() } else { format!(" + {later}") };
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => format!("Time.now.to_i{}", plus(later)),
        TimeFormat::Milliseconds => format!("(Time.now.to_f * 1000).to_i{}", plus(later * 1000)),
        TimeFormat::Rfc3339 => format!("(Time.now{}).utc.strftime(\"%Y-%m-%dT%H:%M:%SZ\")", plus(later)),
        TimeFormat::HttpDate => format!("(Time.now{}).utc.strftime(\"%a, %d %b %Y %H:%M:%S GMT\")", plus(later)),
        TimeFormat::WallTime { hours_ahead } => {
            format!("(Time.now + {}).utc.strftime(\"%Y-%m-%d %H:%M:%S\")", ahead(later, hours_ahead))
        }
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::String(text) => literal(text),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{} => {}", literal(name), json(value));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
