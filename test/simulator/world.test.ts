import { expect, it } from "vitest";
import { SIMULATOR_CREDENTIALS } from "../../simulator/credentials.ts";
import { Draw, seededRandom } from "../../simulator/draw.ts";
import { AadhaarKeys } from "../../simulator/eko/aadhaar-keys.ts";
import { World } from "../../simulator/world.ts";

it("never gives a reference twice while the first is known", async () => {
  const world = new World({
    now: () => 0,
    draw: new Draw(seededRandom(1)),
    credentials: SIMULATOR_CREDENTIALS,
    aadhaarKeys: await AadhaarKeys.generate(),
    configuration: {},
    keepRequests: true,
    outboxLimit: 10,
  });
  const message = { operation: "deepvue.aadhaar-otp", to: "234123412346", mobile: null, referenceTid: null };
  world.sendOtp({ ...message, handle: "00000001", reference: "00000001", clientRefId: null });
  const drawn = ["00000001", "00000001", "00000002"];
  expect(world.unusedReference(() => drawn.shift() ?? "")).toBe("00000002");
});
