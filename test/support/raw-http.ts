import { connect } from "node:net";

/**
 * Sends bytes as they are, for requests that no client library would make, and resolves to all that comes back until the
 * server closes or `milliseconds` have passed.
 */
export async function sendRaw(host: string, request: string, milliseconds = 60_000): Promise<string> {
  const [hostname = "", port = ""] = host.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const received: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    socket.on("data", (bytes: Buffer) => received.push(bytes));
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received).toString("utf8"));
    });
    socket.write(request);
  });
}

/** A request of HTTP/1.1 whose target and headers go out as they are written here. */
export function rawRequest(host: string, line: string, headers: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...headers, "", ""].join("\r\n");
}

/** The status of such an answer; 0 if there is none. */
export function rawStatus(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}
