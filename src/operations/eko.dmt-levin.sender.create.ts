import { z } from "zod";
import { agentFields } from "../providers/eko/body.ts";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { addressOnTheWire, residenceAddress } from "./address.ts";
import { agent, customerId, dob, name } from "./fields.ts";
import { ekoOperation } from "./operation.ts";

/** No OTP goes out in this rail (facts/eko §4.1); 2129 and 2136 are the other rails' answers to the same call. */
const RULES: EkoRules = {
  succeeds: {
    17: { created: false, next_step: "aadhaar" },
    300: { created: true, next_step: "aadhaar" },
    585: { created: false, next_step: null },
    2129: { created: true, next_step: "otp" },
    2136: { created: true, next_step: "aadhaar" },
  },
  plain: { created: true, next_step: "aadhaar" },
  keeps: ["otp_ref_id", "user_code"],
};

export const ekoDmtLevinSenderCreate = ekoOperation({
  name: "eko.dmt-levin.sender.create",
  step: "create",
  summary: "Create a DMT-Levin sender",
  path: "/customer/payment/dmt-levin/sender/{customer_id}",
  input: z.strictObject({ customer_id: customerId, name, dob, residence_address: residenceAddress, ...agent }),
  example: {
    customer_id: "9876543210",
    name: "Asha Example",
    dob: "1990-01-31",
    residence_address: { line: "1 Example Road", city: "Bengaluru", state: "Karnataka", pincode: "560001" },
  },
  afterUnknown: "stop",
  prepare(input, context) {
    return {
      method: "POST",
      path: fillPath(context.path, { customer_id: input.customer_id.open() }),
      query: {},
      body: {
        ...agentFields(input, context),
        client_ref_id: context.clientRefId,
        name: input.name.open(),
        dob: input.dob.open(),
        residence_address: addressOnTheWire(input.residence_address),
      },
    };
  },
  read: (reply, input) => readEko(reply, RULES, input),
});
