import { expect } from "vitest";
import { type Answer, body, header, location, query, type Repository } from "../conformance/registry-client.ts";
import { blobStatus, expectProperError, sha256 } from "./images.ts";

/** Bytes that an upload says it has, or `undefined` if it does not exist any more. */
export async function received(repository: Repository, upload: string): Promise<number | undefined> {
  const status = await repository.send("GET", upload);
  if (status.status !== 204) {
    expectProperError(status);
    return undefined;
  }
  const last = Number(/^0-([0-9]+)$/.exec(status.headers.get("range") ?? "")?.[1]);
  expect(last).toBeGreaterThanOrEqual(0);
  return last === 0 ? 0 : last + 1;
}

export async function openUpload(repository: Repository): Promise<string> {
  const opened = await repository.send("POST", "blobs/uploads/");
  expect(opened.status).toBe(202);
  return location(opened);
}

export async function patch(repository: Repository, upload: string, bytes: Uint8Array, start: number): Promise<Answer> {
  const range = header("content-range", `${start}-${start + bytes.byteLength - 1}`);
  return repository.send("PATCH", upload, range, body(bytes));
}

/**
 * Does what a good client does after its connection broke: asks what arrived, sends the rest and closes; or, if the
 * upload is gone, pushes anew. Either way the blob is there in the end, with the right bytes.
 */
export async function recover(repository: Repository, upload: string, bytes: Uint8Array): Promise<"resumed" | "anew"> {
  const digest = sha256(bytes);
  const start = await received(repository, upload);
  let target = upload;
  let rest = start;
  if (rest === undefined) {
    target = await openUpload(repository);
    rest = 0;
  }
  expect(rest).toBeLessThanOrEqual(bytes.byteLength);
  if (rest < bytes.byteLength) {
    const sent = await patch(repository, target, bytes.subarray(rest), rest);
    expect(sent.status).toBe(202);
    target = location(sent);
  }
  const closed = await repository.send("PUT", target, query("digest", digest));
  expect(closed.status).toBe(201);
  expect(await blobStatus(repository, digest)).toBe(200);
  return start === undefined ? "anew" : "resumed";
}
