// Remembers which parts of an SDK our tests have used: nothing counts that the SDK calls by itself, nothing that failed.
// What is called stays what it was; it is only listened at.

const dependency = /[\\/]node_modules[\\/]/;

export class Recorder {
  // "Class.member", or "Class:event".
  used = new Set();
  #sdk;
  #wrapped = new Set();

  constructor(sdk) {
    this.#sdk = sdk;
    for (const [name, made] of Object.entries(sdk)) {
      if (typeof made !== "function") continue;
      this.#methods(made.prototype, name);
      this.#statics(made, name);
      if (typeof made.prototype?.emit === "function") this.#events(outermost(made.prototype), name);
    }
  }

  // The same object, that remembers which of its own fields are read and called: for those that no prototype tells of.
  watch(object, name = this.#nameOf(object)) {
    const note = (key) => typeof key === "string" && this.used.add(`${name}.${key}`);
    return new Proxy(object, {
      get: (target, key) => {
        const value = Reflect.get(target, key);
        if (typeof value === "function") return (...args) => this.#noted(`${name}.${key}`, value.apply(target, args), target);
        if (value !== undefined) note(key);
        return value;
      },
    });
  }

  #nameOf(object) {
    return Object.keys(this.#sdk).find((name) => typeof this.#sdk[name] === "function" && object instanceof this.#sdk[name]);
  }

  // A call is noted when it has succeeded; a promise that answers itself (it was cancelled) has done what was asked.
  #noted(name, result, from) {
    if (typeof result?.then !== "function" || result === from) this.used.add(name);
    else result.then((value) => (this.used.add(name), this.#seen(value)), () => {});
    return result;
  }

  // Pages come as instances of classes that are not exported.
  #seen(value) {
    if (typeof value?.nextPage === "function") this.#methods(Object.getPrototypeOf(value), "Paginator", value);
  }

  #methods(first, name) {
    const recorder = this;
    for (let from = first; from && ours(from) && !this.#wrapped.has(from); from = Object.getPrototypeOf(from)) {
      this.#wrapped.add(from);
      for (const [key, found] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
        if (key === "constructor" || key.startsWith("_") || !found.configurable) continue;
        const { get, value } = found;
        if (get) {
          found.get = function () {
            const result = get.call(this);
            if (result !== undefined && fromTest(found.get)) recorder.used.add(`${name}.${key}`);
            return result;
          };
        } else if (typeof value === "function") {
          found.value = function (...args) {
            const counts = fromTest(found.value);
            const result = value.apply(this, args);
            return counts ? recorder.#noted(`${name}.${key}`, result, this) : result;
          };
        }
        Object.defineProperty(from, key, found);
      }
    }
  }

  #statics(made, name) {
    const recorder = this;
    for (let from = made; from && from !== Function.prototype && ours(from.prototype); from = Object.getPrototypeOf(from)) {
      for (const [key, found] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
        if (["length", "name", "prototype"].includes(key) || key.startsWith("_") || !found.configurable) continue;
        const value = found.value;
        if (typeof value === "function") {
          found.value = function (...args) {
            const counts = fromTest(found.value);
            const result = value.apply(this, args);
            return counts ? recorder.#noted(`${name}.${key}`, result) : result;
          };
          Object.defineProperty(from, key, found);
        } else if (typeof value === "string") {
          const get = () => (fromTest(get) && recorder.used.add(`${name}.${key}`), value);
          Object.defineProperty(from, key, { configurable: true, get });
        }
      }
    }
  }

  // An event counts when it reached a listener of ours.
  #events(prototype, name) {
    const recorder = this;
    const listening = new WeakMap();
    for (const method of ["on", "once", "addListener", "prependListener"]) {
      const original = prototype[method];
      prototype[method] = function (event, listener) {
        if (fromTest(prototype[method])) {
          if (!listening.has(this)) listening.set(this, new Set());
          listening.get(this).add(event);
        }
        return original.call(this, event, listener);
      };
    }
    const emit = prototype.emit;
    prototype.emit = function (event, ...args) {
      if (listening.get(this)?.has(event) && this.listenerCount(event) > 0) recorder.used.add(`${name}:${event}`);
      return emit.call(this, event, ...args);
    };
  }
}

// Whether what was called was called by a test (or by Node for one), and not from within a package.
function fromTest(called) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  const trace = {};
  Error.captureStackTrace(trace, called);
  Error.stackTraceLimit = stackTraceLimit;
  return !dependency.test(trace.stack);
}

// Prototypes below those of emitters and of the language.
function ours(prototype) {
  return prototype && prototype !== Object.prototype && !Object.hasOwn(prototype, "emit") && prototype !== Promise.prototype;
}

// The last of our prototypes in a chain.
function outermost(prototype) {
  const next = Object.getPrototypeOf(prototype);
  return ours(next) ? outermost(next) : prototype;
}
