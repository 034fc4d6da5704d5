import { type ClientRequest, type IncomingMessage, request } from "node:http";

/** A request whose body stops in the middle. */
export interface HalfRequest {
  /** The answer's status; rejects when the connection breaks. */
  readonly answered: Promise<number>;
  /** Sends the rest, and ends the body. */
  finish(rest: Uint8Array): void;
  /** Breaks the connection, as a client that goes away does. */
  destroy(): void;
}

/** Sends the head of a request that announces `length` bytes, and `bytes` of them. Resolves once they are on their way. */
export async function halfRequest(
  url: string,
  method: "PATCH" | "PUT",
  length: number,
  bytes: Uint8Array,
  more: Readonly<Record<string, string>> = {},
): Promise<HalfRequest> {
  const headers = { "content-type": "application/octet-stream", "content-length": length, ...more };
  const sent = request(url, { method, headers, agent: false });
  const answered = answer(sent);
  // Whoever destroys the request does not wait for its answer.
  answered.catch(() => {});
  await new Promise<void>((resolve, reject) => {
    sent.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });
  return {
    answered,
    finish: (rest) => void sent.end(rest),
    destroy: () => void sent.destroy(),
  };
}

function answer(sent: ClientRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    sent.once("error", reject);
    sent.once("response", (response: IncomingMessage) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
      response.once("error", reject);
    });
  });
}
