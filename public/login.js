const element = (id) => document.getElementById(id);
const message = element("message");
const form = element("password");

/** Where to go after signing in: a path of this server, and nothing else. */
function returnPath() {
  const wanted = new URLSearchParams(location.search).get("return_to") ?? "";
  const url = URL.parse(wanted, location.origin);
  const own = /^\/(?![/\\])[^\\]*$/.test(wanted) && url?.origin === location.origin;
  return own && !url.pathname.startsWith("//") ? url.pathname + url.search + url.hash : undefined;
}

/** A link that signs in by an identity provider. */
function providerLink({ name, displayName }) {
  const link = document.createElement("a");
  const query = new URLSearchParams({ return_to: returnPath() ?? "/login" });
  link.href = `/auth/login/${encodeURIComponent(name)}?${query}`;
  link.className = "button";
  link.textContent = displayName;
  return link;
}

/** What to tell about an answer that is a failure. */
async function failureText(response) {
  if (response.status === 401) return "The user name or the password is wrong.";
  if (response.status === 429) {
    return `Too many failed attempts. Try again in ${response.headers.get("retry-after")} seconds.`;
  }
  const { error } = await response.json().catch(() => ({}));
  return error ?? `The server answered with status ${response.status}.`;
}

/** Shows who is signed in, or how to. */
async function show() {
  const response = await fetch("/auth/session", { headers: { accept: "application/json" } });
  if (!response.ok) {
    message.textContent = await failureText(response);
    return;
  }
  const session = await response.json();
  const signedIn = session.user !== null;
  form.hidden = signedIn;
  element("signed-in").hidden = !signedIn;
  element("providers").replaceChildren(...(signedIn ? [] : session.providers.map(providerLink)));
  element("user").textContent = signedIn ? session.user.name : "";
  element("sign-out").hidden = session.csrfToken === undefined;
  element("sign-out").dataset.token = session.csrfToken ?? "";
  if (!signedIn) element("username").focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  message.textContent = "";
  const response = await fetch("/auth/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(Object.fromEntries(new FormData(form))),
  });
  element("current-password").value = "";
  if (!response.ok) {
    message.textContent = await failureText(response);
    element("current-password").focus();
    return;
  }
  const path = returnPath();
  if (path === undefined) await show();
  else location.assign(path);
});

element("sign-out").addEventListener("click", async (event) => {
  const headers = { "x-csrf-token": event.currentTarget.dataset.token };
  const response = await fetch("/auth/logout", { method: "POST", headers });
  message.textContent = response.ok ? "" : await failureText(response);
  await show();
});

await show();
