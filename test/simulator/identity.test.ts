import { expect, it } from "vitest";
import { identityOf } from "../../simulator/identity.ts";
import { madeUpAadhaar } from "../../simulator/people.ts";

it("invents the same person for the same number, and many different ones", () => {
  expect(identityOf(madeUpAadhaar(1))).toEqual(identityOf(madeUpAadhaar(1)));
  const people = Array.from({ length: 1_000 }, (_, index) => identityOf(madeUpAadhaar(index)));
  expect(new Set(people.map(({ name, dateOfBirth }) => `${name} ${dateOfBirth}`)).size).toBeGreaterThan(900);
  expect(new Set(people.map(({ gender }) => gender))).toEqual(new Set(["M", "F"]));
});

it("invents dates that exist", () => {
  for (let index = 0; index < 1_000; index += 1) {
    const [day = "", month = "", year = ""] = identityOf(madeUpAadhaar(index)).dateOfBirth.split("-");
    expect(new Date(`${year}-${month}-${day}`).toISOString().slice(0, 10)).toBe(`${year}-${month}-${day}`);
  }
});
