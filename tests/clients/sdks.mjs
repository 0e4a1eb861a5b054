// Signs one call each of Contentful, GitHub and Shopify with their own libraries, and prints them: sdks.mjs NODE_MODULES NOW
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const { sign } = await import(pathToFileURL(join(modules, "@octokit/webhooks-methods/dist-node/index.js")));
const load = createRequire(join(modules, "sdks.js"));
load("@shopify/shopify-api/adapters/node");
const { createSHA256HMAC } = load(join(modules, "@shopify/shopify-api/dist/cjs/runtime/crypto/utils.js"));

const { signRequest } = load("@contentful/node-apps-toolkit");

const body = JSON.stringify({ id: "evt_1", name: "Pr\u00fcfung", n: 1 });
const show = (preset, secret, signature) => {
  const headers = { "content-type": "application/json", ...signature };
  console.log(JSON.stringify({ preset, secret, headers, body }));
};
// The README's.
const github = "my secret";
show("github", github, { "x-hub-signature-256": await sign(github, body) });
const shopify = "0123456789abcdef0123456789abcdef";
show("shopify", shopify, { "x-shopify-hmac-sha256": await createSHA256HMAC(shopify, body, "base64") });
const contentful = "0123456789abcdef".repeat(4);
const user = { "x-contentful-user-id": "u1" };
const request = { method: "POST", path: "/hook", headers: user, body };
show("contentful", contentful, { ...user, ...signRequest(contentful, request, Number(process.argv[3]) * 1000) });
