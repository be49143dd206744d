// Bun's own way to do what is measured: whoever connects subscribes to one topic, and what one connection sends goes to
// every subscriber, itself included. Run as `bun fanout.js PORT`; everything not named here is Bun's default.
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response("a WebSocket is expected", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    publishToSelf: true,
    // The readers of the load answer no pings: this is the longest that Bun lets a silent one stay.
    idleTimeout: 960,
    open(socket) {
      socket.subscribe("events");
      socket.send("subscribed");
    },
    message(socket, event) {
      socket.publish("events", event);
    },
  },
});
