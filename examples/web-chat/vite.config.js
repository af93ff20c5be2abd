import { defineConfig } from "vite";

import { backend } from "./server/backend.js";

// The page talks to Convoke itself; only what needs the account's credentials goes through /api, which runs here.
const api = {
  name: "backend",
  configureServer: ({ middlewares }) => void middlewares.use("/api", backend()),
  configurePreviewServer: ({ middlewares }) => void middlewares.use("/api", backend()),
};

export default defineConfig({
  plugins: [api],
  optimizeDeps: { include: ["@twilio/conversations"] },
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1000,
    rollupOptions: { input: ["index.html", "chat.html", "phone.html"] },
  },
});
