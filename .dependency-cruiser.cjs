/** The rules of the layout: docs/architecture.md, "Rooms". @type {import("dependency-cruiser").IConfiguration} */

const surfaces = ["distribution", "charts", "extensions", "sync", "dashboard"];
const kernels = ["content", "resources", "mirror"];
const crossCutting = ["access"];
const any = (folders) => `^src/(${folders.join("|")})/`;

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "front-door",
      comment: "A folder is used through its index.ts only.",
      severity: "error",
      from: { path: "^src/([^/]+)/" },
      to: { path: "^src/([^/]+)/", pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$", "^src/platform/config\\.ts$"] },
    },
    {
      name: "front-door-from-the-root",
      comment: "The root composes folders by their front doors.",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { path: "^src/[^/]+/", pathNot: "^src/[^/]+/index\\.ts$" },
    },
    {
      name: "surfaces-do-not-meet",
      severity: "error",
      from: { path: `^src/(${surfaces.join("|")})/` },
      to: { path: any(surfaces), pathNot: "^src/$1/" },
    },
    {
      name: "kernels-know-no-surface",
      severity: "error",
      from: { path: any([...kernels, ...crossCutting, "platform"]) },
      to: { path: any([...surfaces, "operations", "cli", "selfhost"]) },
    },
    {
      name: "cross-cutting-knows-no-kernel",
      severity: "error",
      from: { path: any([...crossCutting, "platform"]) },
      to: { path: any(kernels) },
    },
    {
      name: "the-engine-is-pure",
      comment:
        "Mirroring runs in Node as well: it knows the vocabulary and the platform's tools, and nothing of the registry.",
      severity: "error",
      from: { path: "^src/mirror/" },
      to: { path: "^src/(?!mirror/|oci/|platform/)" },
    },
    {
      name: "the-vocabulary-is-pure",
      severity: "error",
      from: { path: "^src/oci/" },
      to: { path: "^src/(?!oci/|platform/)" },
    },
    {
      name: "platform-is-the-floor",
      severity: "error",
      from: { path: "^src/platform/" },
      to: { path: "^src/(?!platform/)" },
    },
    {
      name: "the-worker-has-no-node-tools",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(selfhost|cli)/|\\.test\\.ts$" },
      to: { path: "miniflare|wrangler|^src/(selfhost|cli)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"] },
  },
};
