import { describe, expect, it } from "vitest";
import { formatTable } from "../../../producers/report/table.ts";

describe("a table", () => {
  it("has no colours, no trailing blanks, numbers to the right, and a width by its longest cell", () => {
    const text = formatTable(
      [{ title: "what" }, { title: "count", align: "right" }],
      [
        ["a", 1],
        ["something long", 12_345],
      ],
    );
    expect(text).toBe(`\
what             count
───────────────────────
a                    1
something long   12345
`);
  });

  it("keeps a cell of several lines together", () => {
    const lines = formatTable([{ title: "a" }, { title: "b" }], [["1", "one\ntwo"]]).split("\n");
    expect(lines.slice(2)).toEqual(["1   one", "    two", ""]);
  });
});
