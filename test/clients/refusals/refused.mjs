// Sends a request with a body a number of times, and prints the status of each answer, or that it was lost.
const [method, url, size, times, ...headers] = process.argv.slice(2);
const body = new Uint8Array(Number(size));

async function send() {
  try {
    const response = await fetch(url, { method, body, headers: headers.map((header) => header.split(": ")) });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return `${error} ${error.cause}`;
  }
}

for (let turn = 0; turn < Number(times); turn += 1) console.log(await send());
