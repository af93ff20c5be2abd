// A wire between clients and a server that can be cut.

import { once } from "node:events";
import { connect, createServer } from "node:net";

// `port` tells where the far end is, each time somebody connects: a number, or a question that is asked each time.
export async function wire(port) {
  const sockets = new Set();
  let whole = true;
  const listener = createServer(async (near) => {
    near.on("error", () => near.destroy());
    const to = typeof port === "function" ? await port().catch(() => null) : port;
    if (!whole || !to || near.destroyed) return near.destroy();
    const far = connect(to, "127.0.0.1");
    for (const [a, b] of [[near, far], [far, near]]) {
      sockets.add(a);
      a.pipe(b);
      a.on("error", () => b.destroy());
      a.on("close", () => (sockets.delete(a), b.destroy()));
    }
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const drop = () => sockets.forEach((socket) => socket.destroy());
  return {
    port: listener.address().port,
    // Loses the connections there are; new ones can be made.
    drop,
    cut: () => ((whole = false), drop()),
    mend: () => (whole = true),
    close: () => (listener.close(), drop()),
  };
}
