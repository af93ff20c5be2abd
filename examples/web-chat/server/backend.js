// The backend of the example: the few calls that need the account's credentials, which never reach a browser.
// It answers whoever asks; a real one would first look who is asking.

import { accessToken, connect, handset, names, phone, url } from "./convoke.js";

export function backend() {
  let connecting;
  // Connected once; a failure is forgotten, so that the next call tries again.
  const connected = () =>
    (connecting ??= connect().catch((error) => {
      connecting = undefined;
      throw error;
    }));

  return async function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://backend");
    try {
      const call = calls[`${request.method} ${pathname}`];
      if (!call) return send(response, 404, { error: "there is no such call" });
      const body = request.method === "GET" ? {} : await read(request);
      send(response, 200, await call(await connected(), searchParams, body));
    } catch (error) {
      send(response, 502, { error: error.message });
    }
  };
}

const calls = {
  // All that a web client needs to start.
  "GET /session": (convoke, query) => {
    const identity = query.get("as");
    if (!Object.hasOwn(names, identity)) throw new Error(`nobody is called ${identity} here`);
    return {
      token: accessToken(convoke, identity),
      socket: `${url.replace(/^http/, "ws")}/v3/wsconnect`,
      conversation: convoke.room.sid,
      names: { ...names, [phone.address]: phone.name },
    };
  },
  "GET /phone": async (convoke) => {
    const { messages } = await handset(convoke, "GET", `/messages?to=${encodeURIComponent(phone.proxy)}`);
    return { ...phone, messages };
  },
  "POST /phone": (convoke, _, { text }) => handset(convoke, "POST", "/messages", { to: phone.proxy, text }),
  "PUT /phone": (convoke, _, { state }) => handset(convoke, "PUT", "", { state }),
};

async function read(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 65_536) throw new Error("that is too long");
  }
  return JSON.parse(text);
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
