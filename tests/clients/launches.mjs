// Signs requests of Shopify and of Atlassian Connect with their own libraries, which have to agree with what `launches.py`
// says of its own:
// launches.mjs NODE_MODULES NOW
import assert from "node:assert";
import { createRequire } from "node:module";
import { join } from "node:path";

const modules = process.argv[2];
const load = createRequire(join(modules, "launches.js"));
load("@shopify/shopify-api/adapters/node");
const { shopifyApi } = load("@shopify/shopify-api");
// Not public: the library itself only verifies.
const { generateLocalHmac } = load(join(modules, "@shopify/shopify-api/dist/cjs/lib/utils/hmac-validator.js"));
const { SignJWT } = load("jose");

const now = Number(process.argv[3]);
const key = "0123456789abcdef0123456789abcdef";
const config = { apiKey: "app", apiSecretKey: key, hostName: "app.example", apiVersion: "2026-10", isEmbeddedApp: true };
const shopify = shopifyApi({ ...config, logger: { level: 0 } });
const times = { good: now, tampered: now, stale: now - 2 * 24 * 60 * 60 };

/** `sign` makes a request of this user; `forge` exchanges the user; `verify` is the library's opinion. */
async function show(signer, layer, sign, forge, verify, toRequest, more = {}) {
  const row = { signer, layer, key, ...more };
  for (const [name, at] of Object.entries(times)) {
    const signed = await sign(at);
    const sent = name === "tampered" ? forge(signed) : signed;
    const opinion = await verify(sent).then((is) => is !== false, () => false);
    assert.equal(opinion, name === "good", `${signer}, ${name}`);
    row[name] = toRequest(sent);
  }
  console.log(JSON.stringify(row));
}

const query = (sent) => ({ target: `/launch?${new URLSearchParams(sent)}` });
const shop = "lovelace.myshopify.com";
const otherShop = (sent) => ({ ...sent, shop: "babbage.myshopify.com" });

const launch = (at) => ({ shop, timestamp: String(at), host: "YWRtaW4uc2hvcGlmeS5jb20", locale: "de-DE", name: "K\u00fcnste & Co+" });
const signLaunch = async (at) => ({ ...launch(at), hmac: await generateLocalHmac(config)(launch(at)) });
await show("@shopify/shopify-api: launch", "shopify", signLaunch, otherShop, (sent) => shopify.utils.validateHmac(sent), query);

const visit = (at) => ({ shop, timestamp: String(at), path_prefix: "/apps/x", logged_in_customer_id: "7", page: "K\u00fcnste & Co+" });
const signVisit = async (at) => ({ ...visit(at), signature: await generateLocalHmac(config)(visit(at), "appProxy") });
const verifyVisit = (sent) => shopify.utils.validateHmac(sent, { signator: "appProxy" });
await show("@shopify/shopify-api: app proxy", "shopify_app_proxy", signVisit, otherShop, verifyVisit, query, { again: "ok" });

const signToken = (at) =>
  new SignJWT({ iss: `https://${shop}/admin`, dest: `https://${shop}`, aud: "app", sub: "lovelace", sid: "1" })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(at)
    .setNotBefore(at)
    .setExpirationTime(at + 60)
    .sign(new TextEncoder().encode(key));
const otherUser = (token) => {
  const [header, payload, signature] = token.split(".");
  const text = Buffer.from(payload, "base64url").toString().replaceAll("lovelace", "babbage");
  return [header, Buffer.from(text).toString("base64url"), signature].join(".");
};
const bearer = (token) => ({ target: "/launch", headers: { authorization: `Bearer ${token}` } });
const decode = (token) => shopify.session.decodeSessionToken(token);
await show("@shopify/shopify-api: session token", "shopify_session_token", signToken, otherUser, decode, bearer, { again: "ok" });

const atlassian = load("atlassian-jwt");
const addon = "/launch?lic=none&name=K%C3%BCnste";
const hash = atlassian.createQueryStringHash(atlassian.fromMethodAndUrl("get", addon));
const signConnect = (at) => atlassian.encodeSymmetric({ iss: "acme", sub: "lovelace", qsh: hash, iat: at, exp: at + 60 }, key);
const decodeConnect = async (token) => {
  const claims = atlassian.decodeSymmetric(token, key, "HS256");
  return claims.qsh === hash && claims.exp > now;
};
const opened = (token) => ({ target: `${addon}&jwt=${token}` });
await show("atlassian-jwt", "atlassian_connect", signConnect, otherUser, decodeConnect, opened, { again: "ok" });
