// What the browser tests stand on: a server, a page built and served as people serve it, and Chromium.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { Server, accountSid, apiKeySecret, apiKeySid, authToken, freePort, until } from "../sdk/server.mjs";

export const example = new URL("../../examples/web-chat/", import.meta.url);
export const secrets = [apiKeySecret, authToken, apiKeySid];

export class Stage {
  // The example beside a server.
  static start() {
    return Stage.set(async (stage) => {
      stage.server = await Server.start();
      await stage.serve(example, {
        CONVOKE_URL: stage.server.url,
        CONVOKE_ACCOUNT_SID: accountSid,
        CONVOKE_API_KEY_SID: apiKeySid,
        CONVOKE_API_KEY_SECRET: apiKeySecret,
      });
      await stage.launch();
    });
  }

  // Sets a stage, or leaves nothing behind.
  static async set(build) {
    const stage = new Stage();
    try {
      await build(stage);
    } catch (error) {
      await stage.stop();
      throw error;
    }
    return stage;
  }

  // Chromium.
  async launch(args = []) {
    this.browser = await chromium.launch({
      executablePath: process.env.CONVOKE_CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args,
      ],
    });
  }

  // Builds the page in a folder and serves it.
  async serve(folder, env = {}) {
    const vite = fileURLToPath(new URL("node_modules/vite/bin/vite.js", example));
    const port = await freePort();
    const options = { cwd: fileURLToPath(folder), env: { ...process.env, ...env } };
    await promisify(execFile)(process.execPath, [vite, "build"], options);
    const preview = [vite, "preview", "--host", "127.0.0.1", "--port", String(port), "--strictPort"];
    this.preview = spawn(process.execPath, preview, { ...options, stdio: ["ignore", "ignore", "inherit"] });
    this.url = `http://127.0.0.1:${port}`;
    await until("the page is served", () => {
      if (this.preview.exitCode !== null) throw new Error("vite preview ended");
      return fetch(this.url).then(({ ok }) => ok, () => false);
    });
  }

  // A page in a browser context of its own, with a network of its own that `prepare` may change.
  async open(path, viewport = { width: 1280, height: 800 }, prepare = undefined) {
    const context = await this.browser.newContext({ viewport });
    const page = await context.newPage();
    await prepare?.(page);
    page.on("pageerror", (error) => console.error(`in the page: ${error.stack}`));
    await page.goto(this.url + path);
    return page;
  }

  // The conversation as the backend sees it.
  conversation() {
    return this.server.backend().conversations("web-chat");
  }

  async stop() {
    await this.browser?.close();
    if (this.preview && this.preview.exitCode === null) {
      this.preview.kill();
      await once(this.preview, "exit");
    }
    await this.server?.stop();
  }
}
