import { existsSync } from "node:fs";
import { SIMULATOR_CREDENTIALS } from "../../simulator/credentials.ts";
import type { Finding } from "../../src/secrets/found.ts";
import { type Needle, Needles } from "../../src/privacy/scan/needles.ts";
import { FileScan } from "../../src/privacy/scan/scan-files.ts";
import { Scanner } from "../../src/privacy/scan/scanner.ts";

/** What the tests' processes authenticate with. */
const { eko, deepvue } = SIMULATOR_CREDENTIALS;
const SECRETS: readonly Needle[] = Object.entries({
  "eko.developerKey": eko.developerKey,
  "eko.accessKey": eko.accessKey,
  "deepvue.clientId": deepvue.clientId,
  "deepvue.clientSecret": deepvue.clientSecret,
}).map(([name, value]) => ({ kind: "secret", name, value }));

/** The tripwire over what a test leaves: throws where something like an Aadhaar number or a secret is in a file or folder. */
export async function assertNothingLeaked(path: string): Promise<void> {
  const findings = await leaksIn(path);
  if (findings.length === 0) return;
  const places = findings.slice(0, 5).map(({ what, shown, place }) => `${what} ${shown} in ${place}`);
  throw new Error(
    `this test left ${findings.length} in clear: ${places.join("; ")}. Where it plants them on purpose: startTestRedis({ plants: "why" })`,
  );
}

/** None where there is nothing of that name. */
export async function leaksIn(path: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const scan = new FileScan({
    scanner: new Scanner(new Needles(SECRETS)),
    onFinding: (finding) => findings.push(finding),
  });
  if (existsSync(path)) await scan.path(path);
  return findings;
}
