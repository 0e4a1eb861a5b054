//! Functions of the Go programs, each with its imports.

use super::Function;

pub(super) const RANDOM_HEX: Function = Function {
    imports: &["crypto/rand", "encoding/hex"],
    source: "func randomHex() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return hex.EncodeToString(bytes)
}",
};

/// RFC 3986, 2.3.
pub(super) const PERCENT: Function = Function {
    imports: &["net/url", "strings"],
    source: "func percent(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), \"+\", \"%20\")
}",
};

pub(super) const ESCAPED: Function = Function {
    imports: &[],
    source: "func escaped(pairs [][2]string, escape func(string) string) [][2]string {
	var all [][2]string
	for _, pair := range pairs {
		all = append(all, [2]string{escape(pair[0]), escape(pair[1])})
	}
	return all
}",
};

pub(super) const BY_NAME: Function = Function {
    imports: &["sort"],
    source: "func byName(pairs [][2]string) [][2]string {
	all := append([][2]string{}, pairs...)
	sort.Slice(all, func(one, other int) bool { return all[one][0] < all[other][0] })
	return all
}",
};

pub(super) const WRITTEN: Function = Function {
    imports: &[],
    source: "func written(pairs [][2]string, write func([2]string) string) []string {
	var all []string
	for _, pair := range pairs {
		all = append(all, write(pair))
	}
	return all
}",
};

pub(super) const SORTED: Function = Function {
    imports: &["sort"],
    source: "func sorted(texts []string) []string {
	sort.Strings(texts)
	return texts
}",
};

pub(super) const TO_JSON: Function = Function {
    imports: &["encoding/json"],
    source: "func toJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}",
};

pub(super) const SUM: Function = Function {
    imports: &["hash"],
    source: "func sum(digest func() hash.Hash, message []byte) []byte {
	state := digest()
	state.Write(message)
	return state.Sum(nil)
}",
};

pub(super) const MAC: Function = Function {
    imports: &["crypto/hmac", "hash"],
    source: "func mac(digest func() hash.Hash, key, message []byte) []byte {
	state := hmac.New(digest, key)
	state.Write(message)
	return state.Sum(nil)
}",
};

pub(super) const FROM_BASE64: Function = Function {
    imports: &["encoding/base64", "strings"],
    source: "func fromBase64(prefix, text string) []byte {
	bare := strings.TrimRight(strings.TrimPrefix(text, prefix), \"=\")
	bytes, err := base64.RawStdEncoding.DecodeString(bare)
	if err != nil {
		panic(err)
	}
	return bytes
}",
};

pub(super) const FROM_HEX: Function = Function {
    imports: &["encoding/hex"],
    source: "func fromHex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}",
};

pub(super) const FERNET: Function = Function {
    imports: &[
        "bytes",
        "crypto/aes",
        "crypto/cipher",
        "crypto/hmac",
        "crypto/rand",
        "crypto/sha256",
        "encoding/base64",
        "encoding/binary",
        "time",
    ],
    source: "// https://github.com/fernet/spec: AES-128-CBC, and HMAC-SHA256 over all of it.
func fernet(key string, text []byte) string {
	halves, err := base64.URLEncoding.DecodeString(key)
	if err != nil {
		panic(err)
	}
	block, err := aes.NewCipher(halves[16:])
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
	signed := binary.BigEndian.AppendUint64([]byte{0x80}, uint64(time.Now().Unix()))
	signed = append(append(signed, iv...), sealed...)
	state := hmac.New(sha256.New, halves[:16])
	state.Write(signed)
	return base64.URLEncoding.EncodeToString(state.Sum(signed))
}",
};
