import { digestAlgorithm, digestBytes, parseDigest } from "../../oci/index.ts";
import { RegistryError, type TargetRepository } from "../registry.ts";
import { repositoryScope } from "./auth/scopes.ts";
import { discard } from "./http-client.ts";
import { checkedDigest, checkedReference } from "./names.ts";
import type { RepositoryContext } from "./repository-context.ts";
import { beginUpload, cancelUpload, closingAddress, openUpload, uploadLocation } from "./upload.ts";

type Writing = Pick<TargetRepository, "hasBlob" | "mount" | "putBlob" | "upload" | "putManifest" | "deleteTag">;

/** What stands against taking a blob over, but not against sending it. */
const MOUNT_REFUSALS = new Set(["denied", "missing", "refused", "unsupported", "conflict"]);

/** Writes to one repository. @see distribution-spec, "Push" and "Content Management" */
export function writingTo(context: RepositoryContext): Writing {
  const { client, name, scopes, capabilities } = context;

  return {
    async hasBlob(digest) {
      const to = `${name}/blobs/${checkedDigest(digest)}`;
      const what = `HEAD blob ${name} ${digest}`;
      return (await client.call({ method: "HEAD", to, what, scopes, expect: [200, 404] })).status === 200;
    },

    async mount(digest, from) {
      const to = `${name}/blobs/uploads/?mount=${encodeURIComponent(checkedDigest(digest))}&from=${encodeURIComponent(from)}`;
      const what = `mount ${digest} from ${from} to ${name}`;
      const both = [...scopes, repositoryScope(from, "pull")];
      try {
        const answer = await client.call({ method: "POST", to, what, scopes: both, expect: [201, 202] });
        await discard(answer);
        if (answer.status === 202) await cancelUpload(uploadLocation(answer, `${client.registry}: ${what}`), context);
        return answer.status === 201;
      } catch (error) {
        if (error instanceof RegistryError && MOUNT_REFUSALS.has(error.failure)) return false;
        throw error;
      }
    },

    async putBlob(blob, stream) {
      const { location } = await cancelling(stream, () => beginUpload(context));
      if (blob.size === 0) await stream.cancel();
      try {
        const answer = await client.call({
          method: "PUT",
          to: closingAddress(location, blob.digest),
          headers: { "content-type": "application/octet-stream" },
          body: blob.size === 0 ? new Uint8Array() : { stream, length: blob.size },
          what: `PUT blob ${name} ${blob.digest}`,
          scopes,
          expect: [200, 201, 204],
        });
        await discard(answer);
      } catch (error) {
        await cancelUpload(location, context);
        throw error;
      }
    },

    upload: (resume) => openUpload(resume, context),

    async putManifest(reference, content) {
      const what = `PUT manifest ${name} ${checkedReference(reference)}`;
      const answer = await client.call({
        method: "PUT",
        to: `${name}/manifests/${reference}`,
        headers: { "content-type": content.mediaType },
        body: content.bytes,
        what,
        scopes,
        expect: [200, 201, 202, 204],
      });
      await discard(answer);
      const stored = parseDigest(answer.headers.get("docker-content-digest") ?? "");
      // A registry may name it by another algorithm than we do.
      if (
        stored !== undefined &&
        stored !== content.digest &&
        stored !== digestBytes(digestAlgorithm(stored), content.bytes)
      ) {
        throw new RegistryError(
          "corrupt",
          `${client.registry}: ${what}: the registry keeps it as ${stored}, not ${content.digest}`,
        );
      }
      return { subject: answer.headers.has("oci-subject") };
    },

    async deleteTag(tag) {
      const what = `DELETE tag ${name}:${checkedReference(tag)}`;
      if (parseDigest(tag) !== undefined || !capabilities.current().deleteTags)
        throw cannotDelete(`${client.registry}: ${what}`);
      const answer = await client.call({
        method: "DELETE",
        to: `${name}/manifests/${tag}`,
        what,
        scopes: [repositoryScope(name, "delete")],
        expect: [200, 202, 204, 400, 404, 405],
      });
      await discard(answer);
      if (answer.status !== 400 && answer.status !== 405) return;
      capabilities.lower("deleteTags");
      throw cannotDelete(`${client.registry}: ${what}`);
    },
  };
}

/** Deleting the manifest instead would take its other tags along. */
function cannotDelete(describe: string): RegistryError {
  return new RegistryError("unsupported", `${describe}: this registry does not delete single tags`);
}

async function cancelling<T>(stream: ReadableStream<Uint8Array>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await stream.cancel(error).catch(() => undefined);
    throw error;
  }
}
