use super::{Needs, Syntax, ascii, concatenated, json_text, private_keys, seals};
use crate::mac::Digest;
use crate::scheme::{Encoding, TimeFormat};
use crate::steps::{Escape, Expr, Joined, Kind};

pub(super) struct Java;

/// RFC 3986, 2.3.
const PERCENT: &str = r#"static String percent(String text) {
    String form = URLEncoder.encode(text, StandardCharsets.UTF_8);
    return form.replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
}"#;

const QUOTE: &str = r#"static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char letter : text.toCharArray()) {
        if (letter == '"' || letter == '\\') {
            json.append('\\').append(letter);
        } else if (letter < ' ' || letter > '~') {
            json.append(String.format("\\u%04x", (int) letter));
        } else {
            json.append(letter);
        }
    }
    return json.append('"').toString();
}"#;

const HMAC: &str = "static byte[] hmac(String algorithm, byte[] key, byte[] message) throws Exception {
    Mac mac = Mac.getInstance(algorithm);
    mac.init(new SecretKeySpec(key, algorithm));
    return mac.doFinal(message);
}";

const HEX: &str = "static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte each : bytes) {
        text.append(String.format(\"%02x\", each));
    }
    return text.toString();
}";

const FROM_HEX: &str = "static byte[] fromHex(String text) {
    byte[] bytes = new byte[text.length() / 2];
    for (int at = 0; at < bytes.length; at++) {
        bytes[at] = (byte) Integer.parseInt(text.substring(2 * at, 2 * at + 2), 16);
    }
    return bytes;
}";

const FERNET: &str = r#"// https://github.com/fernet/spec: AES-128-CBC, and HMAC-SHA256 over all of it.
static String fernet(String key, byte[] text) throws Exception {
    byte[] bytes = Base64.getUrlDecoder().decode(key);
    byte[] iv = new byte[16];
    new SecureRandom().nextBytes(iv);
    Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(bytes, 16, 16, "AES"), new IvParameterSpec(iv));
    byte[] encrypted = cipher.doFinal(text);
    ByteBuffer token = ByteBuffer.allocate(57 + encrypted.length);
    token.put((byte) 0x80).putLong(Instant.now().getEpochSecond()).put(iv).put(encrypted);
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(bytes, 0, 16, "HmacSHA256"));
    mac.update(token.array(), 0, token.position());
    return Base64.getUrlEncoder().encodeToString(token.put(mac.doFinal()).array());
}"#;

