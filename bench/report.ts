import { renderRows, type Row } from "./table.ts";

/** The run's results as a page that can be committed: nothing in it names a machine or a day. */
export function renderReport(rows: readonly Row[], counts: string, sync: string): string {
  return `# What the benchmark printed

\`npm run bench\` writes this page anew. Server and client share one machine, so the absolute numbers tell little; read
the ratios.

## Times, rates and memory

${renderRows(rows)}

How to read it:

- **ours** is the registry as \`npm start\` runs it, through its whole HTTP API. **baseline** was measured in the same
  run, in turn with ours (A, B, C, C, B, A, …); every number is a median.
- **ratio** is how fast ours is compared with the baseline: 1 is as fast, 2 twice as fast, 0.5 half as fast.
- Layers are 90 MB of random bytes, each of them new. "Chunked coding" is what docker sends: frames of 32 KiB and no length.
- **disk PUT, hashed**, **disk GET**, **R2 …** and **ok** are a bare Worker on the same engine (\`baseline-worker.js\`):
  one call of the runtime per request, with no registry around it. So they are the most that the engine can do.
  R2 is Miniflare's simulator, which stores in the same process.
- **distribution v3** is built from its Go module, **docker-registry** is Debian's package of 2.8; both on their filesystem
  storage, with Debian's settings but for the address, the folder and access lines.
- **D1 …** are one statement each on the same engine's D1, in a bare Worker, over HTTP as well. A create of a resource is a
  batch of several statements, behind parsing, admission and validation; what both wait for is the disk,
  which writes a row of the audit after each.
- **D1 calls to pull a cached manifest**: where the tag leads, and whether rights have changed. The second is asked once in
  \`READ_STALENESS_MS\`, for all requests of an isolate.
- Rates are those of 16 connections, each with one request under way.
- docker-registry 2.8 compiles the regular expressions of its URL builder for every request; that, not the disk, is its
  rate of small requests.
- The simulated bucket reads an object made of parts many times more slowly than one written whole. R2 itself does not.
- Memory is by how much workerd's resident memory peaks above its rest before. **isolate** is the heap and the buffers of
  the Worker alone, garbage included, and nothing of the simulated bucket.

## Calls of bindings

What one push or pull of an image (a config, a layer of 20 MiB, one of 5 MiB, and a manifest) asks of the platform. A
batch of D1 is one call; its statements are counted apart. On Cloudflare these are what an operation costs.

${counts}

## Requests of mirroring

What the same copy asks of the registries at both sides, ours (\`entrepot sync\`) beside regsync: a repository of 41
tags, one of them an image of ten platforms. A pass means that ours is not above regsync: in requests at that side, and in
bytes at both sides together.

${sync}
`;
}
