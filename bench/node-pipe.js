/** Passes blobs from one repository to another, and does nothing else: `node node-pipe.js <from> <to> <digest>…`. */
const [, , from, to, ...digests] = process.argv;

await Promise.all(
  digests.map(async (digest) => {
    const { body, headers } = await fetch(`${from}/blobs/${digest}`);
    const begun = await fetch(`${to}/blobs/uploads/`, { method: "POST" });
    const location = new URL(begun.headers.get("location"), to);
    location.searchParams.set("digest", digest);
    const length = { "content-length": headers.get("content-length") };
    const put = await fetch(location, { method: "PUT", body, headers: length, duplex: "half" });
    if (put.status !== 201) throw new Error(`the blob is not taken: ${put.status}`);
  }),
);
