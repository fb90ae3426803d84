import { z } from "zod";
import { agentFields } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { agent, customerId } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

/** An unknown customer is an answer too. `next_step` is the step that is missing to send money. */
const RULES: EkoRules = {
  succeeds: {
    308: { registered: false, next_step: "create" },
    309: { registered: true, next_step: null },
    327: { registered: true, next_step: "verify" },
    585: { registered: true, next_step: null },
    2129: { registered: true, next_step: "otp" },
    2134: { registered: false, next_step: "biometric" },
    2136: { registered: false, next_step: "aadhaar" },
    2147: { registered: false, next_step: "pan" },
  },
  plain: { registered: true, next_step: null },
  keeps: ["otp_ref_id", "user_code"],
};

export const ekoDmtLevinSender = ekoOperation({
  name: "eko.dmt-levin.sender",
  step: "read",
  summary: "Look up a DMT-Levin sender and the step it lacks",
  path: "/customer/payment/dmt-levin/sender/{customer_id}",
  input: z.strictObject({ customer_id: customerId, ...agent }),
  example: { customer_id: "9876543210" },
  afterUnknown: "repeat",
  prepare(input, context) {
    return {
      method: "GET",
      path: fillPath(context.path, { customer_id: input.customer_id.open() }),
      query: agentFields(input, context),
      body: null,
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
