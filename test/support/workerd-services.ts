import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { startS3Service } from "./s3-service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder for the disk service of the tests in workerd. */
    readonly diskFolder: string;
    /** A bucket, as the Worker's settings name it. */
    readonly s3: {
      readonly endpoint: string;
      readonly bucket: string;
      readonly region: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };
  }
}

/** Starts what the tests in workerd need from outside it: a folder on disk and an S3 service. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(path.join(tmpdir(), "entrepot-disk-"));
  const { stop, ...s3 } = await startS3Service();
  project.provide("diskFolder", folder);
  project.provide("s3", { ...s3, region: "auto" });
  return async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
