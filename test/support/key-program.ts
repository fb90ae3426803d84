import { createHmac } from "node:crypto";
import { text } from "node:stream/consumers";
import { readEnvironment } from "../../src/config/environment.ts";

// A key service as a program, for tests: its first argument says how it behaves. "Wrapping" is XOR with a pad of the context.
const [behaviour = "well"] = process.argv.slice(2);

function pad(context: string): Buffer {
  return createHmac("sha256", "made up").update(context).digest();
}

function xor(bytes: Buffer, context: string): Buffer {
  const mask = pad(context);
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index % mask.length] ?? 0)));
}

function answer(request: Readonly<Record<string, string>>): unknown {
  const { operation, key = "", wrapped = "", context = "" } = request;
  if (operation === "wrap")
    return { wrapped: xor(Buffer.from(key, "base64"), context).toString("hex"), key_id: "arn:made-up:key/7" };
  return { key: xor(Buffer.from(wrapped, "hex"), context).toString("base64") };
}

const request = JSON.parse(await text(process.stdin)) as Readonly<Record<string, string>>;
process.stderr.write(`SECRET-ON-STDERR ${request["key"] ?? ""}\n`);
switch (behaviour) {
  case "garbage":
    process.stdout.write("<html>SECRET-ON-STDOUT</html>");
    break;
  case "empty":
    break;
  case "short":
    process.stdout.write(JSON.stringify({ key: Buffer.alloc(16).toString("base64"), wrapped: 7, key_id: "" }));
    break;
  case "flood":
    process.stdout.write("x".repeat(10_000_000));
    break;
  case "exit":
    process.stdout.write(JSON.stringify(answer(request)));
    process.exitCode = 1;
    break;
  case "environment":
    process.stdout.write(JSON.stringify({ wrapped: JSON.stringify(readEnvironment()), key_id: "environment" }));
    break;
  default:
    process.stdout.write(JSON.stringify(answer(request)));
}
