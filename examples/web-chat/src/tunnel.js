// Takes the network away from this page's sockets and gives it back, as a train's tunnel does. Only the demonstration
// needs this: the SDK notices a lost connection, comes back and catches up by itself.

const Socket = window.WebSocket;
const nowhere = "ws://tunnel.invalid";
let inside = false;

window.WebSocket = class extends Socket {
  constructor(url, protocols) {
    super(inside ? nowhere : url, protocols);
  }
};

export function tunnel(enter) {
  inside = enter;
  window.dispatchEvent(new Event(enter ? "offline" : "online"));
}
