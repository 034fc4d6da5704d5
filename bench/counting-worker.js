/**
 * The Worker with its bindings counted: `POST /bench/counts` answers what was called since the last time it was asked.
 * Plain JavaScript, because the rest of this folder is checked with Node's types, and a Worker cannot be.
 */
import worker, { UploadSession as CountedSession } from "../src/worker.ts";

// All of its classes, but for the one that is counted too.
export * from "../src/worker.ts";

let counts = {};
const envs = new WeakMap();

export default {
  ...worker,
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/bench/counts") return worker.fetch(request, counted(env), context);
    const answer = counts;
    counts = {};
    return Response.json(answer);
  },
};

/** Runs in the same isolate, so its calls are counted in the same place. */
export class UploadSession extends CountedSession {
  constructor(context, env) {
    super(context, counted(env));
  }
}

function counted(env) {
  const known = envs.get(env);
  if (known !== undefined) return known;
  const made = {
    ...env,
    DB: database(env.DB),
    BLOBS: bucket(env.BLOBS),
    DISK: disk(env.DISK),
    UPLOAD_SESSIONS: namespace(env.UPLOAD_SESSIONS),
  };
  envs.set(env, made);
  return made;
}

function count(name, times = 1) {
  counts[name] = (counts[name] ?? 0) + times;
}

/** `target`, except for the members of `members`. */
function overriding(target, members) {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(members, name)) return members[name];
      const value = Reflect.get(object, name, object);
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}

/** `target`, with each call of a method in `names` counted as what `names` calls it. */
function counting(target, names, more = {}) {
  const members = { ...more };
  for (const [method, name] of Object.entries(names)) {
    members[method] = (...args) => {
      count(name);
      return target[method](...args);
    };
  }
  return overriding(target, members);
}

const inner = new WeakMap();

function statement(target) {
  const query =
    (method) =>
    (...args) => {
      count("D1 calls");
      count("D1 statements");
      return target[method](...args);
    };
  const made = overriding(target, {
    bind: (...values) => statement(target.bind(...values)),
    first: query("first"),
    all: query("all"),
    run: query("run"),
    raw: query("raw"),
  });
  inner.set(made, target);
  return made;
}

function database(target) {
  return overriding(target, {
    prepare: (sql) => statement(target.prepare(sql)),
    batch(statements) {
      count("D1 calls");
      count("D1 statements", statements.length);
      return target.batch(statements.map((each) => inner.get(each)));
    },
  });
}

function bucket(target) {
  return counting(
    target,
    {
      put: "R2 put",
      get: "R2 get",
      head: "R2 head",
      delete: "R2 delete",
      list: "R2 list",
      createMultipartUpload: "R2 create",
    },
    {
      resumeMultipartUpload: (...args) =>
        counting(target.resumeMultipartUpload(...args), {
          uploadPart: "R2 part",
          complete: "R2 complete",
          abort: "R2 abort",
        }),
    },
  );
}

function disk(target) {
  return overriding(target, {
    fetch(url, init) {
      count(`disk ${init?.method ?? "GET"}`);
      return target.fetch(url, init);
    },
  });
}

function namespace(target) {
  return overriding(target, {
    get: (id) => {
      const stub = target.get(id);
      return new Proxy(stub, {
        get:
          (_, method) =>
          (...args) => {
            count("DO calls");
            return stub[method](...args);
          },
      });
    },
  });
}
