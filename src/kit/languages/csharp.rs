use super::{Needs, Syntax, ahead, ascii, concatenated, json_text, seals, sha};
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct CSharp;

const QUOTE: &str = r#"static string Quote(string text)
{
    var json = new StringBuilder("\"");
    foreach (var letter in text)
    {
        if (letter == '"' || letter == '\\')
            json.Append('\\').Append(letter);
        else if (letter < ' ' || letter > '~')
            json.Append("\\u").Append(((int)letter).ToString("x4"));
        else
            json.Append(letter);
    }
    return json.Append('"').ToString();
}"#;

const HEX: &str = r#"static string Hex(byte[] bytes)
{
    return BitConverter.ToString(bytes).Replace("-", "").ToLowerInvariant();
}"#;

const FROM_HEX: &str = "static byte[] FromHex(string text)
{
    return Enumerable.Range(0, text.Length / 2).Select(at => Convert.ToByte(text.Substring(2 * at, 2), 16)).ToArray();
}";

const FROM_BASE64: &str = "static byte[] FromBase64(string prefix, string text)
{
    var bare = text.StartsWith(prefix, StringComparison.Ordinal) ? text.Substring(prefix.Length) : text;
    return Convert.FromBase64String(bare.PadRight((bare.Length + 3) / 4 * 4, '='));
}";