impl Syntax for Java {
    fn expr(&self, expr: &Expr, needs: &mut Needs) -> String {
        match expr {
            Expr::Text(text) => ascii(text),
            Expr::Secret => "secret".to_owned(),
            Expr::Step(name, _) => (*name).to_owned(),
            Expr::Time(format, later) => time(*format, *later, needs),
            Expr::Nonce => {
                needs.import("java.util.UUID");
                "UUID.randomUUID().toString().replace(\"-\", \"\")".to_owned()
            }
            Expr::Concat(parts) => concatenated(self, parts, " + ", needs),
            Expr::Escaped(escape, text) => {
                let text = self.text(text, needs);
                escaped(*escape, &text, needs)
            }
            Expr::Pairs(pairs) => {
                let pair =
                    |(name, value): &(String, Expr)| format!("    {{{}, {}}},\n", ascii(name), self.text(value, needs));
                format!("new String[][] {{\n{}}}", pairs.iter().map(pair).collect::<String>())
            }
            Expr::EscapedPairs(escape, pairs) => {
                let (name, value) = (escaped(*escape, "pair[0]", needs), escaped(*escape, "pair[1]", needs));
                let all = self.stream(pairs, needs);
                format!("{all}.map(pair -> new String[] {{{name}, {value}}}).toArray(String[][]::new)")
            }
            Expr::ByName(pairs) => {
                let all = self.stream(pairs, needs);
                format!("{all}.sorted((one, other) -> one[0].compareTo(other[0])).toArray(String[][]::new)")
            }
            Expr::Joined(joined) => {
                let Joined { pairs, equals, between, sorted } = &**joined;
                needs.import("java.util.stream.Collectors");
                let pair = match equals {
                    Some(equals) => format!("pair[0] + {} + pair[1]", ascii(equals)),
                    None => "pair[1]".to_owned(),
                };
                let sort = if *sorted { ".sorted()" } else { "" };
                let all = self.stream(pairs, needs);
                format!("{all}.map(pair -> {pair}){sort}.collect(Collectors.joining({}))", ascii(between))
            }
            Expr::Json(members) => {
                needs.helper(QUOTE);
                json_text(self, &Expr::Object(members.clone()), "quote", needs)
            }
            Expr::Value(value) => ascii(&value.to_string()),
            Expr::Object(_) | Expr::List(_) => json_text(self, expr, "quote", needs),
            Expr::Hash(digest, message) => {
                needs.import("java.security.MessageDigest");
                let message = self.bytes(message, needs);
                format!("MessageDigest.getInstance(\"SHA-{}\").digest({message})", bits(*digest))
            }
            Expr::Hmac { digest, key, message } => {
                needs.helper(HMAC);
                needs.import("javax.crypto.Mac");
                needs.import("javax.crypto.spec.SecretKeySpec");
                let (key, message) = (self.bytes(key, needs), self.bytes(message, needs));
                format!("hmac(\"HmacSHA{}\", {key}, {message})", bits(*digest))
            }
            Expr::Signed(algorithm, message) => {
                let message = self.bytes(message, needs);
                private_keys::java(*algorithm, &message, needs)
            }
            Expr::Sealed(seal, text) => {
                let text = self.bytes(text, needs);
                seals::java(*seal, &text, needs)
            }
            Expr::Encoded(encoding, bytes) => {
                let bytes = self.bytes(bytes, needs);
                if matches!(encoding, Encoding::Hex | Encoding::Base64OfHex) {
                    needs.helper(HEX);
                }
                if *encoding != Encoding::Hex {
                    needs.import("java.util.Base64");
                }
                match encoding {
                    Encoding::Hex => format!("hex({bytes})"),
                    Encoding::Base64 => format!("Base64.getEncoder().encodeToString({bytes})"),
                    Encoding::Base64Url => format!("Base64.getUrlEncoder().withoutPadding().encodeToString({bytes})"),
                    Encoding::Base64OfHex => {
                        needs.import("java.nio.charset.StandardCharsets");
                        format!("Base64.getEncoder().encodeToString(hex({bytes}).getBytes(StandardCharsets.UTF_8))")
                    }
                }
            }
            Expr::FromBase64(prefix, text) => {
                needs.import("java.util.Base64");
                let text = self.text(text, needs);
                match prefix.len() {
                    0 => format!("Base64.getDecoder().decode({text})"),
                    length => {
                        let prefix = ascii(prefix);
                        let bare = format!("{text}.startsWith({prefix}) ? {text}.substring({length}) : {text}");
                        format!("Base64.getDecoder().decode({bare})")
                    }
                }
            }
            Expr::FromHex(text) => {
                needs.helper(FROM_HEX);
                format!("fromHex({})", self.text(text, needs))
            }
            Expr::Fernet { key, text } => {
                needs.helper(FERNET);
                for import in [
                    "java.nio.ByteBuffer",
                    "java.security.SecureRandom",
                    "java.time.Instant",
                    "java.util.Base64",
                    "javax.crypto.Cipher",
                    "javax.crypto.Mac",
                    "javax.crypto.spec.IvParameterSpec",
                    "javax.crypto.spec.SecretKeySpec",
                ] {
                    needs.import(import);
                }
                format!("fernet({}, {})", self.text(key, needs), self.bytes(text, needs))
            }
        }
    }

    fn text(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.expr(expr, needs);
        if expr.kind() == Kind::Number { format!("String.valueOf({value})") } else { value }
    }

