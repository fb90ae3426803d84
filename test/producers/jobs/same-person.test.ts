import { describe, expect, it } from "vitest";
import { SamePersons } from "../../../producers/jobs/same-person.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { startClientBundle } from "../../support/client.ts";

describe("inputs for one person", () => {
  it("are found among thousands, each group by its rows in order", async () => {
    await using bundle = await startClientBundle();
    const persons = new SamePersons(bundle.settings);
    const operation = findOperation("eko.mobile-otp");
    const add = (row: number, person: number): void =>
      persons.add(row, {
        ...{ operation, clientRefId: null, of: null, deadline: null, known: null },
        input: { mobile: new Secret(madeUpMobile(person), "mobile") },
      });
    for (let row = 0; row < 5_000; row++) add(row, row);
    expect(persons.none).toBe(true);
    add(5_000, 4_999);
    add(5_001, 0);
    add(5_002, 4_999);
    expect(persons.groups()).toEqual([
      [4_999, 5_000, 5_002],
      [0, 5_001],
    ]);
  });
});
