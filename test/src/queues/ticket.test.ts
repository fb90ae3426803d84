import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LARGEST_TICKET, newTicket, parseTicket } from "../../../src/queues/ticket.ts";

describe("a ticket's name", () => {
  it("tells its size, its lane and whether it is of verifies, whatever they are", () => {
    const tickets = fc.record({
      size: fc.integer({ min: 1, max: LARGEST_TICKET }),
      lane: fc.constantFrom("interactive" as const, "bulk" as const),
      verify: fc.boolean(),
    });
    const unique = fc.stringMatching(/^[0-9a-z]{1,20}$/);
    fc.assert(
      fc.property(tickets, unique, (given, rest) => {
        const ticket = newTicket(given, rest);
        expect(ticket).toMatchObject(given);
        expect(parseTicket(ticket.name)).toEqual(ticket);
      }),
    );
  });

  it.each([
    ["", "nothing"],
    ["j-t-12b-0mv", "a job's own entry"],
    ["t-0b-0mv", "no job"],
    ["t-012b-0mv", "a number that is written otherwise"],
    ["t-65b-0mv", "more than a ticket carries"],
    ["t-999b-0mv", "far more than a ticket carries"],
    ["t-12x-0mv", "a lane that there is not"],
    ["t-12bb-0mv", "two lanes"],
    ["t-12vb-0mv", "a verify before its lane"],
    ["t-12b-", "no rest"],
    ["t-12b-0MV", "capitals"],
    ["t-12b-0mv\n", "a line's end"],
    ["t-12b-0mv:lock", "another key of BullMQ's"],
    ["xt-12b-0mv", "something before it"],
  ])("is not %j: %s", (name) => {
    expect(parseTicket(name)).toBeNull();
  });
});
