/** Bounds of calls to remote registries. Times are in milliseconds, sizes in bytes. */
export const CLIENT_LIMITS = {
  /** Until the head of an answer. */
  head: 30_000,
  /** Until the answer to the last byte of an upload: the registry may first copy it to its storage. */
  settle: 300_000,
  /** Without a byte of a body. */
  stall: 60_000,
  /** For the best effort of removing an upload. */
  cancel: 10_000,
  redirects: 5,
  manifest: 8 * 1024 * 1024,
  /** One page of a list. */
  page: 8 * 1024 * 1024,
  /** The answer of a token service. */
  token: 128 * 1024,
  /** What is read of the body of an error. */
  errorBody: 8 * 1024,
  /** Characters of a registry's own message that go into ours. */
  errorText: 200,
  /** Entries that are asked for per page. */
  perPage: 1000,
  /** Pages of one list. */
  pages: 10_000,
} as const;
