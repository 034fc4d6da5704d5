for (const place of document.querySelectorAll("[data-host]")) place.textContent = location.host;

const list = document.querySelector("#repositories");

/** One line of the list, as text. */
function line(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

const response = await fetch("/v2/_catalog?n=100");
const body = await response.json();
const names = response.ok ? body.repositories : [body.errors[0].message];
list.replaceChildren(...(names.length === 0 ? ["none yet"] : names).map(line));
