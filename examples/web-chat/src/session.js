// Signing in: a token from the backend, a client of the official SDK, and the conversation.

import { Client } from "@twilio/conversations";

import { ask } from "./page.js";

// `onConnection` hears of every state of the connection from the first on.
export async function signIn(identity, onConnection) {
  const path = `/session?as=${encodeURIComponent(identity)}`;
  const session = await ask(path);
  const client = new Client(session.token, {
    twilsock: { uri: session.socket },
    retryPolicy: { min: 500, max: 10_000 },
  });
  client.on("connectionStateChanged", onConnection);
  // Tokens are short-lived; the SDK says when it needs the next one.
  const renew = () => ask(path).then(({ token }) => client.updateToken(token), console.error);
  client.on("tokenAboutToExpire", renew);
  client.on("tokenExpired", renew);
  await new Promise((resolve, reject) => {
    client.once("initialized", resolve);
    client.once("initFailed", ({ error }) => reject(new Error(error?.message ?? "the server refused")));
  });
  return { session, conversation: await client.getConversationBySid(session.conversation) };
}
