import { RegistryError, type RegistryFailure } from "../registry.ts";
import * as z from "zod";
import { discard, type HttpAnswer, readBytes } from "./http-client.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { paceOf } from "./rate-limit.ts";

const TRANSIENT = new Set([408, 425, 429, 499]);
const UNSUPPORTED = new Set([405, 406, 415]);

const text = z.string().catch("");
/** The OCI form, and what token services, AWS and others write. */
const bodySchema = z.object({
  errors: z.array(z.object({ code: text, message: text }).catch({ code: "", message: "" })).catch([]),
  message: text,
  error: text,
  error_description: text,
  detail: text,
  details: text,
  __type: text,
});

/** What the body of an error says. */
export interface ErrorBody {
  /** As in the OCI specification: `NAME_UNKNOWN`; empty if there is none. */
  readonly code: string;
  /** The first message, of at most 200 printable characters. */
  readonly message: string;
}

/** Reads, and discards the rest of, the body of an error. It does not fail. */
export async function readErrorBody(answer: HttpAnswer): Promise<ErrorBody> {
  const bytes = await readBytes(answer, CLIENT_LIMITS.errorBody).catch(() => undefined);
  if (bytes === undefined) {
    await discard(answer);
    return { code: "", message: "" };
  }
  return parseErrorBody(new TextDecoder().decode(bytes));
}

/** @see distribution-spec, "Error codes" */
export function parseErrorBody(body: string): ErrorBody {
  const parsed = bodySchema.safeParse(jsonOf(body));
  if (!parsed.success) return { code: "", message: body.trimStart().startsWith("<") ? "" : printable(body) };
  const { errors, ...others } = parsed.data;
  const [first] = errors;
  const messages = [
    first?.message,
    others.message,
    others.error_description,
    others.detail,
    others.details,
    others.error,
  ];
  const code = first?.code ?? others.__type.replace(/^.*#/, "");
  return { code, message: printable(messages.find((message) => message !== undefined && message !== "") ?? code) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return clean.length > CLIENT_LIMITS.errorText ? `${clean.slice(0, CLIENT_LIMITS.errorText - 1)}…` : clean;
}

/** What a status and the registry's code for it mean. */
export function failureOf(status: number, { code, message }: ErrorBody): RegistryFailure {
  if (/^(?:TOOMANYREQUESTS|ThrottlingException|TooManyRequestsException|ServerException)$/.test(code))
    return "transient";
  if (TRANSIENT.has(status) || status >= 500) return "transient";
  if (code === "DIGEST_INVALID" || code === "SIZE_INVALID") return "corrupt";
  if (code === "MANIFEST_BLOB_UNKNOWN" || code === "BLOB_UNKNOWN") return "missing";
  // Amazon ECR and Google say so with 400 and 403.
  if (/\bimmutable\b|ImageTagAlreadyExists/i.test(`${code} ${message}`)) return "conflict";
  if (status === 401 || status === 403) return "denied";
  if (status === 404 || status === 410) return "missing";
  if (status === 409 || status === 412) return "conflict";
  if (UNSUPPORTED.has(status) || code === "UNSUPPORTED") return "unsupported";
  return "refused";
}

/** The error for an answer that was not expected: which registry, what was asked, the status, and what it said. */
export async function answerError(
  answer: HttpAnswer,
  describe: string,
  now: number,
  known?: ErrorBody,
): Promise<RegistryError> {
  const body = known ?? (await readErrorBody(answer));
  const { retryAfter } = paceOf(answer.headers, now);
  const said = body.message === "" ? "" : `: ${body.message}`;
  return new RegistryError(failureOf(answer.status, body), `${describe}: status ${answer.status}${said}`, {
    status: answer.status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}
