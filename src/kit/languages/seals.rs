//! Payloads that are encrypted and signed, in each language.

use super::{Function, Needs};
use crate::steps::Sealing;

pub(super) fn python(seal: Sealing, text: &str, needs: &mut Needs) -> String {
    const CBC: &str = r#"# AES-128-CBC, and HMAC-SHA256 over all of it.
def seal(secret, text):
    key = hashlib.sha256(secret.encode()).digest()
    iv = os.urandom(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(key[:16]), CBC(iv)).encryptor()
    signed = iv + encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    return signed + hmac.digest(key[16:], signed, "sha256")"#;
    const GCM: &str = r#"# The IV, no additional data, and the ciphertext, with their lengths in front; then the tag.
def seal(secret, text):
    iv = os.urandom(12)
    encrypted = AESGCM(hashlib.sha256(secret.encode()).digest()).encrypt(iv, text, b"")
    return struct.pack("<B12sHI", 12, iv, 0, len(text)) + encrypted"#;

    needs.import("import hashlib");
    needs.import("import os");
    let imports: &[&str] = match seal {
        Sealing::CbcThenHmac => &[
            "import hmac",
            "from cryptography.hazmat.primitives.ciphers import Cipher  # pip install cryptography",
            "from cryptography.hazmat.primitives.ciphers.algorithms import AES",
            "from cryptography.hazmat.primitives.ciphers.modes import CBC",
            "from cryptography.hazmat.primitives.padding import PKCS7",
        ],
        Sealing::FramedGcm => &[
            "import struct",
            "from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # pip install cryptography",
        ],
    };
    imports.iter().for_each(|import| needs.import(import));
    needs.helper(if seal == Sealing::CbcThenHmac { CBC } else { GCM });
    format!("seal(secret, {text})")
}

pub(super) fn node(seal: Sealing, text: &str, needs: &mut Needs) -> String {
    const CBC: &str = r#"// AES-128-CBC, and HMAC-SHA256 over all of it.
function seal(secret, text) {
  const key = crypto.createHash("sha256").update(secret).digest();
  const iv = crypto.randomBytes(16);
  const cipher = crypto.createCipheriv("aes-128-cbc", key.subarray(0, 16), iv);
  const signed = Buffer.concat([iv, cipher.update(text), cipher.final()]);
  return Buffer.concat([signed, crypto.createHmac("sha256", key.subarray(16)).update(signed).digest()]);
}"#;
    const GCM: &str = r#"// The IV, no additional data, and the ciphertext, with their lengths in front; then the tag.
function seal(secret, text) {
  const key = crypto.createHash("sha256").update(secret).digest();
  const iv = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv("aes-256-gcm", key, iv);
  const encrypted = Buffer.concat([cipher.update(text), cipher.final()]);
  const lengths = Buffer.alloc(6);
  lengths.writeUInt32LE(encrypted.length, 2);
  return Buffer.concat([Buffer.from([12]), iv, lengths, encrypted, cipher.getAuthTag()]);
}"#;

    needs.import("const crypto = require(\"node:crypto\");");
    needs.helper(if seal == Sealing::CbcThenHmac { CBC } else { GCM });
    format!("seal(secret, {text})")
}

pub(super) fn ruby(seal: Sealing, text: &str, needs: &mut Needs) -> String {
    const CBC: &str = r#"# AES-128-CBC, and HMAC-SHA256 over all of it.
def seal(secret, text)
  key = OpenSSL::Digest.digest("SHA256", secret)
  cipher = OpenSSL::Cipher.new("aes-128-cbc").encrypt
  cipher.key = key[0, 16]
  signed = cipher.random_iv + cipher.update(text) + cipher.final
  signed + OpenSSL::HMAC.digest("SHA256", key[16..], signed)
end"#;
    const GCM: &str = r#"# The IV, no additional data, and the ciphertext, with their lengths in front; then the tag.
def seal(secret, text)
  cipher = OpenSSL::Cipher.new("aes-256-gcm").encrypt
  cipher.key = OpenSSL::Digest.digest("SHA256", secret)
  iv = cipher.random_iv
  cipher.auth_data = ""
  encrypted = cipher.update(text) + cipher.final
  [12].pack("C") + iv + [0, encrypted.bytesize].pack("vV") + encrypted + cipher.auth_tag
end"#;

    needs.import("require \"openssl\"");
    needs.helper(if seal == Sealing::CbcThenHmac { CBC } else { GCM });
    format!("seal(secret, {text})")
}

pub(super) fn php(seal: Sealing, text: &str, needs: &mut Needs) -> String {
    const CBC: &str = r#"// AES-128-CBC, and HMAC-SHA256 over all of it.
function seal(string $secret, string $text): string
{
    $key = hash("sha256", $secret, true);
    $iv = random_bytes(16);
    $signed = $iv . openssl_encrypt($text, "aes-128-cbc", substr($key, 0, 16), OPENSSL_RAW_DATA, $iv);
    return $signed . hash_hmac("sha256", $signed, substr($key, 16), true);
}"#;
    const GCM: &str = r#"// The IV, no additional data, and the ciphertext, with their lengths in front; then the tag.
function seal(string $secret, string $text): string
{
    $iv = random_bytes(12);
    $encrypted = openssl_encrypt($text, "aes-256-gcm", hash("sha256", $secret, true), OPENSSL_RAW_DATA, $iv, $tag);
    return chr(12) . $iv . pack("vV", 0, strlen($encrypted)) . $encrypted . $tag;
}"#;

    needs.helper(if seal == Sealing::CbcThenHmac { CBC } else { GCM });
    format!("seal($secret, {text})")
}

