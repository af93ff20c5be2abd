// An application as it was written for Twilio: the official SDK and a token, and no address of anything.

import { Client } from "@twilio/conversations";

const client = new Client(decodeURIComponent(location.hash.slice(1)));
const signedIn = new Promise((resolve, reject) => {
  client.once("initialized", () => resolve(client.user.identity));
  client.once("initFailed", ({ error }) => reject(new Error(error?.message)));
});
// What the application was told, for whoever looks at it.
const told = [];
client.on("conversationJoined", ({ uniqueName }) => told.push(["joined", uniqueName]));
client.on("messageAdded", ({ body }) => told.push(["added", body]));
client.on("messageUpdated", ({ message }) => told.push(["updated", message.body]));
client.on("connectionStateChanged", (state) => (document.title = state));
Object.assign(window, { client, signedIn, told });
