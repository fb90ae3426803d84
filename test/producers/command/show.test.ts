import { describe, expect, it } from "vitest";
import { MOBILE, MOBILE_INPUT, startClientBundle, testKeys } from "../../support/client.ts";
import { satyapan } from "../../support/command.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("satyapan show", () => {
  it("prints a job's record, with --json as one document, and no number in clear", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    await bundle.begin("order-1", "eko");
    await bundle.finish("order-1", "eko", "succeeded", { result: { mobile: "XXXXXX6780", otp_sent: true } });
    const place = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url } };
    const text = await satyapan(["show", "order-1"], place);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/^state +succeeded$/m);
    expect(text.stdout).toMatch(/^result\.mobile +XXXXXX6780$/m);
    expect(text.stdout).toMatch(/^1 +ref-1 /m);
    const json = await satyapan(["show", "order-1", "--json"], place);
    expect(JSON.parse(json.stdout)).toEqual(await bundle.client.get("order-1"));
    expect(text.stdout + json.stdout).not.toContain(MOBILE);
  });

  it("says that there is no such job, without repeating what may be a number, and asks for an id", async () => {
    await using dir = await makeTempDir();
    const keys = testKeys();
    await using bundle = await startClientBundle(keys);
    const place = { cwd: dir.path, env: { ...keys, REDIS_URL: bundle.redis.url } };
    const ran = async (...args: string[]) => {
      const { code, stdout, stderr } = await satyapan(["show", ...args], place);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      return stderr;
    };
    expect(await ran("order-2")).toBe("satyapan: there is no job order-2, or its record is past its retention\n");
    expect(await ran(MOBILE, "--json")).toBe("satyapan: there is no such job, or its record is past its retention\n");
    expect(await ran()).toBe("satyapan: missing required argument 'id'; see `satyapan show --help`\n");
  });
});
