//! Signatures of a private key in PEM, in each language that has them.

use super::{Function, Language, Needs, sha};
use crate::mac::Digest;
use crate::steps::{Expr, PrivateAlgorithm, Sealing, SecretShape, Step, Steps};

impl Language {
    /// Whether the language's own library, or the package that a program names, can carry the steps out.
    pub(crate) fn has(self, steps: &Steps) -> bool {
        let is_gcm = |step: &Step| matches!(step.expr, Expr::Sealed(Sealing::FramedGcm, _));
        match (self, steps.secret) {
            // Mono has no AES-GCM, and no private keys in PEM.
            (Self::CSharp, _) if steps.steps.iter().any(is_gcm) => false,
            (Self::CSharp, SecretShape::PrivateKey(_)) => false,
            (Self::Php, SecretShape::PrivateKey(PrivateAlgorithm::RsaPss(_))) => false,
            _ => true,
        }
    }
}

/// How many bytes r and s have.
fn length(digest: Digest) -> usize {
    if digest == Digest::Sha384 { 48 } else { 32 }
}

pub(super) fn python(algorithm: PrivateAlgorithm, message: &str, needs: &mut Needs) -> String {
    const RAW: &str = "def raw(der, length):
    return b\"\".join(number.to_bytes(length, \"big\") for number in decode_dss_signature(der))";

    needs.import(
        "from cryptography.hazmat.primitives.serialization import load_pem_private_key  # pip install cryptography",
    );
    let sign = "load_pem_private_key(secret.encode(), None).sign";
    if algorithm != PrivateAlgorithm::Ed25519 {
        needs.import("from cryptography.hazmat.primitives import hashes");
    }
    let hash = |digest| format!("hashes.{}()", sha(digest).to_uppercase());
    match algorithm {
        PrivateAlgorithm::Ed25519 => format!("{sign}({message})"),
        PrivateAlgorithm::Ecdsa { digest, der } => {
            needs.import("from cryptography.hazmat.primitives.asymmetric import ec");
            let signature = format!("{sign}({message}, ec.ECDSA({}))", hash(digest));
            if der {
                return signature;
            }
            needs.import("from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature");
            needs.helper(RAW);
            format!("raw({signature}, {})", length(digest))
        }
        PrivateAlgorithm::Rsa(digest) => {
            needs.import("from cryptography.hazmat.primitives.asymmetric import padding");
            format!("{sign}({message}, padding.PKCS1v15(), {})", hash(digest))
        }
        PrivateAlgorithm::RsaPss(digest) => {
            needs.import("from cryptography.hazmat.primitives.asymmetric import padding");
            let hash = hash(digest);
            format!("{sign}({message}, padding.PSS(padding.MGF1({hash}), padding.PSS.DIGEST_LENGTH), {hash})")
        }
    }
}

pub(super) fn node(algorithm: PrivateAlgorithm, message: &str, needs: &mut Needs) -> String {
    needs.import("const crypto = require(\"node:crypto\");");
    let message = format!("Buffer.from({message})");
    match algorithm {
        PrivateAlgorithm::Ed25519 => format!("crypto.sign(null, {message}, secret)"),
        PrivateAlgorithm::Ecdsa { digest, der: false } => {
            format!("crypto.sign(\"{}\", {message}, {{ key: secret, dsaEncoding: \"ieee-p1363\" }})", sha(digest))
        }
        PrivateAlgorithm::Ecdsa { digest, der: true } | PrivateAlgorithm::Rsa(digest) => {
            format!("crypto.sign(\"{}\", {message}, secret)", sha(digest))
        }
        PrivateAlgorithm::RsaPss(digest) => format!(
            "crypto.sign(\"{}\", {message}, {{\n  key: secret,\n  padding: crypto.constants.RSA_PKCS1_PSS_PADDING,\n  \
             saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,\n}})",
            sha(digest)
        ),
    }
}

pub(super) fn ruby(algorithm: PrivateAlgorithm, message: &str, needs: &mut Needs) -> String {
    const RAW: &str = r#"def raw(der, length)
  OpenSSL::ASN1.decode(der).value.map { |number| number.value.to_s(2).rjust(length, "\0".b) }.join
end"#;

    needs.import("require \"openssl\"");
    let key = "OpenSSL::PKey.read(secret)";
    let hash = |digest| sha(digest).to_uppercase();
    match algorithm {
        PrivateAlgorithm::Ed25519 => format!("{key}.sign(nil, {message})"),
        PrivateAlgorithm::Ecdsa { digest, der: false } => {
            needs.helper(RAW);
            format!("raw({key}.sign(\"{}\", {message}), {})", hash(digest), length(digest))
        }
        PrivateAlgorithm::Ecdsa { digest, der: true } | PrivateAlgorithm::Rsa(digest) => {
            format!("{key}.sign(\"{}\", {message})", hash(digest))
        }
        PrivateAlgorithm::RsaPss(digest) => {
            let hash = hash(digest);
            format!("{key}.sign_pss(\"{hash}\", {message}, salt_length: :digest, mgf1_hash: \"{hash}\")")
        }
    }
}

