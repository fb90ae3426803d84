import { BadRowsError, createClient } from "satyapan";

const client = createClient(); // settings from the environment
const people = ["9123400000", "9123401000", "9123402000"];

function* rows() {
  for (const [index, mobile] of people.entries()) {
    yield { ref: `F-${index + 1}`, input: { mobile, csp_id: "9000000001" }, columns: { branch: "Pune" } };
  }
}

try {
  const { id } = await client.batches.submit(rows(), { operation: "eko.mobile-otp", name: "Tuesday Pune", weight: 2 });
  for await (const { state, counts } of client.batches.watch(id)) console.log(state, counts.succeeded);
  for await (const { ref, state, columns } of client.batches.results(id)) console.log(ref, state, columns["mobile"]);
} catch (error) {
  if (!(error instanceof BadRowsError)) throw error;
  for (const { row, fields } of error.problems) console.error(row, fields); // nothing was accepted
} finally {
  await client.close();
}
