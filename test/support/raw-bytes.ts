import { connect, type Socket } from "node:net";

/** What a socket is sent, and how it is left: cut off at once, ended in order, or held open for the server to end. */
export interface RawCase {
  readonly pieces: readonly Buffer[];
  readonly leave: "cut" | "end" | "hold";
}

const TARGETS = [
  ...[
    "//",
    "http://[",
    "//:99999",
    "http://",
    "///",
    "/%",
    "/%ff%00",
    "*",
    "?",
    "#",
    "/..//..",
    "\\\\",
    "http://a:b@c:0x/",
  ],
  ...[
    "/metrics?%",
    "/readyz#",
    "//metrics",
    "/_simulator/%",
    "/_simulator//:99999",
    "/_simulator/outbox?to=%&wait=1e9",
  ],
  ...[
    "/ekoapi/v3/customer/payment/dmt-levin/sender/%/aadhaar/otp",
    "/v2/ekyc/aadhaar/generate-otp?%&&=&aadhaar_number=%e0",
  ],
  ...["/ekoapi/v3/tools/kyc/mobile/otp", "/v2/ekyc/aadhaar/verify-otp?=%&otp[]=1", "/_simulator/configure", "/healthz"],
];
const METHODS = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PRI", "get", "", "G\0T"];
const VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "SPDY/3"];
const HEADERS = [
  ...["Host: a", "Host:", "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 5", ": x"],
  ...["Transfer-Encoding: chunked", "Transfer-Encoding: chunked, identity", "Expect: 100-continue", "Expect: magic"],
  ...["Connection: upgrade\r\nUpgrade: h2c", "Upgrade: websocket", " folded", "No colon", "X:\0", "Content-Type: \xff"],
  ...["Content-Type: application/json", "secret-key-timestamp: NaN", "secret-key: %", "developer_key: \xe9"],
];
const BODIES = [
  "",
  "{",
  "[[[",
  "null",
  '{"a":',
  "5\r\nhello\r\n",
  "zz\r\n",
  "0\r\n\r\n",
  "\0\0\0",
  '{"otp":{"a":1}}',
  "x".repeat(3_000),
];

/** Requests as no client of ours makes them. The same seed gives the same ones. */
export function rawCases(random: () => number, count: number): RawCase[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const one = (words: readonly string[]): string => words[below(words.length)] ?? "";
  const request = (): Buffer => {
    const headers = Array.from({ length: below(4) }, () => `${one(HEADERS)}\r\n`).join("");
    const huge = below(20) === 0 ? `X-Huge: ${"h".repeat(70_000)}\r\n` : "";
    const end = below(5) === 0 ? "" : "\r\n"; // else half a request
    return Buffer.from(
      `${one(METHODS)} ${one(TARGETS)} ${one(VERSIONS)}\r\n${headers}${huge}${end}${one(BODIES)}`,
      "latin1",
    );
  };
  const noise = (): Buffer => Buffer.from(Array.from({ length: below(2_000) }, () => below(256)));
  const leave = (): RawCase["leave"] => (["cut", "end", "end", "hold"] as const)[below(4)] ?? "end";
  const made = Array.from({ length: count }, (): RawCase => {
    const pieces = Array.from({ length: 1 + below(5) }, () => (below(6) === 0 ? noise() : request()));
    return { pieces, leave: leave() };
  });
  const known = [
    "GET // HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET //:99999 HTTP/1.1\r\nHost: a\r\n\r\n",
  ];
  return [...known.map((text): RawCase => ({ pieces: [Buffer.from(text)], leave: "end" })), ...made];
}

/** Sends one case; resolves when it has left, or for `hold` when all is written: then its socket. */
export async function sendRaw(port: number, { pieces, leave }: RawCase): Promise<Socket | null> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {}); // being hung up on is what is expected
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  for (const piece of pieces) {
    const written = new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    await Promise.race([written, closed]);
  }
  if (leave === "hold") return socket;
  if (leave === "cut") socket.resetAndDestroy();
  else socket.end();
  // A server that takes its time to answer is not what this is about.
  await Promise.race([closed, new Promise<void>((resolve) => socket.setTimeout(300, resolve))]);
  socket.destroy();
  return null;
}
