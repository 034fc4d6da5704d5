import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

/** An S3 service on loopback, with one empty bucket. */
export interface S3Service {
  /** Address of the service, without the bucket and without a slash at the end. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Ends it and removes what it stored. */
  readonly stop: () => Promise<void>;
}

const CREDENTIALS = { accessKeyId: "entrepot-test", secretAccessKey: "entrepot-test-secret" } as const;
const BUCKET = "entrepot-test";

/**
 * Starts the S3 API of Miniflare's R2: it checks signatures, multipart sizes and entity tags as R2 itself does. The
 * bucket is addressed by path.
 */
export async function startS3Service(): Promise<S3Service> {
  const folder = mkdtempSync(path.join(tmpdir(), "entrepot-s3-"));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      resourcePersistencePath: folder,
      workers: [
        {
          name: "s3",
          compatibilityDate: "2026-01-01",
          modules: [{ type: "ESModule", path: "s3.js", contents: "export default {};" }],
          r2Buckets: { BLOBS: { id: BUCKET, s3Credentials: CREDENTIALS } },
        },
      ],
    }),
  );
  const url = await miniflare.ready;
  return {
    endpoint: `${url.origin}/cdn-cgi/local/r2/s3`,
    bucket: BUCKET,
    ...CREDENTIALS,
    async stop() {
      await miniflare.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Settings of a server that keeps its bytes in `service`, and redirects pulls to it. */
export function s3Settings(service: S3Service): Record<string, string> {
  return {
    STORAGE: "s3",
    BLOB_REDIRECT: "true",
    S3_ENDPOINT: service.endpoint,
    S3_BUCKET: service.bucket,
    S3_ACCESS_KEY_ID: service.accessKeyId,
    S3_SECRET_ACCESS_KEY: service.secretAccessKey,
  };
}
