import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import type { Finding } from "../../../../src/secrets/found.ts";
import { Needles } from "../../../../src/privacy/scan/needles.ts";
import { scanMetrics, scanPage } from "../../../../src/privacy/scan/scan-page.ts";
import { Scanner } from "../../../../src/privacy/scan/scanner.ts";

/** Made up: no real person's. */
const NUMBER = "234123412346";
const SCANNER = new Scanner(new Needles([{ kind: "secret", name: "eko.accessKey", value: "planted-access-key" }]));

function found(text: string): Finding[] {
  const findings: Finding[] = [];
  scanMetrics(SCANNER, "page", text, (finding) => findings.push(finding));
  return findings;
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics?token=x`);
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url, [Symbol.dispose]: stop };
}

describe("a page of metrics", () => {
  it.each([
    `calls_total{provider="eko",message="of ${NUMBER}"} 1`,
    `calls_total{provider="eko",subject="${NUMBER}"} 1 1763726400000`,
    `# HELP calls_total Calls for ${NUMBER}`,
    `calls_total{provider="eko"} 1 # {trace="${NUMBER}"} 1`,
    `of ${NUMBER}: no metrics at all`,
  ])("gives away what stands in %j", (line) => {
    expect(found(`# TYPE calls_total counter\n${line}\n`)).toEqual([
      { source: "page", place: "page line 2", kind: "aadhaar", what: "Aadhaar-like number", shown: "XXXX XXXX 2346" },
    ]);
  });

  it("may have any value: bytes and sums are no person's", async () => {
    const registers = [new Registry()] as const;
    new Gauge({ name: "bytes", help: "Bytes.", registers: [...registers] }).set(Number(NUMBER));
    new Counter({ name: "total", help: "Total.", registers: [...registers] }).inc(999_941_057_058);
    const seconds = new Histogram({ name: "seconds", help: "Seconds.", registers: [...registers], labelNames: ["a"] });
    seconds.observe({ a: "b" }, Number(NUMBER));
    const text = await registers[0].metrics();
    expect(text).toContain(NUMBER);
    expect(found(text)).toEqual([]);
  });

  it("is fetched, and told with its address and line, without its query", async () => {
    using server = await serve((_request, response) => response.end(`# a\nb{c="planted-access-key"} 1\n`));
    const findings: Finding[] = [];
    const bytes = await scanPage(SCANNER, server.url, (finding) => findings.push(finding));
    expect(bytes).toBe(32);
    expect(findings.map(({ place, what }) => [place, what])).toEqual([
      [`${server.url.origin}/metrics line 2`, "eko.accessKey"],
    ]);
  });

  it.each<[string, RequestListener, RegExp]>([
    ["that refuses", (_request, response) => response.writeHead(404).end(), /: HTTP 404$/],
    ["that leads elsewhere", (_request, response) => response.writeHead(302, { location: "/x" }).end(), /redirect/],
    ["that breaks off", (request) => request.socket.destroy(), /: \S+/],
  ])("%s is an error that names it", async (_, listener, message) => {
    using server = await serve(listener);
    const scanning = scanPage(SCANNER, server.url, () => {});
    await expect(scanning).rejects.toMatchObject({
      code: ErrorCode.BAD_FILE,
      message: expect.stringMatching(message) as string,
    });
  });
});
