// The README's story, as a program.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Server, accountSid, apiKeySecret, apiKeySid, authToken } from "./server.mjs";

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

test("a backend, a web client and a phone hold their first conversation", { timeout: 60_000 }, async () => {
  const program = fileURLToPath(new URL("../../examples/first-conversation/index.mjs", import.meta.url));
  const env = {
    ...process.env,
    CONVOKE_URL: server.url,
    CONVOKE_ACCOUNT_SID: accountSid,
    CONVOKE_AUTH_TOKEN: authToken,
    CONVOKE_API_KEY_SID: apiKeySid,
    CONVOKE_API_KEY_SECRET: apiKeySecret,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
  for (const line of [
    /^phone\s+received "hello from the web"$/m,
    /^alice\s+heard message 1 of \+1555\d{7}: "hi alice, from the phone"$/m,
    /^backend\s+sees message 1 of \+1555\d{7}: "hi alice, from the phone"$/m,
    /^backend\s+sees that message 0 was delivered$/m,
  ]) {
    assert.match(stdout, line);
  }
});
