// Tells what it was asked, as a component of Spin's SDK for JavaScript does.
addEventListener("fetch", (event) => {
  const asked = event as FetchEvent;
  asked.respondWith(answer(asked.request));
});

async function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const body = await request.text();
  const headers = { "content-type": "text/plain", "x-route": request.headers.get("spin-component-route") ?? "" };
  return new Response(`${request.method} of ${body.length} characters at ${path}`, { headers });
}
