// What a version of the web SDK has for its applications, read from the package itself, and what our documentation
// says about it.

import { readFileSync } from "node:fs";

// Types that are no exported class, but that applications hold: an interface, and a class of another package.
const ALSO = ["Paginator", "CancellablePromise"];

// Of one version: class name → { methods, properties, events }, each a list of names, from its type declarations.
export function surface(sdk, typings) {
  const text = readFileSync(typings, "utf8").replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const block = (head) => {
    const found = text.match(new RegExp(`^(?:declare class|interface|type) ${head}\\b[^{]*{\\n([\\s\\S]*?)^}`, "m"));
    return found ? found[1].split("\n").filter((line) => /^ {4}\S/.test(line)).map((line) => line.trim()) : [];
  };
  const classes = Object.keys(sdk).filter((name) => typeof sdk[name] === "function");
  const found = {};
  for (const name of [...new Set([...classes, ...ALSO])].sort()) {
    const [methods, properties] = [new Set(), new Set()];
    for (const line of block(name)) {
      // The names of the events, as constants.
      if (/^(static )?readonly (\w+) = "\2";$/.test(line)) continue;
      const member = line.match(/^(?:static )?(?:readonly )?(get )?(\w+)(<.*?>)?\??([(:])/) ??
        line.match(/^(?:static )?readonly (?<constant>\w+) = /);
      const key = member?.groups?.constant ?? member?.[2];
      if (!key || /^(private|set|constructor)\b/.test(line) || key === "constructor" || key.startsWith("_")) continue;
      const called = member[4] === "(" && !member[1] || line.includes(": typeof ");
      (called ? methods : properties).add(key);
    }
    const prototype = Object.getOwnPropertyNames(sdk[name]?.prototype ?? {});
    if (block(name).length === 0) prototype.filter((key) => key !== "constructor").forEach((key) => methods.add(key));
    const events = block(`${name}Events`).flatMap((line) => line.match(/^(\w+):/)?.[1] ?? []);
    found[name] = { methods: [...methods], properties: [...properties], events };
  }
  return found;
}

const TABLE = /^\| class \| what \| names \|(.*)\| how \|\n\|[- |]*\|\n((?:\|.*\|\n)*)/m;

// The table of docs/compatibility.md: [{ name: "Client", what: "methods", member: "getUser", cells: { version: word } }].
export function documented() {
  const page = readFileSync(new URL("../../docs/compatibility.md", import.meta.url), "utf8");
  const [, versions, rows] = page.match(TABLE);
  const columns = versions.split("|").map((cell) => cell.trim());
  return rows.trimEnd().split("\n").flatMap((row) => {
    const [name, what, names, ...cells] = row.slice(1, -1).split("|").map((cell) => cell.trim());
    const words = Object.fromEntries(columns.map((version, at) => [version, cells[at]]));
    return [...names.matchAll(/`(\w+)`/g)].map(([, member]) => ({ name, what, member, cells: words }));
  });
}
