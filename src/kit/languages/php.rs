use serde_json::Value;

use super::{Needs, Syntax, ahead, all, concatenated, private_keys, quoted, seals, sha};
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct Php;

const SORTED: &str = "function sorted(array $texts): array
{
    sort($texts, SORT_STRING);
    return $texts;
}";

const BY_NAME: &str = "function by_name(array $pairs): array
{
    usort($pairs, fn($one, $other) => strcmp($one[0], $other[0]));
    return $pairs;
}";

const WITHOUT: &str = "function without(string $prefix, string $text): string
{
    return str_starts_with($text, $prefix) ? substr($text, strlen($prefix)) : $text;
}";

const FERNET: &str = r#"// https://github.com/fernet/spec: AES-128-CBC, and HMAC-SHA256 over all of it.
function fernet(string $key, string $text): string
{
    $bytes = base64_decode(strtr($key, "-_", "+/"));
    $iv = random_bytes(16);
    $sealed = openssl_encrypt($text, "aes-128-cbc", substr($bytes, 16), OPENSSL_RAW_DATA, $iv);
    $signed = "\x80" . pack("J", time()) . $iv . $sealed;
    $mac = hash_hmac("sha256", $signed, substr($bytes, 0, 16), true);
    return strtr(base64_encode($signed . $mac), "+/", "-_");
}"#;

impl Syntax for Php {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => literal(text),
            Expr::Secret => "$secret".to_owned(),
            Expr::Step(name, _) => format!("${name}"),
            Expr::Time(format, later) => time(*format, *later),
            Expr::Nonce => "bin2hex(random_bytes(16))".to_owned(),
            Expr::Concat(parts) => concatenated(self, parts, " . ", needs),
            Expr::Escaped(escape, text) => escaped(*escape, &self.text(text, needs)),
            Expr::Pairs(pairs) => {
                let pair =
                    |(name, value): &(String, Expr)| format!("    [{}, {}],\n", literal(name), self.text(value, needs));
                format!("[\n{}]", pairs.iter().map(pair).collect::<String>())
            }
            Expr::EscapedPairs(escape, pairs) => {
                let pairs = self.expr(pairs, needs);
                format!("array_map(fn($pair) => array_map(fn($text) => {}, $pair), {pairs})", escaped(*escape, "$text"))
            }
            Expr::ByName(pairs) => {
                needs.helper(BY_NAME);
                format!("by_name({})", self.expr(pairs, needs))
            }
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                let pair = match equals {
                    Some(equals) => format!("implode({}, $pair)", literal(equals)),
                    None => "$pair[1]".to_owned(),
                };
                let texts = format!("array_map(fn($pair) => {pair}, {})", self.expr(pairs, needs));
                let texts = if *sorted {
                    needs.helper(SORTED);
                    format!("sorted({texts})")
                } else {
                    texts
                };
                format!("implode({}, {texts})", literal(between))
            }
            Expr::Json(members) if members.is_empty() => literal("{}"),
            Expr::Json(members) => {
                let member =
                    |(name, value): &(String, Expr)| format!("    {} => {},\n", literal(name), self.expr(value, needs));
                format!("json_encode([\n{}])", members.iter().map(member).collect::<String>())
            }
            Expr::Value(value) => json(value),
            Expr::Object(members) => {
                let member =
                    |(name, value): &(String, Expr)| format!("{} => {}", literal(name), self.expr(value, needs));
                format!("[{}]", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            Expr::List(items) => format!("[{}]", all(self, items, needs)),
            Expr::Hash(digest, message) => {
                format!("hash(\"{}\", {}, true)", sha(*digest), self.text(message, needs))
            }
            Expr::Hmac { digest, key, message } => {
                let (key, message) = (self.text(key, needs), self.text(message, needs));
                format!("hash_hmac(\"{}\", {message}, {key}, true)", sha(*digest))
            }
            Expr::Signed(algorithm, message) => {
                let message = self.text(message, needs);
                private_keys::php(*algorithm, &message, needs)
            }
            Expr::Sealed(seal, text) => {
                let text = self.text(text, needs);
                seals::php(*seal, &text, needs)
            }
            Expr::Encoded(encoding, bytes) => {
                let bytes = self.text(bytes, needs);
                match encoding {
                    Encoding::Hex => format!("bin2hex({bytes})"),
                    Encoding::Base64 => format!("base64_encode({bytes})"),
                    Encoding::Base64Url => format!("rtrim(strtr(base64_encode({bytes}), \"+/\", \"-_\"), \"=\")"),
                    Encoding::Base64OfHex => format!("base64_encode(bin2hex({bytes}))"),
                }
            }
            Expr::FromBase64("", text) => format!("base64_decode({})", self.text(text, needs)),
            Expr::FromBase64(prefix, text) => {
                needs.helper(WITHOUT);
                format!("base64_decode(without({}, {}))", literal(prefix), self.text(text, needs))
            }
            Expr::FromHex(text) => format!("hex2bin({})", self.text(text, needs)),
            Expr::Fernet { key, text } => {
                needs.helper(FERNET);
                format!("fernet({}, {})", self.text(key, needs), self.text(text, needs))
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        if expr.kind() == Kind::Number { format!("(string) {value}") } else { value }
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("${name} = {value};")
    }

    fn print(&self, text: &str) -> String {
        if text == "\"\"" { "echo \"\\n\";".to_owned() } else { format!("echo {text}, \"\\n\";") }
    }

    fn comment(&self, comment: &str) -> String {
        format!("// {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        let helpers: String = needs.helpers.iter().map(|helper| format!("{helper}\n\n")).collect();
        format!("<?php\n\n{helpers}{}\n", lines.join("\n"))
    }
}

fn literal(text: &str) -> String {
    quoted(text, &['$'], |number| format!("\\u{{{number:x}}}"))
}

fn escaped(escape: Escape, text: &str) -> String {
    match escape {
        Escape::Percent => format!("rawurlencode({text})"),
        Escape::Form => format!("str_replace(\"%20\", \"+\", rawurlencode({text}))"),
    }
}

fn time(format: TimeFormat, later: u64) -> String {
    let seconds = if later == 0 { "time()".to_owned() } else { format!("time() + {later}") };
    match format {
        // In brackets, so that a cast may precede it.
        TimeFormat::Seconds | TimeFormat::FractionalSeconds if later > 0 => format!("({seconds})"),
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => seconds,
        TimeFormat::Milliseconds => format!("((int) (microtime(true) * 1000) + {})", later * 1000),
        TimeFormat::Rfc3339 => format!("gmdate('Y-m-d\\TH:i:s\\Z', {seconds})"),
        TimeFormat::HttpDate => format!("gmdate('D, d M Y H:i:s \\G\\M\\T', {seconds})"),
        TimeFormat::WallTime { hours_ahead } => {
            format!("gmdate('Y-m-d H:i:s', time() + {})", ahead(later, hours_ahead))
        }
    }
}

fn json(value: &Value) -> String {
    match value {
        Value::String(text) => literal(text),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "new stdClass()".to_owned(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{} => {}", literal(name), json(value));
            format!("[{}]", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