pub(super) fn go(seal: Sealing, text: &str, needs: &mut Needs) -> String {
    const CBC: Function = Function {
        imports: &["bytes", "crypto/aes", "crypto/cipher", "crypto/hmac", "crypto/rand", "crypto/sha256"],
        source: "// AES-128-CBC, and HMAC-SHA256 over all of it.
func seal(secret string, text []byte) []byte {
	key := sha256.Sum256([]byte(secret))
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic(err)
	}
	iv := make([]byte, aes.BlockSize)
	if _, err := rand.Read(iv); err != nil {
		panic(err)
	}
	padding := aes.BlockSize - len(text)%aes.BlockSize
	sealed := append(append([]byte{}, text...), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, sealed)
	signed := append(iv, sealed...)
	state := hmac.New(sha256.New, key[16:])
	state.Write(signed)
	return state.Sum(signed)
}",
    };
    const GCM: Function = Function {
        imports: &["crypto/aes", "crypto/cipher", "crypto/rand", "crypto/sha256", "encoding/binary"],
        source: "// The IV, no additional data, and the ciphertext, with their lengths in front; then the tag.
func seal(secret string, text []byte) []byte {
	key := sha256.Sum256([]byte(secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	iv := make([]byte, 12)
	if _, err := rand.Read(iv); err != nil {
		panic(err)
	}
	sealed := append(append([]byte{12}, iv...), 0, 0)
	sealed = binary.LittleEndian.AppendUint32(sealed, uint32(len(text)))
	return gcm.Seal(sealed, iv, text, nil)
}",
    };

    needs.function(if seal == Sealing::CbcThenHmac { CBC } else { GCM });
    format!("seal(secret, {text})")
}

pub(super) fn java(seal: Sealing, text: &str, needs: &mut Needs) -> String {
    const CBC: &str = r#"// AES-128-CBC, and HMAC-SHA256 over all of it.
static byte[] seal(String secret, byte[] text) throws Exception {
    byte[] key = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
    byte[] iv = new byte[16];
    new SecureRandom().nextBytes(iv);
    Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, 0, 16, "AES"), new IvParameterSpec(iv));
    byte[] encrypted = cipher.doFinal(text);
    ByteBuffer sealed = ByteBuffer.allocate(48 + encrypted.length).put(iv).put(encrypted);
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, 16, 16, "HmacSHA256"));
    mac.update(sealed.array(), 0, sealed.position());
    return sealed.put(mac.doFinal()).array();
}"#;
    const GCM: &str = r#"// The IV, no additional data, and the ciphertext, with their lengths in front; then the tag.
static byte[] seal(String secret, byte[] text) throws Exception {
    byte[] key = MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
    byte[] iv = new byte[12];
    new SecureRandom().nextBytes(iv);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, iv));
    byte[] encrypted = cipher.doFinal(text);
    ByteBuffer sealed = ByteBuffer.allocate(19 + encrypted.length).order(ByteOrder.LITTLE_ENDIAN);
    return sealed.put((byte) 12).put(iv).putShort((short) 0).putInt(text.length).put(encrypted).array();
}"#;

    let imports: &[&str] = match seal {
        Sealing::CbcThenHmac => &["javax.crypto.Mac", "javax.crypto.spec.IvParameterSpec"],
        Sealing::FramedGcm => &["java.nio.ByteOrder", "javax.crypto.spec.GCMParameterSpec"],
    };
    let all = [
        "java.nio.ByteBuffer",
        "java.nio.charset.StandardCharsets",
        "java.security.MessageDigest",
        "java.security.SecureRandom",
        "javax.crypto.Cipher",
        "javax.crypto.spec.SecretKeySpec",
    ];
    imports.iter().chain(&all).for_each(|import| needs.import(import));
    needs.helper(if seal == Sealing::CbcThenHmac { CBC } else { GCM });
    format!("seal(secret, {text})")
}

/// Mono has no AES-GCM: see [`Language::has`](super::Language::has).
pub(super) fn csharp(text: &str, needs: &mut Needs) -> String {
    const CBC: &str = r"// AES-128-CBC, and HMAC-SHA256 over all of it.
static byte[] Seal(string secret, byte[] text)
{
    var key = SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(secret));
    using (var aes = Aes.Create())
    {
        aes.Key = key.Take(16).ToArray();
        aes.GenerateIV();
        var signed = aes.IV.Concat(aes.CreateEncryptor().TransformFinalBlock(text, 0, text.Length)).ToArray();
        return signed.Concat(new HMACSHA256(key.Skip(16).ToArray()).ComputeHash(signed)).ToArray();
    }
}";

    needs.helper(CBC);
    format!("Seal(secret, {text})")
}
