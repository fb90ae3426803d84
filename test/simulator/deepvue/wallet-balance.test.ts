import { describe, expect, it } from "vitest";
import { startSimulator } from "../../../simulator/simulator.ts";

const PATH = "/v1/internal/wallet-balance";

describe("Deepvue's wallet balance", () => {
  it("is told to whoever has the key pair, and to nobody else", async () => {
    await using simulator = await startSimulator();
    const { DEEPVUE_CLIENT_ID: id, DEEPVUE_CLIENT_SECRET: secret } = simulator.env;
    const ask = async (headers: Record<string, string>) => await fetch(`${simulator.url}${PATH}`, { headers });
    const told = await ask({ "x-api-key": secret, "client-id": id });
    expect([told.status, await told.json()]).toEqual([200, { current_balance: 6448, success: true }]);
    expect((await ask({ "x-api-key": "wrong", "client-id": id })).status).toBe(401);
    expect((await ask({})).status).toBe(403);
  });
});
