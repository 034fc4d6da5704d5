for (const place of document.querySelectorAll("[data-host]")) place.textContent = location.host;

const heading = document.querySelector("#heading");
const list = document.querySelector("#list");

/** One line of the list; a link if it leads somewhere. */
function line(text, href) {
  const item = document.createElement("li");
  const content = href === undefined ? item : item.appendChild(document.createElement("a"));
  content.textContent = text;
  if (href !== undefined) content.href = href;
  return item;
}

/** What is shown of an answer that is no list. */
async function refusal(response) {
  const returnTo = encodeURIComponent(`/${location.hash}`);
  if (response.status === 401) return line("Sign in to see what is here", `/login?return_to=${returnTo}`);
  const body = await response.json().catch(() => undefined);
  return line(body?.errors?.[0]?.message ?? `The server answered with status ${response.status}.`);
}

/** Shows the repositories, or the tags of the one that the address names: `#team/app`. */
async function show() {
  const repository = decodeURIComponent(location.hash.slice(1));
  heading.textContent = repository === "" ? "Repositories" : `Tags of ${repository}`;
  const response = await fetch(
    repository === "" ? "/v2/_catalog?n=100" : `/v2/${encodeURI(repository)}/tags/list?n=100`,
  );
  if (!response.ok) {
    list.replaceChildren(await refusal(response));
    return;
  }
  const body = await response.json();
  const lines =
    repository === ""
      ? body.repositories.map((name) => line(name, `#${name}`))
      : body.tags.map((tag) => line(`${location.host}/${repository}:${tag}`));
  if (lines.length === 0) lines.push(line("none yet"));
  if (response.headers.has("link")) lines.push(line("… and more: list them with a client"));
  if (repository !== "") lines.push(line("All repositories", "#"));
  list.replaceChildren(...lines);
}

addEventListener("hashchange", show);
await show();
