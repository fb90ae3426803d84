import { expect, it } from "vitest";
import { javaDateInIndia } from "../../../simulator/eko/java-date.ts";

it("writes times as the documents' sample does, in Indian time", () => {
  expect(javaDateInIndia(Date.UTC(2026, 4, 22, 10, 34, 4))).toBe("Fri May 22 16:04:04 IST 2026");
  expect(javaDateInIndia(Date.UTC(2026, 11, 31, 18, 30))).toBe("Fri Jan 01 00:00:00 IST 2027");
});