    fn variable(&self, name: &str, _: Kind, value: &str) -> String {
        format!("var {name} = {value};")
    }

    fn print(&self, text: &str) -> String {
        if text == "\"\"" { "System.out.println();".to_owned() } else { format!("System.out.println({text});") }
    }

    fn comment(&self, comment: &str) -> String {
        format!("// {comment}")
    }

    fn program(&self, needs: &Needs, lines: &[String]) -> String {
        let imports: String = needs.imports.iter().map(|import| format!("import {import};\n")).collect();
        let helpers: String =
            needs.helpers.iter().map(|helper| format!("{}\n", super::indented(helper, "    "))).collect();
        let lines = super::indented(&lines.join("\n"), "        ");
        let main = format!("    public static void main(String[] args) throws Exception {{\n{lines}    }}\n");
        format!("{imports}\npublic class Partner {{\n{helpers}{main}}}\n")
    }
}

impl Java {
    fn bytes(&self, expr: &Expr, needs: &mut Needs) -> String {
        let value = self.text(expr, needs);
        if expr.kind() == Kind::Bytes {
            return value;
        }
        needs.import("java.nio.charset.StandardCharsets");
        match expr {
            Expr::Concat(_) => format!("({value}).getBytes(StandardCharsets.UTF_8)"),
            _ => format!("{value}.getBytes(StandardCharsets.UTF_8)"),
        }
    }

    fn stream(&self, pairs: &Expr, needs: &mut Needs) -> String {
        needs.import("java.util.Arrays");
        format!("Arrays.stream({})", self.expr(pairs, needs))
    }
}

fn escaped(escape: Escape, text: &str, needs: &mut Needs) -> String {
    needs.helper(PERCENT);
    needs.import("java.net.URLEncoder");
    needs.import("java.nio.charset.StandardCharsets");
    match escape {
        Escape::Percent => format!("percent({text})"),
        Escape::Form => format!("percent({text}).replace(\"%20\", \"+\")"),
    }
}

fn bits(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha1 => "1",
        Digest::Sha256 => "256",
        Digest::Sha384 => "384",
        Digest::Sha512 => "512",
    }
}

fn time(format: TimeFormat, later: u64, needs: &mut Needs) -> String {
    let plus = |later: u64| if later == 0 { String::new() } else { format!(" + {later}") };
    let seconds = if later == 0 { String::new() } else { format!(".plusSeconds({later})") };
    if !matches!(format, TimeFormat::HttpDate | TimeFormat::WallTime { .. }) {
        needs.import("java.time.Instant");
    }
    match format {
        TimeFormat::Seconds | TimeFormat::FractionalSeconds => {
            format!("Instant.now().getEpochSecond(){}", plus(later))
        }
        TimeFormat::Milliseconds => format!("Instant.now().toEpochMilli(){}", plus(later * 1000)),
        TimeFormat::Rfc3339 => {
            needs.import("java.time.temporal.ChronoUnit");
            format!("Instant.now(){seconds}.truncatedTo(ChronoUnit.SECONDS).toString()")
        }
        TimeFormat::HttpDate => {
            needs.import("java.time.ZoneOffset");
            needs.import("java.time.ZonedDateTime");
            needs.import("java.time.format.DateTimeFormatter");
            needs.import("java.util.Locale");
            let pattern = "DateTimeFormatter.ofPattern(\"EEE, dd MMM yyyy HH:mm:ss 'GMT'\", Locale.US)";
            format!("{pattern}.format(ZonedDateTime.now(ZoneOffset.UTC){seconds})")
        }
        TimeFormat::WallTime { hours_ahead } => {
            needs.import("java.time.ZoneOffset");
            needs.import("java.time.ZonedDateTime");
            needs.import("java.time.format.DateTimeFormatter");
            let now = format!("ZonedDateTime.now(ZoneOffset.ofHours({hours_ahead})){seconds}");
            format!("DateTimeFormatter.ofPattern(\"yyyy-MM-dd HH:mm:ss\").format({now})")
        }
    }
}
