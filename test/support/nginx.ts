import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** An nginx on loopback that passes everything on to one server. */
export interface Nginx {
  /** Without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it; `buffering` is whether it takes a whole request before it passes it on, as it does unless told otherwise. */
export async function startNginx(upstream: string, buffering: boolean): Promise<Nginx> {
  const folder = mkdtempSync(path.join(tmpdir(), "entrepot-nginx-"));
  const port = await freePort();
  const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const file = path.join(folder, "nginx.conf");
  writeFileSync(
    file,
    `daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
pid ${folder}/pid;
error_log ${folder}/error.log;
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  client_max_body_size 0;
  ${kept.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${upstream};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_request_buffering ${buffering ? "on" : "off"};
    }
  }
}
`,
  );
  const child = spawn("nginx", ["-c", file, "-e", path.join(folder, "error.log")], { stdio: "ignore" });
  const exited = once(child, "exit");
  await listening(port);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** @throws if nothing listens in ten seconds */
async function listening(port: number): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", () => resolve(false));
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
    if (open) return;
    await sleep(50);
  }
  throw new Error("nginx does not listen");
}
