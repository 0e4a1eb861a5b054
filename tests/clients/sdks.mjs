// Signs one call of GitHub with GitHub's own library, and prints it: sdks.mjs NODE_MODULES
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const library = join(process.argv[2], "@octokit/webhooks-methods/dist-node/index.js");
const { sign } = await import(pathToFileURL(library));
const secret = "It's a Secret to Everybody";
const body = JSON.stringify({ id: "evt_1", name: "Pr\u00fcfung", n: 1 });
const headers = { "content-type": "application/json", "x-hub-signature-256": await sign(secret, body) };
console.log(JSON.stringify({ preset: "github", secret, headers, body }));
