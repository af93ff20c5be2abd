// Signing in: a token from the backend, a client of the official SDK, and the conversation.

import { Client } from "@twilio/conversations";

import { ask, trouble } from "./page.js";

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
  try {
    await new Promise((resolve, reject) => {
      client.once("initialized", resolve);
      client.on("initFailed", ({ error }) => {
        if (error?.terminal) reject(new Error("the server does not let this page in"));
        // Otherwise the SDK goes on trying by itself, and begins when it gets through.
        else trouble(new Error("the server does not answer yet"));
      });
    });
    return { session, client, conversation: await client.getConversationBySid(session.conversation) };
  } catch (error) {
    // Whoever tries again gets a client of its own; two would be there twice.
    client.shutdown();
    throw error;
  }
}
