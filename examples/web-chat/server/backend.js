// The backend of the example: the few calls that need the account's credentials, which never reach a browser.
// It answers whoever asks; a real one would first look who is asking.

import { accessToken, check, connect, explain, forgetKey, handset, names, phone, phoneState, url } from "./convoke.js";

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
      const convoke = await connected();
      const answer = await call(convoke, searchParams, body).catch((error) => {
        const told = new Error(explain(error));
        // It is another server than before: the next call begins anew.
        if (error.status === 401) forgetKey();
        if (error.status === 401 || error.status === 404) connecting = undefined;
        throw told;
      });
      send(response, 200, answer);
    } catch (error) {
      send(response, 502, { error: explain(error) });
    }
  };
}

const calls = {
  // All that a web client needs to start.
  "GET /session": async (convoke, query) => {
    const identity = query.get("as");
    if (!Object.hasOwn(names, identity)) throw new Error(`nobody is called ${identity} here`);
    await check(convoke);
    return {
      token: accessToken(convoke, identity),
      socket: `${url.replace(/^http/, "ws")}/v3/wsconnect`,
      conversation: convoke.room.sid,
      names: { ...names, [phone.address]: phone.name },
    };
  },
  "GET /phone": async (convoke) => {
    const thread = handset(convoke, "GET", `/messages?to=${encodeURIComponent(phone.proxy)}`);
    const [{ messages }, state] = await Promise.all([thread, phoneState(convoke)]);
    return { ...phone, state, messages };
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