pub(super) fn php(algorithm: PrivateAlgorithm, message: &str, needs: &mut Needs) -> String {
    const ED25519: &str = r#"function sign_ed25519(string $text, string $pem): string
{
    // The seed is at the end of the key (RFC 8410).
    $seed = substr(base64_decode(preg_replace("/-----[^-]+-----/", "", $pem)), -32);
    return sodium_crypto_sign_detached($text, sodium_crypto_sign_secretkey(sodium_crypto_sign_seed_keypair($seed)));
}"#;
    const SIGN: &str = "function sign(string $text, string $pem, string $digest): string
{
    openssl_sign($text, $signature, $pem, $digest);
    return $signature;
}";
    const RAW: &str = r#"function raw(string $der, int $length): string
{
    // Of a sequence, the numbers r and s.
    $r = substr($der, 4, ord($der[3]));
    $s = substr($der, 6 + strlen($r));
    $pad = fn($number) => str_pad(ltrim($number, "\0"), $length, "\0", STR_PAD_LEFT);
    return $pad($r) . $pad($s);
}"#;

    let signed = |digest| format!("sign({message}, $secret, \"{}\")", sha(digest));
    match algorithm {
        PrivateAlgorithm::Ed25519 => {
            needs.helper(ED25519);
            format!("sign_ed25519({message}, $secret)")
        }
        PrivateAlgorithm::Ecdsa { digest, der: false } => {
            needs.helper(SIGN);
            needs.helper(RAW);
            format!("raw({}, {})", signed(digest), length(digest))
        }
        PrivateAlgorithm::Ecdsa { digest, .. } | PrivateAlgorithm::Rsa(digest) | PrivateAlgorithm::RsaPss(digest) => {
            needs.helper(SIGN);
            signed(digest)
        }
    }
}

const GO_KEY: Function = Function {
    imports: &["crypto", "crypto/x509", "encoding/pem"],
    source: "func privateKey(text string) crypto.Signer {
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key.(crypto.Signer)
}",
};

const GO_SIGN: Function = Function {
    imports: &["crypto", "crypto/rand"],
    source: "func sign(key crypto.Signer, message []byte, options crypto.SignerOpts) []byte {
	if hash := options.HashFunc(); hash != 0 {
		digest := hash.New()
		digest.Write(message)
		message = digest.Sum(nil)
	}
	signature, err := key.Sign(rand.Reader, message, options)
	if err != nil {
		panic(err)
	}
	return signature
}",
};

const GO_RAW: Function = Function {
    imports: &["encoding/asn1", "math/big"],
    source: "func raw(der []byte, length int) []byte {
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &numbers); err != nil {
		panic(err)
	}
	signature := make([]byte, 2*length)
	numbers.R.FillBytes(signature[:length])
	numbers.S.FillBytes(signature[length:])
	return signature
}",
};

/// The packages of digests register themselves.
fn go_hash(digest: Digest, needs: &mut Needs) -> &'static str {
    let (package, hash) = match digest {
        Digest::Sha1 => ("_ crypto/sha1", "crypto.SHA1"),
        Digest::Sha256 => ("_ crypto/sha256", "crypto.SHA256"),
        Digest::Sha384 => ("_ crypto/sha512", "crypto.SHA384"),
        Digest::Sha512 => ("_ crypto/sha512", "crypto.SHA512"),
    };
    needs.import(package);
    hash
}

pub(super) fn go(algorithm: PrivateAlgorithm, message: &str, needs: &mut Needs) -> String {
    [GO_KEY, GO_SIGN].into_iter().for_each(|function| needs.function(function));
    let sign = |options: &str| format!("sign(privateKey(secret), {message}, {options})");
    match algorithm {
        PrivateAlgorithm::Ed25519 => sign("crypto.Hash(0)"),
        PrivateAlgorithm::Ecdsa { digest, der: false } => {
            needs.function(GO_RAW);
            format!("raw({}, {})", sign(go_hash(digest, needs)), length(digest))
        }
        PrivateAlgorithm::Ecdsa { digest, .. } | PrivateAlgorithm::Rsa(digest) => sign(go_hash(digest, needs)),
        PrivateAlgorithm::RsaPss(digest) => {
            needs.import("crypto/rsa");
            let hash = go_hash(digest, needs);
            sign(&format!("&rsa.PSSOptions{{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: {hash}}}"))
        }
    }
}

pub(super) fn java(algorithm: PrivateAlgorithm, message: &str, needs: &mut Needs) -> String {
    const SIGN: &str = r#"static byte[] sign(Signature signer, String keys, String pem, byte[] message) throws Exception {
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]+-----", ""));
    signer.initSign(KeyFactory.getInstance(keys).generatePrivate(new PKCS8EncodedKeySpec(der)));
    signer.update(message);
    return signer.sign();
}"#;
    const PSS: &str = r#"static Signature pss(int bits) throws Exception {
    Signature signer = Signature.getInstance("RSASSA-PSS");
    MGF1ParameterSpec mask = new MGF1ParameterSpec("SHA-" + bits);
    signer.setParameter(new PSSParameterSpec("SHA-" + bits, "MGF1", mask, bits / 8, 1));
    return signer;
}"#;

    needs.helper(SIGN);
    for import in [
        "java.security.KeyFactory",
        "java.security.Signature",
        "java.security.spec.PKCS8EncodedKeySpec",
        "java.util.Base64",
    ] {
        needs.import(import);
    }
    let bits = |digest: Digest| 8 * digest.length();
    let sign = |signer: String, keys: &str| format!("sign({signer}, \"{keys}\", secret, {message})");
    let named = |name: String| format!("Signature.getInstance(\"{name}\")");
    match algorithm {
        PrivateAlgorithm::Ed25519 => sign(named("Ed25519".to_owned()), "Ed25519"),
        PrivateAlgorithm::Ecdsa { digest, der } => {
            let format = if der { "" } else { "inP1363Format" };
            sign(named(format!("SHA{}withECDSA{format}", bits(digest))), "EC")
        }
        PrivateAlgorithm::Rsa(digest) => sign(named(format!("SHA{}withRSA", bits(digest))), "RSA"),
        PrivateAlgorithm::RsaPss(digest) => {
            needs.helper(PSS);
            needs.import("java.security.spec.MGF1ParameterSpec");
            needs.import("java.security.spec.PSSParameterSpec");
            sign(format!("pss({})", bits(digest)), "RSA")
        }
    }
}
