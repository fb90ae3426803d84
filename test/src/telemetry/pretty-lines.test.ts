import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { PrettyLines } from "../../../src/telemetry/pretty-lines.ts";

function setup(inColours: boolean) {
  const lines: string[] = [];
  const pretty = new PrettyLines({ write: (line) => void lines.push(line) }, inColours);
  return { lines, pretty, logger: createLogger("debug", pretty) };
}

const FINISHED = {
  ...{ job: "0mhq3k1x7c4d9f2a1b", operation: "eko.mobile-otp", attempt: 1, outcome: "rejected" },
  ...{ client_ref_id: "0mhq3k1x7c4d9f2a1b01", state: "rejected", reason: 'refused: state="active"\n' },
} as const;

describe("pretty lines", () => {
  it("say time, level, message and the facts as name=value, each in one line whatever is in it", () => {
    const { lines, logger } = setup(false);
    logger.info(FINISHED, "attempt finished");
    logger.rarely.warn({ err: new TypeError("with 9876543210 in it") }, "redis connection error");
    const [first = "", second = ""] = lines;
    expect(first).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}attempt finished job=0mhq3k1x7c4d9f2a1b operation=eko\.mobile-otp attempt=1 outcome=rejected client_ref_id=0mhq3k1x7c4d9f2a1b01 state=rejected reason="refused: state=\\"active\\"\\n"\n$/,
    );
    expect(second).toMatch(/ WARN {2}redis connection error err=\{"name":"TypeError","at":".*"\}\n$/);
    expect(second).not.toContain("9876543210");
  });

  it("are the same in colours, without which nothing is lost", () => {
    const [plain, coloured] = [setup(false), setup(true)];
    for (const { logger } of [plain, coloured]) logger.info(FINISHED, "attempt finished");
    const [line = ""] = coloured.lines;
    expect(line).toContain("\u001B[32mINFO \u001B[39m");
    const withoutTime = (text: string): string => stripVTControlCharacters(text).slice(12);
    expect(withoutTime(line)).toBe(withoutTime(plain.lines[0] ?? ""));
  });

  it("leave what is no line of the log as it is", () => {
    const { lines, pretty } = setup(true);
    for (const line of ["no JSON\n", "17\n", '{"other":1}\n']) pretty.write(line);
    expect(lines).toEqual(["no JSON\n", "17\n", '{"other":1}\n']);
  });
});
