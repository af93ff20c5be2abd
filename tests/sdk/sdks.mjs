// The versions of the web SDK that everything is tried with.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// The first is the one that all tests use which do not say another.
export const sdks = [
  ["3.0.1", "@twilio/conversations"],
  ["2.7.0", "conversations-2.7.0"],
  ["2.6.5", "conversations-2.6.5"],
].map(([version, name]) => ({ version, sdk: require(name), typings: require.resolve(`${name}/builds/lib.d.ts`) }));
