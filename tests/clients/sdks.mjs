// Signs one call of GitHub and one of Shopify with their own libraries, and prints them: sdks.mjs NODE_MODULES
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const modules = process.argv[2];
const { sign } = await import(pathToFileURL(join(modules, "@octokit/webhooks-methods/dist-node/index.js")));
const load = createRequire(join(modules, "sdks.js"));
load("@shopify/shopify-api/adapters/node");
const { createSHA256HMAC } = load(join(modules, "@shopify/shopify-api/dist/cjs/runtime/crypto/utils.js"));

const secret = "It's a Secret to Everybody";
const body = JSON.stringify({ id: "evt_1", name: "Pr\u00fcfung", n: 1 });
const show = (preset, signature) => {
  const headers = { "content-type": "application/json", ...signature };
  console.log(JSON.stringify({ preset, secret, headers, body }));
};
show("github", { "x-hub-signature-256": await sign(secret, body) });
show("shopify", { "x-shopify-hmac-sha256": await createSHA256HMAC(secret, body, "base64") });
