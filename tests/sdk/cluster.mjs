// Several nodes over one database and a real NATS server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";

import { Server, freePort, until } from "./server.mjs";

class Nats {
  async start() {
    this.port ??= await freePort();
    this.process = spawn("nats-server", ["--addr", "127.0.0.1", "--port", String(this.port)], { stdio: "ignore" });
    await once(this.process, "spawn");
    await until("NATS takes connections", async () => {
      const probe = connect(this.port, "127.0.0.1");
      const taken = await once(probe, "connect").then(() => true, () => false);
      probe.destroy();
      return taken;
    });
  }

  // What it carried is lost.
  async kill() {
    if (this.process?.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }
}

export class Cluster {
  // The database is the embedded one of a server that has nothing else to do: so it runs wherever the others do.
  static async start(count) {
    const cluster = new Cluster();
    const secret = { CONVOKE_SECRET_KEY: "a key for tests" };
    cluster.nats = new Nats();
    cluster.keeper = await Server.start({ ...secret, CONVOKE_PARTS: "worker", CONVOKE_DATABASE_MAX_CONNECTIONS: "60" });
    await cluster.nats.start();
    const socket = encodeURIComponent(join(cluster.keeper.data, "postgres"));
    cluster.nodes = [];
    for (let n = 0; n < count; n++) {
      cluster.nodes.push(await Server.start({
        ...secret,
        CONVOKE_DATABASE_URL: `postgres://convoke@localhost/convoke?host=${socket}`,
        CONVOKE_DATABASE_MAX_CONNECTIONS: "15",
        CONVOKE_BUS_URL: `nats://127.0.0.1:${cluster.nats.port}`,
        CONVOKE_SIMULATOR: "on",
        CONVOKE_SHUTDOWN_SPREAD_SECONDS: "1",
      }));
    }
    return cluster;
  }

  // The port of a node that says it can serve, as a balancer finds it.
  async ready() {
    for (const node of this.nodes) {
      if (await fetch(`${node.url}/readyz`).then((answer) => answer.ok, () => false)) return node.port;
    }
    assert.fail("no node is ready");
  }

  async stop() {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.nats.kill();
    await this.keeper.stop();
  }
}
