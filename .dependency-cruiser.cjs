/** The rules of the layout, made from one table: docs/architecture.md, "Layers". @type {import("dependency-cruiser").IConfiguration} */

/**
 * From the top down. A folder uses those in rows below its own, by their front doors, and nothing else: neither its own
 * row nor one above.
 */
const layers = [
  ["operations"],
  ["distribution", "auth", "charts", "extensions", "sync", "lifecycle", "dashboard"],
  ["iam", "datasources", "audit"],
  ["secrets"],
  ["content", "resources", "mirror"],
  ["http"],
  ["access", "events"],
  ["oci"],
  ["platform"],
];

/** Folders that are not part of the Worker, and what of it they use. */
const besides = {
  cli: ["mirror", "oci", "platform", "client"],
  client: [],
  selfhost: ["platform/config\\.ts"],
};

/** What the table forbids and is so all the same. */
const exceptions = [
  // Mirroring runs in Node as well: it knows nothing of who may do what.
  { folder: "mirror", only: ["oci", "platform"] },
];

const anyOf = (folders) => `(?:${folders.join("|")})`;
const test = "\\.(?:test|fixture)\\.ts$";

const below = layers.flatMap((row, index) =>
  row.map((folder) => ({
    folder,
    allowed: exceptions.find((exception) => exception.folder === folder)?.only ?? layers.slice(index + 1).flat(),
  })),
);

module.exports = {
  forbidden: [
    ...[...below, ...Object.entries(besides).map(([folder, allowed]) => ({ folder, allowed }))].map(
      ({ folder, allowed }) => ({
        name: `${folder}-uses-what-is-below`,
        severity: "error",
        from: { path: `^src/${folder}/` },
        to: {
          path: "^src/",
          pathNot: [`^src/${folder}/`, ...allowed.map((name) => `^src/${name}${name.includes(".") ? "$" : "/"}`)],
        },
      }),
    ),
    {
      name: "every-folder-is-in-the-table",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: `^src/${anyOf([...layers.flat(), ...Object.keys(besides)])}/` },
      to: {},
    },
    {
      name: "nobody-uses-the-root",
      comment: "Files of src/ itself compose; they are not composed of.",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: test },
      to: { path: "^src/[^/]+\\.ts$" },
    },
    {
      name: "front-door",
      comment: "A folder is used through its index.ts only; its fixtures are for the tests of others too.",
      severity: "error",
      from: { path: "^src/([^/]+)/" },
      to: {
        path: "^src/([^/]+)/",
        pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$", "^src/platform/config\\.ts$", "\\.fixture\\.ts$"],
      },
    },
    {
      name: "front-door-from-the-root",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { path: "^src/[^/]+/", pathNot: "^src/[^/]+/index\\.ts$" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphans", severity: "error", from: { orphan: true, pathNot: "\\.d\\.ts$" }, to: {} },
    {
      name: "tests-import-fixtures",
      severity: "error",
      from: { path: "^src/", pathNot: test },
      to: { path: test },
    },
    {
      name: "the-worker-has-no-node-modules",
      comment: "workerd has few of them; this one hashes natively, piece by piece.",
      severity: "error",
      from: { path: "^src/", pathNot: `^src/(?:selfhost|cli)/|${test}` },
      to: { dependencyTypes: ["core"], pathNot: "^(?:node:)?crypto$" },
    },
    {
      name: "the-worker-has-no-node-tools",
      severity: "error",
      from: { path: "^src/", pathNot: `^src/(?:selfhost|cli)/|${test}` },
      to: { path: "node_modules/(?:miniflare|wrangler|workerd|vitest|undici)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"] },
  },
};