const FERNET: &str = r"// https://github.com/fernet/spec: AES-128-CBC, and HMAC-SHA256 over all of it.
static string Fernet(string key, byte[] text)
{
    var bytes = Convert.FromBase64String(key.Replace('-', '+').Replace('_', '/'));
    using (var aes = Aes.Create())
    {
        aes.Key = bytes.Skip(16).ToArray();
        aes.GenerateIV();
        var encrypted = aes.CreateEncryptor().TransformFinalBlock(text, 0, text.Length);
        var time = BitConverter.GetBytes(DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        if (BitConverter.IsLittleEndian)
            Array.Reverse(time);
        var signed = new byte[] { 0x80 }.Concat(time).Concat(aes.IV).Concat(encrypted).ToArray();
        var mac = new HMACSHA256(bytes.Take(16).ToArray()).ComputeHash(signed);
        return Convert.ToBase64String(signed.Concat(mac).ToArray()).Replace('+', '-').Replace('/', '_');
    }
}";

impl Syntax for CSharp {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => ascii(text),
            Expr::Secret => "secret".to_owned(),
            Expr::Step(name, _) => (*name).to_owned(),
            Expr::Time(format, later) => time(*format, *later),
            Expr::Nonce => "Guid.NewGuid().ToString(\"N\")".to_owned(),
            Expr::Concat(parts) => concatenated(self, parts, " + ", needs),
            Expr::Escaped(escape, text) => escaped(*escape, &self.text(text, needs)),
            Expr::Pairs(pairs) => {
                let pair = |(name, value): &(String, Expr)| {
                    format!("    new[] {{ {}, {} }},\n", ascii(name), self.text(value, needs))
                };
                format!("new[]\n{{\n{}}}", pairs.iter().map(pair).collect::<String>())
            }
            Expr::EscapedPairs(escape, pairs) => {
                let pairs = self.expr(pairs, needs);
                format!("{pairs}.Select(pair => pair.Select(part => {}).ToArray())", escaped(*escape, "part"))
            }
            Expr::ByName(pairs) => {
                format!("{}.OrderBy(pair => pair[0], StringComparer.Ordinal)", self.expr(pairs, needs))
            }
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                let pair = match equals {
                    Some(equals) => format!("pair[0] + {} + pair[1]", ascii(equals)),
                    None => "pair[1]".to_owned(),
                };
                let sort = if *sorted { ".OrderBy(part => part, StringComparer.Ordinal)" } else { "" };
                let texts = format!("{}.Select(pair => {pair}){sort}", self.expr(pairs, needs));
                format!("string.Join({}, {texts})", ascii(between))
            }
            Expr::Json(members) => {
                needs.helper(QUOTE);
                json_text(self, &Expr::Object(members.clone()), "Quote", needs)
            }
            Expr::Value(value) => ascii(&value.to_string()),
            Expr::Object(_) | Expr::List(_) => json_text(self, expr, "Quote", needs),
            Expr::Hash(digest, message) => {
                format!("{}.Create().ComputeHash({})", sha(*digest).to_uppercase(), self.bytes(message, needs))
            }
            Expr::Hmac { digest, key, message } => {
                let (key, message) = (self.bytes(key, needs), self.bytes(message, needs));
                format!("new HMAC{}({key}).ComputeHash({message})", sha(*digest).to_uppercase())
            }
            // Not written: see `Language::has`.
            Expr::Signed(..) => String::new(),
            Expr::Sealed(_, text) => {
                let text = self.bytes(text, needs);
                seals::csharp(&text, needs)
            }
            Expr::Encoded(encoding, bytes) => {
                let bytes = self.bytes(bytes, needs);
                if matches!(encoding, Encoding::Hex | Encoding::Base64OfHex) {
                    needs.helper(HEX);
                }
                match encoding {
                    Encoding::Hex => format!("Hex({bytes})"),
                    Encoding::Base64 => format!("Convert.ToBase64String({bytes})"),
                    Encoding::Base64Url => {
                        format!("Convert.ToBase64String({bytes}).TrimEnd('=').Replace('+', '-').Replace('/', '_')")
                    }
                    Encoding::Base64OfHex => format!("Convert.ToBase64String(Encoding.UTF8.GetBytes(Hex({bytes})))"),
                }
            }
            Expr::FromBase64(prefix, text) => {
                needs.helper(FROM_BASE64);
                format!("FromBase64({}, {})", ascii(prefix), self.text(text, needs))
            }
            Expr::FromHex(text) => {
                needs.helper(FROM_HEX);
                format!("FromHex({})", self.text(text, needs))
            }
            Expr::Fernet { key, text } => {
                needs.helper(FERNET);
                format!("Fernet({}, {})", self.text(key, needs), self.bytes(text, needs))
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        if expr.kind() == Kind::Number { format!("{value}.ToString()") } else { value }
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("var {name} = {value};")
    }

    fn print(&self, text: &str) -> String {
        if text == "\"\"" { "Console.WriteLine();".to_owned() } else { format!("Console.WriteLine({text});") }
    }

    fn comment(&self, comment: &str) -> String {
        format!("// {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        const USING: &str = "using System;\nusing System.Globalization;\nusing System.Linq;\n\
                             using System.Security.Cryptography;\nusing System.Text;\n";
        let helpers: String =
            needs.helpers.iter().map(|helper| format!("{}\n", super::indented(helper, "    "))).collect();
        let lines = super::indented(&lines.join("\n"), "        ");
        format!("{USING}\nclass Partner\n{{\n{helpers}    static void Main()\n    {{\n{lines}    }}\n}}\n")
    }
}

impl CSharp {
    fn bytes(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.text(expr, needs);
        if expr.kind() == Kind::Bytes { value } else { format!("Encoding.UTF8.GetBytes({value})") }
    }
}

fn escaped(escape: Escape, text: &str) -> String {
    match escape {
        Escape::Percent => format!("Uri.EscapeDataString({text})"),
        Escape::Form => format!("Uri.EscapeDataString({text}).Replace(\"%20\", \"+\")"),
    }
}

fn time(format: TimeFormat, later: u64) -> String {
    let plus = |later: u64| if later == 0 { String::new() } else { format!(" + {later}") };
    let seconds = if later == 0 { String::new() } else { format!(".AddSeconds({later})") };
    let at = |format| format!("DateTime.UtcNow{seconds}.ToString({format}, CultureInfo.InvariantCulture)");
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => {
            format!("DateTimeOffset.UtcNow.ToUnixTimeSeconds(){}", plus(later))
        }
        TimeFormat::Milliseconds => format!("DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(){}", plus(later * 1000)),
        TimeFormat::Rfc3339 => at("\"yyyy-MM-dd'T'HH:mm:ss'Z'\""),
        TimeFormat::HttpDate => at("\"R\""),
        TimeFormat::WallTime { hours_ahead } => {
            let now = format!("DateTime.UtcNow.AddSeconds({})", ahead(later, hours_ahead));
            format!("{now}.ToString(\"yyyy-MM-dd HH:mm:ss\", CultureInfo.InvariantCulture)")
        }
    }
}
