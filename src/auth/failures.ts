import { restAuthenticationError, restError } from "../http/index.ts";

/** What browsers are asked for. They know no such scheme, so that they show no dialog of their own. */
export const FORM_CHALLENGE = `Session realm="Entrepot"`;

/** The answer to a request that another site may have made. */
export function forged(): Response {
  return restAuthenticationError({ reason: "forged" }, FORM_CHALLENGE);
}

/** A page that says why a sign-in by a provider did not work. Texts are ours: nothing of the request is in them. */
export function loginFailure(request: Request, status: number, message: string): Response {
  if (!request.headers.get("accept")?.includes("text/html")) return restError(status, message);
  const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Sign-in failed · Entrepot</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/style.css" />
  </head>
  <body>
    <main>
      <h1>Sign-in failed</h1>
      <p role="alert">${escapeHtml(message)}</p>
      <p><a href="/login">Try again</a></p>
    </main>
  </body>
</html>
`;
  return new Response(page, { status, headers: { "content-type": "text/html; charset=utf-8" } });
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
