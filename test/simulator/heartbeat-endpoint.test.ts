import { describe, expect, it } from "vitest";
import { expectedSecretKey } from "../../simulator/eko/signature.ts";
import { startSimulator } from "../../simulator/simulator.ts";

async function beat(url: string, key: string): Promise<Response> {
  const timestamp = String(Date.now());
  const headers = {
    ...{ developer_key: "heartbeat", "secret-key": expectedSecretKey(key, timestamp) },
    ...{ "secret-key-timestamp": timestamp, "content-type": "application/json" },
  };
  return await fetch(`${url}/heartbeat`, { method: "POST", headers, body: "{}" });
}

describe("the simulator's answer to a heartbeat", () => {
  it("is yes where it is signed, and counts as nobody's call", async () => {
    await using simulator = await startSimulator();
    const reply = await beat(simulator.url, "heartbeat");
    expect([reply.status, await reply.json()]).toEqual([200, expect.objectContaining({ status: 0 })]);
    expect(simulator.stats()).toMatchObject({ requests: 0 });
  });

  it("is 403 where the signature is another's", async () => {
    await using simulator = await startSimulator();
    expect((await beat(simulator.url, "another")).status).toBe(403);
  });
});
